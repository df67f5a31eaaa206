package pager

import (
	"context"
	"errors"
	"slices"
	"time"

	"telgate"
	"telgate/plan"
)

// leastRing is the ring time below which a redirect is not worth following.
const leastRing = 2 * time.Second

// forward is a redirect that is followed: one more INVITE of the same call, over the same trunk.
type forward struct {
	live    *telgate.Call
	release func(rest time.Time) // of the number that is rung now
}

// redirected decides whether a call that was answered 301 or 302 goes on, and readies everything for it: the new number is
// held against every rule, claimed like any other, and a line is taken. nil: the call has ended, and says why.
func (r *run) redirected(ctx context.Context, m *plan.Move, call *telgate.Call) *forward {
	trunk, _ := r.pager.cfg.trunk(call.Trunk)
	if call.Outcome != telgate.OutcomeRedirected || !trunk.Redirect || call.Signal.Status != 301 && call.Signal.Status != 302 {
		return nil
	}
	f, err := r.follow(ctx, m, &trunk, call)
	if err != nil {
		call.Signal.Err = "not followed: " + err.Error()
		r.pager.env.Log.Info("redirect not followed", "page", r.page.ID, "call", call.Call, "trunk", call.Trunk, "err", err)
		return nil
	}
	return f
}

func (r *run) follow(ctx context.Context, m *plan.Move, trunk *plan.Trunk, call *telgate.Call) (*forward, error) {
	if r.page.Result != "" || r.draining() || ctx.Err() != nil {
		return nil, errors.New("the page is over")
	}
	number, err := r.pager.cfg.Dialer.Redirect(call.Signal.RedirectTo, *trunk)
	if err != nil {
		return nil, err
	}
	if number.Key() == m.Entry.Number.Key() {
		return nil, errors.New("it names the number that was called")
	}
	left := call.Ring - call.Times.RingFor()
	if left < leastRing {
		return nil, errors.New("no ring time is left")
	}
	release, busy, skip := r.pager.phones.claim(number.Key(), r.force)
	switch {
	case busy != nil:
		return nil, errors.New("the phone rings for another page")
	case skip != "":
		return nil, errors.New("the number is skipped: " + string(skip))
	}
	if why := r.line(ctx, m, call.Trunk); why != "" {
		release(time.Time{})
		return nil, errors.New("no line: " + string(why))
	}
	r.pager.phones.calls.add(number.Key())
	live := &telgate.Call{State: telgate.CallForwarded, Order: call.Order}
	live.Forward, live.Ring, live.LastHope, live.Unheard = call.Signal.RedirectTo, left, true, false
	if !call.Times.Ended.IsZero() {
		live.Spent = max(0, call.Times.Ended.Sub(call.Times.Dialed)-call.Times.RingFor())
	}
	r.page.Steps[len(r.page.Steps)-1].Call = live
	r.page.State = telgate.PageCalling
	r.pager.trunks.note(call, r.pager.env.Now())
	r.pager.rung.note(number.Key(), r, m.Entry.Number, r.pager.env.Now())
	r.tell(&telgate.Event{Kind: telgate.EventForwarded, Order: &live.Order, Status: call.Signal.Status})
	return &forward{live, release}, nil
}

// landed makes one call of the two: it began with the first and ended with the second. What the trunk says of the second
// number says nothing about the first, which was found.
func (r *run) landed(f *forward, first, second *telgate.Call) *telgate.Call {
	f.release(mayRingUntil(second))
	r.pager.trunks.note(second, r.pager.env.Now())
	second.Times.Dialed = first.Times.Dialed
	if second.Outcome == telgate.OutcomeTrunkFailed || second.Outcome == telgate.OutcomeInvalidNumber {
		second.Outcome, second.Scope = telgate.OutcomeRedirected, telgate.ScopeNone
	}
	return second
}

// mayRingUntil is the moment until which a phone may ring although its call is over; zero where it is surely quiet.
func mayRingUntil(c *telgate.Call) time.Time {
	failed := c.Outcome == telgate.OutcomeTrunkFailed
	noFinal := failed && c.Detail == telgate.DetailNoFinal
	untold := !failed && c.Times.Answered.IsZero() && c.Signal.Status == 0
	if noFinal || untold { // the trunk took the INVITE, and nobody told us that the phone does not ring, or not any more
		return c.Times.RingUntil
	}
	return time.Time{}
}

// trunk finds a trunk by name.
func (c *Config) trunk(name string) (plan.Trunk, bool) {
	i := slices.IndexFunc(c.Trunks, func(t plan.Trunk) bool { return t.Name == name })
	if i < 0 {
		return plan.Trunk{}, false
	}
	return c.Trunks[i], true
}
