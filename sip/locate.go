package sip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	resolveLimit = 3 * time.Second
	ttlLow       = time.Second // a zone that says 0 is asked once a second
	ttlHigh      = time.Hour
	retryDNS     = 30 * time.Second // after a failure; the last good answer is kept
)

// locations is what the trunk's addresses resolved to: kept for their time to live, and beyond it where DNS is down or
// answers nothing, because an emergency call with an old address is better than none. refresh keeps them new, so that no
// call waits for DNS.
type locations struct {
	resolver resolver
	now      func() time.Time
	log      *slog.Logger
	asked    chan struct{} // there is something new to be refreshed
	changed  func()        // called after every round of lookups

	mu    sync.Mutex
	known map[string]*location // by address
}

type location struct {
	services []service
	until    time.Time // when to ask again; zero = never
	err      error     // of the last lookup; services are from before, then
}

func newLocations(r resolver, now func() time.Time, log *slog.Logger) *locations {
	return &locations{resolver: r, now: now, log: log, asked: make(chan struct{}, 1), known: make(map[string]*location)}
}

// services are those of several addresses, in that order. What was never resolved is resolved now; the error, where
// nothing is left, joins those of all addresses.
func (l *locations) services(ctx context.Context, addresses []string) ([]service, error) {
	l.lookUp(ctx, l.unknown(addresses))
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []service
	var failed []error
	for i, a := range addresses {
		at := l.known[a]
		for _, s := range at.services {
			s.rank += i * addressRank
			all = append(all, s)
		}
		if len(at.services) == 0 {
			failed = append(failed, at.err)
		}
	}
	if len(all) == 0 {
		return nil, errors.Join(failed...)
	}
	return all, nil
}

// unknown are the addresses without an answer that are due.
func (l *locations) unknown(addresses []string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var missing []string
	for _, a := range addresses {
		at := l.known[a]
		if at == nil || len(at.services) == 0 && at.until.Before(l.now()) {
			missing = append(missing, a)
		}
	}
	return missing
}

// lookUp resolves addresses side by side.
func (l *locations) lookUp(ctx context.Context, addresses []string) {
	var group errgroup.Group
	for _, a := range addresses {
		group.Go(func() error {
			limit, cancel := context.WithTimeout(ctx, resolveLimit)
			defer cancel()
			f, err := l.resolver.resolve(limit, a)
			l.keep(a, f, err)
			return nil
		})
	}
	_ = group.Wait()
	if len(addresses) > 0 {
		l.changed()
	}
}

// keep takes the result of a lookup.
func (l *locations) keep(address string, f findings, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.known[address]
	if at == nil {
		at = &location{}
		l.known[address] = at
	}
	if err == nil && f.guessed && len(at.services) > 0 {
		err = errors.New("the name servers fail for its SRV records")
	}
	was := at.err
	at.err = err
	switch {
	case err != nil:
		at.until = l.now().Add(retryDNS)
		at.err = fmt.Errorf("resolve %s: %w", address, err)
		if len(at.services) == 0 {
			at.until = l.now() // nothing to go on with: the next call asks again
		} else if was == nil {
			l.log.Warn("the trunk's name does not resolve now: its last addresses are kept", "address", address, "err", err)
		}
	default:
		at.services, at.until = f.services, time.Time{}
		if f.ttl > 0 {
			at.until = l.now().Add(min(max(f.ttl, ttlLow), ttlHigh))
		}
		if f.guessed {
			at.until = l.now().Add(retryDNS)
		}
	}
	select {
	case l.asked <- struct{}{}:
	default:
	}
}

// refresh asks again for what is due until ctx ends.
func (l *locations) refresh(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		due, next := l.due()
		if len(due) > 0 {
			l.lookUp(ctx, due)
			if ctx.Err() != nil {
				return
			}
			continue
		}
		timer.Reset(next)
		select {
		case <-timer.C:
		case <-l.asked:
		case <-ctx.Done():
			return
		}
	}
}

// due are the addresses to be resolved again now, and how long it is until the next.
func (l *locations) due() (due []string, next time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	next = time.Hour
	for a, at := range l.known {
		switch {
		case at.until.IsZero() || len(at.services) == 0:
		case !at.until.After(now):
			due = append(due, a)
		default:
			next = min(next, at.until.Sub(now))
		}
	}
	return due, next
}

// all are all services known, of whatever address.
func (l *locations) all() []service {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []service
	for _, at := range l.known {
		all = append(all, at.services...)
	}
	return all
}
