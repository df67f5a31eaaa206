package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"telgate"
	"telgate/config"
	"telgate/directory"
	"telgate/media"
	"telgate/plan"
	"telgate/sip"
	"telgate/voice"
)

const (
	testSweeps  = 3                      // a busy machine may tear one
	testPause   = 400 * time.Millisecond // between them, for the echo of a distant one
	testTail    = 1500 * time.Millisecond
	testKey     = '5'
	testKeyWait = 3 * time.Second
	testHeard   = 15 * 8000 // samples that are kept
	testScore   = 0.6       // of an echo: G.711, a lost packet and another level leave more
)

// testNumber is what check --call rings over a trunk, the zero Number where nothing is configured. A bare extension is one
// of the trunk itself.
func testNumber(t config.Trunk, region string) (telgate.Number, error) {
	raw := t.TestNumber
	if raw == "" {
		return telgate.Number{}, nil
	}
	if n, err := directory.ParseNumber("sip:"+raw+"@"+t.Name, region); err == nil && t.Kind == string(plan.PBX) {
		return n, nil
	}
	n, err := directory.ParseNumber(raw, region)
	switch {
	case err != nil:
		return n, err
	case n.Extension != "" && (n.Trunk != t.Name || t.Kind != string(plan.PBX)):
		return n, fmt.Errorf("%q is no extension of this trunk", raw)
	}
	n.Trunk = t.Name
	return n, nil
}

// checkTestNumbers finds test numbers that are none. Whether one may be dialled is asked when it is.
func checkTestNumbers(cfg config.Config) config.Faults {
	var faults config.Faults
	for _, t := range cfg.Trunks {
		if _, err := testNumber(t, cfg.Calls.Region); err != nil {
			faults = append(faults, telgate.Fault{Path: "trunks." + t.Name + ".test_number", Message: err.Error()})
		}
	}
	return faults
}

// checkTestCalls dry-runs the test numbers: what check --call would dial, or what forbids it.
func checkTestCalls(g *gateway, r *report) {
	for _, t := range g.cfg.Trunks {
		n, _ := testNumber(t, g.cfg.Calls.Region) // build has checked it
		if n == (telgate.Number{}) {
			continue
		}
		if _, err := g.dialer.Dial(n, routeOf(g.routes, t.Name)); err != nil {
			r.add("number", t.Name+" test", "fail", fmt.Sprintf("%s is not dialled: %v", n, err), "see limits and trunks."+t.Name+".test_number")
			continue
		}
		r.add("number", t.Name+" test", "ok", fmt.Sprintf("%s over %s, by check --call only", g.target(n, t.Name, r.app.cli.ShowNumbers), t.Name), "")
	}
}

// checkCall rings a trunk's test number and finds out whether sound and keys come back. It reports what happened; the
// error is an interruption.
func checkCall(ctx context.Context, g *gateway, r *report, name string) error {
	n, _ := testNumber(g.trunk(name), g.cfg.Calls.Region) // build has checked it
	if n == (telgate.Number{}) {
		r.add("call", name, "fail", "has no test number, so nothing was rung", "set trunks."+name+".test_number to an extension that says back what it hears")
		return nil
	}
	c := &testCall{g: g, r: r, name: name, line: g.lines(&g.settings)[name]}
	signals, done := g.look.app.env.signals()
	defer done()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	last, forget := context.WithCancel(context.WithoutCancel(ctx))
	defer forget()
	over := make(chan struct{})
	defer close(over)
	go func() {
		for {
			select {
			case s := <-signals:
				if ctx.Err() == nil {
					_, _ = fmt.Fprintln(g.look.app.env.err, "telgate:", hangingUp(s, name))
					stop(withStatus(signalStatus(s), nil))
				} else {
					g.hurry()
					forget()
				}
			case <-over:
				return
			}
		}
	}()
	c.run(ctx, last, n)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// testCall is one call to a test number.
type testCall struct {
	g    *gateway
	r    *report
	name string
	line voice.Line

	leg     voice.Leg
	session voice.Session
	up      bool // it was answered
	ended   *sip.Ended
	began   time.Time // of the first sweep
	pressed string    // how a key was: "RFC 4733", which needs telephone-event agreed on, or "SIP INFO"
	key     string    // how it came back
}

func (c *testCall) fail(message, fix string) { c.r.add("call", c.name, "fail", message, fix) }

// run makes the call. last is for its end, also where ctx is done.
func (c *testCall) run(ctx, last context.Context, n telgate.Number) {
	user, err := c.line.Dial(n)
	if err != nil {
		c.fail(fmt.Sprintf("the test number %s is not dialled: %v", n, err), "see limits and test_number")
		return
	}
	if c.session, err = c.line.Open(ctx); err != nil {
		c.fail("no media session: "+err.Error(), "see media.ports")
		return
	}
	defer c.session.Close()
	setup := c.g.cfg.Calls.Setup + c.g.cfg.Calls.Ring
	began := c.g.look.app.env.now()
	connecting, cancel := context.WithTimeout(ctx, setup)
	c.leg, err = c.line.Invite(connecting, sip.Invite{
		User: user, Phone: n.Extension == "", Offer: c.session.Offer(), Fallback: c.session.Narrow(), Expires: setup,
	})
	cancel()
	if err != nil {
		c.fail("the INVITE was not sent: "+err.Error(), "see the trunk's own line")
		return
	}
	err = c.answered(ctx, setup)
	after := c.g.look.app.env.now().Sub(began)
	if c.up && err == nil {
		c.talk(ctx)
	}
	why := c.ending(setup)
	c.hangUp(last)
	switch {
	case ctx.Err() != nil: // interrupted: nothing was found out
	case err != nil:
		c.fail("the answer cannot be used: "+err.Error(), "see codecs and srtp of the trunk, and those of the test number")
	case c.up:
		c.judge(n, after)
	default:
		c.fail(fmt.Sprintf("%s was not answered: %s", n, why), "see that the test number exists and answers by itself; telgate call --trace shows the messages")
	}
}

// ending says how a call ended that was never answered.
func (c *testCall) ending(setup time.Duration) string {
	switch e := c.ended; {
	case e == nil:
		return fmt.Sprintf("it rang for %s", setup)
	case e.Status >= 300:
		return fmt.Sprintf("%d %s", e.Status, telgate.MaskedWire(e.Phrase))
	case e.Err != nil:
		return e.Err.Error()
	}
	return fmt.Sprintf("no answer within %s", setup)
}

// answered waits for the answer, and takes its SDP.
func (c *testCall) answered(ctx context.Context, limit time.Duration) error {
	var sdp []byte
	c.follow(ctx, limit, func(ev sip.Event) bool {
		if a, ok := ev.(sip.Answered); ok {
			sdp, c.up = a.SDP, true
		}
		return c.up
	}, nil)
	if !c.up {
		return nil
	}
	return c.session.Accept(sdp)
}

// talk sends the sweeps, then the key.
func (c *testCall) talk(ctx context.Context) {
	sweep := append(media.Sweep(), make([]int16, int(testPause.Seconds()*8000))...)
	var frames [][]byte
	for f := range slices.Chunk(c.session.Codec().Encode(slices.Repeat(sweep, testSweeps)), 160) {
		frames = append(frames, f)
	}
	c.began = c.g.look.app.env.now()
	c.session.Play(frames)
	c.follow(ctx, time.Duration(len(frames))*media.Frame+testTail, nil, nil)
	if c.ended == nil && c.press() { //nolint:contextcheck // what a leg sends has a limit of its own
		c.follow(ctx, testKeyWait, func(ev sip.Event) bool {
			if d, is := ev.(sip.Digit); is && d.Digit == testKey && c.line.Keys != voice.KeysRFC4733 {
				c.key = byInfo
			}
			return c.key != ""
		}, func(ev media.Event) bool {
			if k, is := ev.(media.Key); is && k.Digit == testKey && c.line.Keys != voice.KeysInfo {
				c.key = byEvent
			}
			return c.key != ""
		})
	}
}

// Ways of a key.
const (
	byEvent = "RFC 4733"
	byInfo  = "SIP INFO"
)

// press presses a key in the way the trunk's own come: an echo that takes it says it back in the same.
func (c *testCall) press() bool {
	if s, ok := c.session.(*media.Session); ok && c.line.Keys != voice.KeysInfo && s.Press(testKey) == nil {
		c.pressed = byEvent
		return true
	}
	if leg, ok := c.leg.(*sip.Leg); ok && c.line.Keys != voice.KeysRFC4733 {
		leg.Press(testKey)
		c.pressed = byInfo
	}
	return c.pressed != ""
}

// follow handles what happens until the time is over, one of the two functions is content, or the call has ended.
func (c *testCall) follow(ctx context.Context, limit time.Duration, signalled func(sip.Event) bool, heard func(media.Event) bool) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case ev, more := <-c.leg.Events():
			if !more {
				return
			}
			switch ev := ev.(type) {
			case sip.Ended:
				c.ended = &ev
			case sip.Reoffer:
				answer, err := c.session.Reoffer(ev.SDP)
				if err != nil {
					answer = nil
				}
				ev.Reply(answer)
			}
			if signalled != nil && signalled(ev) {
				return
			}
		case ev := <-c.session.Events():
			if heard != nil && heard(ev) {
				return
			}
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		}
	}
}

// hangUp ends the call and waits until it is down.
func (c *testCall) hangUp(ctx context.Context) {
	how := sip.Hangup{}
	if c.up {
		how.Reason = "Q.850;cause=16"
	}
	c.leg.Hangup(how)
	c.follow(ctx, hangUpLimit, nil, nil)
}

// judge says what an answered call proved.
func (c *testCall) judge(n telgate.Number, after time.Duration) {
	stats := c.session.Stats()
	score, late := c.g.look.ear.echo(c.began)
	facts := fmt.Sprintf("%s answered in %d ms, %s, %d packets sent, %d received, %d lost", n, max(1, after.Milliseconds()), c.session.Codec().Name, stats.Sent, stats.Received, stats.Lost)
	if stats.Suite != "" {
		facts += ", " + stats.Suite
	}
	switch {
	case stats.Received == 0:
		c.fail(facts+": no sound came", fmt.Sprintf("let UDP to ports %d-%d in, and see media.address, sip.public_address and NAT", c.g.cfg.Media.PortMin, c.g.cfg.Media.PortMax))
	case score < testScore && c.session.Reported():
		c.fail(facts+": what we sent arrived, and was not said back", "set test_number to an extension that says back what it hears (Asterisk: Echo)")
	case score < testScore:
		c.fail(facts+": what we sent did not come back", "see that the test number says back what it hears (Asterisk: Echo), and that UDP from here gets through")
	default:
		c.r.add("call", c.name, "ok", fmt.Sprintf("%s: sound goes both ways, back after about %d ms", facts, late.Milliseconds()), "")
	}
	switch {
	case c.key != "":
		c.r.add("call", c.name, "ok", "keys come back ("+c.key+")", "")
	case score >= testScore && c.pressed == "":
		c.r.add("call", c.name, "warn", "no telephone-event (RFC 4733) was agreed on, so it is not proved that keys get through", "see dtmf of the trunk, and press keys on a phone of it")
	case score >= testScore:
		c.r.add("call", c.name, "warn", fmt.Sprintf("a key that we pressed by %s did not come back, so it is not proved that keys get through", c.pressed),
			"press keys on a phone of this trunk and see whether they are heard; not every echo says them back")
	}
}

// ear keeps what is heard of a test call.
type ear struct {
	now func() time.Time

	mu    sync.Mutex
	first time.Time
	pcm   []int16
}

func (e *ear) take(c media.Codec, payload []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.first.IsZero() {
		e.first = e.now()
	}
	if len(e.pcm) < testHeard {
		e.pcm = c.Decode(e.pcm, payload)
	}
}

// echo says how well the sweep was heard again, and how long after it was sent.
func (e *ear) echo(sent time.Time) (score float64, late time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	score, at := media.Echoed(e.pcm, media.Sweep())
	late = e.first.Add(at).Sub(sent)
	every := time.Duration(len(media.Sweep()))*time.Second/8000 + testPause
	if late > 0 {
		late %= every // whichever of them it was
	}
	return score, max(0, late)
}

var errNoSuchTrunk = errors.New("there is no such trunk")

// knownTrunk finds the trunk that --call names; "" is none.
func knownTrunk(cfg config.Config, name string) error {
	if name == "" || slices.ContainsFunc(cfg.Trunks, func(t config.Trunk) bool { return t.Name == name }) {
		return nil
	}
	return withStatus(exitUsage, fmt.Errorf("--call %s: %w", name, errNoSuchTrunk))
}
