package pager

import (
	"context"
	"time"

	"telgate"
	"telgate/plan"
)

// busy is what calls hold: the phone that rings, and a line of the trunk.
type busy struct {
	now    func() time.Time
	calls  window // by number
	phones map[string]held
	lines  map[string]*linesHeld // by trunk
}

// held is a phone, and the call that has it.
type held struct {
	call  telgate.CallID
	page  telgate.PageID
	until time.Time // it may ring until then
	rests bool      // the call is over, or nobody knows
}

// linesHeld are the lines of one trunk.
type linesHeld struct {
	calls map[telgate.CallID]time.Time // until when, where nobody is there to free it
	next  time.Time                    // when the next call may begin
}

func newBusy(now func() time.Time) busy {
	return busy{now: now, calls: newWindow(now), phones: map[string]held{}, lines: map[string]*linesHeld{}}
}

// Begin enters a call, and takes the phone and a line for it.
func (m *Memory) Begin(_ context.Context, b *Beginning) (Grant, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, held := m.held(&b.Hold)
	for _, f := range b.Freed {
		m.busy.free(f)
	}
	if !held {
		m.late(&b.Change)
		return Grant{}, ErrFenced
	}
	g := m.busy.take(b)
	if g.Verdict == Granted {
		m.keep(k, &b.Change)
		if b.Counts {
			m.rang.note(b.Number, Rung{b.Hold.Page, b.Nicks, b.person()}, m.now())
		}
	}
	return g, nil
}

// person is the number of the person who is called, whichever one their phone forwarded us to.
func (b *Beginning) person() telgate.Number {
	for i := range b.Page.Steps {
		if c := b.Page.Steps[i].Call; c != nil && c.Call == b.Call {
			return b.Page.Steps[i].Number
		}
	}
	return telgate.Number{}
}

// Rang is the call that began last to the first of these numbers that was called at all.
func (m *Memory) Rang(_ context.Context, numbers []string, within time.Duration) (*Rung, error) {
	return m.rang.by(numbers, m.now().Add(-within)), nil
}

// take is all or nothing. What a call has already it need not have again: its answer may have been lost.
func (b *busy) take(x *Beginning) Grant {
	now := b.now()
	phone, taken := b.phones[x.Number]
	if taken && phone.rests && !now.Before(phone.until) {
		taken = false
	}
	l := b.trunk(x.Trunk, now)
	_, hasLine := l.calls[x.Call]
	switch {
	case taken && phone.call == x.Call && !phone.rests && hasLine:
		return Grant{}
	case taken && phone.rests:
		return Grant{GrantPhoneRests, phone.until}
	case taken && phone.page != x.Hold.Page:
		return Grant{GrantPhoneBusy, phone.until}
	case x.PerNumber > 0 && b.calls.count(x.Number) >= x.PerNumber:
		return Grant{Verdict: GrantPhoneOver}
	}
	load := plan.Load{Calls: len(l.calls), Next: l.next}
	if hasLine {
		load.Calls--
	}
	at, free := x.Lines.Free(load, now)
	switch {
	case !free:
		return Grant{Verdict: GrantNoLine}
	case at.After(now):
		return Grant{GrantLineLater, at}
	}
	l.next = x.Lines.Begin(load, now).Next
	l.calls[x.Call] = time.Time{}
	b.phones[x.Number] = held{call: x.Call, page: x.Hold.Page, until: x.RingUntil}
	if x.Counts {
		b.calls.add(x.Number)
	}
	return Grant{}
}

// trunk is what is held of a trunk now.
func (b *busy) trunk(name string, now time.Time) *linesHeld {
	l := b.lines[name]
	if l == nil {
		l = &linesHeld{calls: map[telgate.CallID]time.Time{}}
		b.lines[name] = l
	}
	for call, until := range l.calls {
		if !until.IsZero() && !now.Before(until) {
			delete(l.calls, call)
		}
	}
	return l
}

// free gives back what a call held.
func (b *busy) free(f Freed) {
	for _, l := range b.lines {
		delete(l.calls, f.Call)
	}
	phone, taken := b.phones[f.Number]
	if !taken || phone.call != f.Call {
		return
	}
	if f.Rest.After(b.now()) {
		phone.until, phone.rests = f.Rest, true
		b.phones[f.Number] = phone
		return
	}
	delete(b.phones, f.Number)
}

// lose keeps what a call held until it cannot ring any more.
func (b *busy) lose(call telgate.CallID) {
	for number, phone := range b.phones {
		if phone.call != call {
			continue
		}
		phone.rests = true
		b.phones[number] = phone
		for _, l := range b.lines {
			if _, has := l.calls[call]; has {
				l.calls[call] = phone.until
			}
		}
	}
}

// window counts what happened to each key within the last hour.
type window struct {
	now  func() time.Time
	seen map[string][]time.Time
}

func newWindow(now func() time.Time) window { return window{now: now, seen: map[string][]time.Time{}} }

func (w *window) add(key string) { w.seen[key] = append(w.recent(key), w.now()) }

func (w *window) count(key string) int { return len(w.recent(key)) }

// recent forgets what is older than an hour, also of keys that are not asked for again.
func (w *window) recent(key string) []time.Time {
	begin := w.now().Add(-time.Hour)
	for k, times := range w.seen {
		for len(times) > 0 && !times[0].After(begin) {
			times = times[1:]
		}
		if w.seen[k] = times; len(times) == 0 {
			delete(w.seen, k)
		}
	}
	return w.seen[key]
}
