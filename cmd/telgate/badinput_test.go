package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"telgate"
	"telgate/sip/siptest"
)

const (
	alice = "[people.alice]\nname = \"Alice\"\nslack = \"U0ALICE\"\nphones = [\"sip:7101@main\"]\n"
	bob   = "[people.bob]\nname = \"Bob\"\nphones = [\"sip:7102@main\"]\n"
)

func TestAConfigurationWithManyFaultsListsThemAll(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", `[calls]
rong = "5s"
ring = 25
rounds = 99
confirm_key = "12345"
[sip]
bind = "0.0.0.0"
[media]
ports = "9-1"
[slak]
mode = "socket"
[trunks.main]
addresses = []
transport = "sctp"
srtp = "required"
password = "env:NOWHERE"
[people.alice]
phones = "7101"
[store]
url = "sqlite:x"
`)
	s.telgate("check")
	s.file("config.toml", `[calls]
trunks = ["nowhere"]
prompt = "fire"
[limits]
prefixes_allowed = ["0081"]
[sip]
bind = "0.0.0.0"
public_address = "here"
local_nets = ["10"]
[slack]
mode = "http"
bot_token = "xapp-wrong"
command = "tel"
[web]
listen = ""
[trunks.main]
addresses = ["a b", "192.0.2.1:99999"]
country = "ZZ"
user = "al ice"
[people."al ice"]
phones = ["+12025550123"]
[people.help]
phones = ["sip:7101@main", "sip:7101@elsewhere", "tomorrow", "0123"]
[people.bob]
aliases = ["BOB"]
slack = "U0BOB"
phones = []
[people.bert]
slack = "U0BOB"
phones = ["+12025550123;ext=5"]
[groups.ops]
members = ["alcie", "bob", "bob"]
[groups.none]
members = []
`)
	s.telgate("check")
	s.telgate("serve")
	s.golden("config")
}

func TestAnEmptyDirectorySaysThatNobodyIsConfigured(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+slackSocket)
	s.telgate("people")
	s.telgate("check")
	s.telgate("call alice")
	s.telgate("call --json alice")
	s.serves(func() {
		for _, text := range []string{"/tel alice db is down", "/tel <@U0ALICE>", "/tel test", "/tel who alice", "/tel list", "/tel stop alice", "/tel"} {
			s.types(text, alone)
		}
	})
	s.golden("nobody")
}

func TestAnUnknownNameIsRefusedWithWhoIsMeantPerhaps(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+slackSocket+alice+bob)
	s.telgate("call alcie")
	s.telgate("call zebra")
	s.telgate("call alice,zebra")
	s.telgate("call ,")
	s.serves(func() {
		for _, text := range []string{"/tel alcie db is down", "/tel zebra", "/tel alice,zebra", "/tel <@U0GRACE>", "/tel who alcie", "/tel stop alcie"} {
			s.types(text, alone)
		}
	})
	s.golden("unknown")
}

func TestANameThatIsANumberIsSuggestedMasked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+slackSocket+strings.Replace(alice, "slack", "aliases = [\"09012345678\"]\nslack", 1))
	for _, command := range []string{"call 09012345679", "call --json 09012345679", "call --show-numbers 09012345679", "call --json --show-numbers 09012345679", "call 0312345678"} {
		s.telgate(command)
	}
	s.serves(func() { s.types("/tel 09012345679", alone) })
	s.file("config.toml", mainTrunk+strings.Replace(alice, "slack", "aliases = [\"09012345678\"]\nslack", 1)+"[groups.ops]\nmembers = [\"09012345679\"]\n")
	s.telgate("check")
	s.golden("suggested")
}

func TestPeopleHasTheFaultsThatCallHas(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{
		"number_format = \"national\"", "test_number = \"tomorrow!\"", "outbound_proxy = \"a b\"", "uri = \"tel\"\ndial_prefix = \"0\"",
		"caller_prefix = \"186\"", "headers = { \"Via\" = \"x\" }",
	} {
		s := newSite(t)
		s.file("config.toml", mainTrunk+keys+"\n"+alice)
		said := func(command string) string {
			s.script.Reset()
			s.telgate(command)
			_, what, _ := strings.Cut(s.script.String(), "\n")
			return what
		}
		people, call := said("people"), said("call --direct alice")
		if people != call || !strings.Contains(call, "trunks.main.") || !strings.Contains(call, "-- exit 2") {
			t.Errorf("%s: people says\n%scall says\n%s", keys, people, call)
		}
	}
}

func TestAForbiddenNumberIsRefusedByEverySpelling(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const people = `
[people.plain]
phones = ["sip:911@main"]
[people.outside]
phones = ["sip:9911@main"]
[people.zero]
phones = ["sip:0110@main"]
[people.wide]
phones = ["sip:１１０@main"]
[people.country]
phones = ["+81 110"]
[people.premium]
phones = ["+81 570 000 000"]
[people.abroad]
phones = ["+44 20 7946 0123"]
[people.extra]
phones = ["+12025550666"]
[people.both]
phones = ["sip:911@main", "+12025550666"]
`
	s.file("config.toml", mainTrunk+slackSocket+`[limits]
prefixes_allowed = ["+1", "+81"]
extra_forbidden = ["+12025550666"]
`+people)
	s.telgate("check")
	names := []string{"plain", "outside", "zero", "wide", "country", "premium", "abroad", "extra", "both"}
	for _, name := range names {
		s.telgate("call " + name)
	}
	s.serves(func() {
		for _, name := range names {
			s.types("/tel "+name+" db is down", alone)
		}
	})
	s.golden("forbidden")
}

func TestANumberThatIsSkippedNamesTheRuleAndTheKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.behave = func(r *siptest.Ring) { r.Decline() }
	s.file("config.toml", mainTrunk+"[people.carol]\nphones = [\"+44 20 7946 0123\", \"sip:911@main\", \"sip:7101@main\"]\n")
	s.telgate("call carol")
	s.says(`carol +44…23: not dialled: not in limits.prefixes_allowed; add its prefix, for example "+44"`,
		"carol sip:911@main: not dialled: reaches the emergency or short number 911", "carol sip:7101@main: declined")
	s.telgate("call --json carol")
	s.says(`"event":"step_skipped"`, `"reason":"forbidden"`)
}

func TestARecordingThatCannotBePlayedIsAFaultBeforeAnyCall(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("noise.wav", "RIFF, or so it says")
	s.file("empty.wav", "")
	s.file("cut.wav", wav(1)[:40])
	s.file("hour.wav", wav(61))
	s.file("long.wav", wav(40))
	s.file("half.wav", wav(3)[:20000])
	s.file("short.wav", wav(1))
	for _, file := range []string{"noise.wav", "empty.wav", "cut.wav", "half.wav", "hour.wav", ".", "missing.wav"} {
		s.file("config.toml", mainTrunk+alice+"[prompts.fire]\nfile = \"$DIR/"+file+"\"\n")
		s.telgate("prompts check")
	}
	for _, command := range []string{"check", "call alice", "serve"} {
		s.telgate(command)
	}
	s.file("config.toml", mainTrunk+alice+`
[groups.ops]
members = ["alice"]
prompt = "long"
[groups.others]
members = ["alice"]
prompt = "nowhere"
[prompts.long]
file = "$DIR/long.wav"
`)
	for _, command := range []string{"prompts check", "call alice"} {
		s.telgate(command)
	}
	s.file("config.toml", mainTrunk+alice+`
[groups.ops]
members = ["alice"]
prompt = "short"
[groups.others]
members = ["alice"]
prompt = "shrot"
[groups.foreign]
members = ["alice"]
prompt = "german"
[prompts.short]
file = "$DIR/short.wav"
[prompts.german]
files = { de = "$DIR/long.wav" }
`)
	s.telgate("prompts check")
	s.golden("prompts")
}

func TestATrunkThatIsDownIsNamed(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string]string{
		"closed": "addresses = [\"$NOBODY\"]",
		"silent": "addresses = [\"$SILENT\"]",
		"tcp":    "transport = \"tcp\"\naddresses = [\"$NOBODY\"]",
		"babble": "addresses = [\"$BABBLE\"]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.replace("$NOBODY", nobody(t))
			s.replace("$SILENT", silent(t))
			s.replace("$BABBLE", babbling(t))
			s.file("config.toml", strings.Replace(mainTrunk, "addresses = [\"$PBX\"]", keys, 1)+alice+slackSocket)
			s.telgate("check")
			s.telgate("trunks")
			s.telgate("call alice")
			if name != "closed" {
				s.serves(func() { s.types("/tel alice db is down", failure) })
			}
			s.golden("down_" + name)
		})
	}
}

func TestANameThatDNSDoesNotKnowOrAnswerIsNamed(t *testing.T) {
	t.Parallel()
	if b, err := os.ReadFile("/etc/resolv.conf"); err != nil || !strings.Contains(string(b), "nameserver ") {
		t.Skip("no name server is configured here")
	}
	for name, c := range map[string]struct {
		spoil func(*siptest.Zone)
		wants []string
	}{
		"no such name": {func(*siptest.Zone) {}, []string{
			"pbx.test: DNS knows no address for it: see addresses for a wrong name, or ask whoever runs the zone",
			"trunk main cannot be reached (", "pbx.test: DNS knows no address for it)",
		}},
		"no answer": {(*siptest.Zone).Mute, []string{
			"fail  trunk    main ", ": see the name servers in /etc/resolv.conf", "trunk main cannot be reached (", "name server",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			zone := siptest.NewZone(t)
			c.spoil(zone)
			s.dialFrom = func(ctx context.Context, network string, _ netip.Addr, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, zone.Addr())
			}
			s.file("config.toml", strings.Replace(mainTrunk, "$PBX", "pbx.test", 1)+alice)
			s.telgate("check")
			s.telgate("call alice")
			s.says(append(c.wants, "-- exit 1", "-- exit 4")...)
		})
	}
}

func TestATrunkOverItsLimitIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+"max_calls = 2\ncalls_per_second = 0.5\nprefixes = [\"+1\"]\n[limits]\nprefixes_allowed = [\"+1\", \"+44\"]\n"+alice)
	s.telgate("check")
	s.says("ok    lines    main               carries at most 2 calls at once (max_calls), 0.5 new ones a second (calls_per_second); who finds no line waits 10 s, and goes to the next trunk then")
	a := &app{cli: &cli{}, env: s.environment(new(kept), new(kept), nil), ctx: s.ctx}
	cfg, err := a.loadConfig()
	if err != nil {
		t.Fatal(err)
	}
	g, err := build(cfg, a.env, slog.New(slog.DiscardHandler), rules{})
	if err != nil {
		t.Fatal(err)
	}
	v := newView(a)
	v.route = g.routable
	for number, want := range map[telgate.Number]string{
		{Extension: "7101", Trunk: "main"}:     "alice sip:7101@main: not dialled: all lines of its trunks are in use, see max_calls and calls_per_second",
		{E164: "+442079460123", Country: "44"}: "alice +44…23: not dialled: no trunk carries it, see prefixes of the trunks",
	} {
		if got := v.line(telgate.Event{Kind: telgate.EventStepSkipped, Skip: telgate.SkipNoLine, Order: &telgate.Order{Person: "alice", Number: number}}); got != want {
			t.Errorf("got %q", got)
		}
	}
}

func TestWrongCredentialsAreNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.phone.Demand("right")
	s.behave = func(r *siptest.Ring) { r.Decline() }
	for _, password := range []string{"", "wrong", "right"} {
		account := ""
		if password != "" {
			account = "user = \"telgate\"\npassword = \"env:PASSWORD\"\n"
		}
		s.vars["PASSWORD"] = password
		s.file("config.toml", mainTrunk+account+alice+slackSocket)
		fmt.Fprintf(&s.script, "# the password is right; ours is %q\n", password)
		s.telgate("check")
		s.telgate("trunks")
		s.telgate("call alice")
		s.serves(func() { s.types("/tel alice db is down", failure) })
	}
	s.golden("credentials")
}

func TestAUsedUpPortRangeFailsTheSecondCallOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rings := make(chan *siptest.Ring, 2)
	s.behave = func(r *siptest.Ring) { rings <- r }
	s.file("config.toml", strings.Replace(mainTrunk, `ring = "2s"`, `ring = "40s"`, 1)+"[media]\nports = \""+onePair(t)+"\"\n"+alice+bob+slackSocket)
	s.serves(func() {
		if answer, err := s.workspace.Type(s.ctx, demoAsker, demoChannel, "/tel alice db is down"); err != nil || answer != "" {
			t.Fatalf("%q, %v", answer, err)
		}
		var first *siptest.Ring
		select {
		case first = <-rings:
		case <-s.ctx.Done():
			t.Fatal("the first call does not ring")
		}
		s.types("/tel bob db is down", failure)
		before := len(s.workspace.Seen(demoAsker, demoChannel))
		first.Decline()
		s.seen("nothing more", before, failure)
	})
	s.golden("ports")
}

func TestAnAnswerThatCannotBeUsedIsHungUp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.behave = func(r *siptest.Ring) {
		sdp := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n"
		if r.User() == "7102" {
			sdp = "v=0\r\nthis is no SDP"
		}
		_ = r.AnswerWith(s.ctx, sdp)
	}
	s.file("config.toml", mainTrunk+alice+bob+slackSocket)
	s.telgate("call alice")
	s.telgate("call bob")
	s.serves(func() {
		s.types("/tel alice db is down", failure)
		s.types("/tel bob db is down", failure)
	})
	s.golden("sdp")
}

func TestARefusedTokenIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+alice+slackSocket)
	s.vars["BOT"] = "xoxb-wrong"
	s.telgate("check")
	s.serves(func() { s.types("/tel alice db is down", alone) })
	s.vars["BOT"], s.vars["APP"] = "xoxb-test-bot", "xapp-wrong"
	s.telgate("check")
	s.serves(func() {
		_, err := s.workspace.Type(s.ctx, demoAsker, demoChannel, "/tel alice db is down")
		if err == nil {
			t.Error("a command arrived without a connection")
		}
	})
	s.golden("tokens")
}

// says fails a test whose site did not say something.
func (s *site) says(words ...string) {
	s.t.Helper()
	got := s.stable(s.script.String())
	for _, w := range words {
		if !strings.Contains(got, w) {
			s.t.Errorf("nothing says %q:\n%s", w, got)
		}
	}
}

func TestCheckAndListSayThatNobodyCanBeCalled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+slackSocket)
	s.telgate("check")
	s.says("fail  number   people", "-- exit 1")
	s.telgate("people")
	s.serves(func() { s.types("/tel list", alone) })
	s.says("nobody is configured", "Nobody can be called yet")
}

func TestAnUnknownNameInSlackIsNotAccepted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+slackSocket+alice)
	s.serves(func() { s.types("/tel zebra db is down", alone) })
	s.says(`NOT accepted: Nobody is called "zebra". ` + "`/tel list` shows everybody.")
}

func TestARefusedPageIsInTheLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+slackSocket+alice+"[people.police]\nphones = [\"sip:911@main\"]\n")
	s.serves(func() { s.types("/tel police", alone) })
	s.says(`msg="page refused" user=U0GRACE reason=forbidden_number`)
}

func TestCheckSaysWhereCredentialsAreMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.phone.Demand("right")
	s.file("config.toml", mainTrunk+alice)
	s.telgate("check")
	s.says("asks for credentials (401), and none are configured", "-- exit 1")
}

func TestFaultsOfRecordingsComeInTheOrderOfTheirNames(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	config, want := mainTrunk+alice, ""
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		config += "[prompts." + name + "]\nfile = \"$DIR/" + name + ".wav\"\n"
		want += "prompts." + name + ": $DIR/" + name + ".wav: no such file or directory\n"
	}
	s.file("config.toml", config)
	s.telgate("prompts check")
	got := regexp.MustCompile(`(telgate: )?line \d+: `).ReplaceAllString(s.stable(s.script.String()), "")
	if !strings.Contains(got, want) {
		t.Errorf("%s", got)
	}
}

func TestCommandsAreTakenWhenTheTrunksAreOpen(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.behave = func(r *siptest.Ring) { r.Decline() }
	s.file("config.toml", mainTrunk+slackSocket+alice)
	var out, errs kept
	env := s.environment(&out, &errs, nil)
	listen := env.listenPacket
	env.listenPacket = func(ctx context.Context, network, address string) (net.PacketConn, error) {
		slow, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		<-slow.Done()
		return listen(ctx, network, address)
	}
	ctx, stop := context.WithCancel(s.ctx)
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"serve"}, env) }()
	if err := s.workspace.Wait(s.ctx, func() bool { return s.workspace.Sockets() == 2 }); err != nil {
		t.Fatal(err)
	}
	s.types("/tel alice", failure)
	s.says("declined")
	stop()
	<-ended
}
