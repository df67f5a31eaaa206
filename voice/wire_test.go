package voice

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"telgate"
	"telgate/media"
	"telgate/prompts"
	"telgate/sip"
	"telgate/sip/siptest"
)

// wire is a Voice with a real trunk and real audio, toward a scripted peer on loopback.
type wire struct {
	voice *Voice
	peer  *siptest.Peer
}

func newWire(t *testing.T, change func(*Config, *sip.TrunkConfig)) *wire {
	t.Helper()
	library, err := library()
	if err != nil {
		t.Fatal(err)
	}
	peer := siptest.NewPeer(t)
	cfg := Config{
		Setup: 20 * time.Second, FirstResponse: 20 * time.Second, MaxDuration: time.Minute, RepeatPause: time.Second,
		ConfirmKey: "1", RepeatKey: "2", Languages: []string{"en"},
	}
	line := sip.TrunkConfig{Name: "main", Addresses: []string{peer.Addr()}, Transport: "udp", Credentials: sip.Credentials{User: "telgate", Password: "secret"}}
	if change != nil {
		change(&cfg, &line)
	}
	trunk, err := sip.NewTrunk(line, sip.Env{
		Listen: new(net.ListenConfig).ListenPacket, Rand: rand.Reader, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := media.NewEngine(media.Config{PortMin: 30000, PortMax: 31999, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background()) // outlives t.Context: calls end first
	ended := make(chan error, 2)
	go func() { ended <- trunk.Run(ctx) }()
	go func() { ended <- engine.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	if err := trunk.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &wire{voice: New(cfg, map[string]Line{"main": {
		Dial:   func(telgate.Number) (string, error) { return "7101", nil },
		Script: func(o prompts.ScriptOptions) (prompts.Script, error) { return library.Script(o) },
		Open: func(ctx context.Context) (Session, error) {
			return engine.Open(ctx, media.Options{Local: netip.MustParseAddr("127.0.0.1")})
		},
		Invite: func(ctx context.Context, in sip.Invite) (Leg, error) {
			leg, err := trunk.Invite(ctx, in)
			if err != nil {
				return nil, err
			}
			return leg, nil
		},
	}}, time.Now), peer: peer}
}

// calling is a call in progress.
type calling struct {
	t      *testing.T
	stop   context.CancelCauseFunc
	told   chan telgate.EventKind
	result chan *telgate.Call
}

func (w *wire) call(t *testing.T, change func(*telgate.Order)) *calling {
	t.Helper()
	ctx, stop := context.WithCancelCause(t.Context())
	c := &calling{t: t, stop: stop, told: make(chan telgate.EventKind, 64), result: make(chan *telgate.Call, 1)}
	order := telgate.Order{Trunk: "main", Ring: time.Minute, Prompt: "alert", LastHope: true, Confirm: telgate.ConfirmKey}
	if change != nil {
		change(&order)
	}
	go func() { c.result <- w.voice.Call(ctx, &order, func(e telgate.Event) { c.told <- e.Kind }) }()
	return c
}

// until waits for an event: what the peer says next must not overtake what it said before.
func (c *calling) until(kind telgate.EventKind) {
	c.t.Helper()
	timer := time.NewTimer(siptest.Patience)
	defer timer.Stop()
	for {
		select {
		case k := <-c.told:
			if k == kind {
				return
			}
		case <-timer.C:
			c.t.Fatalf("no %s", kind)
		}
	}
}

// ended is the call's verdict.
func (c *calling) ended(t *testing.T) verdict {
	t.Helper()
	timer := time.NewTimer(2 * siptest.Patience)
	defer timer.Stop()
	select {
	case call := <-c.result:
		return verdict{call.Outcome, call.Detail, call.Scope}
	case <-timer.C:
		t.Fatal("the call does not end")
		return verdict{}
	}
}

func TestEveryRefusalOnTheWireHasItsOutcome(t *testing.T) {
	t.Parallel()
	w := newWire(t, nil)
	for _, r := range refusals() {
		t.Run(r.name, func(t *testing.T) {
			var reason []string
			if r.q850 >= 0 {
				reason = []string{fmt.Sprintf(`Reason: Q.850 ;cause=%d;text="a reason"`, r.q850)}
			}
			c := w.call(t, nil)
			invite := w.peer.Expect("INVITE")
			if r.rings {
				w.peer.Answer(invite, "180 Ringing", "a", "")
				c.until(telgate.EventRinging)
			}
			w.peer.Answer(invite, fmt.Sprintf("%d Because", r.status), "a", "", reason...)
			w.peer.Expect("ACK")
			if r.status == 488 && !r.rings { // once more, with PCMU alone
				again := w.peer.Expect("INVITE")
				if !strings.Contains(again.Body, "RTP/AVP 0 101\r\n") {
					t.Errorf("offer %q", again.Body)
				}
				w.peer.Answer(again, "488 Because", "a", "", reason...)
				w.peer.Expect("ACK")
			}
			if got := c.ended(t); got != r.want {
				t.Errorf("%v, want %v", got, r.want)
			}
		})
	}
}

const sdpAnswer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

func TestEveryOtherEndOnTheWireHasItsOutcome(t *testing.T) {
	t.Parallel()
	short := func(c *Config, _ *sip.TrunkConfig) { c.Setup = 300 * time.Millisecond }
	connected := siptest.NewStream(t)
	for _, e := range []struct {
		name   string
		config func(*Config, *sip.TrunkConfig)
		order  func(*telgate.Order)
		play   func(*siptest.Peer, *calling)
		want   verdict
	}{
		{"stopped while it rings", nil, nil, func(p *siptest.Peer, c *calling) {
			invite := p.Expect("INVITE")
			p.Answer(invite, "180 Ringing", "a", "")
			c.until(telgate.EventRinging)
			c.stop(&telgate.StopCause{Why: telgate.StopAsked})
			p.Answer(p.Expect("CANCEL"), "200 OK", "a", "")
			p.Answer(invite, "487 Request Terminated", "a", "")
			p.Expect("ACK")
		}, verdict{telgate.OutcomeCancelled, "", ""}},
		{"ring limit", nil, func(o *telgate.Order) { o.Ring = 300 * time.Millisecond }, func(p *siptest.Peer, _ *calling) {
			invite := p.Expect("INVITE")
			p.Answer(invite, "180 Ringing", "a", "")
			p.Answer(p.Expect("CANCEL"), "200 OK", "a", "")
			p.Answer(invite, "487 Request Terminated", "a", "")
			p.Expect("ACK")
		}, verdict{telgate.OutcomeNoAnswer, telgate.DetailRingLimit, ""}},
		{"picked up at the ring limit", nil, func(o *telgate.Order) { o.Ring = 300 * time.Millisecond }, func(p *siptest.Peer, _ *calling) {
			invite := p.Expect("INVITE")
			p.Answer(invite, "180 Ringing", "a", "")
			p.Answer(p.Expect("CANCEL"), "481 Call/Transaction Does Not Exist", "a", "")
			p.Answer(invite, "200 OK", "a", sdpAnswer)
			p.Expect("ACK")
			p.Answer(p.Expect("BYE"), "200 OK", "", "")
		}, verdict{telgate.OutcomeAnswered, telgate.DetailLateAnswer, ""}},
		{"setup limit, 100 only", short, nil, func(p *siptest.Peer, _ *calling) {
			invite := p.Expect("INVITE")
			p.Answer(invite, "100 Trying", "", "")
			p.Answer(p.Expect("CANCEL"), "200 OK", "", "")
			p.Answer(invite, "487 Request Terminated", "a", "")
			p.Expect("ACK")
		}, verdict{telgate.OutcomeTrunkFailed, telgate.DetailNoFinal, telgate.ScopeCall}},
		{"setup limit, nothing came", short, nil, func(p *siptest.Peer, _ *calling) {
			p.Expect("INVITE")
		}, verdict{telgate.OutcomeTrunkFailed, telgate.DetailNoResponse, telgate.ScopeTrunk}},
		{"setup limit, 183 only", short, nil, func(p *siptest.Peer, _ *calling) {
			invite := p.Expect("INVITE")
			p.Answer(invite, "183 Session Progress", "a", "")
			p.Answer(p.Expect("CANCEL"), "200 OK", "a", "")
			p.Answer(invite, "487 Request Terminated", "a", "")
			p.Expect("ACK")
		}, verdict{telgate.OutcomeUnreachable, telgate.DetailNoAlerting, ""}},
		{"no response while another trunk is left", func(c *Config, _ *sip.TrunkConfig) { c.FirstResponse = 300 * time.Millisecond }, func(o *telgate.Order) { o.LastHope = false }, func(p *siptest.Peer, _ *calling) {
			p.Expect("INVITE")
		}, verdict{telgate.OutcomeTrunkFailed, telgate.DetailNoResponse, telgate.ScopeTrunk}},
		{"a 200 that cannot be used", nil, nil, func(p *siptest.Peer, _ *calling) {
			p.Answer(p.Expect("INVITE"), "200 OK", "a", "v=0\r\nnonsense\r\n")
			p.Expect("ACK")
			p.Answer(p.Expect("BYE"), "200 OK", "", "")
		}, verdict{telgate.OutcomeTrunkFailed, telgate.DetailUnusableAnswer, telgate.ScopeCall}},
		{"401 after the right credentials", nil, nil, func(p *siptest.Peer, _ *calling) {
			for range 2 {
				p.Answer(p.Expect("INVITE"), "401 Unauthorized", "a", "", `WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5, qop="auth"`)
				p.Expect("ACK")
			}
		}, verdict{telgate.OutcomeTrunkFailed, telgate.DetailCredentials, telgate.ScopeTrunk}},
		{"403 after credentials that were never taken", nil, nil, func(p *siptest.Peer, _ *calling) {
			p.Answer(p.Expect("INVITE"), "401 Unauthorized", "a", "", `WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5, qop="auth"`)
			p.Expect("ACK")
			p.Answer(p.Expect("INVITE"), "403 Forbidden", "a", "")
			p.Expect("ACK")
		}, verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, telgate.ScopeCall}},
		{"603 Network Blocked", nil, nil, func(p *siptest.Peer, _ *calling) {
			p.Answer(p.Expect("INVITE"), "603 Network Blocked", "a", "")
			p.Expect("ACK")
		}, verdict{telgate.OutcomeBlocked, telgate.DetailStatus, ""}},
		{"603 with analytics", nil, nil, func(p *siptest.Peer, _ *calling) {
			p.Answer(p.Expect("INVITE"), "603 Decline", "a", "", `Reason: SIP;cause=603;text="v=analytics1;url=x"`)
			p.Expect("ACK")
		}, verdict{telgate.OutcomeBlocked, telgate.DetailStatus, ""}},
		{"404 with Q.850 3 of an extension: it has no telephone just now", nil, func(o *telgate.Order) { o.Number = telgate.Number{Extension: "7101", Trunk: "main"} }, func(p *siptest.Peer, _ *calling) {
			p.Answer(p.Expect("INVITE"), "404 Not Found", "a", "", "Reason: Q.850;cause=3")
			p.Expect("ACK")
		}, verdict{telgate.OutcomeUnreachable, telgate.DetailQ850, ""}},
		{"404 of an extension: it does not exist", nil, func(o *telgate.Order) { o.Number = telgate.Number{Extension: "7101", Trunk: "main"} }, func(p *siptest.Peer, _ *calling) {
			p.Answer(p.Expect("INVITE"), "404 Not Found", "a", "")
			p.Expect("ACK")
		}, verdict{telgate.OutcomeInvalidNumber, telgate.DetailStatus, ""}},
		{"404 while another trunk is left", nil, func(o *telgate.Order) { o.LastHope = false }, func(p *siptest.Peer, _ *calling) {
			p.Answer(p.Expect("INVITE"), "404 Not Found", "a", "")
			p.Expect("ACK")
		}, verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, telgate.ScopeCall}},
		{"503 with 28 while another trunk is left", nil, func(o *telgate.Order) { o.LastHope = false }, func(p *siptest.Peer, _ *calling) {
			p.Answer(p.Expect("INVITE"), "503 Service Unavailable", "a", "", "Reason: Q.850;cause=28")
			p.Expect("ACK")
		}, verdict{telgate.OutcomeTrunkFailed, telgate.DetailQ850, telgate.ScopeCall}},
		{"the registrar refuses us", func(_ *Config, line *sip.TrunkConfig) { line.Register.On = true }, nil, func(p *siptest.Peer, _ *calling) {
			p.Answer(p.Expect("REGISTER"), "403 Forbidden", "a", "")
		}, verdict{telgate.OutcomeTrunkFailed, telgate.DetailNotRegistered, telgate.ScopeTrunk}},
		{"the connection breaks after a 100", func(_ *Config, line *sip.TrunkConfig) {
			line.Transport, line.Addresses = "tcp", []string{connected.Addr()}
		}, nil, func(*siptest.Peer, *calling) {
			connected.Answer(connected.Expect("INVITE"), "100 Trying", "", "")
			connected.Cut()
		}, verdict{telgate.OutcomeTrunkFailed, telgate.DetailNoFinal, telgate.ScopeTrunk}},
		{"nobody listens", func(_ *Config, line *sip.TrunkConfig) {
			line.Transport, line.Addresses = "tcp", []string{closed(t)}
		}, nil, func(*siptest.Peer, *calling) {}, verdict{telgate.OutcomeTrunkFailed, telgate.DetailTransport, telgate.ScopeTrunk}},
	} {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, e.config)
			c := w.call(t, e.order)
			e.play(w.peer, c)
			if got := c.ended(t); got != e.want {
				t.Errorf("%v, want %v", got, e.want)
			}
		})
	}
}

// closed is a TCP port of loopback where nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
