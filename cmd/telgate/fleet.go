package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"telgate/sip"
)

// fleet runs the trunks: those of the start, those that reloads bring, and those that have been replaced, to the end of
// their calls.
type fleet struct {
	linger time.Duration // of a trunk whose calls are over: a late answer may still come

	mu      sync.Mutex
	ctx     context.Context //nolint:containedctx // the life of every trunk, set by open
	group   errgroup.Group
	leaving []*trunk
}

func newFleet() *fleet { return &fleet{linger: sip.LateLimit} }

// open lets trunks run until ctx is done.
func (f *fleet) open(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ctx = ctx
}

// errNotRunning says that the gateway has not begun, or has ended.
var errNotRunning = errors.New("the gateway does not run")

// run runs a trunk.
func (f *fleet) run(t *trunk) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx == nil || f.ctx.Err() != nil {
		return errNotRunning
	}
	var ctx context.Context
	ctx, t.stop = context.WithCancel(f.ctx)
	t.over = make(chan struct{})
	f.group.Go(func() error {
		defer close(t.over)
		return t.Run(ctx)
	})
	return nil
}

// follow has the pager hear of a trunk that runs.
func (f *fleet) follow(g *gateway, t *trunk) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ctx context.Context
	ctx, t.unfollow = context.WithCancel(f.ctx)
	t.unfollowed = make(chan struct{})
	f.group.Go(func() error {
		defer close(t.unfollowed)
		g.follow(ctx, t.Trunk)
		return nil
	})
}

// retire takes a trunk out of service, and ends it when its last call is over and an answer cannot come any more.
func (f *fleet) retire(old, heir *trunk) {
	idle := old.retire(heir)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leaving = append(f.leaving, old)
	ctx := f.ctx
	f.group.Go(func() error {
		select {
		case <-idle:
		case <-ctx.Done():
			return nil
		}
		late := time.NewTimer(f.linger)
		defer late.Stop()
		select {
		case <-late.C:
		case <-ctx.Done():
			return nil
		}
		old.stop()
		<-old.over
		f.mu.Lock()
		defer f.mu.Unlock()
		f.leaving = slices.DeleteFunc(f.leaving, func(t *trunk) bool { return t == old })
		return nil
	})
}

// left are the trunks that have been replaced and still run.
func (f *fleet) left() []*trunk {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.leaving)
}

// wait returns when every trunk has ended.
func (f *fleet) wait() error { return f.group.Wait() }
