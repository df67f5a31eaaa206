package pager

import (
	"context"
	"errors"
	"slices"
	"time"

	"telgate"
	"telgate/plan"
)

// grantPoll is how often the ledger is asked again for what another gateway holds.
const grantPoll = 500 * time.Millisecond

// begin has the ledger enter a call: before it is in there no packet leaves. It returns the call, or, where the phone was
// busy with another gateway or the trunk stayed full, that another trunk is to be chosen; nil where the step is over.
func (r *run) begin(ctx context.Context, m *plan.Move, t *tries, c *plan.Choice) (live *telgate.Call, again bool) {
	live, err := r.order(m, c, t.unheard)
	if err != nil {
		r.pager.env.Log.Error("no call can be made", "page", r.page.ID, "err", err)
		r.dropLine(t)
		r.skip(m, telgate.SkipNoLine)
		return nil, false
	}
	for until, unsure := r.lineLimit(), false; ; {
		for r.goesOn(ctx) && r.heldUp(ctx) { //nolint:revive // it waits
		}
		if !r.goesOn(ctx) || !r.pager.env.Now().Before(r.limit()) {
			r.abandon(m, t, live, unsure)
			return nil, false
		}
		if _, there := r.pager.cfg().trunk(c.Trunk); !there { // no more, since it was chosen
			r.page.WaitsLine = ""
			r.dropLine(t)
			t.unheard = true
			return nil, true
		}
		g, err := r.enter(m, t, live)
		unsure = unsure || err != nil && !errors.Is(err, ErrFenced)
		switch {
		case err != nil:
			r.tellOnce(t)
			r.pause(ctx, r.pager.env.Now().Add(retryMost), nil)
		case g.Verdict == Granted:
			t.numbers, t.rung = []string{m.Entry.Number.Key()}, true
			r.pager.rung.note(m.Entry.Number.Key(), r.rung(m.Entry.Number), r.pager.env.Now())
			return live, false
		case g.Verdict == GrantPhoneRests || g.Verdict == GrantPhoneOver:
			r.dropLine(t)
			r.putOff(m, &g)
			return nil, false
		case g.Verdict == GrantPhoneBusy:
			t.trunks = slices.DeleteFunc(t.trunks, func(trunk string) bool { return trunk == c.Trunk })
			r.dropLine(t) // whom others wait for
			r.tellOnce(t)
			r.pause(ctx, r.pager.env.Now().Add(grantPoll), nil)
			return nil, true
		default: // no line
			if g.Verdict == GrantNoLine {
				g.Until = r.pager.env.Now().Add(grantPoll)
			}
			if !r.pager.env.Now().Before(until) || g.Verdict == GrantLineLater && g.Until.After(until) {
				r.page.WaitsLine = ""
				r.dropLine(t)
				t.full, t.unheard = true, true
				return nil, true
			}
			if r.page.WaitsLine == "" {
				r.tellLine(m, c.Trunk, until)
			}
			r.pause(ctx, earlier(g.Until, until), nil)
		}
	}
}

// enter asks the ledger for a call; the page's log has it only if it may begin.
func (r *run) enter(m *plan.Move, t *tries, live *telgate.Call) (Grant, error) {
	state, wait := r.page.State, r.page.Wait
	step := r.nextStep(m)
	step.Call, live.Step = live, step.N // other calls of the page may have begun since
	r.page.Steps = append(r.page.Steps, step)
	r.page.State, r.page.Wait = telgate.PageCalling, telgate.Wait{}
	b := r.beginning(live, m.Entry.Number.Key())
	if b.Counts = !t.rung; b.Counts { // a step counts once, when its first call begins
		b.PerNumber = r.perNumber()
	}
	g, err := r.writer.begin(b)
	if err == nil && g.Verdict == Granted {
		r.show()
		return g, nil
	}
	r.page.Steps = r.page.Steps[:len(r.page.Steps)-1]
	r.page.State, r.page.Wait = state, wait
	r.undo(&b.Change)
	return g, err
}

// beginning is a call that begins, and the page with it.
func (r *run) beginning(live *telgate.Call, number string) *Beginning {
	trunk, _ := r.pager.cfg().trunk(live.Trunk)
	return &Beginning{
		Change: *r.change(), Call: live.Call, Number: number, Trunk: live.Trunk, Lines: trunk.Limit, RingUntil: live.Times.RingUntil,
		Nicks: r.plan.Reaches(live.Number),
	}
}

// undo: what was to be written with a call that did not begin is still to be written.
func (r *run) undo(c *Change) {
	r.from, r.moved = min(c.From, len(r.page.Steps)), r.moved || c.Progress != nil
	r.inbox.freed, r.inbox.taken = append(c.Freed, r.inbox.freed...), append(c.Taken, r.inbox.taken...)
}

// perNumber is how often an hour a number may be rung by this page.
func (r *run) perNumber() int {
	if r.force {
		return 0
	}
	return r.pager.cfg().PerNumber
}

// abandon ends a step whose call was not begun. Where an answer of the ledger got lost it may hold phone and line for it.
func (r *run) abandon(m *plan.Move, t *tries, live *telgate.Call, unsure bool) {
	if unsure {
		r.inbox.freed = append(r.inbox.freed, Freed{Call: live.Call, Number: m.Entry.Number.Key()})
	}
	r.page.WaitsLine = ""
	r.skip(m, telgate.SkipEnded)
	if len(r.inbox.freed) > 0 {
		r.keep(nil)
	}
	r.dropLine(t)
}

// putOff skips a number; one that rests is rung later in the round.
func (r *run) putOff(m *plan.Move, g *Grant) {
	r.skip(m, g.Verdict.skip())
	if g.Verdict == GrantPhoneRests {
		r.plan.Defer(&r.state.Progress, m.Entry, g.Until)
	}
}

// skip is why a step is skipped where this is in its way.
func (v GrantVerdict) skip() telgate.SkipReason {
	switch v {
	case GrantPhoneOver:
		return telgate.SkipLimit
	case GrantPhoneRests, GrantPhoneBusy:
		return telgate.SkipResting
	case GrantNoLine, GrantLineLater:
		return telgate.SkipNoLine
	case Granted:
	}
	return telgate.SkipNone
}

// tellOnce says once a step that the page waits.
func (r *run) tellOnce(t *tries) {
	if !t.waits {
		t.waits = true
		r.tellWait()
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
