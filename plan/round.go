package plan

import (
	"maps"
	"slices"
	"time"

	"telgate"
)

// Policy is how a page goes about it.
type Policy struct {
	Ring      time.Duration // how long a phone rings
	Rounds    int
	Pause     time.Duration // between rounds, after everyone was tried
	PageLimit time.Duration // from acceptance
	BusyRetry time.Duration
	BusyMax   int // extra tries of a busy number in a round
	Way       telgate.Way
}

// Entry is one number of one person; a round is the entries in order.
type Entry struct {
	Person telgate.Person
	Number telgate.Number
	Ring   time.Duration
	Also   []string // nicknames of others of the page who share the phone
}

// Plan is what a page will do, computed when it is accepted.
type Plan struct {
	Policy  Policy
	Entries []Entry
}

// Build lays out one round: each person in order, each of their numbers in order. A phone that several people share is
// rung once and counts for all of them.
func Build(people []telgate.Person, p Policy) Plan {
	plan := Plan{Policy: p}
	for _, person := range people {
		for _, n := range person.Numbers {
			if i := slices.IndexFunc(plan.Entries, func(e Entry) bool { return e.Number.Key() == n.Key() }); i >= 0 {
				if e := &plan.Entries[i]; e.Person.Nick != person.Nick {
					e.Also = append(e.Also, person.Nick)
				}
				continue
			}
			ring := p.Ring
			if n.Ring > 0 {
				ring = n.Ring
			}
			plan.Entries = append(plan.Entries, Entry{Person: person, Number: n, Ring: ring})
		}
	}
	return plan
}

// Reaches are the nicknames of those whose phone this is.
func (p *Plan) Reaches(n telgate.Number) []string {
	for _, e := range p.Entries {
		if e.Number.Key() == n.Key() {
			return append([]string{e.Person.Nick}, e.Also...)
		}
	}
	return nil
}

// LastRingsAfter is how long it takes at most until the last person's first phone rings, where one attempt takes setup
// and its ring time, and lines are free.
func (p *Plan) LastRingsAfter(setup time.Duration) time.Duration {
	spent := map[string]time.Duration{} // by what comes one after another: a person's phones, or all
	rings := map[string]bool{}
	last := time.Duration(0)
	for _, e := range p.Entries {
		for _, nick := range append([]string{e.Person.Nick}, e.Also...) {
			if !rings[nick] {
				rings[nick], last = true, max(last, spent[p.queue(&e)])
			}
		}
		spent[p.queue(&e)] += setup + e.Ring
	}
	return last
}

// queue names what an entry is rung one after another with: everything of a page that hunts, else the phones of one person.
func (p *Plan) queue(e *Entry) string {
	if p.Policy.Way.All {
		return e.Person.Nick
	}
	return ""
}

// Progress is how far a plan has come. Its zero value, with Began set, is a plan not begun.
type Progress struct {
	Began   time.Time
	Round   int // from 1; 0 before the first
	next    int // index of the next entry of the round
	busy    []again
	tries   map[string]int  // extra tries of busy numbers in this round, by number
	invalid map[string]bool // numbers that do not exist
	ahead   map[int]bool    // entries after next that were rung in this round before it: their person's turn came sooner
	calling map[string]int  // entries that are being rung, by queue
	reached map[string]bool // nicknames of those who confirmed, in a roll call
}

// again is a busy number to be rung again.
type again struct {
	entry int
	at    time.Time
}

// Move is what comes next: an entry to ring, a moment to wait for, or the end.
type Move struct {
	Kind  MoveKind
	Entry *Entry // of the plan, in MoveDial
	Round int
	Until time.Time
}

// MoveKind tells moves apart.
type MoveKind int

// Kinds of moves.
const (
	MoveEnd MoveKind = iota
	MoveDial
	MoveWait
	MoveCalls // wait for the end of a call that is up, or at most for a moment
)

// Next decides what comes next at this moment, and moves the progress on. What it gives to dial is being rung until
// [Plan.Done] says that it is over; where people are called side by side it gives the phones of the others meanwhile.
func (p *Plan) Next(s *Progress, now time.Time) Move {
	limit := s.Began.Add(p.Policy.PageLimit)
	if s.Round == 0 {
		s.begin()
	}
	for now.Before(limit) {
		if e, ok := p.due(s, now); ok {
			return p.dial(s, e)
		}
		if e, ok := p.untried(s); ok {
			return p.dial(s, e)
		}
		switch at, later := p.soonest(s); {
		case later && len(s.calling) > 0:
			return Move{Kind: MoveCalls, Until: earlier(at, limit)}
		case later:
			return Move{Kind: MoveWait, Until: earlier(at, limit)}
		case len(s.calling) > 0:
			return Move{Kind: MoveCalls, Until: limit}
		}
		if s.Round >= p.Policy.Rounds || p.hopeless(s) {
			return Move{Kind: MoveEnd}
		}
		s.begin()
		if p.Policy.Pause > 0 {
			return Move{Kind: MoveWait, Until: earlier(now.Add(p.Policy.Pause), limit)}
		}
	}
	if len(s.calling) > 0 {
		return Move{Kind: MoveCalls}
	}
	return Move{Kind: MoveEnd}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (p *Plan) dial(s *Progress, entry int) Move {
	e := &p.Entries[entry]
	s.rings(p.queue(e), entry)
	return Move{Kind: MoveDial, Entry: e, Round: s.Round}
}

func (s *Progress) rings(queue string, entry int) {
	if s.calling == nil {
		s.calling = map[string]int{}
	}
	s.calling[queue] = entry
}

// engaged tells whether an entry has to wait for another one, or for itself.
func (p *Plan) engaged(s *Progress, entry int) bool {
	_, rings := s.calling[p.queue(&p.Entries[entry])]
	return rings
}

// Resume is for who takes a plan over: what was about to be rung then and was not is rung now.
func (p *Plan) Resume(s *Progress, now time.Time) {
	for _, entry := range slices.Sorted(maps.Values(s.calling)) {
		p.Defer(s, &p.Entries[entry], now)
	}
	s.calling = nil
}

// Done says that the call which [Plan.Next] asked for is over, with all that came of it noted, or that none was made.
func (p *Plan) Done(s *Progress, e *Entry) { delete(s.calling, p.queue(e)) }

// Reached takes people out of a roll call: they have confirmed. A phone that they share is still rung for the others.
func (p *Plan) Reached(s *Progress, nicks []string) {
	if s.reached == nil {
		s.reached = map[string]bool{}
	}
	for _, nick := range nicks {
		s.reached[nick] = true
	}
}

// wanted tells whether an entry can still reach somebody who is to be reached.
func (p *Plan) wanted(s *Progress, entry int) bool {
	e := &p.Entries[entry]
	return !s.invalid[e.Number.Key()] &&
		(!s.reached[e.Person.Nick] || slices.ContainsFunc(e.Also, func(nick string) bool { return !s.reached[nick] }))
}

// Wanted tells whether an entry can still reach somebody who is to be reached.
func (p *Plan) Wanted(s *Progress, e *Entry) bool {
	i := slices.IndexFunc(p.Entries, func(x Entry) bool { return x.Number.Key() == e.Number.Key() })
	return i >= 0 && p.wanted(s, i)
}

// hopeless: no number of the plan exists whose person is to be reached.
func (p *Plan) hopeless(s *Progress) bool {
	for i := range p.Entries {
		if p.wanted(s, i) {
			return false
		}
	}
	return true
}

func (s *Progress) begin() {
	s.Round, s.next, s.busy, s.tries, s.ahead = s.Round+1, 0, nil, nil, nil
}

// untried takes the next entry of the round whose turn it is.
func (p *Plan) untried(s *Progress) (int, bool) {
	for i := s.next; i < len(p.Entries); i++ {
		switch {
		case i < s.next, s.ahead[i]: // also where what came before it was ticked off just now
		case !p.wanted(s, i):
			s.pass(i)
		case !p.engaged(s, i):
			s.pass(i)
			return i, true
		}
	}
	return 0, false
}

// pass ticks an entry of the round off.
func (s *Progress) pass(i int) {
	if i != s.next {
		if s.ahead == nil {
			s.ahead = map[int]bool{}
		}
		s.ahead[i] = true
		return
	}
	for s.next++; s.ahead[s.next]; s.next++ {
		delete(s.ahead, s.next)
	}
}

// due takes the first entry to be rung again whose moment has come.
func (p *Plan) due(s *Progress, now time.Time) (int, bool) {
	s.busy = slices.DeleteFunc(s.busy, func(a again) bool { return !p.wanted(s, a.entry) })
	for i, a := range s.busy {
		if !a.at.After(now) && !p.engaged(s, a.entry) {
			s.busy = slices.Delete(s.busy, i, i+1)
			return a.entry, true
		}
	}
	return 0, false
}

// soonest is when an entry is to be rung again, of those whose turn it could be.
func (p *Plan) soonest(s *Progress) (at time.Time, ok bool) {
	for _, a := range s.busy {
		if !p.engaged(s, a.entry) {
			return a.at, true
		}
	}
	return time.Time{}, false
}

// Defer puts an entry off that may not be rung before a moment: it is rung in the same round, after the others.
func (p *Plan) Defer(s *Progress, e *Entry, until time.Time) {
	i := slices.IndexFunc(p.Entries, func(x Entry) bool { return x.Number.Key() == e.Number.Key() })
	if i >= 0 {
		s.busy = append(s.busy, again{i, until})
		slices.SortStableFunc(s.busy, func(a, b again) int { return a.at.Compare(b.at) })
	}
}

// Lost takes into account that nobody knows how the last call to a number ended: it is rung again in this round, after the
// others and not before the phone is quiet; at most as often as a busy one, and at least once.
func (p *Plan) Lost(s *Progress, e *Entry, quiet time.Time) {
	p.retry(s, e, quiet, max(1, p.Policy.BusyMax))
}

func (p *Plan) retry(s *Progress, e *Entry, at time.Time, most int) {
	key := e.Number.Key()
	if s.tries[key] >= most {
		return
	}
	if s.tries == nil {
		s.tries = map[string]int{}
	}
	s.tries[key]++
	p.Defer(s, e, at)
}

func (s *Progress) ban(key string) {
	if s.invalid == nil {
		s.invalid = map[string]bool{}
	}
	s.invalid[key] = true
}

// Entry finds the entry of a phone, nil if none.
func (p *Plan) Entry(n telgate.Number) *Entry {
	i := slices.IndexFunc(p.Entries, func(e Entry) bool { return e.Number.Key() == n.Key() })
	if i < 0 {
		return nil
	}
	return &p.Entries[i]
}

// Note takes the outcome of a step into account: a busy number is rung again soon, one that does not exist never.
func (p *Plan) Note(s *Progress, e *Entry, outcome telgate.Outcome, now time.Time) {
	switch outcome {
	case telgate.OutcomeInvalidNumber:
		s.ban(e.Number.Key())
	case telgate.OutcomeBusy:
		p.retry(s, e, now.Add(p.Policy.BusyRetry), p.Policy.BusyMax)
	default:
	}
}
