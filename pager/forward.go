package pager

import (
	"context"
	"errors"
	"fmt"
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
	release func() // of the number that is rung now
}

// redirected decides whether a call that was answered 301 or 302 goes on, and readies everything for it: the new number is
// held against every rule, claimed like any other, and a line is taken. nil: the call has ended, and says why.
func (r *run) redirected(ctx context.Context, m *plan.Move, t *tries, call *telgate.Call) *forward {
	trunk, _ := r.pager.cfg().trunk(call.Trunk)
	if call.Outcome != telgate.OutcomeRedirected || !trunk.Redirect || call.Signal.Status != 301 && call.Signal.Status != 302 {
		return nil
	}
	f, err := r.follow(ctx, m, t, &trunk, call)
	if err != nil {
		call.Signal.Err = "not followed: " + err.Error()
		r.pager.env.Log.Info("redirect not followed", "page", r.page.ID, "call", call.Call, "trunk", call.Trunk, "err", err)
		return nil
	}
	return f
}

func (r *run) follow(ctx context.Context, m *plan.Move, t *tries, trunk *plan.Trunk, call *telgate.Call) (*forward, error) {
	if !r.goesOn(ctx) {
		return nil, errors.New("the page is over")
	}
	if pause, _ := r.pager.paused(); pause != nil {
		return nil, errors.New("calling is paused")
	}
	number, err := r.pager.cfg().Dialer.Redirect(call.Signal.RedirectTo, *trunk)
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
	release, busy := r.pager.phones.claim(number.Key())
	if busy != nil {
		return nil, errors.New("the phone rings for another page")
	}
	live := &telgate.Call{State: telgate.CallForwarded, Order: call.Order}
	live.Forward, live.Ring, live.LastHope, live.Unheard = call.Signal.RedirectTo, left, true, false
	live.Times.RingUntil = r.pager.cfg().ringUntil(r.pager.env.Now(), left)
	if !call.Times.Ended.IsZero() {
		live.Spent = max(0, call.Times.Ended.Sub(call.Times.Dialed)-call.Times.RingFor())
	}
	if err := r.onward(ctx, m, t, live, number.Key()); err != nil {
		release()
		return nil, err
	}
	r.page.State = telgate.PageCalling
	r.setCall(live)
	r.pager.trunks.note(call, r.pager.env.Now())
	r.pager.rung.note(number.Key(), r.rung(m.Entry.Number), r.pager.env.Now())
	r.tell(&telgate.Event{Kind: telgate.EventForwarded, Order: &live.Order, Status: call.Signal.Status})
	return &forward{live, release}, nil
}

// onward takes a line for the second INVITE, as for any other, and has the ledger enter it.
func (r *run) onward(ctx context.Context, m *plan.Move, t *tries, live *telgate.Call, number string) error {
	r.dropLine(t)
	if why := r.line(ctx, m, live.Trunk); why != "" {
		return errors.New("no line: " + string(why))
	}
	t.line = live.Trunk
	r.setCall(live)
	for _, before := range t.numbers { // the first INVITE is over
		r.inbox.freed = append(r.inbox.freed, Freed{Call: live.Call, Number: before})
	}
	t.numbers = nil
	b := r.beginning(live, number)
	b.Counts, b.PerNumber = true, r.perNumber()
	for until := r.lineLimit(); ; {
		g, err := r.writer.begin(b)
		switch {
		case err != nil:
			r.undo(&b.Change)
			t.numbers = []string{number} // nobody knows
			return fmt.Errorf("it cannot be kept: %w", err)
		case g.Verdict == Granted:
			t.numbers = []string{number}
			return nil
		case g.Verdict == GrantLineLater && g.Until.Before(until) && r.goesOn(ctx):
			r.pause(ctx, g.Until, nil)
		default:
			r.undo(&b.Change)
			return errors.New("the number is not free: " + string(g.Verdict.skip()))
		}
	}
}

// landed makes one call of the two: it began with the first and ended with the second. What the trunk says of the second
// number says nothing about the first, which was found.
func (r *run) landed(first, second *telgate.Call) *telgate.Call {
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
