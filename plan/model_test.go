package plan

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"telgate"
)

// model is a plan as a person would do it with a pencil: a list of who is left in this round, and a list of who is to be
// tried again at a moment. It knows entries by their index.
type model struct {
	policy  Policy
	entries int
	began   time.Time
	round   int
	left    []int
	again   []note
	tries   map[int]int
	gone    map[int]bool // no such number
	owners  [][]int      // of each entry: whom it reaches, the one in whose turn it is rung first
	done    map[int]bool // people who confirmed in a roll call
	calling []int        // entries with a call up
}

func (m *model) wanted(entry int) bool {
	return !m.gone[entry] && slices.ContainsFunc(m.owners[entry], func(who int) bool { return !m.done[who] })
}

// engaged tells whether the person in whose turn the entry is rung has a call up.
func (m *model) engaged(entry int) bool {
	return slices.ContainsFunc(m.calling, func(c int) bool {
		return !m.policy.Way.All || m.owners[c][0] == m.owners[entry][0]
	})
}

func (m *model) dial(entry int) string {
	m.calling = append(m.calling, entry)
	return fmt.Sprintf("dial %d of round %d", entry, m.round)
}

type note struct {
	entry int
	at    time.Time
}

func (m *model) turn() {
	m.round, m.left, m.again, m.tries = m.round+1, nil, nil, map[int]int{}
	for i := range m.entries {
		m.left = append(m.left, i)
	}
}

// next says it as "dial 2 of round 1", "wait 20s" or "end".
func (m *model) next(now time.Time) string {
	limit := m.began.Add(m.policy.PageLimit)
	if m.round == 0 {
		m.turn()
	}
	for now.Before(limit) {
		m.again = slices.DeleteFunc(m.again, func(a note) bool { return !m.wanted(a.entry) })
		first := -1 // to be tried again, the one that came first among the soonest of those who are free
		for i, a := range m.again {
			if !m.engaged(a.entry) && (first < 0 || a.at.Before(m.again[first].at)) {
				first = i
			}
		}
		if first >= 0 && !m.again[first].at.After(now) {
			e := m.again[first].entry
			m.again = append(m.again[:first:first], m.again[first+1:]...)
			return m.dial(e)
		}
		m.left = slices.DeleteFunc(m.left, func(e int) bool { return !m.wanted(e) })
		if i := slices.IndexFunc(m.left, func(e int) bool { return !m.engaged(e) }); i >= 0 {
			e := m.left[i]
			m.left = append(m.left[:i:i], m.left[i+1:]...)
			return m.dial(e)
		}
		switch {
		case len(m.calling) > 0:
			return "calls"
		case first >= 0:
			return m.wait(now, m.again[first].at)
		case m.round >= m.policy.Rounds || !m.hope():
			return "end"
		}
		m.turn()
		if m.policy.Pause > 0 {
			return m.wait(now, now.Add(m.policy.Pause))
		}
	}
	if len(m.calling) > 0 {
		return "calls"
	}
	return "end"
}

func (m *model) hope() bool {
	for e := range m.entries {
		if m.wanted(e) {
			return true
		}
	}
	return false
}

func (m *model) wait(now, until time.Time) string {
	if limit := m.began.Add(m.policy.PageLimit); until.After(limit) {
		until = limit
	}
	return fmt.Sprint("wait ", until.Sub(now))
}

func (m *model) retry(entry int, at time.Time, most int) {
	if m.tries[entry] < most {
		m.tries[entry]++
		m.again = append(m.again, note{entry, at})
	}
}

func said(p *Plan, m Move, now time.Time) string {
	switch m.Kind {
	case MoveDial:
		for i := range p.Entries {
			if p.Entries[i].Number.Key() == m.Entry.Number.Key() {
				return fmt.Sprintf("dial %d of round %d", i, m.Round)
			}
		}
	case MoveWait:
		return fmt.Sprint("wait ", m.Until.Sub(now))
	case MoveCalls:
		return "calls"
	case MoveEnd:
	}
	return "end"
}

// TestAPlanThatIsTakenOverAtAnyMomentGoesOnTheSame plays random pages, in which the plan is written down and read again at
// random moments, against the model, which never is.
func TestAPlanThatIsTakenOverAtAnyMomentGoesOnTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := Policy{
			Ring: 25 * time.Second, Rounds: rapid.IntRange(1, 4).Draw(t, "rounds"), Pause: seconds(t, "pause", 30),
			PageLimit: seconds(t, "page limit", 600), BusyRetry: seconds(t, "busy retry", 40), BusyMax: rapid.IntRange(0, 3).Draw(t, "busy max"),
			Way: telgate.Way{All: rapid.Bool().Draw(t, "all"), RollCall: rapid.Bool().Draw(t, "roll call")},
		}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		m := &model{policy: policy, began: now, gone: map[int]bool{}, done: map[int]bool{}}
		p := Plan{Policy: policy}
		for i := range rapid.IntRange(1, 5).Draw(t, "entries") {
			e := Entry{Number: telgate.Number{Extension: fmt.Sprint(7100 + i), Trunk: "pbx"}}
			m.owners = append(m.owners, rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 1, 2, rapid.ID).Draw(t, "whose"))
			for j, who := range m.owners[i] {
				if nick := fmt.Sprint("p", who); j == 0 {
					e.Person.Nick = nick
				} else {
					e.Also = append(e.Also, nick)
				}
			}
			p.Entries = append(p.Entries, e)
		}
		m.entries = len(p.Entries)
		s := Progress{Began: now}
		for range 1000 {
			if rapid.Bool().Draw(t, "taken over") {
				p, s = takenOver(t, p, s)
				p.Resume(&s, now)
				slices.Sort(m.calling)
				for _, e := range m.calling { // of which nothing was heard
					m.again = append(m.again, note{e, now})
				}
				m.calling = nil
			}
			move := p.Next(&s, now)
			got, want := said(&p, move, now), m.next(now)
			if got != want {
				t.Fatalf("%s, want %s", got, want)
			}
			switch move.Kind {
			case MoveEnd:
				return
			case MoveWait:
				now = move.Until
			case MoveDial:
			case MoveCalls:
				if !move.Until.IsZero() && !move.Until.After(now) {
					t.Fatalf("waits for a call until %v ago", now.Sub(move.Until))
				}
				if now = now.Add(seconds(t, "meanwhile", 30)); !move.Until.IsZero() && now.After(move.Until) {
					now = move.Until
					continue
				}
				i := rapid.IntRange(0, len(m.calling)-1).Draw(t, "which call ends")
				e := m.calling[i]
				m.calling = slices.Delete(m.calling, i, i+1)
				end(t, &p, &s, m, e, &p.Entries[e], now)
				p.Done(&s, &p.Entries[e])
			}
		}
		t.Fatal("the page never ends")
	})
}

func seconds(t *rapid.T, name string, most int) time.Duration {
	return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Second
}

func end(t *rapid.T, p *Plan, s *Progress, m *model, entry int, e *Entry, now time.Time) {
	outcomes := []string{"no answer", "busy", "invalid", "lost", "rests"}
	if p.Policy.Way.RollCall {
		outcomes = append(outcomes, "confirmed")
	}
	switch rapid.SampledFrom(outcomes).Draw(t, "outcome") {
	case "confirmed":
		p.Reached(s, p.Reaches(e.Number))
		for _, who := range m.owners[entry] {
			m.done[who] = true
		}
	case "no answer":
		p.Note(s, e, telgate.OutcomeNoAnswer, now)
	case "busy":
		p.Note(s, e, telgate.OutcomeBusy, now)
		m.retry(entry, now.Add(p.Policy.BusyRetry), p.Policy.BusyMax)
	case "invalid":
		p.Note(s, e, telgate.OutcomeInvalidNumber, now)
		m.gone[entry] = true
	case "lost":
		quiet := now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "may ring for")) * time.Second)
		p.Lost(s, e, quiet)
		m.retry(entry, quiet, max(1, p.Policy.BusyMax))
	case "rests":
		until := now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "rests for")) * time.Second)
		p.Defer(s, e, until)
		m.again = append(m.again, note{entry, until})
	}
}

func takenOver(t *rapid.T, p Plan, s Progress) (Plan, Progress) {
	q, err := Decode(p.Encode())
	if err != nil {
		t.Fatal(err)
	}
	u, err := q.DecodeProgress(p.EncodeProgress(&s))
	if err != nil {
		t.Fatal(err)
	}
	return q, u
}
