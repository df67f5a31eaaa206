package pager

import (
	"cmp"
	"slices"
	"time"

	"telgate"
)

// Account is what somebody was told of one page. Whoever has it can be told by the page itself what is missing: where its events
// are told elsewhere, or were told before. What a page does not keep, such as recordings that were played and keys before the end
// of their call, is missing then. The zero Account knows nothing. It is for one goroutine.
type Account struct {
	begun, ended bool
	joined       int                                    // askers after the first
	calls        map[telgate.CallID][]telgate.EventKind // in the order they were told
	skipped      []int                                  // steps
	reached      []string                               // nicknames, in a roll call
	confirmed    bool
	back         []string       // nicknames of who called back
	waits        *telgate.Event // the last one told since anything was dialled
}

// Take notes an event, and tells whether it is news. Of some kinds one cannot tell: they always are.
func (a *Account) Take(ev *telgate.Event) bool {
	once := func(flag *bool) bool { was := *flag; *flag = true; return !was }
	switch ev.Kind {
	case telgate.EventPageAccepted:
		return once(&a.begun)
	case telgate.EventPageJoined:
		a.joined++
	case telgate.EventDialing, telgate.EventForwarded, telgate.EventEarlyMedia, telgate.EventRinging, telgate.EventAnswered, telgate.EventCallEnded:
		return a.takeCall(ev)
	case telgate.EventStepSkipped:
		if ev.Order != nil && slices.Contains(a.skipped, ev.Order.Step) {
			return false
		}
		if a.waits = nil; ev.Order != nil {
			a.skipped = append(a.skipped, ev.Order.Step)
		}
	case telgate.EventWaiting, telgate.EventWaitingForLine:
		same := a.waits != nil && sameWait(a.waits, ev)
		a.waits = ev
		return !same
	case telgate.EventPersonConfirmed:
		return addNew(&a.reached, ev.People)
	case telgate.EventCalledBack:
		return addNew(&a.back, ev.People)
	case telgate.EventPageConfirmed:
		return once(&a.confirmed)
	case telgate.EventPageEnded:
		return once(&a.ended)
	case telgate.EventPrompt, telgate.EventKey, telgate.EventVoicemail, telgate.EventRefused, telgate.EventInvited:
	}
	return true
}

func (a *Account) takeCall(ev *telgate.Event) bool {
	if ev.Order == nil {
		return true
	}
	if a.calls == nil {
		a.calls = map[telgate.CallID][]telgate.EventKind{}
	}
	told := a.calls[ev.Order.Call]
	if slices.Contains(told, ev.Kind) {
		return false
	}
	a.calls[ev.Order.Call], a.waits = append(told, ev.Kind), nil
	return true
}

// addNew adds the nicknames of people, and tells whether there was one that is new.
func addNew(to *[]string, people []telgate.Target) (news bool) {
	for i := range people {
		if !slices.Contains(*to, people[i].Nick) {
			*to, news = append(*to, people[i].Nick), true
		}
	}
	return news
}

func sameWait(a, b *telgate.Event) bool {
	trunk := func(e *telgate.Event) string {
		if e.Order == nil {
			return ""
		}
		return e.Order.Trunk
	}
	return a.Kind == b.Kind && a.Skip == b.Skip && a.Until.Equal(b.Until) && trunk(a) == trunk(b)
}

// Missing are the events that a page tells of and nobody took, oldest first. Their numbers follow the one that was taken last,
// and are no higher than the page's version, where there is room. now is the time of what has none of its own.
func (a *Account) Missing(p *telgate.Page, last int, now time.Time) []*telgate.Event {
	if a.ended {
		return nil
	}
	var found []*telgate.Event
	add := func(at time.Time, ev telgate.Event) {
		ev.Time, ev.Page = at, p.ID
		if at.IsZero() {
			ev.Time = now
		}
		if a.Take(&ev) {
			found = append(found, &ev)
		}
	}
	a.wasAsked(p, add)
	for i := range p.Steps {
		wentOn(&p.Steps[i], add)
	}
	answered(p, add)
	slices.SortStableFunc(found, func(x, y *telgate.Event) int { return cmp.Compare(x.Time.UnixMicro(), y.Time.UnixMicro()) })
	if p.State == telgate.PageWaiting {
		add(now, waiting(p))
	}
	if p.State == telgate.PageEnded {
		add(p.Ended, telgate.Event{Kind: telgate.EventPageEnded, Result: p.Result, Late: p.Late, People: slices.Clone(p.Targets)})
	}
	for i, ev := range found {
		ev.Seq = min(max(p.Version, last), max(last+1+i, p.Version-len(found)+1+i))
	}
	return found
}

// wasAsked are who asked for the page.
func (a *Account) wasAsked(p *telgate.Page, add func(time.Time, telgate.Event)) {
	if len(p.Askers) == 0 {
		return
	}
	people := slices.Clone(p.Targets)
	for i := range people {
		t := &people[i]
		t.Result, t.By, t.Via, t.At, t.CalledBack = "", "", "", time.Time{}, time.Time{}
	}
	add(p.Accepted, telgate.Event{Kind: telgate.EventPageAccepted, Asker: &p.Askers[0], People: people})
	for i := a.joined + 1; i < len(p.Askers); i++ {
		add(p.Askers[i].At, telgate.Event{Kind: telgate.EventPageJoined, Asker: &p.Askers[i]})
	}
}

// wentOn is what came of a step.
func wentOn(s *telgate.Step, add func(time.Time, telgate.Event)) {
	c := s.Call
	if c == nil {
		add(s.At, telgate.Event{Kind: telgate.EventStepSkipped, Skip: s.Skip, Order: &telgate.Order{Person: s.Person, Step: s.N, Round: s.Round, Number: s.Number}})
		return
	}
	dialed := c.Times.Dialed
	if dialed.IsZero() {
		dialed = s.At
	}
	add(dialed, telgate.Event{Kind: telgate.EventDialing, Order: &c.Order})
	switch {
	case c.Forward != "" || c.State == telgate.CallForwarded:
		add(dialed, telgate.Event{Kind: telgate.EventForwarded, Order: &c.Order})
	case c.State == telgate.CallEarly:
		add(dialed, telgate.Event{Kind: telgate.EventEarlyMedia, Order: &c.Order})
	}
	if !c.Times.Alerted.IsZero() {
		add(c.Times.Alerted, telgate.Event{Kind: telgate.EventRinging, Order: &c.Order})
	}
	if !c.Times.Answered.IsZero() {
		add(c.Times.Answered, telgate.Event{Kind: telgate.EventAnswered, Order: &c.Order})
	}
	if c.Outcome != "" { // the end of one that was lost is not known: it is after all that is
		add(later(c.Times.Ended, later(c.Times.Answered, later(c.Times.Alerted, dialed))), telgate.Event{Kind: telgate.EventCallEnded, Order: &c.Order, Ended: c})
	}
}

// answered are who called back, and who confirmed.
func answered(p *telgate.Page, add func(time.Time, telgate.Event)) {
	var last time.Time
	for i := range p.Targets {
		t := p.Targets[i]
		if !t.CalledBack.IsZero() {
			order := &telgate.Order{Page: p.ID, Person: t.Nick}
			for _, s := range p.Steps {
				if s.Person == t.Nick {
					order.Number = s.Number
				}
			}
			add(t.CalledBack, telgate.Event{Kind: telgate.EventCalledBack, Order: order, People: []telgate.Target{t}})
		}
		if t.Result.Reached() {
			last = later(last, t.At)
			if p.Way.RollCall && p.Result != telgate.Confirmed {
				add(t.At, telgate.Event{Kind: telgate.EventPersonConfirmed, People: []telgate.Target{t}})
			}
		}
	}
	if p.Result == telgate.Confirmed && !p.Late {
		add(last, telgate.Event{Kind: telgate.EventPageConfirmed, Result: p.Result, People: slices.Clone(p.Targets)})
	}
}

// waiting is what a page waits for.
func waiting(p *telgate.Page) telgate.Event {
	switch {
	case p.WaitsLine != "":
		return telgate.Event{Kind: telgate.EventWaitingForLine, Until: p.WaitsFor, Order: &telgate.Order{Page: p.ID, Trunk: p.WaitsLine}}
	case p.Paused:
		return telgate.Event{Kind: telgate.EventWaiting, Skip: telgate.SkipPaused}
	}
	return telgate.Event{Kind: telgate.EventWaiting, Until: p.WaitsFor}
}
