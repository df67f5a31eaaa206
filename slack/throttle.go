package slack

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	openQuiet    = 10 * time.Second // connections that last longer than this are no storm
	openDelayMin = time.Second
	openDelayMax = time.Minute
)

// throttle slows a storm of apps.connections.open: where every connection is refused right after it opened, slack-go
// asks for the next at once, over a thousand times a second.
type throttle struct {
	next doer
	now  func() time.Time

	mu    sync.Mutex
	last  time.Time
	delay time.Duration
}

func newThrottle(next doer, now func() time.Time) *throttle { return &throttle{next: next, now: now} }

// Do passes a request on, an opening one later where the one before was a moment ago.
func (t *throttle) Do(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "apps.connections.open") {
		if wait := t.wait(); wait > 0 && !pause(r.Context(), wait) {
			return nil, r.Context().Err()
		}
	}
	return t.next.Do(r)
}

func (t *throttle) wait() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if t.last.IsZero() || now.Sub(t.last) >= openQuiet+t.delay {
		t.delay = 0
	} else {
		t.delay = min(max(openDelayMin, 2*t.delay), openDelayMax)
	}
	t.last = now
	return t.delay
}
