package pager

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"telgate"
	"telgate/plan"
)

// run is one page in progress. The goroutine in own is its only writer.
type run struct {
	pager    *Pager
	id       telgate.PageID // id, title and nicks do not change: anybody may read them
	title    string
	nicks    []string
	save     func(telgate.Page) error // what happened is kept, whoever stopped asking
	plan     plan.Plan
	prompt   string
	force    bool
	stop     context.CancelCauseFunc
	messages chan *message // stop, confirm and join, handled also while a call is up

	drainOnce sync.Once
	drained   chan struct{}
	over      chan struct{} // closed when the page has ended

	page     telgate.Page
	progress plan.Progress
	seq      int
}

// message asks the owner for something; done is told whether it was done.
type message struct {
	confirm *telgate.Target // "I've got it" by this target
	stopBy  *telgate.Actor
	join    *telgate.Asker
	back    *callback // somebody of the page calls us
	done    chan bool
}

// ask hands a message to the owner; false where the page ended first, an error where ctx did.
func (r *run) ask(ctx context.Context, m message) (bool, error) {
	m.done = make(chan bool, 1)
	select {
	case r.messages <- &m:
	case <-r.over:
		return false, nil
	case <-ctx.Done():
		return false, fmt.Errorf("the page did not answer: %w", context.Cause(ctx))
	}
	return <-m.done, nil // the owner is at it
}

// covers tells whether all of these people are being called by this page.
func (r *run) covers(people []telgate.Person) bool {
	return !slices.ContainsFunc(people, func(p telgate.Person) bool { return !slices.Contains(r.nicks, p.Nick) })
}

func nicknames(p telgate.Page) []string {
	nicks := make([]string, len(p.Targets))
	for i, t := range p.Targets {
		nicks[i] = t.Nick
	}
	return nicks
}

// draining: no further step begins.
func (r *run) draining() bool {
	select {
	case <-r.drained:
		return true
	default:
		return false
	}
}

func (r *run) drain() { r.drainOnce.Do(func() { close(r.drained) }) }

// own runs the page to its end.
func (r *run) own(ctx context.Context) {
	r.open()
	for ctx.Err() == nil && r.page.Result == "" {
		if r.draining() {
			r.page.Result = telgate.Cancelled
			break
		}
		switch m := r.plan.Next(&r.progress, r.pager.env.Now()); m.Kind {
		case plan.MoveDial:
			r.step(ctx, &m)
		case plan.MoveWait:
			r.wait(ctx, m.Until)
		case plan.MoveEnd:
			r.page.Result = r.verdict()
		}
	}
	r.close()
}

// open tells the beginning.
func (r *run) open() {
	r.progress.Began = r.page.Accepted
	r.tell(&telgate.Event{Kind: telgate.EventPageAccepted, Asker: &r.page.Askers[0], People: r.page.Targets})
}

// close tells the end, once, after the last call is down.
func (r *run) close() {
	if r.page.Result == "" {
		r.page.Result = telgate.Cancelled
	}
	r.end(r.page.Result)
	r.page.State, r.page.Ended, r.page.WaitsFor = telgate.PageEnded, r.pager.env.Now(), time.Time{}
	r.tell(&telgate.Event{Kind: telgate.EventPageEnded, Result: r.page.Result, People: r.page.Targets})
	r.pager.env.Log.Info("page ended", "page", r.page.ID, "result", r.page.Result, "steps", len(r.page.Steps))
	close(r.over)
}

// tell numbers an event, keeps the page as it is now, and lets everybody know. The event is not changed afterwards.
func (r *run) tell(ev *telgate.Event) {
	r.seq++
	r.page.Version++
	ev.Seq, ev.Page = r.seq, r.page.ID
	if ev.Time.IsZero() {
		ev.Time = r.pager.env.Now()
	}
	ev.People = slices.Clone(ev.People)
	if err := r.save(r.page); err != nil {
		r.pager.env.Log.Error("page not saved", "page", r.page.ID, "err", err)
	}
	r.pager.watch.publish(ev)
}

// wait passes the time until the next step; messages are handled meanwhile.
func (r *run) wait(ctx context.Context, until time.Time) {
	r.page.State, r.page.WaitsFor = telgate.PageWaiting, until
	r.tell(&telgate.Event{Kind: telgate.EventWaiting, Until: until})
	timer := time.NewTimer(until.Sub(r.pager.env.Now()))
	defer timer.Stop()
	for r.page.Result == "" {
		select {
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case <-r.drained:
			return
		case m := <-r.messages:
			r.handle(m, nil)
		}
	}
}

// handle takes one message; hangup is nil where no call is up.
func (r *run) handle(m *message, hangup context.CancelCauseFunc) {
	if m.back != nil {
		m.back.mark(r.page.Targets)
		r.tell(m.back.event(r.page.Targets, false))
		m.done <- true
		return
	}
	if r.page.Result != "" && m.confirm == nil {
		m.done <- false
		return
	}
	defer func() { m.done <- true }()
	switch {
	case m.join != nil:
		r.page.Askers = append(r.page.Askers, *m.join)
		r.tell(&telgate.Event{Kind: telgate.EventPageJoined, Asker: m.join})
		return
	case m.confirm != nil:
		if r.page.Result == telgate.Confirmed {
			return
		}
		if hangup != nil {
			hangup(&telgate.StopCause{Why: telgate.StopConfirmed, By: m.confirm.Slack})
		}
		r.reached([]string{m.confirm.Nick}, m.confirm.Slack, telgate.ViaSlack, telgate.Confirmed)
	case m.stopBy != nil:
		if hangup != nil {
			hangup(&telgate.StopCause{Why: telgate.StopAsked, By: m.stopBy.ID})
		}
		r.page.Stopped = m.stopBy.ID
		r.page.Result = telgate.Cancelled // the end is told when the call is down
	}
}

// verdict is the result of a page whose plan is done and that reached nobody: it failed where no call got beyond our trunks,
// or, without a call, where no step had a line. What else was skipped does not change that.
func (r *run) verdict() telgate.Result {
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
		if t := &r.page.Targets[i]; t.Result == "" && result != telgate.Confirmed && result != telgate.Answered {
			t.Result = result
		} else if t.Result == "" {
			t.Result = telgate.NotReached
		}
	}
}
