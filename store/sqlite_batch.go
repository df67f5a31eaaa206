package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// batchRoom is how many transactions are committed together at most: whoever leads a batch waits for all of it.
const batchRoom = 64

// A commit waits for the disk, and transactions that come in meanwhile wait for it. They are then committed together: each in a
// savepoint of its own, so that one which fails takes nothing of the others with it, and all of them are answered when the
// disk has them. One that comes alone is a transaction as ever.

// waiting are the transactions that wait for the writer, the oldest first.
type waiting struct {
	mu      sync.Mutex
	members []*member
}

// member is one transaction, and whoever waits for its end.
type member struct {
	ctx   context.Context //nolint:containedctx // it waits together with what it is for
	do    func(tx) error
	inner *sqliteTx // of the last try
	err   error     // how it ended
	over  chan struct{}
}

func (w *waiting) join(m *member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.members = append(w.members, m)
}

// leave takes back one that nobody has begun yet.
func (w *waiting) leave(m *member) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.members, m)
	if i >= 0 {
		w.members = slices.Delete(w.members, i, i+1)
	}
	return i >= 0
}

// batch takes the oldest.
func (w *waiting) batch() []*member {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.members), batchRoom)
	taken := slices.Clone(w.members[:n])
	w.members = slices.Delete(w.members, 0, n)
	return taken
}

// write waits for the writer, or for whoever has it to do this too: see [engine].
func (s *sqlite) write(ctx context.Context, do func(tx) error) error {
	m := &member{ctx: ctx, do: do, over: make(chan struct{})}
	s.waiting.join(m)
	select {
	case s.turn <- struct{}{}:
		for !m.ended() { // whoever had the turn before may have done it
			s.commit(s.waiting.batch())
		}
		<-s.turn
	case <-m.over:
	case <-ctx.Done():
		if s.waiting.leave(m) {
			return m.tooLate()
		}
		<-m.over // somebody has begun it, and its end is to be known
	}
	return m.err
}

func (m *member) ended() bool {
	select {
	case <-m.over:
		return true
	default:
		return false
	}
}

// late tells that nobody wants a transaction any more that was not begun.
func (m *member) late() bool { return m.ctx.Err() != nil }

func (m *member) tooLate() error { return fmt.Errorf("wait for the writer: %w", context.Cause(m.ctx)) }

// commit ends each of a batch. What cannot be done together is done one by one, and each learns what is wrong with its own.
func (s *sqlite) commit(batch []*member) {
	if len(batch) == 1 || !s.together(batch) {
		for _, m := range batch {
			m.err = s.alone(m)
		}
	}
	for _, m := range batch {
		if m.err == nil {
			for _, page := range m.inner.news {
				s.told.tell(page)
			}
		}
		close(m.over)
	}
}

// alone is a transaction that is committed by itself.
func (s *sqlite) alone(m *member) error {
	if m.late() {
		return m.tooLate()
	}
	// It locks at once: one that reads first and then writes is refused where another wrote in between.
	if err := s.whole(m.ctx, "begin immediate"); err != nil {
		return explainFile(s.path, err)
	}
	err := s.do(m)
	if err == nil {
		err = s.whole(m.ctx, "commit")
	}
	if err != nil {
		return errors.Join(explainFile(s.path, err), s.rollback(m.ctx))
	}
	return nil
}

// together commits a batch at once; false where nothing of it is done. SQLite itself takes a transaction back where the disk is
// full or fails: its savepoints are gone then.
func (s *sqlite) together(batch []*member) bool {
	ctx := batch[0].ctx
	if s.whole(ctx, "begin immediate") != nil {
		return false
	}
	for _, m := range batch {
		if s.apart(m) != nil {
			_ = s.rollback(ctx) // it may be over already; the next that begins says what is wrong
			return false
		}
	}
	if s.whole(ctx, "commit") != nil {
		_ = s.rollback(ctx)
		return false
	}
	return true
}

// apart does one of a batch, all of it or nothing. An error is the batch's, and not its own.
func (s *sqlite) apart(m *member) error {
	if m.late() {
		m.err = m.tooLate()
		return nil
	}
	if err := s.whole(m.ctx, "savepoint one"); err != nil {
		return err
	}
	if err := s.do(m); err != nil {
		if err := s.whole(m.ctx, "rollback to one"); err != nil {
			return err
		}
		m.err = explainFile(s.path, err)
	}
	return s.whole(m.ctx, "release one")
}

// do tries what a member wants.
func (s *sqlite) do(m *member) error {
	m.inner, m.err = &sqliteTx{clock: s.clock, run: s.statement, steady: true}, nil
	return errors.Join(m.do(m.inner), m.inner.failed)
}
