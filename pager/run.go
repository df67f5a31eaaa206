package pager

import (
	"context"
	"errors"
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
	messages chan message // stop, confirm and join, handled also while a call is up

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
	done    chan bool
}

// ask hands a message to the owner; false where the page ended first, an error where ctx did.
func (r *run) ask(ctx context.Context, m message) (bool, error) {
	m.done = make(chan bool, 1)
	select {
	case r.messages <- m:
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

func (r *run) drain() { r.drainOnce.Do(func() { close(r.drained) }) }

// own runs the page to its end.
func (r *run) own(ctx context.Context) {
	r.progress.Began = r.page.Accepted
	r.tell(&telgate.Event{Kind: telgate.EventPageAccepted, Asker: &r.page.Askers[0], People: r.page.Targets})
	for ctx.Err() == nil && r.page.Result == "" {
		select {
		case <-r.drained:
			r.end(telgate.Cancelled)
			continue
		default:
		}
		switch m := r.plan.Next(&r.progress, r.pager.env.Now()); m.Kind {
		case plan.MoveDial:
			r.step(ctx, &m)
		case plan.MoveWait:
			r.wait(ctx, m.Until)
		case plan.MoveEnd:
			r.end(r.verdict())
		}
	}
	if r.page.Result == "" {
		r.page.Result = telgate.Cancelled
	}
	r.end(r.page.Result)
	r.close()
}

// close tells the end, once, after the last call is down.
func (r *run) close() {
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

// step rings one number: over one trunk, and over the next ones as long as the phone was surely not reached.
func (r *run) step(ctx context.Context, m *plan.Move) {
	release, skip := r.claim(ctx, &m.Entry.Number)
	if skip != "" {
		r.skip(m, skip)
		if skip == telgate.SkipResting {
			r.plan.Defer(&r.progress, m.Entry, r.pager.phones.restsUntil(m.Entry.Number.Key()))
		}
		return
	}
	restUntil := time.Time{}
	defer func() { release(restUntil) }()
	tried, unheard := map[string]bool{}, false
	for ctx.Err() == nil && r.page.Result == "" {
		choice, ok, err := r.pager.trunks.route(&r.pager.cfg, &m.Entry.Number, tried, r.pager.env.Now())
		if !ok {
			if len(tried) == 0 {
				r.skip(m, skipFor(err))
			}
			return
		}
		tried[choice.Trunk] = true
		call := r.call(ctx, m, choice, unheard)
		unheard = unheard || !knowsNot(call)
		r.pager.trunks.note(call, r.pager.env.Now())
		r.plan.Note(&r.progress, m.Entry, call.Outcome, r.pager.env.Now())
		if call.Outcome == telgate.OutcomeTrunkFailed && call.Detail == telgate.DetailNoFinal {
			restUntil = call.Times.RingUntil // it may still ring: not again before that
			return
		}
		if !call.Times.Alerted.IsZero() && call.Times.Answered.IsZero() && call.Signal.Status == 0 {
			restUntil = call.Times.RingUntil // it rang, and nobody told us that it stopped
		}
		if call.Outcome != telgate.OutcomeTrunkFailed || call.Detail == telgate.DetailUnusableAnswer {
			return
		}
	}
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

// claim takes the number for this page, waiting while another page rings it.
func (r *run) claim(ctx context.Context, n *telgate.Number) (release func(rest time.Time), skip telgate.SkipReason) {
	limit := time.NewTimer(r.progress.Began.Add(r.plan.Policy.PageLimit).Sub(r.pager.env.Now()))
	defer limit.Stop()
	for told := false; ; told = true {
		release, busy, skip := r.pager.phones.claim(n.Key(), r.force)
		if busy == nil {
			return release, skip
		}
		if !told {
			r.page.State, r.page.WaitsFor = telgate.PageWaiting, time.Time{}
			r.tell(&telgate.Event{Kind: telgate.EventWaiting}) // for the phone, nobody knows until when
		}
		select {
		case <-busy:
		case <-limit.C:
			return nil, telgate.SkipEnded
		case m := <-r.messages:
			r.handle(m, nil)
			if r.page.Result != "" {
				return nil, telgate.SkipEnded
			}
		case <-r.drained:
			return nil, telgate.SkipEnded
		case <-ctx.Done():
			return nil, telgate.SkipEnded
		}
	}
}

func (r *run) skip(m *plan.Move, why telgate.SkipReason) {
	step := r.nextStep(m)
	step.Skip = why
	r.page.Steps = append(r.page.Steps, step)
	order := telgate.Order{Page: r.page.ID, Person: step.Person, Step: step.N, Round: step.Round, Number: step.Number}
	r.tell(&telgate.Event{Kind: telgate.EventStepSkipped, Order: &order, Skip: why})
}

// handle takes one message; hangup is nil where no call is up.
func (r *run) handle(m message, hangup context.CancelCauseFunc) {
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

// verdict is the result of a page whose plan is done.
func (r *run) verdict() telgate.Result {
	for _, s := range r.page.Steps {
		if s.Call != nil && s.Call.Outcome != telgate.OutcomeTrunkFailed || s.Call == nil && s.Skip != telgate.SkipNoLine {
			return telgate.NotReached
		}
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
