package pager

import (
	"sync"
)

// standing is how this gateway stands among the others.
type standing struct {
	mu      sync.Mutex
	gateway string
	free    chan struct{} // closed when steps may begin again; nil where they may
}

func (p *Pager) gateway() string {
	p.lease.mu.Lock()
	defer p.lease.mu.Unlock()
	return p.lease.gateway
}

// held is nil where steps may begin, else it is closed when they may.
func (p *Pager) held() <-chan struct{} {
	p.lease.mu.Lock()
	defer p.lease.mu.Unlock()
	return p.lease.free
}

// Hold lets no further step begin and takes no page over, because nobody knows whether this gateway is still taken for
// alive. What rings goes on ringing, and who answered is kept: whoever takes over rings these phones no sooner.
func (p *Pager) Hold() {
	p.lease.mu.Lock()
	defer p.lease.mu.Unlock()
	if p.lease.free == nil {
		p.lease.free = make(chan struct{})
	}
}

// Release ends a Hold.
func (p *Pager) Release() {
	p.lease.mu.Lock()
	defer p.lease.mu.Unlock()
	if p.lease.free != nil {
		close(p.lease.free)
		p.lease.free = nil
	}
}

// Fence gives up every page here, because the others took this gateway for dead and go on with them: what rings is hung up
// at once, and how that ended is all that is still written. Nothing begins until [Pager.Join].
func (p *Pager) Fence(cause error) {
	p.Hold()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.env.Log.Error("gateway was taken for dead: it gives up its pages", "pages", len(p.running), "err", cause)
	for _, r := range p.running {
		r.fence()
	}
}

// Join goes on as another gateway after a Fence, by an id that was never used before.
func (p *Pager) Join(gateway string) {
	p.lease.mu.Lock()
	p.lease.gateway = gateway
	p.lease.mu.Unlock()
	p.Release()
	p.kick()
}
