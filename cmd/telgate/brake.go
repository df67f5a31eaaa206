package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"telgate"
)

const (
	brakeLook    = time.Second     // between two looks at how the others left the brake
	brakeKeep    = 2 * time.Second // for keeping it
	brakeUnkept  = "calling is paused here, and the other gateways are told as soon as the store answers"
	brakeForever = "calling is paused, and will not be after a restart"
)

// pauseBook keeps how the brake stands; the store does for all gateways.
type pauseBook interface {
	Pause(ctx context.Context) (*telgate.Pause, error)
	SetPause(ctx context.Context, p *telgate.Pause) (was *telgate.Pause, err error)
}

// brake is the kill switch. It is kept, so that a restart stays paused.
type brake struct {
	book pauseBook

	keeping sync.Mutex // held while the book is asked

	mu      sync.Mutex
	pause   *telgate.Pause
	unkept  bool          // the book does not know of it yet
	resumed chan struct{} // closed when the brake is let go
}

// openBrake reads how the brake stands.
func openBrake(ctx context.Context, book pauseBook) (*brake, error) {
	b := &brake{book: book, resumed: make(chan struct{})}
	var err error
	b.pause, err = book.Pause(ctx)
	return b, err
}

// Paused is who pulled the brake, nil where nobody did, and what is closed when it is let go.
func (b *brake) Paused() (*telgate.Pause, <-chan struct{}) {
	if b == nil {
		return nil, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pause, b.resumed
}

// shareBrake has the brake be that of all gateways. One that was pulled while this gateway had its own is theirs from now on.
func (h *house) shareBrake(ctx context.Context, book pauseBook) error {
	shared, err := openBrake(ctx, book)
	if err != nil {
		return err
	}
	if was, _ := h.brake.Paused(); was != nil {
		if p, _ := shared.Paused(); p == nil {
			err = shared.pull(ctx, *was)
		}
		if err == nil {
			_, err = h.brake.letGo(ctx)
		}
	}
	h.brake = shared
	return err
}

// pull stops dialling from now on, whether or not that can be kept; then the error says so.
func (b *brake) pull(ctx context.Context, p telgate.Pause) error {
	b.set(&p, true)
	return b.keep(ctx)
}

// keep tells the book of a brake that was pulled.
func (b *brake) keep(ctx context.Context) error {
	b.keeping.Lock()
	defer b.keeping.Unlock()
	b.mu.Lock()
	p, unkept := b.pause, b.unkept
	b.mu.Unlock()
	if !unkept { // or somebody else did it
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, brakeKeep)
	defer cancel()
	if _, err := b.book.SetPause(ctx, p); err != nil {
		words := brakeUnkept
		if _, alone := b.book.(*pauseFile); alone {
			words = brakeForever
		}
		return fmt.Errorf("%s: %w", words, err)
	}
	b.set(p, false)
	return nil
}

// letGo dials again. Where that cannot be kept nothing changes.
func (b *brake) letGo(ctx context.Context) (was *telgate.Pause, err error) {
	b.keeping.Lock()
	defer b.keeping.Unlock()
	ctx, cancel := context.WithTimeout(ctx, brakeKeep)
	defer cancel()
	if was, err = b.book.SetPause(ctx, nil); err != nil {
		was, _ = b.Paused()
		return was, fmt.Errorf("calling stays paused: %w", err)
	}
	if here, _ := b.Paused(); was == nil {
		was = here
	}
	b.set(nil, false)
	return was, nil
}

// look takes up what others did to the brake. One that was pulled here and is not kept yet stays.
func (b *brake) look(ctx context.Context) (changed bool, err error) {
	if err := b.keep(ctx); err != nil {
		return false, err
	}
	b.keeping.Lock()
	defer b.keeping.Unlock()
	ctx, cancel := context.WithTimeout(ctx, brakeKeep)
	defer cancel()
	p, err := b.book.Pause(ctx)
	if err != nil {
		return false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unkept { // pulled while the book was asked
		return false, nil
	}
	changed = (p == nil) != (b.pause == nil)
	b.put(p, false)
	return changed, nil
}

func (b *brake) set(p *telgate.Pause, unkept bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.put(p, unkept)
}

// put is set for who has the lock.
func (b *brake) put(p *telgate.Pause, unkept bool) {
	if b.pause != nil && p == nil {
		close(b.resumed)
		b.resumed = make(chan struct{})
	}
	b.pause, b.unkept = p, unkept
}

// follow takes up what other gateways do to the brake, until ctx is done: at once where there is news, else within a second.
func (b *brake) follow(ctx context.Context, news <-chan telgate.PageID, log *slog.Logger) {
	tick := time.NewTicker(brakeLook)
	defer tick.Stop()
	broken := false
	for {
		select {
		case page, ok := <-news:
			if !ok {
				news = nil
			}
			if page != "" {
				continue
			}
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		changed, err := b.look(ctx)
		if err != nil && !broken && ctx.Err() == nil {
			log.Warn("whether calling is paused cannot be read; it stays as it is here", "err", err)
		}
		broken = err != nil
		if p, _ := b.Paused(); changed && p != nil {
			log.Warn("calling is paused", "by", p.By, "on", p.Where, "why", p.Why)
		} else if changed {
			log.Warn("calling is resumed, on another gateway")
		}
	}
}
