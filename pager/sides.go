package pager

import (
	"context"
	"time"

	"telgate"
	"telgate/plan"
)

// sides are the steps of a page that are in progress: one, or, where people are called side by side, one for each of them.
// Each of those has a goroutine, but the page has one owner all the same: it is whoever has the turn, and who waits for
// something gives the turn away meanwhile.
type sides struct {
	all   []*side
	turn  chan struct{} // full while somebody has it; nil where there is never more than one step
	ended chan struct{} // a step is over
}

// side is a step in progress.
type side struct {
	entry  *plan.Entry
	stop   context.CancelCauseFunc // ends the step; nil where it ends with its call
	hangup context.CancelCauseFunc // ends the call that is up; nil where there is none
	told   *mailbox                // by that call
	step   int                     // its index
	thanks bool                    // its key was heard: the call says thanks, and ends by itself
	tries  tries                   // of its step: not in the frame in which the page waits
}

func newSides() sides {
	s := sides{turn: make(chan struct{}, 1), ended: make(chan struct{}, 1)}
	s.take()
	return s
}

func (s *sides) yield() {
	if s.turn != nil {
		<-s.turn
	}
}

func (s *sides) take() {
	if s.turn != nil {
		s.turn <- struct{}{}
	}
}

// stop ends every step.
func (s *sides) stop(cause *telgate.StopCause) {
	for _, x := range s.all {
		x.end(cause)
	}
}

// hangUp ends the calls that are up, but those that end by themselves: their steps are over with them.
func (s *sides) hangUp(cause *telgate.StopCause) {
	for _, x := range s.all {
		if x.hangup != nil && !x.thanks {
			x.hangup(cause)
		}
	}
}

func (s *sides) without(x *side) {
	for i := range s.all {
		if s.all[i] == x {
			s.all = append(s.all[:i:i], s.all[i+1:]...)
			return
		}
	}
}

func (x *side) end(cause *telgate.StopCause) {
	if x.hangup != nil {
		x.hangup(cause)
	}
	if x.stop != nil {
		x.stop(cause)
	}
}

// dial rings an entry: where people are called side by side, beside what rings already.
func (r *run) dial(ctx context.Context, m *plan.Move) {
	s := &side{entry: m.Entry}
	r.sides.all = append(r.sides.all, s)
	if r.page.Way == (telgate.Way{}) {
		r.step(ctx, m, s)
		r.stepped(m, s)
		return
	}
	ctx, s.stop = context.WithCancelCause(ctx)
	if !r.page.Way.All {
		r.step(ctx, m, s)
		r.stepped(m, s)
		return
	}
	beside := *m
	r.pager.work.Go(func() {
		r.sides.take()
		defer r.sides.yield()
		r.step(ctx, &beside, s)
		r.stepped(&beside, s)
		poke(r.sides.ended)
	})
}

// stepped is the end of a step.
func (r *run) stepped(m *plan.Move, s *side) {
	if s.stop != nil {
		s.stop(nil)
	}
	r.sides.without(s)
	r.plan.Done(&r.state.Progress, m.Entry)
	r.moved = true
}

// await waits until a step that is in progress has ended, or something else happens; at most until a moment, if it is one.
func (r *run) await(ctx context.Context, until time.Time) {
	if !until.IsZero() && r.goesOn(ctx) {
		r.pause(ctx, until, r.sides.ended)
		return
	}
	r.listen(signals{over: r.sides.ended})
}

// letGo ends what is not needed any more because somebody was reached: everything, but in a roll call only what would reach
// nobody else. Whoever is being thanked is let hear it.
func (r *run) letGo(by string) {
	cause := &telgate.StopCause{Why: telgate.StopConfirmed, By: by}
	for _, s := range r.sides.all {
		if s.thanks {
			continue
		}
		if r.page.Result != "" || !r.plan.Wanted(&r.state.Progress, s.entry) {
			s.end(cause)
		}
	}
}

// waits shows that the page waits, unless a phone of it rings meanwhile.
func (r *run) waits(w telgate.Wait) {
	for _, s := range r.sides.all {
		if s.hangup != nil {
			return
		}
	}
	r.page.State, r.page.Wait = telgate.PageWaiting, w
}
