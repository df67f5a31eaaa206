package pager

import (
	"sync"
	"time"

	"telgate"
	"telgate/plan"
)

// phones knows which numbers are being rung, which may still be ringing, and how often each was rung lately.
type phones struct {
	now   func() time.Time
	calls *window

	mu   sync.Mutex
	held map[string]chan struct{} // closed when the page that rings it lets go
	rest map[string]time.Time     // may still be ringing until
}

func newPhones(perHour int, now func() time.Time) *phones {
	return &phones{now: now, calls: newWindow(perHour, now), held: map[string]chan struct{}{}, rest: map[string]time.Time{}}
}

// claim takes a number for one page. busy is not nil while another page rings it: ask again when it is closed. skip says
// why it is not rung at all. release is told until when the phone may go on ringing by itself.
func (p *phones) claim(key string, force bool) (release func(rest time.Time), busy <-chan struct{}, skip telgate.SkipReason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, taken := p.held[key]; taken {
		return nil, c, ""
	}
	if p.now().Before(p.rest[key]) {
		return nil, nil, telgate.SkipResting
	}
	delete(p.rest, key)
	if p.calls.full(key) && !force {
		return nil, nil, telgate.SkipLimit
	}
	free := make(chan struct{})
	p.held[key] = free
	return func(rest time.Time) {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.held, key)
		if rest.After(p.now()) {
			p.rest[key] = rest
		}
		close(free)
	}, nil, ""
}

// restsUntil is when a number that may still be ringing can be rung.
func (p *phones) restsUntil(key string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rest[key]
}

// over tells whether a number was rung too often to be rung now.
func (p *phones) over(key string) bool { return p.calls.full(key) }

// window counts what happened to each key within the last hour.
type window struct {
	limit int // 0 = none
	now   func() time.Time

	mu   sync.Mutex
	seen map[string][]time.Time
}

func newWindow(limit int, now func() time.Time) *window {
	return &window{limit: limit, now: now, seen: map[string][]time.Time{}}
}

// take counts one more, unless the limit is reached.
func (w *window) take(key string) bool {
	if w.limit == 0 {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	recent := w.recent(key)
	if len(recent) >= w.limit {
		return false
	}
	w.seen[key] = append(recent, w.now())
	return true
}

// add counts one more, whatever the limit.
func (w *window) add(key string) {
	if w.limit == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[key] = append(w.recent(key), w.now())
}

func (w *window) full(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limit > 0 && len(w.recent(key)) >= w.limit
}

// recent forgets what is older than an hour, also of keys that are not asked for again.
func (w *window) recent(key string) []time.Time {
	begin := w.now().Add(-time.Hour)
	for k, times := range w.seen {
		for len(times) > 0 && !times[0].After(begin) {
			times = times[1:]
		}
		if w.seen[k] = times; len(times) == 0 {
			delete(w.seen, k)
		}
	}
	return w.seen[key]
}

// trunks keeps the health of every trunk, fed by outcomes.
type trunks struct {
	mu     sync.Mutex
	health map[string]plan.Health
}

func (t *trunks) route(cfg *Config, n *telgate.Number, tried map[string]bool, now time.Time) (plan.Choice, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return cfg.Dialer.Route(*n, cfg.Trunks, t.health, tried, now)
}

// stands takes what a trunk's own signalling says of it.
func (t *trunks) stands(trunk string, s plan.Standing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.health[trunk]
	h.Standing = s
	t.health[trunk] = h
}

func (t *trunks) note(c *telgate.Call, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.health[c.Trunk] = t.health[c.Trunk].After(c, now)
}
