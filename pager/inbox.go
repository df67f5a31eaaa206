package pager

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"telgate"
)

// inbox is what others have to say to the owner of a page, and what the ledger is to be told of it.
type inbox struct {
	asked chan *asked               // by somebody here, who waits
	wake  chan struct{}             // there may be mail, or news of the call
	mail  atomic.Pointer[[]Message] // left in the ledger: all that is there, the newest look only; nil = read
	seen  []int64                   // messages that were read
	taken []int64                   // and are done with
	freed []Freed
}

// asked is a message whose sender waits; done is told whether it changed anything.
type asked struct {
	Message

	done chan bool
}

// ask hands a message to the owner, and waits until what came of it is kept; false where the page is not here any more, an
// error where ctx ended first.
func (r *run) ask(ctx context.Context, m Message) (bool, error) {
	a := &asked{m, make(chan bool, 1)}
	select {
	case r.inbox.asked <- a:
	case <-r.ends.over:
		return false, nil
	case <-ctx.Done():
		return false, fmt.Errorf("the page did not answer: %w", context.Cause(ctx))
	}
	select {
	case done := <-a.done:
		return done, nil
	case <-ctx.Done():
		return false, fmt.Errorf("the page did not answer: %w", context.Cause(ctx))
	}
}

// post hands over what the ledger has for the page. It does not wait.
func (r *run) post(all []Message) {
	r.inbox.mail.Store(&all)
	poke(r.inbox.wake)
}

// answer takes a message of somebody here.
func (r *run) answer(a *asked) {
	done := r.handle(&a.Message)
	r.writer.after(func() { a.done <- done })
}

// read takes what was left in the ledger.
func (r *run) read() {
	all := r.inbox.mail.Swap(nil)
	if all == nil {
		return
	}
	for i := range *all {
		m := &(*all)[i]
		if slices.Contains(r.inbox.seen, m.ID) {
			continue
		}
		r.inbox.seen, r.inbox.taken = append(r.inbox.seen, m.ID), append(r.inbox.taken, m.ID)
		r.handle(m)
	}
	if len(r.inbox.taken) > 0 {
		r.keep(nil)
	}
}

// handle takes one message, and tells whether anything came of it.
func (r *run) handle(m *Message) bool {
	over := r.page.Result != ""
	switch {
	case m.Back != nil:
		if m.Back.mark(r.page.Targets, m.At) {
			r.tell(m.Back.event(&r.page, m.At, r.page.State == telgate.PageEnded))
		}
	case m.Confirm != nil:
		r.confirmed([]string{m.Confirm.Nick}, m.Confirm.Slack, telgate.ViaSlack)
	case m.Late != nil:
		r.late(m.Late)
	case m.Stop != nil && over: // what was found out stays so, and the call that still says thanks is hung up
		r.sides.stop(&telgate.StopCause{Why: telgate.StopAsked, By: m.Stop.ID})
		return false
	case over:
		if m.Join != nil {
			r.pager.again(r.page.ID, m.ID, m.Join, nicknames(&r.page))
		}
		return false
	case m.Join != nil:
		r.page.Askers = append(r.page.Askers, *m.Join)
		r.tell(&telgate.Event{Kind: telgate.EventPageJoined, Asker: m.Join})
	case m.Stop != nil:
		r.page.Stopped = m.Stop.ID
		r.page.Result = telgate.Cancelled // the end is told when the call is down
		r.sides.stop(&telgate.StopCause{Why: telgate.StopAsked, By: m.Stop.ID})
		r.keep(nil)
	case m.Next != nil:
		r.sides.hangUp(&telgate.StopCause{Why: telgate.StopNext, By: m.Next.ID})
		if r.page.State == telgate.PageWaiting {
			r.page.WaitsFor = r.pager.env.Now()
		}
	}
	return true
}

// late takes what an owner before found out too late: the person has the page, and whoever else rings is let alone.
func (r *run) late(c *telgate.Call) {
	for i := range r.page.Steps {
		if s := &r.page.Steps[i]; s.Call != nil && s.Call.Call == c.Call {
			s.Call, r.from = c, min(r.from, i)
		}
	}
	if c.Reached() {
		nicks := r.plan.Reaches(c.Number)
		if len(nicks) == 0 { // the plan of a page that has ended is not kept
			nicks = []string{c.Person}
		}
		r.confirmed(nicks, c.Number.String(), telgate.ViaKey)
	}
}

// confirmed is a confirmation that came another way than by the call in progress, also after the end.
func (r *run) confirmed(nicks []string, by string, via telgate.Via) {
	switch {
	case r.page.Result == telgate.Confirmed:
	case r.page.State == telgate.PageEnded:
		if ev := confirmLate(&r.page, nicks, by, via, r.pager.env.Now()); ev != nil {
			r.tell(ev)
		}
	default:
		r.reached(nicks, by, via, telgate.Confirmed)
	}
}
