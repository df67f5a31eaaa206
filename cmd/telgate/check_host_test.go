package main

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"telgate"
	"telgate/sip"
	"telgate/sip/siptest"
)

// found are the findings of a check that begin with one of these words and are not ok.
func found(t *testing.T, s *site, checks ...string) string {
	t.Helper()
	s.script.Reset()
	s.telgate("check")
	var out strings.Builder
	for line := range strings.Lines(s.stable(s.script.String())) {
		fields := strings.Fields(line)
		for _, c := range checks {
			if len(fields) > 2 && fields[0] != "ok" && fields[1] == c {
				out.WriteString(strings.Join(fields, " ") + "\n")
			}
		}
	}
	return out.String()
}

func TestWhatThisMachineLacksForItsCallsIsSaid(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", strings.Replace(mainTrunk, "[web]", "[media]\nports = \"20000-20019\"\n[web]", 1)+"max_calls = 300\n"+alice)
	s.proc = map[string]string{
		"/proc/sys/net/ipv4/ip_local_port_range": "15000\t60999\n",
		"/proc/self/limits":                      "Limit  Soft Limit  Hard Limit  Units\nMax open files            256                  4096                 files\n",
		"/proc/sys/net/core/rmem_max":            "212992\n",
	}
	got := found(t, s, "host")
	for _, want := range []string{
		"300 calls (300 of trunk main) want 600, as a pair rests after its call: widen media.ports, or lower max_calls of the trunks",
		"warn host ports media.ports 20000-20019 overlap the ports the kernel hands out, 15000-60999: move media.ports below them",
		"warn host files at most 256 files may be open, 300 calls (300 of trunk main) want 800: raise LimitNOFILE",
		"warn host buffers net.core.rmem_max is 212992: hundreds of calls set up at once lose messages: set it to 4194304",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	s.file("config.toml", strings.Replace(mainTrunk, "[web]", "[media]\nports = \"20000-20019\"\n[web]", 1)+alice)
	if got := found(t, s, "host"); !strings.Contains(got, "50 calls (50 of trunk main, which has no max_calls) want 100") {
		t.Errorf("it does not say where the number comes from:\n%s", got)
	}
	s.file("config.toml", mainTrunk+alice)
	s.proc = map[string]string{
		"/proc/sys/net/ipv4/ip_local_port_range": "32768 60999\n", "/proc/self/limits": "Max open files  unlimited  unlimited  files\n",
		"/proc/sys/net/core/rmem_max": "4194304\n",
	}
	if got := found(t, s, "host"); got != "" {
		t.Errorf("nothing is wrong, and it says\n%s", got)
	}
	s.file("config.toml", strings.Replace(mainTrunk, "[web]", "[media]\naddress = \"10.99.99.99\"\n[web]", 1)+alice)
	if got := found(t, s, "host"); got != "warn host main SDP names 10.99.99.99, which is no address of this machine: see media.address\n" {
		t.Errorf("got\n%s", got)
	}
}

func TestTwoTrunksThatWantTheSamePortAreToldSo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	second := "[trunks.second]\nkind = \"pbx\"\naddresses = [\"$PBX\"]\n"
	shared := strings.Replace(mainTrunk, `bind = "127.0.0.1"`, `bind = "127.0.0.1:15999"`, 1) + second
	const want = "fail host second UDP port 127.0.0.1:PORT is bound by the trunk main, so telgate serve cannot open this one: " +
		"give it a port of its own with trunks.second.bind\n"
	s.file("config.toml", shared+alice)
	if got := found(t, s, "host"); got != want {
		t.Errorf("got\n%s", got)
	}
	s.file("config.toml", shared+"bind = \"127.0.0.1:15998\"\n"+alice)
	if got := found(t, s, "host"); got != "" {
		t.Errorf("each has its own port, and it says\n%s", got)
	}
}

func TestAStateDirectoryThatIsOfNoUseIsSaidByEveryCommandThatNeedsIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+alice)
	if got := found(t, s, "host"); got != "" {
		t.Errorf("nothing is wrong, and it says\n%s", got)
	}
	s.says("ok    host     state              $DIR/state can be written and locked")
	if left, err := os.ReadDir(s.dir); err != nil || len(left) != 1 {
		t.Errorf("check leaves something: %v, %v", left, err)
	}
	s.file("state", "no directory")
	const want = "gateway.state_dir: $DIR/state cannot be used: not a directory: set gateway.state_dir to a directory that this user can make, write to and lock"
	if got := found(t, s, "host"); got != "fail host state "+want+"\n" {
		t.Errorf("got\n%s", got)
	}
	for command, more := range map[string]string{"serve": "\n-- exit 2", "call alice": "; or break the glass with --direct\n-- exit 2"} {
		s.script.Reset()
		s.telgate(command)
		s.says("telgate: " + want + more)
	}
}

func TestATestNumberIsDryRunAndRingsNobody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for number, want := range map[string]string{
		"7199":             "ok    number   main test          sip:7199@$PBX over main, by check --call only\n",
		"+1 202 555 0123":  "ok    number   main test          sip:…23@$PBX over main, by check --call only\n",
		"0110":             "fail  number   main test          sip:0110@main is not dialled: reaches the emergency or short number 110: see limits and trunks.main.test_number\n",
		"+44 20 7946 0123": "fail  number   main test          +44…23 is not dialled: not in limits.prefixes_allowed; add its prefix, for example \"+44\": see limits and trunks.main.test_number\n",
		"sip:7199@main":    "ok    number   main test          sip:7199@$PBX over main, by check --call only\n",
	} {
		s.file("config.toml", mainTrunk+"test_number = \""+number+"\"\n"+alice+"[limits]\nprefixes_allowed = [\"+1\"]\n")
		s.script.Reset()
		s.telgate("check")
		s.says(want)
	}
	if got := s.script.String(); strings.Contains(got, "rang: ") {
		t.Errorf("it rang:\n%s", got)
	}
}

func TestWhatAnAnswerToOPTIONSTellsIsSaid(t *testing.T) {
	t.Parallel()
	us, now := netip.MustParseAddrPort("10.0.0.5:5060"), time.Date(2026, 11, 24, 9, 0, 0, 999, time.UTC)
	for _, c := range []struct {
		name  string
		udp   bool
		probe sip.Probe
		want  string
	}{
		{"nothing is said", true, sip.Probe{}, ""},
		{"all is well", true, sip.Probe{Allow: "invite, ACK,BYE , CANCEL", Sight: sip.Sight{Said: us, Seen: us, Date: now.Add(-20 * time.Second)}}, ""},
		{"no calls", true, sip.Probe{Allow: "REGISTER, OPTIONS, ACK"}, "warn trunk main does not allow INVITE, CANCEL, BYE: see that addresses names the proxy or PBX that takes calls\n"},
		{
			"another address", true,
			sip.Probe{Sight: sip.Sight{Said: us, Seen: netip.MustParseAddrPort("198.51.100.7:1024")}},
			"warn nat main sees us at 198.51.100.7:1024, and we say that we are at 10.0.0.5:5060: set sip.public_address = \"198.51.100.7\" (and sip.local_nets for peers on this side), and forward SIP and RTP ports to this machine\n",
		},
		{
			"another port", true,
			sip.Probe{Sight: sip.Sight{Said: us, Seen: netip.MustParseAddrPort("10.0.0.5:1024")}},
			"warn nat main sees us at port 1024, and we say that it is 5060: a NAT changes our port: have it forward the port as it is, or see that the peer answers to where requests come from\n",
		},
		{
			"another address, which was learned", true,
			sip.Probe{Sight: sip.Sight{Local: us, Said: us, Seen: netip.MustParseAddrPort("198.51.100.7:1024"), Learned: true}},
			"ok nat main sees us at 198.51.100.7:1024, and we are at 10.0.0.5:5060: a NAT; Contact and SDP name what it sees\n",
		},
		{
			"another port, which was learned before", true,
			sip.Probe{Sight: sip.Sight{Local: us, Said: netip.MustParseAddrPort("10.0.0.5:1024"), Seen: netip.MustParseAddrPort("10.0.0.5:1024"), Learned: true}},
			"ok nat main sees us at 10.0.0.5:1024, and we are at 10.0.0.5:5060: a NAT; Contact and SDP name what it sees\n",
		},
		{"no NAT, as was learned", true, sip.Probe{Sight: sip.Sight{Local: us, Said: us, Seen: us, Learned: true}}, ""},
		{"another port of a connection", false, sip.Probe{Sight: sip.Sight{Said: us, Seen: netip.MustParseAddrPort("10.0.0.5:1024")}}, ""},
		{"a fast clock", true, sip.Probe{Sight: sip.Sight{Date: now.Truncate(time.Second).Add(90 * time.Second)}}, "warn clock main its clock is 1m30s ahead of ours: see that both keep time by NTP\n"},
		{"a slow clock", true, sip.Probe{Sight: sip.Sight{Date: now.Truncate(time.Second).Add(-2 * time.Hour)}}, "warn clock main its clock is 2h0m0s behind ours: see that both keep time by NTP\n"},
	} {
		var out bytes.Buffer
		r := &report{app: &app{cli: &cli{}, env: &environment{out: &out}, ctx: context.Background()}} //nolint:forbidigo // nobody waits for it
		checkPeer("main", c.udp, c.probe, now, r)
		var got strings.Builder
		for line := range strings.Lines(out.String()) {
			got.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
		}
		if got.String() != c.want {
			t.Errorf("%s: got\n%swant\n%s", c.name, got.String(), c.want)
		}
	}
}

func TestAPeerThatForbidsOPTIONSIsWarnedAbout(t *testing.T) {
	t.Parallel()
	s, peer := newSite(t), siptest.NewPeer(t)
	s.replace("$PEER", peer.Addr())
	s.file("config.toml", strings.Replace(mainTrunk, "$PBX", "$PEER", 1)+alice)
	ended := make(chan struct{})
	go func() { defer close(ended); s.telgate("check") }()
	peer.Answer(peer.Expect("OPTIONS"), "403 Forbidden", "a", "")
	<-ended
	s.says("warn  trunk    main               answers 403 in N ms: it may not know our address or account; where it forbids OPTIONS only, a call tells (check --call)")
	s.says("-- exit 0")
}

func TestAPeerThatForbidsOPTIONSWithCredentialsMayMeanThem(t *testing.T) {
	t.Parallel()
	s, peer := newSite(t), siptest.NewPeer(t)
	s.replace("$PEER", peer.Addr())
	s.vars["PASSWORD"] = "wrong"
	s.file("config.toml", strings.Replace(mainTrunk, "addresses = [\"$PBX\"]", "addresses = [\"$PEER\"]\nuser = \"telgate\"\npassword = \"env:PASSWORD\"", 1)+alice)
	ended := make(chan struct{})
	go func() { defer close(ended); s.telgate("check") }()
	peer.Answer(peer.Expect("OPTIONS"), "401 Unauthorized", "a", "", `WWW-Authenticate: Digest realm="pbx", nonce="n1", algorithm=MD5, qop="auth"`)
	peer.Answer(peer.Expect("OPTIONS"), "403 Forbidden", "a", "")
	<-ended
	s.says("warn  trunk    main               answers 403 in N ms: see user, auth_user and password: some peers do not say when they are wrong; where it forbids OPTIONS only, a call tells (check --call)")
	s.says("-- exit 0")
}

func TestWhatElseTheStatusOfACallMayMeanIsSaid(t *testing.T) {
	t.Parallel()
	c := telgate.Call{Outcome: telgate.OutcomeTrunkFailed, Detail: telgate.DetailStatus}
	c.Trunk, c.Signal.Status, c.Signal.Phrase = "main", 403, "Forbidden"
	if got := outcomeWords(c); got != "trunk main failed (403 Forbidden)" {
		t.Error(got)
	}
	c.Signal.Err = "the password may be wrong"
	if got := outcomeWords(c); got != "trunk main failed (403 Forbidden: the password may be wrong)" {
		t.Error(got)
	}
}

func TestNumbersAndRecordingsThatMayBeMistakesAreSaid(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+`[trunks.us]
addresses = ["$PBX"]
prefixes = ["+1"]
[limits]
prefixes_allowed = ["+1", "+81"]
[people.alice]
phones = ["sip:7101@main", "+81 90 1234 5678", "+1 202 555 0123"]
language = "fr"
[people.bob]
phones = ["sip:7101@main"]
[people.carol]
phones = ["sip:7101@main", "+1 202 555 0123"]
[people.dave]
[[people.dave.phone]]
number = "sip:7104@main"
label = "desk"
voicemail_after = "2s"
[[people.dave.phone]]
number = "sip:7105@main"
ring = "20s"
voicemail_after = "18s"
[[people.dave.phone]]
number = "sip:7106@main"
voicemail_after = "3s"
`)
	want := `warn prompt announcement none is recorded: the built-in alert does not name who calls: record who calls and why, and set gateway.announce_prompt
warn prompt fr alice hears the alert in "en": record it in "fr", see [prompts]
warn number dave desk sip:7104@main rings for 2s, and its mailbox answers after 2s: set ring of this phone to 1s at most
warn number dave sip:7105@main rings for 20s, and its mailbox answers after 18s: set ring of this phone to 15s at most
warn number alice sip:7101@main is also bob's and carol's: it is rung once and whoever confirms, confirms for all; if that is not meant, correct one of them
warn number alice +1…23 is also carol's: it is rung once and whoever confirms, confirms for all; if that is not meant, correct one of them
warn number alice +81…78 goes over trunk main only: nothing takes over when it fails: add a second trunk that carries it, or a second phone of another kind
`
	if got := found(t, s, "prompt", "number"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
