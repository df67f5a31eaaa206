package pager

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"telgate"
)

// lookLeast is how long a page that another gateway has is not looked at again.
const lookLeast = 100 * time.Millisecond

// Page is the newest state of a page, whoever has it; nil where there is none.
func (p *Pager) Page(ctx context.Context, id telgate.PageID) (*telgate.Page, error) {
	if r := p.find(id); r != nil && !r.ends.fenced.Load() {
		page := r.shown.Load().Clone()
		return &page, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	page, err := p.books.Page(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read page %s: %w", id, err)
	}
	return page, nil
}

// Running are the pages that have not ended, whoever has them, newest first. With an error they are those that this gateway
// has.
func (p *Pager) Running(ctx context.Context) ([]telgate.Page, error) {
	all, err := p.Recent(ctx, 0)
	return slices.DeleteFunc(all, func(page telgate.Page) bool { return page.State == telgate.PageEnded }), err
}

// Pages are those that run and the newest of the others, as [Pager.Recent] has them: as many as [Memory] keeps.
func (p *Pager) Pages(ctx context.Context) ([]telgate.Page, error) { return p.Recent(ctx, keptPages) }

// Recent are the pages that run and the newest of those that have ended, at most so many of these, all newest first. With an
// error they are those that this gateway has.
func (p *Pager) Recent(ctx context.Context, ended int) ([]telgate.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	kept, err := p.books.Running(ctx)
	if err == nil && ended > 0 { // in this order: one that ends meanwhile is not missed
		var over []telgate.Page
		over, err = p.books.Ended(ctx, ended)
		kept = append(kept, over...)
	}
	if err != nil {
		err = fmt.Errorf("list pages: %w", err)
	}
	known := make(map[telgate.PageID]telgate.Page, len(kept))
	for i := range kept { // what was read last is newer
		known[kept[i].ID] = kept[i]
	}
	for id, shown := range p.here() {
		known[id] = shown.Clone()
	}
	return slices.SortedFunc(maps.Values(known), func(a, b telgate.Page) int {
		return cmp.Or(b.Accepted.Compare(a.Accepted), cmp.Compare(b.ID, a.ID))
	}), err
}

// here are the pages that this gateway owns, as they are shown.
func (p *Pager) here() map[telgate.PageID]*telgate.Page {
	p.mu.Lock()
	defer p.mu.Unlock()
	here := make(map[telgate.PageID]*telgate.Page, len(p.running))
	for id, r := range p.running {
		if !r.ends.fenced.Load() {
			here[id] = r.shown.Load()
		}
	}
	return here
}

// Changed tells which pages have changed, merged where the reader is slow; it is closed when ctx is done. Of the pages of
// other gateways it tells what there is news of.
func (p *Pager) Changed(ctx context.Context) <-chan telgate.PageID { return p.watch.changed(ctx) }

// Follow gives every event of a page from its first on, and is closed after page_ended, or when ctx is done. Of what another
// gateway does with it, or did before, it gives what the page itself tells: see [Account].
func (p *Pager) Follow(ctx context.Context, id telgate.PageID) <-chan telgate.Event {
	out := make(chan telgate.Event)
	go func() {
		defer close(out)
		f := &follower{pager: p, id: id, out: out}
		for f.more(ctx) {
			f.wait(ctx)
		}
	}()
	return out
}

// follower is one reader of a page.
type follower struct {
	pager *Pager
	id    telgate.PageID
	out   chan<- telgate.Event

	told    int     // events of the log
	account Account // of them
	last    int     // number of the last one
	here    bool    // this gateway has it
	news    <-chan struct{}
}

// more tells what is new; false after the end.
func (f *follower) more(ctx context.Context) bool {
	f.here = f.pager.find(f.id) != nil // before the log is read: it is complete once nobody here has the page
	if !f.here && !f.look(ctx) {
		return false
	}
	log, news := f.pager.watch.after(f.id, f.told)
	f.news = news
	for _, ev := range log {
		f.told++
		f.account.Take(ev)
		f.last = max(f.last, ev.Seq)
		if !f.send(ctx, ev) || ev.Kind == telgate.EventPageEnded {
			return false
		}
	}
	return ctx.Err() == nil
}

// look has the log follow a page that is elsewhere. One that ended before anybody followed it is told as it was, and not kept:
// false then.
func (f *follower) look(ctx context.Context) bool {
	page, err := f.pager.Page(ctx, f.id)
	if err != nil || page == nil { // an outage passes
		return ctx.Err() == nil
	}
	now := f.pager.env.Now()
	if page.State == telgate.PageEnded && !f.pager.watch.knows(f.id) {
		for _, ev := range f.account.Missing(page, f.last, now) {
			if !f.send(ctx, ev) {
				break
			}
		}
		return false
	}
	if f.pager.find(f.id) == nil { // else its owner tells better
		f.pager.watch.retell(page, now)
	}
	return true
}

func (f *follower) send(ctx context.Context, ev *telgate.Event) bool {
	select {
	case f.out <- *ev:
		return true
	case <-ctx.Done():
		return false
	}
}

// wait waits for news; what other gateways do is looked at from time to time, and not for each thing that happens here.
func (f *follower) wait(ctx context.Context) {
	var due <-chan time.Time
	if !f.here {
		timer, least := time.NewTimer(sweepEvery), time.NewTimer(lookLeast)
		defer timer.Stop()
		defer least.Stop()
		select {
		case <-least.C:
		case <-ctx.Done():
			return
		}
		due = timer.C
	}
	select {
	case <-f.news:
	case <-due:
	case <-ctx.Done():
	}
}
