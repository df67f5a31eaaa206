package main

import (
	"context"
	"reflect"
	"sync"

	"telgate/config"
	"telgate/plan"
	"telgate/sip"
)

// trunk is a trunk of the gateway: what it was made of, and which calls use it.
type trunk struct {
	*sip.Trunk

	made  sip.TrunkConfig // but for Dialable and RungBy
	route plan.Trunk      // as it was made
	file  config.File     // the keys that count for it stand there; owned by whoever reloads

	stop       context.CancelFunc // ends it; nil before it runs
	over       chan struct{}      // closed when it has ended
	unfollow   context.CancelFunc
	unfollowed chan struct{} // closed when the pager hears of it no more

	mu    sync.Mutex
	calls int
	idle  chan struct{} // closed when it has retired and no call uses it; nil while it serves
}

// begin has a call use the trunk; false where it has retired.
func (t *trunk) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.idle != nil {
		return false
	}
	t.calls++
	return true
}

// end is the end of a call.
func (t *trunk) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.calls--; t.calls == 0 && t.idle != nil {
		close(t.idle)
	}
}

// retire takes the trunk out of service; its heir is nil where it has none. What is returned is closed when its last call
// is over.
func (t *trunk) retire(heir *trunk) (idle <-chan struct{}) {
	if heir == nil {
		t.Retire(nil)
	} else {
		t.Retire(heir.Trunk)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.idle = make(chan struct{})
	if t.calls == 0 {
		close(t.idle)
	}
	return t.idle
}

// same tells whether a trunk of this configuration would be the same: it is not touched then.
func (t *trunk) same(made *sip.TrunkConfig, route *plan.Trunk) bool {
	before, after := t.made, *made
	shared := (before.Register.Shared == nil) == (after.Register.Shared == nil)
	before.Register.Shared, after.Register.Shared = nil, nil // functions that ask the lease
	return shared && reflect.DeepEqual(before, after) && t.route.Kind == route.Kind && t.route.Format == route.Format
}
