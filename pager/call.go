package pager

import (
	"cmp"
	"context"
	"slices"
	"time"

	"telgate"
	"telgate/plan"
)

// call makes one call and stays its page's owner meanwhile: events and messages are handled as they come. This frame is
// on the stack of every page that rings; what is large stays behind pointers.
func (r *run) call(ctx context.Context, live *telgate.Call, s *side) *telgate.Call {
	ctx, hangup := context.WithCancelCause(ctx)
	defer hangup(nil)
	var call *telgate.Call
	down := make(chan struct{})
	s.told, s.hangup, s.step = newMailbox(r.inbox.wake), hangup, live.Step-1
	told := s.told.put
	r.pager.work.Go(func() { call = r.pager.caller.Call(ctx, &live.Order, told); close(down) })
	for !r.listen(signals{over: down}) { //nolint:revive // it handles what is said meanwhile
	}
	r.during(s)
	s.told, s.hangup = nil, nil
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

// hear takes what has been told of all calls in progress, and what was left in the ledger.
func (r *run) hear() {
	for _, s := range r.sides.all {
		r.during(s)
	}
	r.read()
}

// during takes what has been told of a call in progress.
func (r *run) during(s *side) {
	if s.told == nil {
		return
	}
	for all := s.told.take(); len(all) > 0; all = all[1:] {
		ev, live := all[0], *r.page.Steps[s.step].Call
		switch ev.Kind {
		case telgate.EventInvited:
			live.Ending = *ev.Ending
			live.Signal.SIPCallID = cmp.Or(ev.Ending.CallID(), live.Signal.SIPCallID) // who goes on after us finds it in the PBX's log
			r.setCall(&live)
			if len(all) == 1 { // else it is kept with what follows
				r.keep(nil)
			}
			continue
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
		case telgate.EventKey:
			live.Keys = append(slices.Clip(live.Keys), *ev.Key)
		default:
		}
		r.setCall(&live)
		confirmed := r.heard(s, ev) // before the key is told: what it means is written with it
		r.tell(ev)
		if confirmed != nil {
			r.tell(confirmed)
		}
	}
}

// heard takes it in that the confirm key was pressed, as soon as it was: a gateway that dies while the call says thanks must not
// have told somebody what nobody knows. It returns what is to be told of it. The call goes on to its end.
func (r *run) heard(s *side, ev *telgate.Event) *telgate.Event {
	if ev.Kind != telgate.EventKey || !ev.Key.Confirms {
		return nil
	}
	s.thanks = true
	if r.page.Result == telgate.Confirmed {
		return nil
	}
	c := r.page.Steps[s.step].Call
	return r.reach(r.plan.Reaches(c.Number), c.Number.String(), telgate.ViaKey, telgate.Confirmed)
}

// setCall makes a step's call another one: what was shown before does not change.
func (r *run) setCall(c *telgate.Call) {
	r.page.Steps[c.Step-1].Call = c
	r.from = min(r.from, c.Step-1) // another one than what was written
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
	if !c.Reached() || r.page.Result == telgate.Confirmed || t.side.thanks { // a key was taken in when it was heard
		return
	}
	via, result := telgate.ViaKey, telgate.Confirmed
	if c.Outcome == telgate.OutcomeAnswered {
		via, result = telgate.ViaPick, telgate.Answered
	}
	r.reached(r.plan.Reaches(c.Number), c.Number.String(), via, result)
}

// reached takes it in that somebody was reached, and tells it.
func (r *run) reached(nicks []string, by string, via telgate.Via, result telgate.Result) {
	if ev := r.reach(nicks, by, via, result); ev != nil {
		r.tell(ev)
	}
}

// reach takes it in that somebody was reached, and returns what is to be told; nil where that is nothing. One person is enough,
// but in a roll call; a shared phone counts for all whose it is.
func (r *run) reach(nicks []string, by string, via telgate.Via, result telgate.Result) *telgate.Event {
	news := mark(r.page.Targets, nicks, telgate.Target{Result: result, By: by, Via: via, At: r.pager.env.Now()})
	if r.page.Way.RollCall {
		r.plan.Reached(&r.state.Progress, nicks)
		r.moved = true
		if result = called(r.page.Targets); result == telgate.Partial {
			r.letGo(by)
			return &telgate.Event{Kind: telgate.EventPersonConfirmed, People: news}
		}
	}
	r.end(result)
	r.letGo(by)
	if result != telgate.Confirmed {
		return nil
	}
	return &telgate.Event{Kind: telgate.EventPageConfirmed, Result: result, People: r.page.Targets}
}

// mark writes down who was reached and how, and returns those of whom that is news.
func mark(targets []telgate.Target, nicks []string, how telgate.Target) (news []telgate.Target) {
	for i := range targets {
		t := &targets[i]
		if !slices.Contains(nicks, t.Nick) || t.Result == telgate.Confirmed || t.Result == how.Result {
			continue
		}
		t.Result, t.By, t.Via, t.At = how.Result, how.By, how.Via, how.At
		news = append(news, *t)
	}
	return news
}

// called is how a roll call stands in which somebody was reached.
func called(targets []telgate.Target) telgate.Result {
	result := telgate.Confirmed
	for i := range targets {
		switch targets[i].Result {
		case telgate.Confirmed:
		case telgate.Answered:
			result = telgate.Answered
		default:
			return telgate.Partial
		}
	}
	return result
}
