package pager

import (
	"context"
	"slices"
	"time"

	"telgate"
	"telgate/plan"
)

// call makes one call and stays its page's owner meanwhile: events and messages are handled as they come. This frame is
// on the stack of every page that rings; what is large stays behind pointers.
func (r *run) call(ctx context.Context, live *telgate.Call) *telgate.Call {
	ctx, hangup := context.WithCancelCause(ctx)
	defer hangup(nil)
	told, result := newMailbox(r.inbox.wake), make(chan *telgate.Call, 1)
	r.pager.work.Go(func() { result <- r.pager.caller.Call(ctx, &live.Order, told.put) })
	var call *telgate.Call
	for call == nil {
		select {
		case <-r.inbox.wake:
			r.during(told)
			r.read(hangup)
		case m := <-r.inbox.asked:
			r.answer(m, hangup)
		case call = <-result:
		}
	}
	r.during(told)
	return call
}

// order is the call that a step makes over a trunk.
func (r *run) order(m *plan.Move, c *plan.Choice, unheard bool) (*telgate.Call, error) {
	id, err := r.pager.newID()
	if err != nil {
		return nil, err
	}
	e, now := m.Entry, r.pager.env.Now()
	call := &telgate.Call{State: telgate.CallDialing, Order: telgate.Order{
		Call: telgate.CallID("c" + id), Page: r.page.ID, Person: e.Person.Nick, Step: len(r.page.Steps) + 1, Round: m.Round, Number: e.Number,
		Trunk: c.Trunk, LastHope: c.Last, Unheard: unheard, Ring: e.Ring, Language: e.Person.Language, Prompt: r.prompt, Confirm: e.Person.Confirm,
	}}
	if call.Confirm == "" {
		call.Confirm = r.pager.cfg().Confirm
	}
	if call.Language == "" {
		call.Language = r.pager.cfg().Language
	}
	call.Times.RingUntil = r.pager.cfg().ringUntil(now, call.Ring)
	return call, nil
}

// restMargin is how much longer than we let it ring a phone may ring, if we are not there to end it: the transaction's 32 s
// (RFC 3261 timer B) and a little.
const restMargin = 35 * time.Second

func (c *Config) ringUntil(now time.Time, ring time.Duration) time.Time {
	return now.Add(c.Setup + ring + restMargin)
}

// during takes what has been told of the call in progress.
func (r *run) during(told *mailbox) {
	for _, ev := range told.take() {
		live := *r.page.Steps[len(r.page.Steps)-1].Call
		switch ev.Kind {
		case telgate.EventRinging:
			live.State, live.Times.Alerted = telgate.CallRinging, ev.Time
		case telgate.EventEarlyMedia, telgate.EventForwarded: // a phone that rings goes on ringing
			if live.State == telgate.CallDialing {
				live.State = map[telgate.EventKind]telgate.CallState{
					telgate.EventEarlyMedia: telgate.CallEarly, telgate.EventForwarded: telgate.CallForwarded,
				}[ev.Kind]
			}
		case telgate.EventAnswered:
			live.State, live.Times.Answered = telgate.CallAnswered, ev.Time
		default:
		}
		r.setCall(&live)
		r.tell(ev)
	}
}

// setCall makes the last step's call another one: what was shown before does not change.
func (r *run) setCall(c *telgate.Call) {
	r.page.Steps[len(r.page.Steps)-1].Call = c
	r.touch()
}

// ended records a call, the target it reached, and that what it held is free.
func (r *run) ended(c *telgate.Call, t *tries) {
	r.setCall(c)
	for _, number := range t.numbers {
		r.inbox.freed = append(r.inbox.freed, Freed{Call: c.Call, Number: number, Rest: mayRingUntil(c)})
	}
	t.numbers = nil
	r.tell(&telgate.Event{Kind: telgate.EventCallEnded, Order: &c.Order, Ended: c})
	r.dropLine(t)
	r.pager.env.Log.Info("call ended", "page", r.page.ID, "call", c.Call, "person", c.Person, "number", c.Number,
		"trunk", c.Trunk, "outcome", c.Outcome, "detail", c.Detail, "status", c.Signal.Status, "q850", c.Signal.Q850,
		"sip_call_id", c.Signal.SIPCallID, "err", c.Signal.Err)
	if !c.Reached() || r.page.Result == telgate.Confirmed {
		return
	}
	via, result := telgate.ViaKey, telgate.Confirmed
	if c.Outcome == telgate.OutcomeAnswered {
		via, result = telgate.ViaPick, telgate.Answered
	}
	r.reached(r.plan.Reaches(c.Number), c.Number.String(), via, result)
}

// reached: one person is enough for a page that hunts; a shared phone counts for all whose it is.
func (r *run) reached(nicks []string, by string, via telgate.Via, result telgate.Result) {
	for i := range r.page.Targets {
		if t := &r.page.Targets[i]; slices.Contains(nicks, t.Nick) {
			t.Result, t.By, t.Via, t.At = result, by, via, r.pager.env.Now()
		}
	}
	r.end(result)
	if result == telgate.Confirmed {
		r.tell(&telgate.Event{Kind: telgate.EventPageConfirmed, Result: result, People: r.page.Targets})
	}
}
