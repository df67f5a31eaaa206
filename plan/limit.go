package plan

import "time"

// Limit is what a trunk carries. The zero Limit limits nothing.
type Limit struct {
	Calls     int     // at once; 0 = any number
	PerSecond float64 // INVITEs a second, evenly spaced; 0 = as they come
}

// Load is what a trunk carries now.
type Load struct {
	Calls int       // in progress
	Next  time.Time // when the next one may begin
}

// Free tells when one more call may begin: now or at a later moment, or, with ok false, not before another has ended.
func (l Limit) Free(s Load, now time.Time) (at time.Time, ok bool) {
	if l.Calls > 0 && s.Calls >= l.Calls {
		return time.Time{}, false
	}
	if s.Next.After(now) {
		return s.Next, true
	}
	return now, true
}

// Begin is the load with one call more. It is a token bucket that holds a single token, so that a trunk that was idle for a
// minute gets no burst: calls are a period apart, whatever came before.
func (l Limit) Begin(s Load, now time.Time) Load {
	s.Calls++
	if l.PerSecond > 0 {
		s.Next = now.Add(time.Duration(float64(time.Second) / l.PerSecond))
	}
	return s
}

// End is the load with one call less.
func (Limit) End(s Load) Load {
	s.Calls = max(0, s.Calls-1)
	return s
}
