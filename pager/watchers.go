package pager

import (
	"context"
	"slices"
	"sync"
	"time"

	"telgate"
)

// keptLogs is how many pages' events are kept for followers that come late.
const keptLogs = 200

// watchers hands events to whoever follows. Publishing never waits for a reader.
type watchers struct {
	mu    sync.Mutex
	logs  map[telgate.PageID][]*telgate.Event
	seen  map[telgate.PageID]int // versions that were told by the page itself
	order []telgate.PageID
	news  chan struct{} // closed and replaced with every event
	subs  map[*subscriber]struct{}
}

// subscriber is one reader of changed pages: what it has not taken yet, each page once.
type subscriber struct {
	pending []telgate.PageID
	wake    chan struct{}
}

func newWatchers() *watchers {
	return &watchers{logs: map[telgate.PageID][]*telgate.Event{}, seen: map[telgate.PageID]int{}, news: make(chan struct{}), subs: map[*subscriber]struct{}{}}
}

func (w *watchers) publish(ev *telgate.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addLocked(ev)
	w.changedLocked(ev.Page)
}

func (w *watchers) addLocked(ev *telgate.Event) {
	if _, known := w.logs[ev.Page]; !known {
		w.order = append(w.order, ev.Page)
		if len(w.order) > keptLogs {
			if i := slices.IndexFunc(w.order, w.ended); i >= 0 {
				delete(w.logs, w.order[i])
				delete(w.seen, w.order[i])
				w.order = slices.Delete(w.order, i, i+1)
			}
		}
	}
	w.logs[ev.Page] = append(w.logs[ev.Page], ev)
	close(w.news)
	w.news = make(chan struct{})
}

// retell adds to a page's log what the page tells of and the log has not: another gateway has it, or had it before. It gives the
// number of the last event. Who looks at changed pages knows of it already.
func (w *watchers) retell(p *telgate.Page, now time.Time) (last int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var told Account
	for _, ev := range w.logs[p.ID] {
		told.Take(ev)
		last = max(last, ev.Seq)
	}
	if p.Version <= w.seen[p.ID] { // read before what was told meanwhile
		return last
	}
	w.seen[p.ID] = p.Version
	for _, ev := range told.Missing(p, last, now) {
		w.addLocked(ev)
		last = max(last, ev.Seq)
	}
	return last
}

// knows tells whether there is a log of a page.
func (w *watchers) knows(id telgate.PageID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.logs[id]) > 0
}

// changedAt tells that a page has changed of which there is no event here.
func (w *watchers) changedAt(id telgate.PageID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.news)
	w.news = make(chan struct{})
	w.changedLocked(id)
}

func (w *watchers) changedLocked(id telgate.PageID) {
	for s := range w.subs {
		if !slices.Contains(s.pending, id) {
			s.pending = append(s.pending, id)
		}
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// ended tells whether a page's log is complete.
func (w *watchers) ended(id telgate.PageID) bool {
	log := w.logs[id]
	return len(log) > 0 && (log[len(log)-1].Kind == telgate.EventPageEnded || log[len(log)-1].Late)
}

// after returns the events of a page from the n-th on, and what is closed with the next event; nil where there will be none,
// because the log of a page that has ended made room for others.
func (w *watchers) after(id telgate.PageID, n int) ([]*telgate.Event, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	log, kept := w.logs[id]
	if !kept && n > 0 {
		return nil, nil
	}
	return slices.Clone(log[min(n, len(log)):]), w.news
}

func (w *watchers) changed(ctx context.Context) <-chan telgate.PageID {
	s := &subscriber{wake: make(chan struct{}, 1)}
	w.mu.Lock()
	w.subs[s] = struct{}{}
	w.mu.Unlock()
	out := make(chan telgate.PageID)
	go func() {
		defer close(out)
		defer func() {
			w.mu.Lock()
			delete(w.subs, s)
			w.mu.Unlock()
		}()
		for {
			select {
			case <-s.wake:
			case <-ctx.Done():
				return
			}
			w.mu.Lock()
			pending := s.pending
			s.pending = nil
			w.mu.Unlock()
			for _, id := range pending {
				select {
				case out <- id:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out
}
