package media

import (
	"sync"
	"sync/atomic"
)

const (
	// eventRoom is how many events wait in the channel for a slow owner.
	eventRoom = 8
	// keyRoom is how many more are kept beside it before a key is given up: nobody presses that many, a flood does.
	keyRoom = 256
)

// outbox carries events to a session's owner and never waits for it. What the channel has no room for stays here, in
// order, until it has.
type outbox struct {
	behind atomic.Bool // something waits; read by the pacer every turn
	ch     chan Event

	mu      sync.Mutex
	waiting []Event
}

func (o *outbox) open() { o.ch = make(chan Event, eventRoom) }

// tell hands over one event. Only keys are numerous enough to be limited: everything else is bounded by what the owner
// asked for or by the clock.
func (o *outbox) tell(ev Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, key := ev.(Key); key && len(o.waiting) >= keyRoom {
		return
	}
	o.waiting = append(o.waiting, ev)
	o.push()
}

// flush moves on what waits. The pacer calls it, so an owner that comes back needs no further event to get the rest.
func (o *outbox) flush() {
	if !o.behind.Load() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.push()
}

func (o *outbox) push() {
	for len(o.waiting) > 0 {
		select {
		case o.ch <- o.waiting[0]:
			o.waiting = o.waiting[1:]
		default:
			o.behind.Store(true)
			return
		}
	}
	o.waiting = nil
	o.behind.Store(false)
}
