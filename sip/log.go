package sip

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// quiet is sipgo's log without the text of what it could not parse, which is the sender's and may be anything, 64 KB of it,
// a thousand times a second. That there is such is told once a minute, with how much.
type quiet struct {
	slog.Handler
	noise *noise
}

type noise struct {
	mu    sync.Mutex
	count int
	told  time.Time
}

const noiseEvery = time.Minute

func quietly(log *slog.Logger) *slog.Logger {
	return slog.New(quiet{log.Handler(), &noise{}})
}

// Handle passes a record on, or counts it.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if !strings.HasPrefix(r.Message, "failed to parse") {
		return q.Handler.Handle(ctx, r)
	}
	count, due := q.noise.more(r.Time)
	if !due {
		return nil
	}
	told := slog.NewRecord(r.Time, slog.LevelWarn, "the trunk's host sends what is no SIP", 0)
	told.AddAttrs(slog.Int("since_last", count))
	return q.Handler.Handle(ctx, told)
}

// WithAttrs is the same handler with more attributes.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quiet{q.Handler.WithAttrs(attrs), q.noise}
}

// WithGroup is the same handler in a group.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name), q.noise} }

// more counts one, and tells whether it is time to say so.
func (n *noise) more(now time.Time) (count int, due bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count++
	if now.Sub(n.told) < noiseEvery {
		return 0, false
	}
	count, n.count, n.told = n.count, 0, now
	return count, true
}
