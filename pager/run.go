package pager

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"telgate"
	"telgate/plan"
)

// run is one page in progress. The goroutine in own is its only writer.
type run struct {
	course

	pager   *Pager
	hold    Hold
	writer  *writer
	stop    context.CancelCauseFunc
	inbox   inbox
	ends    ends
	sides   sides
	before  *run                         // of this gateway, and not yet down with its call; nil if none
	shown   atomic.Pointer[telgate.Page] // the newest state, for everybody; nobody changes it
	page    telgate.Page
	state   progress
	moved   bool // the progress is not written
	from    int  // index of the first step that is not written
	seq     int
	resumed bool
}

// ends are the ways in which a page's time at this gateway ends.
type ends struct {
	once    sync.Once
	left    sync.Once
	drained chan struct{} // no further step begins
	fenced  atomic.Bool   // it has another owner
	over    chan struct{} // closed when no message is taken any more
	gone    chan struct{} // closed when nothing is left of it here
}

// draining: no further step begins.
func (r *run) draining() bool {
	select {
	case <-r.ends.drained:
		return true
	default:
		return false
	}
}

func (r *run) drain() { r.ends.once.Do(func() { close(r.ends.drained) }) }

// fence ends a page that has another owner: what rings is hung up, and nobody here is told anything any more.
func (r *run) fence() {
	r.ends.fenced.Store(true)
	r.writer.silence()
	r.stop(&telgate.StopCause{Why: telgate.StopFenced})
}

// goesOn tells whether more steps are to come, as far as this gateway is concerned.
func (r *run) goesOn(ctx context.Context) bool {
	return ctx.Err() == nil && r.page.Result == "" && !r.draining()
}

// own runs the page to its end, or until it has another owner.
func (r *run) own(ctx context.Context) {
	if r.before != nil {
		<-r.before.ends.gone
		r.before = nil
	}
	if r.page.State != telgate.PageEnded {
		r.page.Way = r.plan.Policy.Way
	}
	if r.page.Way.All {
		r.sides = newSides()
	}
	switch {
	case r.page.State == telgate.PageEnded: // what came too late for its owner is all that is left to do
		r.leave()
		r.leftovers() //nolint:contextcheck // it is not the page that stops
		return
	case r.resumed:
		r.resume(ctx)
	default:
		r.open()
	}
	for r.goesOn(ctx) {
		if r.heldUp(ctx) {
			continue
		}
		m := r.plan.Next(&r.state.Progress, r.pager.env.Now())
		r.moved = true
		switch m.Kind {
		case plan.MoveDial:
			r.dial(ctx, &m)
		case plan.MoveCalls:
			r.await(ctx, m.Until)
		case plan.MoveWait:
			r.wait(ctx, m.Until)
		case plan.MoveEnd:
			r.page.Result = r.verdict()
		}
	}
	for len(r.sides.all) > 0 {
		r.await(ctx, time.Time{})
	}
	switch {
	case r.ends.fenced.Load():
	case r.page.Result == "" && r.pager.env.HandOver:
		r.handOver()
	default:
		r.close() //nolint:contextcheck // the end is written, whoever stopped
	}
	r.leave()
	if r.ends.fenced.Load() { // also where it was noticed by the last write only
		r.vanish(ctx)
	}
}

// leave: no message is taken any more; who has something to say leaves it in the ledger.
func (r *run) leave() { r.ends.left.Do(func() { close(r.ends.over) }) }

// open tells the beginning. The page is kept as it is.
func (r *run) open() {
	r.state.Began = r.page.Accepted
	r.show()
	r.seq++
	r.pager.watch.publish(&telgate.Event{
		Seq: r.seq, Time: r.page.Accepted, Kind: telgate.EventPageAccepted, Page: r.page.ID, Asker: &r.page.Askers[0],
		People: slices.Clone(r.page.Targets),
	})
}

// close tells the end, once, after the last call is down.
func (r *run) close() {
	if r.page.Result == "" {
		r.page.Result = telgate.Cancelled
	}
	r.end(r.page.Result)
	r.page.State, r.page.Ended, r.page.Wait = telgate.PageEnded, r.pager.env.Now(), telgate.Wait{}
	r.tell(&telgate.Event{Kind: telgate.EventPageEnded, Result: r.page.Result, People: r.page.Targets})
	told := make(chan struct{})
	r.writer.after(func() { close(told) })
	<-told
	r.leave()
	r.pager.settle(r.writer)
	if r.ends.fenced.Load() {
		return
	}
	r.pager.env.Log.Info("page ended", "page", r.page.ID, "result", r.page.Result, "steps", len(r.page.Steps))
	r.leftovers()
}

// tell numbers an event by the version of the page that it makes, so that all gateways count alike, has the page kept as it is
// now, and then lets everybody know. The event is not changed afterwards.
func (r *run) tell(ev *telgate.Event) {
	r.seq = max(r.seq, r.page.Version) + 1
	ev.Seq, ev.Page = r.seq, r.page.ID
	if ev.Time.IsZero() {
		ev.Time = r.pager.env.Now()
	}
	ev.People = slices.Clone(ev.People)
	r.keep(ev)
}

// keep has the page kept as it is now.
func (r *run) keep(ev *telgate.Event) {
	c := r.change()
	r.shown.Store(&c.Page)
	r.writer.keep(c, ev)
}

// change is all that is not written yet, as a new version of the page.
func (r *run) change() *Change {
	r.page.Version++
	c := &Change{Hold: r.hold, Page: r.snapshot(), From: r.from, Freed: r.inbox.freed, Taken: r.inbox.taken}
	if r.moved {
		c.Progress = r.state.encode(&r.plan)
	}
	r.from, r.moved, r.inbox.freed, r.inbox.taken = len(r.page.Steps), false, nil, nil
	return c
}

// snapshot is the page as it is now. Calls are not copied: the owner replaces what it changes.
func (r *run) snapshot() telgate.Page {
	p := r.page
	p.Askers, p.Targets, p.Steps = slices.Clone(p.Askers), slices.Clone(p.Targets), slices.Clone(p.Steps)
	return p
}

// show makes the page as it is now the newest state for everybody.
func (r *run) show() {
	p := r.snapshot()
	r.shown.Store(&p)
}

// pause lets time pass until a moment, or until something happens; messages are handled meanwhile.
func (r *run) pause(ctx context.Context, until time.Time, wake <-chan struct{}) {
	timer := time.NewTimer(until.Sub(r.pager.env.Now()))
	defer timer.Stop()
	r.listen(signals{timer.C, wake, ctx.Done(), r.ends.drained})
}

// signals are what a page waits for, each nil where it does not.
type signals struct {
	due                    <-chan time.Time
	over, stopped, drained <-chan struct{}
}

// listen gives the turn away until there is a signal, which it tells, or until somebody has something to say, which is handled.
func (r *run) listen(to signals) (signalled bool) {
	var question *asked
	r.sides.yield()
	select {
	case <-to.due:
		signalled = true
	case <-to.over:
		signalled = true
	case <-to.stopped:
		signalled = true
	case <-to.drained:
		signalled = true
	case question = <-r.inbox.asked:
	case <-r.inbox.wake:
	}
	r.sides.take()
	switch {
	case signalled:
	case question != nil:
		r.answer(question)
	default:
		r.hear()
	}
	return signalled
}

// wait passes the time until the next step.
func (r *run) wait(ctx context.Context, until time.Time) {
	r.page.State, r.page.WaitsFor = telgate.PageWaiting, until
	r.tell(&telgate.Event{Kind: telgate.EventWaiting, Until: until})
	for r.goesOn(ctx) && r.page.WaitsFor.After(r.pager.env.Now()) {
		r.pause(ctx, r.page.WaitsFor, nil)
	}
}

// limit is when the page gives up.
func (r *run) limit() time.Time { return r.state.Began.Add(r.plan.Policy.PageLimit) }

// heldUp waits while the gateway may begin nothing; false where it may. The page's limit counts all the same.
func (r *run) heldUp(ctx context.Context) bool {
	free := r.pager.held()
	if free == nil {
		free = r.braked()
	}
	if free == nil || !r.pager.env.Now().Before(r.limit()) {
		return false
	}
	r.pause(ctx, r.limit(), free)
	return true
}

// verdict is the result of a page whose plan is done and that reached nobody: it failed where no call got beyond our trunks,
// or, without a call, where no step had a line. What else was skipped does not change that.
func (r *run) verdict() telgate.Result {
	if slices.ContainsFunc(r.page.Targets, func(t telgate.Target) bool { return t.Result.Reached() }) {
		return telgate.Partial
	}
	calls, others := 0, 0
	for i := range r.page.Steps {
		switch s := &r.page.Steps[i]; {
		case s.Call != nil && s.Call.Outcome != telgate.OutcomeTrunkFailed:
			return telgate.NotReached
		case s.Call != nil:
			calls++
		case s.Skip != telgate.SkipNoLine:
			others++
		}
	}
	if calls == 0 && others > 0 {
		return telgate.NotReached
	}
	return telgate.Failed
}

// end closes the page. A call that is still being hung up is recorded first: own comes back here when it is down.
func (r *run) end(result telgate.Result) {
	r.page.Result = result
	for i := range r.page.Targets {
		switch t := &r.page.Targets[i]; {
		case t.Result != "":
		case result.Reached() || result == telgate.Partial:
			t.Result = telgate.NotReached
		default:
			t.Result = result
		}
	}
}
