package sip

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// quiet is sipgo's log, at debug level only: what an error means for a call is told by the call's outcome, once. Request URIs
// lose their user part, a telephone number as a rule, and what could not be parsed is not shown at all: it is the sender's
// and may be anything, 64 KB of it, a thousand times a second. That there is such is told once a minute, with how much.
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

// Enabled lets nothing through that Handle would not.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && q.Handler.Enabled(ctx, slog.LevelWarn) || q.Handler.Enabled(ctx, slog.LevelDebug)
}

// Handle passes a record on, or counts it.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if !strings.HasPrefix(r.Message, "failed to parse") {
		if !q.Handler.Enabled(ctx, slog.LevelDebug) {
			return nil
		}
		return q.Handler.Handle(ctx, userless(r))
	}
	count, due := q.noise.more(r.Time)
	if !due {
		return nil
	}
	told := slog.NewRecord(r.Time, slog.LevelWarn, "the trunk's host sends what is no SIP", 0)
	told.AddAttrs(slog.Int("since_last", count))
	return q.Handler.Handle(ctx, told)
}

// userless is a record of sipgo's without numbers.
func userless(r slog.Record) slog.Record {
	out := slog.NewRecord(r.Time, slog.LevelDebug, "sipgo: "+maskUsers(r.Message), 0)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(slog.String(a.Key, maskUsers(a.Value.String())))
		return true
	})
	return out
}

// maskUsers takes the user part out of every SIP and tel URI of a text.
func maskUsers(text string) string {
	for _, scheme := range []string{"sip:", "sips:", "tel:"} {
		var b strings.Builder
		for {
			i := strings.Index(text, scheme)
			if i < 0 {
				break
			}
			b.WriteString(text[:i+len(scheme)])
			text = text[i+len(scheme):]
			end := strings.IndexAny(text, " \t\r\n>;\"")
			if end < 0 {
				end = len(text)
			}
			if at := strings.LastIndexByte(text[:end], '@'); at >= 0 {
				b.WriteString("…")
				text = text[at:]
			} else if scheme == "tel:" {
				b.WriteString("…")
				text = text[end:]
			}
		}
		text = b.String() + text
	}
	return text
}

// WithAttrs is the same handler with more attributes, but for sipgo's "caller", which it gives twice: no JSON object has a
// key twice.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	attrs = slices.DeleteFunc(slices.Clone(attrs), func(a slog.Attr) bool { return a.Key == "caller" })
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
