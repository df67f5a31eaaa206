package pager

import (
	"context"
	"time"

	"telgate"
)

// sweepEvery is how often the ledger is looked at, whatever news there was or was not.
const sweepEvery = time.Second

// kick has the ledger looked at now.
func (p *Pager) kick() {
	poke(p.look)
}

// sweep looks for messages and for pages that nobody owns, until ctx is done.
func (p *Pager) sweep(ctx context.Context) {
	var news <-chan telgate.PageID
	if p.env.News != nil {
		news = p.env.News(ctx)
	}
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for failing := false; ctx.Err() == nil; {
		err := p.lookAt(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			p.env.Log.Error("the ledger is not looked at", "err", err)
		}
		failing = err != nil
		select {
		case <-tick.C:
		case <-p.look:
		case id, more := <-news:
			if !more {
				news = nil
			}
			p.heard(id, news)
		case <-ctx.Done():
		}
	}
}

// heard passes news on, and all that came with it.
func (p *Pager) heard(id telgate.PageID, news <-chan telgate.PageID) {
	for {
		if id != "" && p.find(id) == nil { // who has it here tells better
			p.watch.changedAt(id)
		}
		select {
		case next, more := <-news:
			if !more {
				return
			}
			id = next
		default:
			return
		}
	}
}

// lookAt looks once.
func (p *Pager) lookAt(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	all, err := p.books.Inbox(ctx, p.gateway())
	if err != nil {
		return err //nolint:wrapcheck // the caller says what it did
	}
	told := map[telgate.PageID]bool{}
	for i := range all {
		id := all[i].Page
		if told[id] {
			continue
		}
		told[id] = true
		if r := p.find(id); r != nil {
			r.post(of(all, id))
		} else if err := p.reopen(ctx, id); err != nil {
			return err
		}
	}
	if err := p.readMutes(ctx); err != nil {
		return err
	}
	return p.claim(ctx)
}
