package pager

import (
	"sync"

	"telgate"
)

// mailbox takes what a call tells, for the owner of its page. Putting something in never waits and nothing is dropped,
// however long the owner is busy keeping what came before: the call must go on.
type mailbox struct {
	wake chan struct{} // of the page: something may have come

	mu   sync.Mutex
	told []*telgate.Event
}

func newMailbox(wake chan struct{}) *mailbox { return &mailbox{wake: wake} }

func (b *mailbox) put(ev telgate.Event) {
	b.mu.Lock()
	b.told = append(b.told, &ev)
	b.mu.Unlock()
	poke(b.wake)
}

// take empties the mailbox; what came first is first.
func (b *mailbox) take() []*telgate.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	told := b.told
	b.told = nil
	return told
}

// poke leaves a token in a channel of one, if there is none.
func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // whoever is to come has not come yet
	}
}
