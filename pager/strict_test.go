package pager_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"telgate"
	"telgate/pager"
)

// errDown is what a ledger says that is not there.
var errDown = errors.New("connection refused")

// strict is a ledger that can fail, hang and lose its answers. It fails the test where a call is made that it does not know.
type strict struct {
	*pager.Memory

	mu    sync.Mutex
	err   error // of everything
	hangs bool  // until who asks gives up
	loses bool  // the answer, after the work was done
	begun map[telgate.CallID]bool
	freed []pager.Freed
	mute  int                    // so many entries of calls are not answered, after the work was done
	read  map[telgate.PageID]int // how often each page was
}

func newStrict() *strict {
	return &strict{Memory: pager.NewMemory(time.Now), begun: map[telgate.CallID]bool{}, read: map[telgate.PageID]int{}}
}

func (s *strict) becomes(change func(*strict)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.hangs, s.loses = nil, false, false
	change(s)
}

func down(s *strict)   { s.err = errDown }
func hung(s *strict)   { s.hangs = true }
func losing(s *strict) { s.loses = true }
func well(*strict)     {}

// asked is what a method does before its work; lost what it says after it.
func (s *strict) asked(ctx context.Context) error {
	s.mu.Lock()
	err, hangs := s.err, s.hangs
	s.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (s *strict) lost() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loses {
		return errDown
	}
	return nil
}

func (s *strict) Accept(ctx context.Context, a *pager.Acceptance) (pager.Accepted, error) {
	if err := s.asked(ctx); err != nil {
		return pager.Accepted{}, err
	}
	got, err := s.Memory.Accept(ctx, a)
	return got, errors.Join(err, s.lost())
}

func (s *strict) Begin(ctx context.Context, b *pager.Beginning) (pager.Grant, error) {
	if err := s.asked(ctx); err != nil {
		return pager.Grant{}, err
	}
	g, err := s.Memory.Begin(ctx, b)
	s.mu.Lock()
	lost := s.mute > 0 || s.loses
	s.mute = max(0, s.mute-1)
	if err == nil && g.Verdict == pager.Granted {
		s.begun[b.Call] = true
	}
	s.mu.Unlock()
	if lost {
		return pager.Grant{}, errDown
	}
	return g, err
}

func (s *strict) Save(ctx context.Context, c *pager.Change) error {
	if err := s.asked(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	s.freed = append(s.freed, c.Freed...)
	s.mu.Unlock()
	return s.Memory.Save(ctx, c)
}

func (s *strict) Claim(ctx context.Context, gateway string, most int) ([]pager.Record, error) {
	if err := s.asked(ctx); err != nil {
		return nil, err
	}
	return s.Memory.Claim(ctx, gateway, most)
}

func (s *strict) Leave(ctx context.Context, m *pager.Message) (bool, error) {
	if err := s.asked(ctx); err != nil {
		return false, err
	}
	return s.Memory.Leave(ctx, m)
}

func (s *strict) Inbox(ctx context.Context, gateway string) ([]pager.Message, error) {
	if err := s.asked(ctx); err != nil {
		return nil, err
	}
	return s.Memory.Inbox(ctx, gateway)
}

func (s *strict) Page(ctx context.Context, id telgate.PageID) (*telgate.Page, error) {
	if err := s.asked(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.read[id]++
	s.mu.Unlock()
	return s.Memory.Page(ctx, id)
}

func (s *strict) Running(ctx context.Context) ([]telgate.Page, error) {
	if err := s.asked(ctx); err != nil {
		return nil, err
	}
	return s.Memory.Running(ctx)
}

func (s *strict) Rang(ctx context.Context, numbers []string, within time.Duration) (*pager.Rung, error) {
	if err := s.asked(ctx); err != nil {
		return nil, err
	}
	return s.Memory.Rang(ctx, numbers, within)
}

func (s *strict) Ended(ctx context.Context, most int) ([]telgate.Page, error) {
	if err := s.asked(ctx); err != nil {
		return nil, err
	}
	return s.Memory.Ended(ctx, most)
}

// on has a desk work on this ledger, and makes sure that it knows every call.
func (s *strict) on(t *testing.T) func(*setting) {
	t.Helper()
	return func(set *setting) {
		set.books = s
		set.known = func(o telgate.Order) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if !s.begun[o.Call] {
				t.Errorf("the phone of %s rings, and the ledger knows no such call", o.Person)
			}
		}
	}
}

// kept is the page as the ledger has it.
func (s *strict) kept(t *testing.T, id telgate.PageID) telgate.Page {
	t.Helper()
	p, ok := load(t, s.Memory, id)
	if !ok {
		t.Fatalf("no page %q", id)
	}
	return p
}
