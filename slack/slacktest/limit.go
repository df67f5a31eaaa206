package slacktest

import (
	"slices"
	"time"
)

// limiter counts what was let through. A refused request costs nothing, assumed.
type limiter struct {
	passed map[string][]time.Time // per method, in the last minute
	posts  map[string]time.Time   // per channel, when the allowance is whole again
}

const (
	postEvery = time.Second // Slack docs: rate limits, chat.postMessage: one message per second per channel
	postBurst = 3           // the docs allow "short bursts" without a number: assumed
)

func newLimiter() limiter {
	return limiter{passed: map[string][]time.Time{}, posts: map[string]time.Time{}}
}

// minute lets at most limit requests of a method through in any minute; else it tells how long to wait.
func (l limiter) minute(method string, limit int, now time.Time) (wait time.Duration) {
	recent := slices.DeleteFunc(l.passed[method], func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	l.passed[method] = recent
	if len(recent) >= limit {
		return time.Minute - now.Sub(recent[len(recent)-limit])
	}
	l.passed[method] = append(recent, now)
	return 0
}

// post lets postBurst messages into a channel at once and one more each second; else it tells how long to wait.
func (l limiter) post(channel string, now time.Time) (wait time.Duration) {
	whole := l.posts[channel]
	if whole.Before(now) {
		whole = now
	}
	whole = whole.Add(postEvery)
	if ahead := whole.Sub(now) - postBurst*postEvery; ahead > 0 {
		return ahead
	}
	l.posts[channel] = whole
	return 0
}

// seconds is a wait as Retry-After writes it.
func seconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }
