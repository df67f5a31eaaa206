package pager

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"telgate"
)

// callbackLife is how long after it was rung a phone that calls us is taken for calling back.
const callbackLife = 6 * time.Hour

// rung remembers which page rang a phone last, for those who ring back.
type rung struct {
	mu    sync.Mutex
	calls map[string]*ringing // by number
}

// ringing is a phone that a page rang.
type ringing struct {
	page   telgate.PageID
	number telgate.Number // of the person, also where it forwarded us
	nicks  []string
	at     time.Time
	told   bool // that they called back
}

func newRung() *rung { return &rung{calls: map[string]*ringing{}} }

// note keeps that a page rings a phone, and forgets what is long ago.
func (g *rung) note(key string, r *run, n telgate.Number, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for k, x := range g.calls {
		if now.Sub(x.at) > callbackLife {
			delete(g.calls, k)
		}
	}
	if x := g.calls[key]; x != nil && x.page == r.hold.Page { // rung again: still told once
		x.at = now
		return
	}
	g.calls[key] = &ringing{page: r.hold.Page, number: n, nicks: r.plan.Reaches(n), at: now}
}

// by finds who calls back, once for each page.
func (g *rung) by(keys []string, now time.Time) (who ringing, found bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range keys {
		if x := g.calls[k]; x != nil && !x.told && now.Sub(x.at) <= callbackLife {
			x.told = true
			return *x, true
		}
	}
	return ringing{}, false
}

// RungBy takes note of an incoming call over a trunk, by the user part of who calls: somebody who was rung and calls back is
// shown on the card of the newest page that rang them, once. It is no confirmation, whoever it was. It does not block.
//
//nolint:contextcheck // an incoming call is nobody's request: what it begins lives as long as the pager
func (p *Pager) RungBy(trunk, user string) {
	t, ok := p.cfg().trunk(trunk)
	if !ok || user == "" {
		return
	}
	now := p.env.Now()
	who, found := p.rung.by(p.cfg().Dialer.Caller(user, t), now)
	if !found {
		return
	}
	p.env.Log.Info("called back", "page", who.page, "people", who.nicks, "number", who.number, "trunk", trunk)
	if !p.enter() {
		return // nobody waits for what begins now
	}
	defer p.work.Done()
	ctx := p.ctx
	p.work.Go(func() {
		back := &CalledBack{Nicks: who.nicks, Number: who.number, Trunk: trunk}
		if err := p.calledBack(ctx, who.page, back, now); err != nil && ctx.Err() == nil {
			p.env.Log.Error("who called back is not shown", "page", who.page, "err", err)
		}
	})
}

// event is what is told of it.
func (b *CalledBack) event(page *telgate.Page, at time.Time, late bool) *telgate.Event {
	back := slices.DeleteFunc(slices.Clone(page.Targets), func(t telgate.Target) bool { return !slices.Contains(b.Nicks, t.Nick) })
	return &telgate.Event{
		Kind: telgate.EventCalledBack, Time: at, Page: page.ID, People: back, Late: late,
		Order: &telgate.Order{Page: page.ID, Person: b.Nicks[0], Number: b.Number, Trunk: b.Trunk},
	}
}

// mark writes it to the page; the first time stays.
func (b *CalledBack) mark(targets []telgate.Target, at time.Time) {
	for i := range targets {
		if t := &targets[i]; slices.Contains(b.Nicks, t.Nick) && t.CalledBack.IsZero() {
			t.CalledBack = at
		}
	}
}

func (p *Pager) calledBack(ctx context.Context, id telgate.PageID, b *CalledBack, at time.Time) error {
	if done, err := p.say(ctx, &Message{Page: id, Back: b}); err != nil || done {
		return err
	}
	if err := p.amend(context.WithoutCancel(ctx), id, func(page *telgate.Page) *telgate.Event {
		b.mark(page.Targets, at)
		return b.event(page, at, true)
	}); err != nil {
		return fmt.Errorf("keep who called back: %w", err)
	}
	return nil
}
