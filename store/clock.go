package store

import (
	"context"
	"time"
)

// sameTime is how far clocks may differ that count as the same: an answer of the server takes a while.
const sameTime = time.Second

// Now is the time that all gateways of a server agree on: this process's clock, set right by the server's where it is off. A
// page that changes hands has moments in it, such as when it goes on.
func (s *Store) Now() time.Time { return s.clock() }

// Ahead is how far the server's clock is ahead of this process's own.
func (s *Store) Ahead() time.Duration { return time.Duration(s.ahead.Load()) }

// setClock looks at the server's clock.
func (s *Store) setClock(ctx context.Context, t tx) error {
	now, err := t.now(ctx)
	if err == nil {
		s.noteClock(now)
	}
	return err
}

// noteClock sets the clock right, given what time it is at the server. Small differences come and go, and are left alone.
func (s *Store) noteClock(now int64) {
	if s.db.words().oneClock {
		return
	}
	if off := moment(now).Sub(s.clock()); off.Abs() > sameTime {
		s.ahead.Add(int64(off))
	}
}
