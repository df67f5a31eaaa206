package store

import (
	"context"
	"slices"
	"sync"

	"telgate"
)

// mostNews is how many pages are kept for a listener who is slow; with more it is told to look at everything.
const mostNews = 256

// News tells that another process, or another part of this one, has left something for a page: a message for its owner, or
// the page itself. "" = look at everything. The channel is closed when ctx is done. It only makes things faster: what is
// missed is found by looking, once a second.
func (s *Store) News(ctx context.Context) <-chan telgate.PageID {
	out := make(chan telgate.PageID)
	q := &queue{wake: make(chan struct{}, 1)}
	s.work.Go(func() { s.db.news(ctx, q.add) })
	s.work.Go(func() {
		defer close(out)
		for {
			for _, page := range q.take() {
				select {
				case out <- telgate.PageID(page):
				case <-ctx.Done():
					return
				}
			}
			select {
			case <-q.wake:
			case <-ctx.Done():
				return
			}
		}
	})
	return out
}

// queue keeps news for a listener, each page once.
type queue struct {
	wake chan struct{}

	mu    sync.Mutex
	pages []string
}

func (q *queue) add(page string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case page == "" || len(q.pages) >= mostNews:
		q.pages = []string{""}
	case slices.Contains(q.pages, page) || slices.Contains(q.pages, ""):
	default:
		q.pages = append(q.pages, page)
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) take() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	pages := q.pages
	q.pages = nil
	return pages
}

// hub carries news within a process.
type hub struct {
	mu        sync.Mutex
	listeners map[int]func(page string)
	last      int
}

// listen blocks until ctx is done.
func (h *hub) listen(ctx context.Context, tell func(page string)) {
	h.mu.Lock()
	if h.listeners == nil {
		h.listeners = map[int]func(page string){}
	}
	h.last++
	id := h.last
	h.listeners[id] = tell
	h.mu.Unlock()
	tell("") // what came before
	<-ctx.Done()
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, id)
}

func (h *hub) tell(page string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.listeners {
		l(page)
	}
}
