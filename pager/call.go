package pager

import (
	"context"
	"slices"

	"telgate"
	"telgate/plan"
)

// call makes one call and stays its page's owner meanwhile: events and messages are handled as they come. This frame is
// on the stack of every page that rings; what is large stays behind pointers.
func (r *run) call(ctx context.Context, live *telgate.Call) *telgate.Call {
	ctx, hangup := context.WithCancelCause(ctx)
	defer hangup(nil)
	told, result := newMailbox(), make(chan *telgate.Call, 1)
	r.pager.work.Go(func() { result <- r.pager.caller.Call(ctx, &live.Order, told.put) })
	var call *telgate.Call
	for call == nil {
		select {
		case <-told.wake:
			r.during(live, told)
		case m := <-r.messages:
			r.handle(m, hangup)
		case call = <-result:
		}
	}
	r.during(live, told)
	return call
}

// dialling enters a call that begins into the page's log; nil where it cannot begin after all.
func (r *run) dialling(m *plan.Move, c *plan.Choice, unheard bool) *telgate.Call {
	id, err := r.pager.newID()
	if err != nil {
		r.pager.env.Log.Error("no call can be made", "page", r.page.ID, "err", err)
		r.pager.lines.end(c.Trunk)
		r.skip(m, telgate.SkipNoLine)
		return nil
	}
	step, e := r.nextStep(m), m.Entry
	step.Call = &telgate.Call{State: telgate.CallDialing, Order: telgate.Order{
		Call: telgate.CallID("c" + id), Page: r.page.ID, Person: e.Person.Nick, Step: step.N, Round: step.Round, Number: e.Number,
		Trunk: c.Trunk, LastHope: c.Last, Unheard: unheard, Ring: e.Ring, Language: e.Person.Language, Prompt: r.prompt, Confirm: e.Person.Confirm,
	}}
	if step.Call.Confirm == "" {
		step.Call.Confirm = r.pager.cfg.Confirm
	}
	if step.Call.Language == "" {
		step.Call.Language = r.pager.cfg.Language
	}
	r.page.Steps = append(r.page.Steps, step)
	r.page.State = telgate.PageCalling
	r.pager.rung.note(step.Number.Key(), r, step.Number, step.At)
	return step.Call
}

// during takes what has been told of the call in progress.
func (r *run) during(live *telgate.Call, told *mailbox) {
	for _, ev := range told.take() {
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
		r.tell(ev)
	}
}

// ended records a call, and the target it reached.
func (r *run) ended(c *telgate.Call) {
	r.page.Steps[len(r.page.Steps)-1].Call = c
	r.tell(&telgate.Event{Kind: telgate.EventCallEnded, Order: &c.Order, Ended: c})
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
