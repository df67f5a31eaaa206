package voice

import (
	"context"
	"errors"
	"time"

	"telgate"
	"telgate/media"
	"telgate/prompts"
	"telgate/sip"
)

const (
	// goneAfter is how long Call waits for a leg to end after our CANCEL or BYE (no further number until
	// the BYE is final or 5 s passed). The leg itself goes on until nothing is left to send.
	goneAfter = 5 * time.Second
	// expiresMargin makes our own limits fire before the INVITE's Expires.
	expiresMargin = 5 * time.Second
	// restMargin is added to setup and ring for the moment until which the phone may ring without us: 64*T1 for the
	// transaction and 3 s for the network.
	restMargin = 35 * time.Second
)

// call is one call in progress. Run's goroutine owns it; nothing else touches it.
type call struct {
	cfg  *Config
	now  func() time.Time
	emit func(telgate.Event)

	out     *telgate.Call
	ev      evidence
	clock   clock
	trace   *sip.Trace
	leg     Leg
	session Session
	script  prompts.Script
	keys    KeySource
	early   early
	talk    *talk // nil until answered
	held    bool  // before that
	over    bool
}

// run dials and stays with the call to its end.
func (c *call) run(ctx context.Context, line *Line) {
	c.keys = line.Keys
	user, err := c.prepare(ctx, line)
	if _, down := errors.AsType[*sip.SendError](err); down {
		c.unsent(ctx, err)
		return
	}
	if err != nil {
		c.failed(ownCannotListen, err)
		return
	}
	defer c.session.Close()
	if err := c.dial(ctx, line, user); err != nil {
		c.unsent(ctx, err)
		return
	}
	c.attend(ctx)
	c.finish()
}

// prepare gets everything that can fail before an INVITE: the dial string, the recordings, a media session.
func (c *call) prepare(ctx context.Context, line *Line) (user string, err error) {
	if user, err = c.user(line); err != nil {
		return "", err
	}
	c.script, err = line.Script(prompts.ScriptOptions{
		Prompt: c.out.Prompt, Announce: c.cfg.Announce, Languages: languages(c.out.Language, c.cfg.Languages),
	})
	if err != nil {
		return "", err
	}
	if c.session, err = line.Open(ctx); err != nil {
		return "", err //nolint:wrapcheck // it says what was tried
	}
	return user, nil
}

// dial hands the INVITE to the network. Connecting has the same limit as the first response (design: a trunk that does
// not react is left for the next one).
func (c *call) dial(ctx context.Context, line *Line, user string) error {
	limit := c.cfg.FirstResponse
	if c.out.LastHope {
		limit = c.setup()
	}
	connect, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c.tell(telgate.Event{Kind: telgate.EventDialing})
	c.trace = sip.NewTrace(c.cfg.Trace)
	leg, err := line.Invite(connect, sip.Invite{
		User: user, Phone: c.phone(), Offer: c.session.Offer(), Fallback: c.session.Narrow(),
		Expires: c.setup() + c.out.Ring + expiresMargin, Trace: c.trace,
	})
	if err != nil {
		return err
	}
	now := c.now()
	c.leg = leg
	c.out.Signal.SIPCallID = leg.CallID()
	c.out.Times.Dialed = now
	c.out.Times.RingUntil = now.Add(c.setup() + c.out.Ring + restMargin)
	c.invited()
	c.clock.at(alarmSetup, now.Add(c.setup()), c.setupOver)
	c.awaitResponse()
	return nil
}

// invited tells how the call is ended by whoever has to, should this process die.
func (c *call) invited() {
	e := telgate.Ending(c.leg.Ending())
	c.tell(telgate.Event{Kind: telgate.EventInvited, Ending: &e})
}

// awaitResponse limits the silence after an INVITE, the one with credentials included.
func (c *call) awaitResponse() {
	if c.out.LastHope {
		return
	}
	c.clock.at(alarmResponse, c.now().Add(c.cfg.FirstResponse), func() {
		c.hangup(ownNoResponse, sip.Hangup{})
		c.over = true // the leg sees to any late response; the next trunk is not kept waiting
	})
}

// attend is the owner's loop: it ends when the leg has ended, or is left to itself.
func (c *call) attend(ctx context.Context) {
	stop := ctx.Done()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for !c.over {
		if at, ok := c.clock.next(); ok {
			timer.Reset(max(0, at.Sub(c.now())))
		}
		select {
		case ev, ok := <-c.leg.Events():
			if !ok {
				return
			}
			c.signalled(ev)
		case ev := <-c.session.Events():
			c.heard(ev)
		case <-stop:
			stop = nil
			c.catchUp()
			c.hearLeg() // a key in an INFO, too
			if !c.over {
				c.hangup(ownStop, hangupFor(context.Cause(ctx), c.talk != nil || c.early.awaiting))
			}
		case <-timer.C:
			c.hearLeg() // what came before a limit beats it
			c.clock.ring(c.now())
		}
	}
}

// catchUp takes what was heard up to this moment: a key on its way to us beats a stop and an end.
func (c *call) catchUp() {
	for {
		select {
		case ev := <-c.session.Events():
			c.heard(ev)
		default:
			return
		}
	}
}

// hearLeg takes what the leg has told up to this moment.
func (c *call) hearLeg() {
	for {
		select {
		case ev, ok := <-c.leg.Events():
			if !ok {
				return
			}
			c.signalled(ev)
		default:
			return
		}
	}
}

// signalled takes one event of the leg.
func (c *call) signalled(ev sip.Event) {
	switch ev := ev.(type) {
	case sip.Challenged, sip.Amended, sip.Retargeted:
		c.invited()
		if c.ev.own == ownNone && c.ev.heard <= heardTrying { // a new INVITE, of which nothing was heard yet
			c.ev.heard = heardNothing
			c.awaitResponse()
		}
	case sip.Trying:
		c.clock.off(alarmResponse)
		c.ev.heard = max(c.ev.heard, heardTrying)
	case sip.Progress:
		c.progress(ev)
	case sip.Answered:
		if c.ev.own != ownNone { // it was picked up while we gave up: the leg hangs up, but somebody was there
			c.ev.late = !c.early.unsupervised
			return
		}
		c.invited()
		c.answered(ev)
	case sip.Reoffer:
		answer, err := c.session.Reoffer(ev.SDP)
		if err != nil {
			answer = nil
		}
		ev.Reply(answer)
	case sip.Reanswered:
		c.reanswered(ev)
	case sip.Digit:
		c.informed(ev)
	case sip.Ended:
		c.catchUp()
		c.ended(ev)
	}
}

// progress takes a 101–199. Only 180 is alerting; 183 says that somebody, perhaps the network, wants to be heard, and is
// listened to.
func (c *call) progress(p sip.Progress) {
	c.clock.off(alarmResponse)
	c.ev.heard = heardProgress
	c.diverted(p.Diverted)
	first := c.out.Audio.Early == telgate.EarlyNone
	c.preview(&p)
	if first && c.out.Audio.Early != telgate.EarlyNone && p.Status != 180 {
		c.state(telgate.CallEarly, telgate.Event{Kind: telgate.EventEarlyMedia, Status: p.Status})
	}
	switch p.Status {
	case 180:
		c.alerted(telgate.AlertingSignalled, c.now(), p.Status)
	case 181:
		c.state(telgate.CallForwarded, telgate.Event{Kind: telgate.EventForwarded, Status: p.Status})
	}
}

// hangup ends the call from our side, once; the first reason stays.
func (c *call) hangup(why ownEnd, how sip.Hangup) {
	if c.ev.own != ownNone {
		return
	}
	c.ev.own = why
	c.clock.clear()
	c.clock.at(alarmGone, c.now().Add(goneAfter), func() { c.over = true })
	c.leg.Hangup(how)
}

// ended keeps what the leg says about its end.
func (c *call) ended(e sip.Ended) {
	c.over = true
	s := &c.out.Signal
	s.Status, s.Phrase, s.Q850, s.Reasons = e.Status, e.Phrase, e.Reason.Q850, e.Reason.Values
	s.Warning, s.Server, s.RetryAfter, s.RedirectTo, s.ToTags = e.Warning, e.Server, e.RetryAfter, e.Contact, e.ToTags
	if e.Err != nil {
		s.Err = e.Err.Error()
	}
	c.ev.status, c.ev.phrase, c.ev.q850, c.ev.reasons = e.Status, e.Phrase, e.Reason.Q850, e.Reason.Values
	c.ev.auth = e.By == sip.EndedByAuth
	c.ev.late = c.ev.late || e.By == sip.EndedByLateAnswer && !c.early.unsupervised
	c.diverted(e.Diverted)
	if e.By == sip.EndedByRefused && c.mayHaveRung() {
		c.ev.alerted, s.Alerting = true, telgate.AlertingInband
	}
	c.ev.transport = e.By == sip.EndedByTransport
	if _, unsent := errors.AsType[*sip.SendError](e.Err); c.ev.transport && !unsent {
		c.ev.heard = max(c.ev.heard, heardTrying) // the INVITE had left: it may ring, whatever came back
	}
	c.ev.timeout = e.By == sip.EndedByTimeout
	if c.talk != nil {
		c.talk.peerBye = e.By == sip.EndedByPeerBye
		c.talk.broken = e.By == sip.EndedByExpiry || e.By == sip.EndedByGone
	}
}

// babbler is a leg that knows whether something came that it could not read.
type babbler interface{ Nonsense() bool }

// finish gives the call its one outcome.
func (c *call) finish() {
	var v verdict
	if c.talk != nil && c.ev.own != ownBadAnswer {
		v = c.judgeTalk()
	} else {
		v, _ = classify(c.ev)
	}
	if leg, ok := c.leg.(babbler); ok && v.Detail == telgate.DetailNoResponse && c.out.Signal.Err == "" && leg.Nonsense() {
		c.out.Signal.Err = "what its host sends is no SIP"
	}
	stats := c.session.Stats()
	c.out.Audio.RTP = telgate.RTP{Sent: stats.Sent, Received: stats.Received, Lost: stats.Lost}
	c.out.Audio.RTP.Rejected, c.out.Audio.RTP.RejectedFor = rejected(&stats)
	c.out.Audio.Prompt = stats.PromptSent
	if c.talk != nil {
		c.out.Audio.Media, c.out.Audio.Suite = telgate.MediaRTP, stats.Suite
		if stats.Suite != "" {
			c.out.Audio.Media = telgate.MediaSRTP
		}
	}
	c.closed(v)
}

// rejected is how many packets were not listened to, and why most of them were not.
func rejected(s *media.Stats) (n uint64, why telgate.Rejection) {
	if n = s.Strange + s.Unagreed + s.Forged; n == 0 {
		return 0, ""
	}
	switch max(s.Strange, s.Unagreed, s.Forged) {
	case s.Forged:
		return n, telgate.RejectedKey
	case s.Unagreed:
		return n, telgate.RejectedPayload
	default:
		return n, telgate.RejectedSource
	}
}

// unsent is a call whose INVITE never left, or that was stopped while it was being handed over.
func (c *call) unsent(ctx context.Context, err error) {
	c.out.Signal.Err = err.Error()
	if ctx.Err() != nil {
		c.ev.own = ownStop
	}
	c.ev.transport = true
	if refused, ok := errors.AsType[*sip.SendError](err); ok {
		c.ev.auth, c.ev.noBinding = refused.Op == "credentials", refused.Op == "register"
	}
	v, _ := classify(c.ev)
	c.closed(v)
}

// failed is a call that could not even be begun here.
func (c *call) failed(why ownEnd, err error) {
	c.out.Signal.Err = err.Error()
	c.ev.own = why
	v, _ := classify(c.ev)
	c.closed(v)
}

func (c *call) closed(v verdict) {
	c.out.State = telgate.CallEnded
	c.out.Outcome, c.out.Detail, c.out.Scope = v.Outcome, v.Detail, v.Scope
	c.out.Times.Ended = c.now()
	c.out.Trace = traceOf(c.trace)
}

// state moves the call on and tells.
func (c *call) state(s telgate.CallState, e telgate.Event) {
	c.out.State = s
	c.tell(e)
}

// tell stamps an event with the call it belongs to; its order does not change any more.
func (c *call) tell(e telgate.Event) {
	e.Time, e.Page, e.Order = c.now(), c.out.Page, &c.out.Order
	c.emit(e)
}
