package pager

import (
	"sync"
	"time"

	"telgate"
	"telgate/plan"
)

// phones knows which numbers the pages of this gateway ring, so that each waits for the one before. Whether a phone may be
// rung at all is for the [Ledger].
type phones struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the page that rings it lets go
}

func newPhones() *phones { return &phones{held: map[string]chan struct{}{}} }

// claim takes a number for one page. busy is not nil while another page rings it: ask again when it is closed.
func (p *phones) claim(key string) (release func(), busy <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, taken := p.held[key]; taken {
		return nil, c
	}
	free := make(chan struct{})
	p.held[key] = free
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.held, key)
		close(free)
	}, nil
}

// trunks keeps the health of every trunk, fed by outcomes.
type trunks struct {
	mu     sync.Mutex
	health map[string]plan.Health
}

func (t *trunks) route(cfg *Config, n *telgate.Number, tried []string, now time.Time) (plan.Choice, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok, err := cfg.Dialer.Route(*n, cfg.Trunks, t.health, tried, now)
	if h, known := t.health[c.Trunk]; known {
		t.health[c.Trunk] = h.Begun(now) // at once: of those that wait for its rest to end, one goes ahead
	}
	return c, ok, err
}

// stands takes what a trunk's own signalling says of it.
func (t *trunks) stands(trunk string, s plan.Standing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.health[trunk]
	h.Standing = s
	t.health[trunk] = h
}

func (t *trunks) forget(trunk string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.health, trunk)
}

func (t *trunks) note(c *telgate.Call, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.health[c.Trunk] = t.health[c.Trunk].After(c, now)
}
