package sip

import (
	"sync"
	"time"
)

// mailRoom is how many requests of the peer a leg may be behind.
const mailRoom = 8

// mailbox is how everybody but its own goroutine reaches a leg. Putting something in never waits. One channel to wake the
// leg costs a call less memory than one for each kind of mail, and none is waited for where nothing else may come: then the
// leg's goroutine ends, and whoever puts something in begins it anew.
type mailbox struct {
	wake chan struct{} // something may have come

	mu     sync.Mutex
	closed bool
	again  func()    // the leg's goroutine, where it has ended until something comes; else nil
	hung   time.Time // when somebody hung up
	mail
}

// mail is what has come since it was looked at last.
type mail struct {
	hang  *Hangup
	asked []inbound // of the peer, in order of arrival
	news  []func()  // what others found out, told on the leg's own goroutine
}

func newMailbox() mailbox { return mailbox{wake: make(chan struct{}, 1)} }

// hangup asks for the end; only the first wish counts.
func (b *mailbox) hangup(h Hangup, now time.Time) {
	b.put(func() bool {
		if b.hung.IsZero() {
			b.hung, b.hang = now, &h
		}
		return true
	})
}

// hungUp is when somebody hung up, zero if nobody did.
func (b *mailbox) hungUp() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hung
}

// ask hands on a request of the peer; full says that there are too many. Otherwise false is that the leg is over.
func (b *mailbox) ask(in inbound) (taken, full bool) {
	taken = b.put(func() bool {
		if full = len(b.asked) >= mailRoom; !full {
			b.asked = append(b.asked, in)
		}
		return !full
	})
	return taken, full
}

// tell has the leg's own goroutine do something; false where the leg is over.
func (b *mailbox) tell(news func()) bool {
	return b.put(func() bool {
		b.news = append(b.news, news)
		return true
	})
}

func (b *mailbox) put(into func() bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || !into() {
		return false
	}
	select {
	case b.wake <- struct{}{}:
	default: // the leg has not come yet
	}
	if b.again != nil {
		go b.again()
		b.again = nil
	}
	return true
}

// poke has the leg look at its deadlines, and whether its trunk has given up.
func (b *mailbox) poke() { b.put(func() bool { return true }) }

// rest lets the leg's goroutine end, unless something has come: again is begun then.
func (b *mailbox) rest(again func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wake) > 0 {
		return false
	}
	b.again = again
	return true
}

// take empties the mailbox.
func (b *mailbox) take() mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.mail
	b.mail = mail{}
	return m
}

// hanging takes the wish for the end alone, nil where there is none.
func (b *mailbox) hanging() *Hangup {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.hang
	b.hang = nil
	return h
}

// close takes nothing more, and returns what nobody will look at.
func (b *mailbox) close() mail {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	return b.take()
}
