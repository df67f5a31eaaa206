package plan

import (
	"fmt"
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
	gone    map[int]bool
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
		first := -1 // to be tried again, the one that came first among the soonest
		for i, a := range m.again {
			if first < 0 || a.at.Before(m.again[first].at) {
				first = i
			}
		}
		if first >= 0 && !m.again[first].at.After(now) {
			e := m.again[first].entry
			m.again = append(m.again[:first:first], m.again[first+1:]...)
			return fmt.Sprintf("dial %d of round %d", e, m.round)
		}
		for len(m.left) > 0 {
			e := m.left[0]
			m.left = m.left[1:]
			if !m.gone[e] {
				return fmt.Sprintf("dial %d of round %d", e, m.round)
			}
		}
		switch {
		case first >= 0:
			return m.wait(now, m.again[first].at)
		case m.round >= m.policy.Rounds || len(m.gone) == m.entries:
			return "end"
		}
		m.turn()
		if m.policy.Pause > 0 {
			return m.wait(now, now.Add(m.policy.Pause))
		}
	}
	return "end"
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
	case MoveEnd:
	}
	return "end"
}

// TestAPlanThatIsTakenOverAtAnyMomentGoesOnTheSame plays random pages, in which the plan is written down and read again at
// random moments, against the model, which never is.
func TestAPlanThatIsTakenOverAtAnyMomentGoesOnTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := func(name string, most int) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Second
		}
		policy := Policy{
			Ring: 25 * time.Second, Rounds: rapid.IntRange(1, 4).Draw(t, "rounds"), Pause: seconds("pause", 30),
			PageLimit: seconds("page limit", 600), BusyRetry: seconds("busy retry", 40), BusyMax: rapid.IntRange(0, 3).Draw(t, "busy max"),
		}
		p := Plan{Policy: policy}
		for i := range rapid.IntRange(1, 5).Draw(t, "entries") {
			p.Entries = append(p.Entries, Entry{Number: telgate.Number{Extension: fmt.Sprint(7100 + i), Trunk: "pbx"}})
		}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		s := Progress{Began: now}
		m := &model{policy: policy, entries: len(p.Entries), began: now, gone: map[int]bool{}}
		for range 200 {
			if rapid.Bool().Draw(t, "taken over") {
				p, s = takenOver(t, p, s)
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
				var e int
				if _, err := fmt.Sscanf(want, "dial %d", &e); err != nil {
					t.Fatal(err)
				}
				now = now.Add(seconds("the call", 30))
				end(t, &p, &s, m, e, move.Entry, now)
			}
		}
		t.Fatal("the page never ends")
	})
}

func end(t *rapid.T, p *Plan, s *Progress, m *model, entry int, e *Entry, now time.Time) {
	switch rapid.SampledFrom([]string{"no answer", "busy", "invalid", "lost", "rests"}).Draw(t, "outcome") {
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
