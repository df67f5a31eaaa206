package pager

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"telgate"
)

// CallbackLife is how long after it was rung a phone that calls us is taken for calling back.
const CallbackLife = 6 * time.Hour

// mostBack is how many incoming calls are looked into at a time; who calls meanwhile is looked for here only.
const mostBack = 8

// rung remembers which page rang a phone last, by the phone's key.
type rung struct {
	mu    sync.Mutex
	calls map[string]ringing
}

// ringing is a phone that was rung, and when.
type ringing struct {
	Rung

	at time.Time
}

func newRung() *rung { return &rung{calls: map[string]ringing{}} }

// note keeps that a phone rings, and forgets what is long ago.
func (g *rung) note(key string, r Rung, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	maps.DeleteFunc(g.calls, func(_ string, x ringing) bool { return now.Sub(x.at) > CallbackLife })
	g.calls[key] = ringing{r, now}
}

// by is the first of these phones that was rung since then, nil where none was.
func (g *rung) by(keys []string, since time.Time) *Rung {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range keys {
		if x, found := g.calls[k]; found && !x.at.Before(since) {
			return &x.Rung
		}
	}
	return nil
}

// RungBy takes note of an incoming call over a trunk, by the user part of who calls: somebody who was rung and calls back is
// shown on the card of the newest page that rang them, whichever gateway has it, once. It is no confirmation, whoever it was.
// It does not block.
//
//nolint:contextcheck // an incoming call is nobody's request: what it begins lives as long as the pager
func (p *Pager) RungBy(trunk, user string) {
	t, ok := p.cfg().trunk(trunk)
	if !ok || user == "" {
		return
	}
	keys := p.cfg().Dialer.Caller(user, t)
	if len(keys) == 0 || !p.enter() {
		return // nobody waits for what begins now
	}
	defer p.work.Done()
	ctx, now := p.ctx, p.env.Now()
	p.work.Go(func() {
		if err := p.lookInto(ctx, trunk, keys, now); err != nil && ctx.Err() == nil {
			p.env.Log.Error("who called back is not shown", "err", err)
		}
	})
}

// lookInto shows an incoming call on the page that rang who calls, if one did and did not show it before.
func (p *Pager) lookInto(ctx context.Context, trunk string, keys []string, at time.Time) error {
	who := p.whoWasRung(ctx, keys, at)
	if who == nil {
		return nil
	}
	page, err := p.Page(ctx, who.Page)
	if err != nil {
		return err
	}
	back := &CalledBack{Nicks: who.Nicks, Number: who.Number, Trunk: trunk}
	if page == nil || len(back.Nicks) == 0 || !back.mark(page.Targets, at) {
		return nil
	}
	p.env.Log.Info("called back", "page", who.Page, "people", who.Nicks, "number", who.Number, "trunk", trunk)
	return p.calledBack(ctx, who.Page, back, at)
}

// whoWasRung asks the ledger, which knows what every gateway rang. Where it does not answer, or many call at once, it is what
// this one rang.
func (p *Pager) whoWasRung(ctx context.Context, keys []string, at time.Time) *Rung {
	select {
	case p.backs <- struct{}{}:
		defer func() { <-p.backs }()
		ctx, cancel := context.WithTimeout(ctx, askLimit)
		defer cancel()
		who, err := p.books.Rang(ctx, keys, CallbackLife)
		if err == nil {
			return who
		}
		p.env.Log.Warn("who calls is looked for among those that this gateway rang only", "err", err)
	default:
	}
	return p.rung.by(keys, at.Add(-CallbackLife))
}

// rung is a phone that the page rings, by the number of the person.
func (r *run) rung(n telgate.Number) Rung { return Rung{r.hold.Page, r.plan.Reaches(n), n} }

// event is what is told of it.
func (b *CalledBack) event(page *telgate.Page, at time.Time, late bool) *telgate.Event {
	back := slices.DeleteFunc(slices.Clone(page.Targets), func(t telgate.Target) bool { return !slices.Contains(b.Nicks, t.Nick) })
	return &telgate.Event{
		Kind: telgate.EventCalledBack, Time: at, Page: page.ID, People: back, Late: late,
		Order: &telgate.Order{Page: page.ID, Person: b.Nicks[0], Number: b.Number, Trunk: b.Trunk},
	}
}

// mark writes it to the page; the first time stays. False: nothing is new.
func (b *CalledBack) mark(targets []telgate.Target, at time.Time) (news bool) {
	for i := range targets {
		if t := &targets[i]; slices.Contains(b.Nicks, t.Nick) && t.CalledBack.IsZero() {
			t.CalledBack, news = at, true
		}
	}
	return news
}

func (p *Pager) calledBack(ctx context.Context, id telgate.PageID, b *CalledBack, at time.Time) error {
	if done, err := p.say(ctx, &Message{Page: id, Back: b}); err != nil || done {
		return err
	}
	if err := p.amend(context.WithoutCancel(ctx), id, func(page *telgate.Page) *telgate.Event {
		if !b.mark(page.Targets, at) {
			return nil
		}
		return b.event(page, at, true)
	}); err != nil {
		return fmt.Errorf("keep who called back: %w", err)
	}
	return nil
}
