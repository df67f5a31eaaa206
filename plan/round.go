package plan

import (
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
// and its ring time.
func (p *Plan) LastRingsAfter(setup time.Duration) time.Duration {
	if len(p.Entries) == 0 {
		return 0
	}
	last := p.Entries[len(p.Entries)-1].Person.Nick
	total := time.Duration(0)
	for _, e := range p.Entries {
		if e.Person.Nick == last {
			break
		}
		total += setup + e.Ring
	}
	return total
}

// Progress is how far a plan has come. Its zero value, with Began set, is a plan not begun.
type Progress struct {
	Began   time.Time
	Round   int // from 1; 0 before the first
	next    int // index of the next entry of the round
	busy    []again
	tries   map[string]int  // extra tries of busy numbers in this round, by number
	invalid map[string]bool // numbers that do not exist
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
)

// Next decides what comes next at this moment, and moves the progress on.
func (p *Plan) Next(s *Progress, now time.Time) Move {
	limit := s.Began.Add(p.Policy.PageLimit)
	if s.Round == 0 {
		s.begin()
	}
	for now.Before(limit) {
		if e, ok := s.dueBusy(now); ok {
			return p.dial(s, e)
		}
		for s.next < len(p.Entries) {
			e := s.next
			s.next++
			if !s.invalid[p.Entries[e].Number.Key()] {
				return p.dial(s, e)
			}
		}
		if len(s.busy) > 0 {
			return wait(s.busy[0].at, limit)
		}
		if s.Round >= p.Policy.Rounds || p.hopeless(s) {
			return Move{Kind: MoveEnd}
		}
		s.begin()
		if p.Policy.Pause > 0 {
			return wait(now.Add(p.Policy.Pause), limit)
		}
	}
	return Move{Kind: MoveEnd}
}

func wait(until, limit time.Time) Move {
	if until.After(limit) {
		until = limit
	}
	return Move{Kind: MoveWait, Until: until}
}

func (p *Plan) dial(s *Progress, entry int) Move {
	return Move{Kind: MoveDial, Entry: &p.Entries[entry], Round: s.Round}
}

// hopeless: no number of the plan exists.
func (p *Plan) hopeless(s *Progress) bool {
	return !slices.ContainsFunc(p.Entries, func(e Entry) bool { return !s.invalid[e.Number.Key()] })
}

func (s *Progress) begin() {
	s.Round, s.next, s.busy, s.tries = s.Round+1, 0, nil, nil
}

func (s *Progress) dueBusy(now time.Time) (int, bool) {
	if len(s.busy) == 0 || s.busy[0].at.After(now) {
		return 0, false
	}
	entry := s.busy[0].entry
	s.busy = s.busy[1:]
	return entry, true
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
