package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"telgate"
	"telgate/config"
	"telgate/media/mediatest"
	"telgate/sip/siptest"
	"telgate/slack/slacktest"
)

const (
	victims = 20    // calls at once
	garbage = 10000 // datagrams beside them
)

func TestTwentyCallsAreConfirmedBesideTenThousandHostileDatagrams(t *testing.T) {
	besieged(t, victims, func(ctx context.Context, e *enemy) error { return e.attack(ctx, garbage) })
}

// TELGATE_SIEGE is how long fifty calls are up beside hostile traffic, "60s" in make interop.
func TestFiftyCallsOutliveALongSiege(t *testing.T) {
	long, err := time.ParseDuration(os.Getenv("TELGATE_SIEGE"))
	if err != nil {
		t.Skip("TELGATE_SIEGE says how long it takes, such as 60s")
	}
	besieged(t, 50, func(ctx context.Context, e *enemy) error {
		for began := time.Now(); time.Since(began) < long; {
			if err := e.attack(ctx, 500); err != nil {
				return err
			}
		}
		return nil
	})
}

// besieged has people called and confirm once the enemy is done: nothing may happen to any of them.
func besieged(t *testing.T, people int, siege func(context.Context, *enemy) error) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	s, stop := crowded(ctx, t, people)
	rings := make([]*siptest.Ring, 0, people)
	for i := range people {
		rings = append(rings, s.rings(ctx, t, i))
	}
	var work errgroup.Group
	hostile := newEnemy(t, rings)
	over := make(chan struct{})
	work.Go(func() error {
		defer close(over)
		return siege(ctx, hostile)
	})
	for _, r := range rings {
		work.Go(func() error { return listenAndPress(ctx, r, over) })
	}
	if err := work.Wait(); err != nil {
		t.Error(err)
	}
	for _, r := range rings {
		select {
		case <-r.Over():
		case <-ctx.Done():
			t.Fatalf("the phone %s is still up", r.User())
		}
		if r.Why() != "hung up by the caller" {
			t.Errorf("the phone %s was %s", r.User(), r.Why())
		}
	}
	pages := s.settled(ctx)
	confirmed := 0
	for _, p := range pages {
		if p.Result == telgate.Confirmed && len(p.Steps) == 1 && p.Targets[0].Via == telgate.ViaKey {
			confirmed++
		} else {
			t.Errorf("page %s for %s ended %q after %d steps", p.ID, p.Title, p.Result, len(p.Steps))
		}
	}
	if confirmed != people {
		t.Errorf("%d pages confirmed, want %d", confirmed, people)
	}
	if dropped := s.gateway.trunks[0].Stats().Dropped; dropped == 0 {
		t.Error("no stranger's datagram was dropped unread")
	}
	if legs := s.gateway.trunks[0].Stats().Legs; legs != 0 {
		t.Errorf("%d legs are left", legs)
	}
	if n := s.gateway.engine.Stats().Sessions; n != 0 {
		t.Errorf("%d media sessions are left", n)
	}
	hostile.close()
	stop()
	for i := 0; i < victims; i += 2 {
		if m := s.workspace.Messages(crowdChannel(i)); len(m) != 1 || !strings.Contains(m[0].Plain(), "Confirmed") {
			t.Errorf("the card of %s: %d messages, not one that says confirmed", crowdNick(i), len(m))
		}
	}
	goleak.VerifyNone(t, before)
}

func TestGarbageFromATrunksHostDoesNotFillTheLog(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, stop := crowded(ctx, t, 1)
	r := s.rings(ctx, t, 0)
	hostile := newEnemy(t, []*siptest.Ring{r})
	if err := hostile.attack(ctx, garbage/20); err != nil {
		t.Error(err)
	}
	hostile.close()
	r.Decline()
	s.settled(ctx)
	stop()
	if lines := bytes.Count(s.told.bytes(), []byte("\n")); lines > 50 {
		t.Errorf("%d datagrams made %d lines, %d bytes of log, such as %.300s", garbage/20, lines, len(s.told.bytes()), s.told.bytes())
	}
}

// crowd is a gateway that serves, with many people on one phone.
type crowd struct {
	*demo
	told *kept // the log
}

func crowdNick(i int) string    { return fmt.Sprintf("p%02d", i) }
func crowdChannel(i int) string { return fmt.Sprintf("C0ROOM%02d", i) }

// crowded starts a gateway; stop ends it, and all that was started with it.
func crowded(ctx context.Context, t *testing.T, people int) (c *crowd, stop func()) {
	t.Helper()
	env := realEnvironment()
	env.out, env.err = io.Discard, io.Discard
	told := new(kept)
	log := slog.New(slog.NewTextHandler(told, &slog.HandlerOptions{Level: slog.LevelWarn}))
	d := &demo{app: &app{cli: &cli{}, env: env, ctx: ctx}, log: log}
	var err error
	if d.phone, err = siptest.NewPhone(); err != nil {
		t.Fatal(err)
	}
	if d.workspace, err = newDemoWorkspace(); err != nil {
		t.Fatal(err)
	}
	cfg := d.config()
	cfg.People, cfg.Groups, cfg.Slack.AllowChannels, cfg.Calls.Rounds = nil, nil, nil, 1
	cfg.Calls.Ring, cfg.Calls.MaxDuration = patience, 2*patience // nobody but people ends calls here
	cfg.Limits.PerAskerPerHour = 2 * people
	for i := range people { // a room each: Slack takes one message a second in each
		cfg.People = append(cfg.People, config.Person{Nick: crowdNick(i), Phones: []config.Phone{{Number: fmt.Sprintf("sip:71%02d@main", i)}}})
		cfg.Slack.AllowChannels = append(cfg.Slack.AllowChannels, crowdChannel(i))
		d.workspace.AddChannel(slacktest.Channel{ID: crowdChannel(i), Name: "room", BotIn: true})
	}
	if d.gateway, err = build(cfg, loopback(env), log, rules{limits: true, slack: true}); err != nil {
		t.Fatal(err)
	}
	running, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- d.gateway.runRooms(running, func(ctx context.Context) error { return d.gateway.serve(ctx, env, log, nil) })
	}()
	if err := d.workspace.Wait(ctx, func() bool { return d.workspace.Sockets() == 2 }); err != nil {
		t.Fatal(err)
	}
	d.gateway.ready(ctx)
	return &crowd{d, told}, func() {
		end()
		if err := <-ended; err != nil {
			t.Errorf("the gateway ended: %v", err)
		}
		d.close()
	}
}

// rings has one person called and waits for the phone. Every other one is asked for in Slack, which takes fifty edits a
// minute from all of us.
func (c *crowd) rings(ctx context.Context, t *testing.T, i int) *siptest.Ring {
	t.Helper()
	if i%2 == 0 && i < victims {
		if answer, err := c.workspace.Type(ctx, demoAsker, crowdChannel(i), "/tel "+crowdNick(i)); err != nil || answer != "" {
			t.Fatalf("%q, %v", answer, err)
		}
	} else if _, err := c.gateway.pager.Submit(ctx, telgate.Request{Asker: telgate.Actor{ID: "local:t", Local: true}, Who: []string{crowdNick(i)}}); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-c.phone.Calls():
		return r
	case <-ctx.Done():
		t.Fatalf("the phone of %s does not ring", crowdNick(i))
	}
	return nil
}

// settled waits until every page has ended.
func (c *crowd) settled(ctx context.Context) []telgate.Page {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed := c.gateway.pager.Changed(ctx)
	for {
		running := 0
		pages, _ := c.gateway.pager.Pages(ctx) // they are in memory
		for _, p := range pages {
			if p.State != telgate.PageEnded {
				running++
			}
		}
		if running == 0 || ctx.Err() != nil {
			return pages
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// listenAndPress is what everybody does who is called, once it is over: nobody but them may end it.
func listenAndPress(ctx context.Context, r *siptest.Ring, over <-chan struct{}) error {
	if err := r.Answer(ctx); err != nil {
		return err
	}
	if err := r.Ear().WaitSound(ctx, 3*time.Second); err != nil {
		return fmt.Errorf("%s: %w", r.User(), err)
	}
	<-over // it ends with ctx
	if why := r.Why(); why != "" {
		return fmt.Errorf("%s was %s before the key", r.User(), why)
	}
	return r.Mouth().Press(ctx, "1", mediatest.Press{})
}

// enemy throws datagrams at a gateway's ports: from the trunk's host, which the gateway has to read, and from a stranger's.
// It knows Call-IDs, as somebody who saw them in a trace would, but no tag and no branch.
type enemy struct {
	near, far *net.UDPConn
	sip       netip.AddrPort
	rtp       []netip.AddrPort
	worse     []siptest.Torture
	calls     []string
	rng       *rand.Rand
}

func newEnemy(t *testing.T, rings []*siptest.Ring) *enemy {
	t.Helper()
	e := &enemy{sip: rings[0].From().AddrPort(), rng: rand.New(rand.NewPCG(1, 2))}
	for _, r := range rings {
		d, err := mediatest.ParseSDP(r.Offer())
		if err != nil {
			t.Fatal(err)
		}
		e.rtp = append(e.rtp, d.Addr, netip.AddrPortFrom(d.Addr.Addr(), d.Addr.Port()+1))
		e.calls = append(e.calls, r.CallID())
	}
	var err error
	if e.near, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	e.worse = siptest.Tortures(e.sip.String(), e.near.LocalAddr().String())
	if e.far, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 9)}); err != nil {
		e.far = e.near // only Linux has all of 127/8
	}
	return e
}

func (e *enemy) close() {
	_ = e.near.Close()
	_ = e.far.Close()
}

// attack throws n datagrams, five in 2 ms.
func (e *enemy) attack(ctx context.Context, n int) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for thrown := 0; thrown < n; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("only %d hostile datagrams left: %w", thrown, ctx.Err())
		}
		for range 5 {
			from := e.near
			if e.rng.IntN(4) == 0 {
				from = e.far
			}
			if e.rng.IntN(2) == 0 { // what the kernel refuses to send hurts nobody
				_, _ = from.WriteToUDPAddrPort(e.badSIP(), e.sip)
			} else {
				_, _ = from.WriteToUDPAddrPort(e.badRTP(), e.rtp[e.rng.IntN(len(e.rtp))])
			}
			thrown++
		}
	}
	return nil
}

// badSIP is noise, or a message that is cut off, damaged, too long, or whole and about no dialog there is.
func (e *enemy) badSIP() []byte {
	m := []byte(e.message())
	if e.rng.IntN(2) == 0 {
		m = []byte(e.worse[e.rng.IntN(len(e.worse))].Text)
	}
	switch e.rng.IntN(6) {
	case 0:
		return e.noise(1500)
	case 1:
		return m[:e.rng.IntN(len(m))]
	case 2:
		for range 1 + e.rng.IntN(20) {
			m[e.rng.IntN(len(m))] ^= 1 << e.rng.IntN(8)
		}
	case 3:
		return bytes.Replace(m, []byte("\r\nSubject: "), []byte("\r\nSubject: "+strings.Repeat("x", 1000+e.rng.IntN(55000))), 1)
	case 4:
		return bytes.Replace(m, []byte("\r\nContent-Length: "), []byte("\r\nContent-Length: "+[]string{"-", "9", "99999999999999999999", "x"}[e.rng.IntN(4)]), 1)
	}
	return m
}

// message is a request or a response, well-formed and wrong.
func (e *enemy) message() string {
	methods := []string{
		"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY", "SUBSCRIBE", "MESSAGE", "REGISTER", "FOO",
	}
	method := methods[e.rng.IntN(len(methods))]
	start := method + " sip:telgate@" + e.sip.String() + " SIP/2.0"
	if e.rng.IntN(2) == 0 {
		method = methods[e.rng.IntN(3)]
		start = "SIP/2.0 " + []string{
			"100 Trying", "180 Ringing", "183 Session Progress", "200 OK", "302 Moved", "401 Unauthorized", "486 Busy Here", "503 Down", "603 Decline", "999 ?",
		}[e.rng.IntN(10)]
	}
	body := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
	return fmt.Sprintf("%s\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%x;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=%x\r\nTo: <sip:b@127.0.0.1>;tag=%x\r\n"+
		"Call-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:x@%s>\r\nSubject: \r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		start, e.near.LocalAddr(), e.rng.Uint64(), e.rng.Uint64(), e.rng.Uint64(), e.calls[e.rng.IntN(len(e.calls))], 1+e.rng.IntN(3), method,
		e.near.LocalAddr(), len(body), body)
}

// badRTP is noise, or a packet of a stream that nobody agreed on: audio, a pressed 1, RTCP, with false lengths.
func (e *enemy) badRTP() []byte {
	b := e.noise(400)
	if e.rng.IntN(4) == 0 || len(b) < 16 {
		return b
	}
	b[0] = []byte{0x80, 0x80, 0x80, 0x90, 0xa0, 0x8f}[e.rng.IntN(6)]
	b[1] = []byte{0, 0x80, 8, 18, 101, 101 | 0x80, 200, 203}[e.rng.IntN(8)]
	if b[1]&0x7f == 101 {
		b = b[:16]
		b[12], b[13] = 1, 0x80|10
		binary.BigEndian.PutUint16(b[14:], 800)
	}
	return b
}

func (e *enemy) noise(most int) []byte {
	b := make([]byte, e.rng.IntN(most))
	for i := range b {
		b[i] = byte(e.rng.Uint32())
	}
	return b
}
