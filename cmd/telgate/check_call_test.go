package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"telgate/sip/siptest"
)

// proved is what check --call said about the call.
func proved(t *testing.T, s *site, command string) (lines []string) {
	t.Helper()
	s.script.Reset()
	s.telgate(command)
	for line := range strings.Lines(s.stable(s.script.String())) {
		if regexp.MustCompile(`^\w+ +call +`).MatchString(line) || strings.HasPrefix(line, "-- exit") || strings.Contains(line, "rang: ") || strings.HasPrefix(line, "telgate: ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestATestCallProvesThatSoundAndKeysGoBothWays(t *testing.T) {
	t.Parallel()
	answers := func(s *site, then func(*siptest.Ring)) func(*siptest.Ring) {
		return func(r *siptest.Ring) {
			if r.Answer(s.ctx) == nil {
				then(r)
			}
		}
	}
	for _, c := range []struct {
		name, number string
		behave       func(s *site) func(*siptest.Ring)
		want         []string
	}{
		{"an echo of keys by INFO", "7199\"\ndtmf = \"info", func(s *site) func(*siptest.Ring) { return answers(s, (*siptest.Ring).Echo) }, []string{
			`ok call main sip:7199@main answered in N ms, PCMU, N packets sent, N received, N lost: sound goes both ways, back after about N ms`,
			`ok call main keys come back (SIP INFO)`, `-- exit 0`, `(the phone 7199 rang: hung up by the caller)`,
		}},
		{"an echo of sound only", "7199\"\ndtmf = \"info", func(s *site) func(*siptest.Ring) { return answers(s, (*siptest.Ring).EchoRTP) }, []string{
			`ok call main sip:7199@main answered in N ms, PCMU, N packets sent, N received, N lost: sound goes both ways, back after about N ms`,
			`warn call main a key that we pressed by SIP INFO did not come back, so it is not proved that keys get through: press keys on a phone of this trunk and see whether they are heard; not every echo says them back`,
			`-- exit 0`, `(the phone 7199 rang: hung up by the caller)`,
		}},
		{"an echo", "7199", func(s *site) func(*siptest.Ring) { return answers(s, (*siptest.Ring).Echo) }, []string{
			`ok call main sip:7199@main answered in N ms, PCMU, N packets sent, N received, N lost: sound goes both ways, back after about N ms`,
			`ok call main keys come back (RFC 4733)`, `-- exit 0`, `(the phone 7199 rang: hung up by the caller)`,
		}},
		{"no echo", "sip:7199@main", func(s *site) func(*siptest.Ring) { return answers(s, func(*siptest.Ring) {}) }, []string{
			`fail call main sip:7199@main answered in N ms, PCMU, N packets sent, N received, N lost: what we sent did not come back: see that the test number says back what it hears (Asterisk: Echo), and that UDP from here gets through`,
			`-- exit 1`, `(the phone 7199 rang: hung up by the caller)`,
		}},
		{"declined", "7199", func(*site) func(*siptest.Ring) { return (*siptest.Ring).Decline }, []string{
			`fail call main sip:7199@main was not answered: 603 Decline: see that the test number exists and answers by itself; telgate call --trace shows the messages`,
			`-- exit 1`, `(the phone 7199 rang: declined)`,
		}},
		{"rings for ever", "7199", func(*site) func(*siptest.Ring) { return func(*siptest.Ring) {} }, []string{
			`fail call main sip:7199@main was not answered: it rang for N s: see that the test number exists and answers by itself; telgate call --trace shows the messages`,
			`-- exit 1`, `(the phone 7199 rang: cancelled)`,
		}},
		{"forbidden", "0110", func(*site) func(*siptest.Ring) { return func(*siptest.Ring) {} }, []string{
			`fail call main the test number sip:0110@main is not dialled: reaches the emergency or short number 110: see limits and test_number`, `-- exit 1`,
		}},
		{"none", "", func(*site) func(*siptest.Ring) { return func(*siptest.Ring) {} }, []string{
			`fail call main has no test number, so nothing was rung: set trunks.main.test_number to an extension that says back what it hears`, `-- exit 1`,
		}},
		{"no number", "tomorrow!", func(*site) func(*siptest.Ring) { return func(*siptest.Ring) {} }, []string{`telgate: $DIR/config.toml has faults:`, `-- exit 2`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.behave = c.behave(s)
			s.file("config.toml", mainTrunk+"test_number = \""+c.number+"\"\n"+alice)
			got := proved(t, s, "check --call main")
			for i := range got {
				got[i] = regexp.MustCompile(`\b\d+( ms\b| packets| received| lost| s\b|s\b)`).ReplaceAllString(got[i], "N$1")
				got[i] = strings.ReplaceAll(regexp.MustCompile(` +`).ReplaceAllString(got[i], " "), "Ns:", "N s:")
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestATestCallIsAddressedAndOfferedAsAnyOtherCallIs(t *testing.T) {
	t.Parallel()
	s, peer := newSite(t), siptest.NewPeer(t)
	s.replace("$PEER", peer.Addr())
	s.file("config.toml", strings.Replace(mainTrunk, "$PBX", "$PEER", 1)+"uri = \"tel\"\ntest_number = \"+12025550123\"\n[limits]\nprefixes_allowed = [\"+1\"]\n"+alice)
	ended := make(chan struct{})
	go func() { defer close(ended); s.telgate("check --call main") }()
	peer.Answer(peer.Expect("OPTIONS"), "200 OK", "a", "")
	for _, offer := range []string{"RTP/AVP 0 8 101", "RTP/AVP 0 101"} { // a 488 has a narrower one tried
		in := peer.Expect("INVITE")
		if !strings.HasPrefix(in.Start, "INVITE tel:+12025550123 ") || !strings.Contains(in.Body, offer) {
			t.Errorf("%s\n%s\nwant tel: and %s", in.Start, in.Body, offer)
		}
		peer.Answer(in, "488 Not Acceptable Here", "b", "")
		peer.Expect("ACK")
	}
	<-ended
}

func TestNothingRingsWithoutTheFlagAndAnUnknownTrunkIsSaid(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+"test_number = \"7199\"\n"+alice)
	if got := proved(t, s, "check"); len(got) != 1 || got[0] != "-- exit 0" {
		t.Errorf("got %q", got)
	}
	if got := proved(t, s, "check --call backup"); strings.Join(got, "\n") != "telgate: --call backup: there is no such trunk\n-- exit 2" {
		t.Errorf("got %q", got)
	}
}

func TestATestCallThatIsInterruptedIsHungUpFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+"test_number = \"7199\"\n"+alice)
	signals := make(chan os.Signal, 1)
	s.behave = func(*siptest.Ring) { signals <- os.Interrupt }
	var out, errs kept
	if status := run(s.ctx, []string{"check", "--call", "main"}, s.environment(&out, &errs, signals)); status != exitInterrupted {
		t.Errorf("exit status %d\n%s%s", status, out.bytes(), errs.bytes())
	}
	if !strings.Contains(string(errs.bytes()), "telgate: hanging up, waiting at most 2s for trunk main to confirm it") {
		t.Errorf("stderr is %s", errs.bytes())
	}
	s.quiet()
	if got := s.script.String(); !strings.Contains(got, "(the phone 7199 rang: cancelled)") {
		t.Errorf("got %q", got)
	}
}
