package pager

import (
	"context"
	"errors"
	"slices"

	"telgate"
	"telgate/plan"
)

// step rings one number, unless it may not be rung now. A page waits in this frame and the next two while its phone
// rings, so they hold little: a few hundred bytes more would double the stack of every page.
func (r *run) step(ctx context.Context, m *plan.Move, s *side) {
	if r.muted(m.Entry) {
		r.skip(m, telgate.SkipMuted)
		return
	}
	release, skip := r.claim(ctx, &m.Entry.Number)
	if skip != "" {
		r.skip(m, skip)
		return
	}
	s.tries.side = s
	r.ring(ctx, m, &s.tries)
	r.writer.after(release)
}

// tries is what has been tried in a step.
type tries struct {
	side    *side
	trunks  []string
	unheard bool     // a trunk failed without saying whether the number exists
	full    bool     // a trunk was given up because no line became free
	rung    bool     // a call was begun
	waits   bool     // it was told that the page waits for the phone, or for the ledger
	line    string   // the trunk of which a line is held, "" = none
	numbers []string // phones that the ledger holds for the call
}

// ring calls over one trunk, and over the next ones as long as the phone was surely not reached.
func (r *run) ring(ctx context.Context, m *plan.Move, t *tries) {
	for ctx.Err() == nil && r.page.Result == "" {
		choice := r.choose(ctx, m, t)
		if choice == nil {
			return
		}
		live, again := r.begin(ctx, m, t, choice)
		if again {
			continue
		}
		if live == nil {
			return
		}
		call := r.call(ctx, live, t.side)
		f := r.redirected(ctx, m, t, call)
		if f != nil {
			call = r.landed(call, r.call(ctx, f.live, t.side))
		}
		r.ended(call, t)
		if f != nil {
			r.writer.after(f.release)
		}
		if !r.learn(ctx, m, t, call) {
			return
		}
	}
}

// choose picks a trunk among those not tried yet, and takes a line of it; nil if there is none. A step that nothing can
// carry is skipped.
func (r *run) choose(ctx context.Context, m *plan.Move, t *tries) *plan.Choice {
	for {
		choice, ok, err := r.pager.route(&m.Entry.Number, t.trunks)
		switch {
		case !ok && t.full:
			r.skip(m, telgate.SkipNoLine)
			return nil
		case !ok && len(t.trunks) == 0:
			r.skip(m, skipFor(err))
			return nil
		case !ok:
			return nil
		}
		t.trunks = append(t.trunks, choice.Trunk)
		switch why := r.line(ctx, m, choice.Trunk); why {
		case telgate.SkipNone:
			t.line = choice.Trunk
			return &choice
		case telgate.SkipNoLine:
			t.full, t.unheard = true, true
		default:
			r.skip(m, why)
			return nil
		}
	}
}

// dropLine gives the line back as soon as the ledger knows that it is free.
func (r *run) dropLine(t *tries) {
	if trunk := t.line; trunk != "" {
		t.line = ""
		r.writer.after(func() { r.pager.lines.end(trunk) })
	}
}

// route picks a trunk. Where the last call to this number had no sound path, another one goes first, once.
func (p *Pager) route(n *telgate.Number, tried []string) (plan.Choice, bool, error) {
	now := p.env.Now()
	if bad := p.doubts.avoid(n.Key()); bad != "" && !slices.Contains(tried, bad) {
		if choice, ok, _ := p.trunks.route(p.cfg(), n, append(slices.Clone(tried), bad), now); ok {
			choice.Last = false // the avoided one is left
			return choice, true, nil
		}
	}
	return p.trunks.route(p.cfg(), n, tried, now)
}

// learn takes a call into account. It tells whether the next trunk may try: never after the phone may have rung.
func (r *run) learn(ctx context.Context, m *plan.Move, t *tries, call *telgate.Call) (next bool) {
	now := r.pager.env.Now()
	r.plan.Note(&r.state.Progress, m.Entry, call.Outcome, now)
	if call.Outcome == telgate.OutcomeCancelled && ctx.Err() != nil && r.page.Result == "" {
		r.plan.Lost(&r.state.Progress, m.Entry, now) // cut off because this gateway stops: nobody is to miss a call for that
	}
	r.state.note(call.Step-1, r.page.Steps)
	if call.Forward != "" { // its two INVITEs have been noted, and the phone was found
		return false
	}
	r.pager.trunks.note(call, now)
	if r.pager.doubts.note(call) {
		r.pager.env.Log.Warn("a trunk knows none of the last numbers", "trunk", call.Trunk, "numbers", unknownMost, "looks_like", WrongNotation)
	}
	t.unheard = t.unheard || !knowsNot(call)
	if t.side.thanks { // whoever picked it up has confirmed
		return false
	}
	switch call.Outcome {
	case telgate.OutcomeTrunkFailed:
		return call.Detail != telgate.DetailNoFinal && call.Detail != telgate.DetailUnusableAnswer
	case telgate.OutcomeBlocked: // another trunk may show a caller that is welcome
		t.trunks = append(t.trunks, r.pager.cfg().withCallerOf(call.Trunk)...)
		return call.Times.Alerted.IsZero()
	default:
		return false
	}
}

// withCallerOf names the trunks that show the same caller as this one.
func (c *Config) withCallerOf(name string) (names []string) {
	refused, _ := c.trunk(name)
	for _, t := range c.Trunks {
		if t.CallerID == refused.CallerID {
			names = append(names, t.Name)
		}
	}
	return names
}

// nextStep is a step as it comes into the page's log.
func (r *run) nextStep(m *plan.Move) telgate.Step {
	return telgate.Step{
		N: len(r.page.Steps) + 1, Round: m.Round, Person: m.Entry.Person.Nick, Number: m.Entry.Number, At: r.pager.env.Now(),
	}
}

// knowsNot tells whether a trunk failed a call because it knows no such number.
func knowsNot(c *telgate.Call) bool {
	return slices.Contains([]int{404, 484, 485, 604}, c.Signal.Status) || slices.Contains([]int{2, 3, 28}, c.Signal.Q850)
}

func skipFor(err error) telgate.SkipReason {
	if _, ok := errors.AsType[*plan.Forbidden](err); ok {
		return telgate.SkipForbidden
	}
	return telgate.SkipNoLine
}

// claim takes the number for this page, waiting while another page of this gateway rings it.
func (r *run) claim(ctx context.Context, n *telgate.Number) (release func(), skip telgate.SkipReason) {
	for told := false; ; told = true {
		release, busy := r.pager.phones.claim(n.Key())
		switch {
		case busy == nil:
			return release, telgate.SkipNone
		case !r.goesOn(ctx) || !r.pager.env.Now().Before(r.limit()):
			return nil, telgate.SkipEnded
		case !told:
			r.tellWait()
		}
		r.pause(ctx, r.limit(), busy)
	}
}

// tellWait says that the page waits for the phone; nobody knows until when.
func (r *run) tellWait() {
	r.waits(telgate.Wait{})
	r.tell(&telgate.Event{Kind: telgate.EventWaiting})
}

// skip enters a step that is not dialled into the page's log. One that is not dialled because this gateway stops is not
// skipped: another one goes on with it.
func (r *run) skip(m *plan.Move, why telgate.SkipReason) {
	if why == telgate.SkipEnded && r.page.Result == "" && r.pager.env.HandOver && r.pager.env.Now().Before(r.limit()) {
		r.plan.Defer(&r.state.Progress, m.Entry, r.pager.env.Now())
		return
	}
	step := r.nextStep(m)
	step.Skip = why
	r.page.Steps = append(r.page.Steps, step)
	r.state.note(len(r.page.Steps)-1, r.page.Steps)
	order := telgate.Order{Page: r.page.ID, Person: step.Person, Step: step.N, Round: step.Round, Number: step.Number}
	r.tell(&telgate.Event{Kind: telgate.EventStepSkipped, Order: &order, Skip: why})
}
