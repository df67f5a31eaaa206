package pager

import (
	"context"
	"slices"
	"sync"
	"time"

	"telgate"
	"telgate/plan"
)

// lineLimit is how long a page waits for a line of one trunk before the next one is tried.
const lineLimit = 10 * time.Second

// lines knows what every trunk carries, and which pages wait for a line of it, in the order in which they came.
type lines struct {
	now func() time.Time

	mu     sync.Mutex
	trunks map[string]*line
}

// line is one trunk's load and queue. The limits are plan's.
type line struct {
	limit plan.Limit
	load  plan.Load
	queue []*place
	gone  bool // there is no such trunk any more; calls may still be up
}

// place is a page's place in a queue.
type place struct {
	turn chan struct{} // a token: it is worth asking again
}

func newPlace() *place { return &place{turn: make(chan struct{}, 1)} }

func newLines(trunks []plan.Trunk, now func() time.Time) *lines {
	l := &lines{now: now, trunks: map[string]*line{}}
	l.add(trunks)
	return l
}

// add takes trunks and their limits; what they carry is as it was.
func (l *lines) add(trunks []plan.Trunk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range trunks {
		x := l.trunks[t.Name]
		if x == nil {
			x = &line{}
			l.trunks[t.Name] = x
		}
		x.limit, x.gone = t.Limit, false
	}
}

// keep says that there are no trunks but these. Who waits looks again: there may be room now, or the trunk is no more.
func (l *lines) keep(trunks []plan.Trunk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, x := range l.trunks {
		x.gone = !slices.ContainsFunc(trunks, func(t plan.Trunk) bool { return t.Name == name })
		x.next() // who leaves or gets a line wakes the next one
	}
}

// gone tells whether there is no such trunk any more.
func (l *lines) gone(trunk string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trunks[trunk].gone
}

// take begins a call over a trunk, or keeps the page's place in the queue: until when, or, where that is zero, until its
// turn is told.
func (l *lines) take(trunk string, p *place) (until time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.trunks[trunk]
	if x.gone {
		return time.Time{}, false
	}
	if !slices.Contains(x.queue, p) {
		x.queue = append(x.queue, p)
	}
	if x.queue[0] != p { // nobody overtakes
		return time.Time{}, false
	}
	now := l.now()
	at, free := x.limit.Free(x.load, now)
	if !free || at.After(now) {
		return at, false
	}
	x.load = x.limit.Begin(x.load, now)
	x.queue = x.queue[1:]
	x.next()
	return now, true
}

// leave gives a place up.
func (l *lines) leave(trunk string, p *place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.trunks[trunk]
	x.queue = slices.DeleteFunc(x.queue, func(q *place) bool { return q == p })
	x.next()
}

// end is the end of a call.
func (l *lines) end(trunk string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.trunks[trunk]
	x.load = x.limit.End(x.load)
	x.next()
}

// next wakes whose turn it is.
func (x *line) next() {
	if len(x.queue) == 0 {
		return
	}
	select {
	case x.queue[0].turn <- struct{}{}:
	default:
	}
}

// of is how many calls are up on a trunk, and how many pages wait for one.
func (l *lines) of(trunk string) (calls, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.trunks[trunk]
	return x.load.Calls, len(x.queue)
}

// line takes a line of a trunk, waiting for one where it must. Why not is SkipNoLine where the trunk stayed full, SkipEnded
// where the page needs none any more.
func (r *run) line(ctx context.Context, m *plan.Move, trunk string) (whyNot telgate.SkipReason) {
	mine := newPlace()
	at, taken := r.pager.lines.take(trunk, mine)
	if taken {
		return telgate.SkipNone
	}
	if r.pager.lines.gone(trunk) { // since it was chosen
		return telgate.SkipNoLine
	}
	defer func() { r.page.WaitsLine = "" }()
	until := r.lineLimit()
	r.tellLine(m, trunk, until)
	for {
		if at.IsZero() || at.After(until) {
			at = until
		}
		late := !r.pager.env.Now().Before(until)
		if !late {
			r.pause(ctx, at, mine.turn)
		}
		if !r.goesOn(ctx) {
			r.pager.lines.leave(trunk, mine)
			return telgate.SkipEnded
		}
		if at, taken = r.pager.lines.take(trunk, mine); taken { // also at the last moment
			return telgate.SkipNone
		}
		if late || r.pager.lines.gone(trunk) {
			r.pager.lines.leave(trunk, mine)
			return telgate.SkipNoLine
		}
	}
}

// lineLimit is until when a line that becomes free now would be of use.
func (r *run) lineLimit() time.Time {
	until := r.pager.env.Now().Add(lineLimit)
	if limit := r.limit(); limit.Before(until) {
		return limit
	}
	return until
}

// tellLine says that the page waits for a line.
func (r *run) tellLine(m *plan.Move, trunk string, until time.Time) {
	r.waits(telgate.Wait{WaitsFor: until, WaitsLine: trunk})
	order := telgate.Order{
		Page: r.page.ID, Person: m.Entry.Person.Nick, Step: len(r.page.Steps) + 1, Round: m.Round, Number: m.Entry.Number, Trunk: trunk,
	}
	r.tell(&telgate.Event{Kind: telgate.EventWaitingForLine, Order: &order, Until: until})
}
