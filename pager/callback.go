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
	if x := g.calls[key]; x != nil && x.page == r.id { // rung again: still told once
		x.at = now
		return
	}
	g.calls[key] = &ringing{page: r.id, number: n, nicks: r.plan.Reaches(n), at: now}
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
	t, ok := p.cfg.trunk(trunk)
	if !ok || user == "" {
		return
	}
	now := p.env.Now()
	who, found := p.rung.by(p.cfg.Dialer.Caller(user, t), now)
	if !found {
		return
	}
	p.env.Log.Info("called back", "page", who.page, "people", who.nicks, "number", who.number, "trunk", trunk)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx == nil || p.draining {
		return // nobody waits for what begins now
	}
	ctx := p.ctx
	p.work.Go(func() {
		back := &callback{ringing: who, trunk: trunk, at: now}
		if err := p.calledBack(ctx, back); err != nil && ctx.Err() == nil {
			p.env.Log.Error("who called back is not shown", "page", who.page, "err", err)
		}
	})
}

// callback is somebody who was rung and calls.
type callback struct {
	ringing

	trunk string
	at    time.Time
}

// event is what is told of it.
func (b *callback) event(people []telgate.Target, late bool) *telgate.Event {
	back := slices.DeleteFunc(slices.Clone(people), func(t telgate.Target) bool { return !slices.Contains(b.nicks, t.Nick) })
	return &telgate.Event{
		Kind: telgate.EventCalledBack, Time: b.at, Page: b.page, People: back, Late: late,
		Order: &telgate.Order{Page: b.page, Person: b.nicks[0], Number: b.number, Trunk: b.trunk},
	}
}

// mark writes it to the page; the first time stays.
func (b *callback) mark(targets []telgate.Target) {
	for i := range targets {
		if t := &targets[i]; slices.Contains(b.nicks, t.Nick) && t.CalledBack.IsZero() {
			t.CalledBack = b.at
		}
	}
}

func (p *Pager) calledBack(ctx context.Context, b *callback) error {
	if r := p.find(b.page); r != nil {
		if done, err := r.ask(ctx, message{back: b}); err != nil || done {
			return err
		}
	}
	p.mu.Lock() // nobody else owns a page that has ended
	defer p.mu.Unlock()
	page, ok := p.journal.Load(b.page)
	if !ok {
		return nil
	}
	b.mark(page.Targets)
	page.Version++
	if err := p.journal.Save(context.WithoutCancel(ctx), page); err != nil {
		return fmt.Errorf("keep who called back: %w", err)
	}
	ev := b.event(page.Targets, true)
	ev.Seq = page.Version - 1 // every event of a page is a version, and the first version is before the first event
	p.watch.publish(ev)
	return nil
}
