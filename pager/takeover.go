package pager

import (
	"context"
	"errors"
	"time"

	"telgate"
)

// begin starts the goroutine that owns a page. There is work already that the pager waits for.
func (p *Pager) begin(r *run) {
	ctx, stop := context.WithCancelCause(p.ctx)
	r.pager, r.stop = p, stop
	r.inbox.asked, r.inbox.wake = make(chan *asked), make(chan struct{}, 1)
	r.ends.drained, r.ends.over, r.ends.gone = make(chan struct{}), make(chan struct{}), make(chan struct{})
	r.writer = p.newWriter(r.fence)
	r.show()
	p.mu.Lock()
	defer p.mu.Unlock()
	r.before = p.running[r.hold.Page]
	p.running[r.hold.Page] = r
	if p.draining {
		r.drain()
	}
	p.work.Go(func() {
		defer stop(nil)
		r.own(ctx)
		p.forget(r)
	})
}

// forget is the last that is done with a page here.
func (p *Pager) forget(r *run) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running[r.hold.Page] == r {
		delete(p.running, r.hold.Page)
	}
	if r.page.State == telgate.PageEnded && !r.ends.fenced.Load() {
		p.past.add(r.hold)
	}
	close(r.ends.gone)
}

func (p *Pager) newWriter(fenced func()) *writer {
	ctx, giveUp := context.WithCancel(context.WithoutCancel(p.ctx))
	return &writer{ledger: p.books, publish: p.watch.publish, fenced: fenced, work: &p.work, log: p.env.Log, ctx: ctx, giveUp: giveUp}
}

// claim goes on with pages that nobody owns.
func (p *Pager) claim(ctx context.Context) error {
	const most = 64
	for {
		if p.held() != nil || !p.enter() {
			return nil
		}
		records, err := p.books.Claim(ctx, p.gateway(), most)
		for i := range records {
			p.takeOver(&records[i]) //nolint:contextcheck // a page outlives the look that found it
		}
		p.work.Done()
		if err != nil || len(records) < most {
			return err //nolint:wrapcheck // the caller says what it did
		}
	}
}

// takeOver goes on with a page. One whose plan cannot be read ends at once: its asker is told at least.
func (p *Pager) takeOver(rec *Record) {
	r := &run{hold: rec.Hold, page: rec.Page, from: len(rec.Page.Steps), seq: rec.Page.Version, resumed: true}
	if r.page.State != telgate.PageEnded {
		if err := r.decode(rec); err != nil {
			p.env.Log.Error("a page cannot be gone on with", "page", rec.Hold.Page, "err", err)
			r.course = course{}
		}
	}
	if r.state.Began.IsZero() {
		r.state.Began = r.page.Accepted
	}
	r.seq = max(r.seq, p.watch.retell(&rec.Page, p.env.Now())) // what was told elsewhere; the run has not begun
	p.env.Log.Info("page taken over", "page", rec.Hold.Page, "token", rec.Token, "steps", len(r.page.Steps))
	p.begin(r)
}

func (r *run) decode(rec *Record) (err error) {
	if r.course, err = decodeCourse(rec.Course); err == nil && rec.Progress != nil {
		r.state, err = decodeProgress(rec.Progress, &r.plan)
	}
	return err
}

// reopen takes what was left for a page after its owner here was done with it.
func (p *Pager) reopen(ctx context.Context, id telgate.PageID) error {
	p.mu.Lock()
	hold, ours := p.past.hold(id)
	p.mu.Unlock()
	if !ours || !p.enter() {
		return nil
	}
	defer p.work.Done()
	page, err := p.books.Page(ctx, id)
	if err != nil || page == nil {
		return err //nolint:wrapcheck // the caller says what it did
	}
	p.takeOver(&Record{Hold: hold, Page: *page}) //nolint:contextcheck // a page outlives the look that found it
	return nil
}

// pastMost is how many pages that ended are remembered for what may come late.
const pastMost = 1000

// past are the holds of pages that ended here.
type past struct {
	holds map[telgate.PageID]Hold
	order []telgate.PageID // oldest first
}

func newPast() past { return past{holds: map[telgate.PageID]Hold{}} }

func (p *past) add(h Hold) {
	if _, known := p.holds[h.Page]; !known {
		p.order = append(p.order, h.Page)
	}
	p.holds[h.Page] = h
	if len(p.order) > pastMost {
		delete(p.holds, p.order[0])
		p.order = p.order[1:]
	}
}

func (p *past) hold(id telgate.PageID) (Hold, bool) {
	h, ok := p.holds[id]
	return h, ok
}

// resume takes into account what happened since the plan was written down, and goes on waiting where it waited.
func (r *run) resume(ctx context.Context) {
	now := r.pager.env.Now()
	for i := min(r.state.noted, len(r.page.Steps)); i < len(r.page.Steps); i++ {
		if r.page.Steps[i].Call == nil || r.state.after[i] {
			continue
		}
		r.reap(i) //nolint:contextcheck // the phone is told to stop, whoever stops here
		r.keepHeard(i)
		c := r.page.Steps[i].Call
		e := r.plan.Entry(c.Number)
		if e != nil {
			r.plan.Done(&r.state.Progress, e)
		}
		switch {
		case e == nil:
		case c.Outcome == telgate.OutcomeLost:
			r.plan.Lost(&r.state.Progress, e, later(now, c.Times.RingUntil))
		case c.Outcome == telgate.OutcomeCancelled: // cut off because it had another owner: nobody is to miss a call for that
			r.plan.Lost(&r.state.Progress, e, now.Add(r.plan.Policy.BusyRetry))
		default:
			r.plan.Note(&r.state.Progress, e, c.Outcome, now)
		}
	}
	r.plan.Resume(&r.state.Progress, now)
	r.state.noted, r.state.after, r.moved = len(r.page.Steps), nil, true
	if r.page.Result == "" && r.page.State == telgate.PageWaiting && r.page.WaitsLine == "" && r.page.WaitsFor.After(now) {
		r.wait(ctx, r.page.WaitsFor)
	}
}

// reapLimit is how long a call that was left behind may take to answer.
const reapLimit = 5 * time.Second

// reap has the call of a step ended that was lost, once; the page does not wait for it. Whatever comes of it, the phone
// rests until it is surely quiet: the peer may not know us, and what it says is not what the phone does.
func (r *run) reap(step int) {
	lost := r.page.Steps[step].Call
	if lost.Outcome != telgate.OutcomeLost || lost.Ending == (telgate.Ending{}) {
		return
	}
	reaped := *lost
	reaped.Ending = telgate.Ending{}
	r.page.Steps[step].Call = &reaped
	r.from = min(r.from, step)
	p := r.pager
	if p.env.Reaper == nil {
		return
	}
	p.work.Go(func() {
		ctx, cancel := context.WithTimeout(p.ctx, reapLimit)
		defer cancel()
		status, err := p.env.Reaper.End(ctx, lost)
		p.env.Log.Info("call of a gateway that died is ended", "page", r.hold.Page, "call", lost.Call, "trunk", lost.Trunk,
			"answered", !lost.Times.Answered.IsZero(), "sip_call_id", lost.Signal.SIPCallID, "status", status, "err", err)
	})
}

// keepHeard says of a call that was lost while it said thanks what is known of it: it was confirmed.
func (r *run) keepHeard(step int) {
	lost := r.page.Steps[step].Call
	if lost.Outcome != telgate.OutcomeLost || !lost.KeyHeard() {
		return
	}
	confirmed := *lost
	confirmed.Outcome, confirmed.Detail = telgate.OutcomeConfirmed, telgate.DetailNone
	r.page.Steps[step].Call = &confirmed
	r.from = min(r.from, step)
}

// handOver gives a page back that has no call up: whoever is there goes on with it.
func (r *run) handOver() {
	now := r.pager.env.Now()
	due := now
	if r.page.State == telgate.PageWaiting && r.page.WaitsLine == "" {
		due = later(now, r.page.WaitsFor)
	}
	if r.page.State == telgate.PageCalling || r.page.WaitsLine != "" {
		r.page.State, r.page.Wait = telgate.PageWaiting, telgate.Wait{WaitsFor: due}
	}
	r.leave()
	c := r.change()
	c.HandOver, c.Due = true, due
	r.writer.keep(c, nil)
	r.pager.settle(r.writer)
	r.pager.env.Log.Info("page handed over", "page", r.page.ID, "due", due)
	r.pager.watch.changedAt(r.page.ID)
}

// vanish leaves a page to its new owner. What came of the last call is written by then, or will not be.
func (r *run) vanish(ctx context.Context) {
	r.pager.settle(r.writer)
	r.pager.env.Log.Warn("page has another owner", "page", r.page.ID, "steps", len(r.page.Steps))
	for _, s := range r.page.Steps {
		c := s.Call
		if c == nil || c.Outcome != telgate.OutcomeConfirmed {
			continue
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askLimit)
		defer cancel()
		err := r.pager.amend(ctx, r.page.ID, func(p *telgate.Page) *telgate.Event { // where the new owner is done already
			return confirmLate(p, r.plan.Reaches(c.Number), c.Number.String(), telgate.ViaKey, c.Times.Ended)
		})
		if err != nil && !errors.Is(err, errRuns) {
			r.pager.env.Log.Error("a late confirmation is not kept", "page", r.page.ID, "err", err)
		}
	}
	r.pager.watch.changedAt(r.page.ID)
}

// leftovers takes what was left for the page when its end was being written.
func (r *run) leftovers() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.pager.ctx), askLimit)
	defer cancel()
	all, err := r.pager.books.Inbox(ctx, r.hold.Gateway)
	if err != nil {
		r.pager.env.Log.Error("the last messages of a page are not read", "page", r.page.ID, "err", err)
		return
	}
	r.post(of(all, r.page.ID))
	r.read()
	r.pager.settle(r.writer)
}

// of are the messages of one page.
func of(all []Message, id telgate.PageID) []Message {
	var mine []Message
	for _, m := range all {
		if m.Page == id {
			mine = append(mine, m)
		}
	}
	return mine
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
