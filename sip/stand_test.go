package sip_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

const sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

// environment is loopback and the clock.
func environment() sip.Env {
	return sip.Env{
		Listen: func(ctx context.Context, network, address string) (net.PacketConn, error) {
			return new(net.ListenConfig).ListenPacket(ctx, network, address)
		},
		Rand: rand.Reader, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
}

// inMemory is a network in a bubble of synctest.
func inMemory(wire *siptest.Wire) sip.Env {
	env := environment()
	env.Listen = wire.Listen
	return env
}

// knowing is loopback, with the names of a zone.
func knowing(zone *siptest.Zone) sip.Env {
	env := environment()
	env.DNS = &sip.DNS{Servers: []string{zone.Addr()}, Config: "testdata/resolv.conf"}
	return env
}

// start runs a trunk until the test stops it; ended gets what Run returns. It need not open.
func start(tb testing.TB, env sip.Env, change func(*sip.TrunkConfig), addresses ...string) (trunk *sip.Trunk, stop context.CancelFunc, ended <-chan error) {
	tb.Helper()
	cfg := sip.TrunkConfig{
		Name: "main", Addresses: addresses, Transport: "udp",
		Credentials: sip.Credentials{User: "telgate", Password: "secret"}, Identity: sip.Identity{UserAgent: "telgate"},
	}
	if change != nil {
		change(&cfg)
	}
	trunk, err := sip.NewTrunk(cfg, env)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	returned := make(chan error, 1)
	go func() { returned <- trunk.Run(ctx) }()
	return trunk, stop, returned
}

// run is a trunk until the test ends. It need not open.
func run(tb testing.TB, env sip.Env, change func(*sip.TrunkConfig), addresses ...string) *sip.Trunk {
	tb.Helper()
	trunk, stop, ended := start(tb, env, change, addresses...)
	tb.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
	})
	return trunk
}

// open is a trunk on loopback, open until the test ends.
func open(tb testing.TB, address string, change func(*sip.TrunkConfig)) *sip.Trunk {
	tb.Helper()
	return openOn(tb, environment(), address, change)
}

// openOn is one in another environment.
func openOn(tb testing.TB, env sip.Env, address string, change func(*sip.TrunkConfig)) *sip.Trunk {
	tb.Helper()
	return ready(tb, run(tb, env, change, address))
}

// ready waits until a trunk is open.
func ready(tb testing.TB, trunk *sip.Trunk) *sip.Trunk {
	tb.Helper()
	if err := trunk.Ready(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return trunk
}

func invite(t *testing.T, trunk *sip.Trunk) *sip.Leg {
	t.Helper()
	leg, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp), Expires: 50 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return leg
}

// invited places a call in the background, since what comes before the INVITE is answered meanwhile.
func invited(t *testing.T, trunk *sip.Trunk) <-chan *sip.Leg {
	t.Helper()
	legs := make(chan *sip.Leg, 1)
	go func() {
		leg, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)})
		if err != nil {
			t.Error(err)
		}
		legs <- leg
	}()
	return legs
}

// next is the leg's next event, of the kind that is wanted.
func next[E sip.Event](tb testing.TB, leg *sip.Leg) E {
	tb.Helper()
	timer := time.NewTimer(siptest.Patience)
	defer timer.Stop()
	for {
		select {
		case ev, ok := <-leg.Events():
			if !ok {
				tb.Fatalf("the leg ended, want %T", *new(E))
			}
			if e, is := ev.(E); is {
				return e
			}
		case <-timer.C:
			tb.Fatalf("no %T came", *new(E))
		}
	}
}

// up rings and answers.
func up(t *testing.T, peer *siptest.Peer, leg *sip.Leg) siptest.Message {
	t.Helper()
	in := peer.Expect("INVITE")
	peer.Answer(in, "180 Ringing", "a", "")
	peer.Answer(in, "200 OK", "a", sdp)
	next[sip.Answered](t, leg)
	peer.Expect("ACK")
	return in
}

// callee is a peer by UDP, TCP or TLS.
type callee interface {
	Expect(method string) siptest.Message
	Answer(req siptest.Message, status, tag, body string, more ...string)
}

// busy plays a short call to its end.
func busy(t *testing.T, peer callee, leg *sip.Leg) siptest.Message {
	t.Helper()
	in := peer.Expect("INVITE")
	peer.Answer(in, "486 Busy Here", "b", "")
	peer.Expect("ACK")
	if e := next[sip.Ended](t, leg); e.Status != 486 {
		t.Errorf("%+v", e)
	}
	return in
}

func ends(t *testing.T, leg *sip.Leg, by sip.EndedBy) sip.Ended {
	t.Helper()
	e := next[sip.Ended](t, leg)
	if e.By != by {
		t.Errorf("ended by %s (%v), want %s", e.By, e.Err, by)
	}
	if _, more := <-leg.Events(); more {
		t.Error("an event came after Ended")
	}
	return e
}

// course is what became of a leg that is never answered: the statuses it told, the final one last.
func course(t *testing.T, leg *sip.Leg) string {
	t.Helper()
	var told []string
	for ev := range leg.Events() {
		switch ev := ev.(type) {
		case sip.Trying:
			told = append(told, "100")
		case sip.Progress:
			told = append(told, strconv.Itoa(ev.Status))
		case sip.Ended:
			told = append(told, strconv.Itoa(ev.Status))
		}
	}
	return strings.Join(told, " ")
}
