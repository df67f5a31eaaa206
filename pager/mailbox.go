package pager

import (
	"sync"

	"telgate"
)

// mailbox takes what a call tells, for the owner of its page. Putting something in never waits and nothing is dropped,
// however long the owner is busy keeping what came before: the call must go on.
type mailbox struct {
	wake chan struct{} // something may have come

	mu   sync.Mutex
	told []*telgate.Event
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

func (b *mailbox) put(ev telgate.Event) {
	b.mu.Lock()
	b.told = append(b.told, &ev)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default: // the owner has not come yet
	}
}

// take empties the mailbox; what came first is first.
func (b *mailbox) take() []*telgate.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	told := b.told
	b.told = nil
	return told
}
