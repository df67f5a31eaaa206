package rota

import (
	"slices"
	"sort"
	"time"
)

// Shift is one person's time on call.
type Shift struct {
	Who         string
	From, Until time.Time // Until is not in it; the zero Until never comes
}

// Shifts are times on call as somebody planned them, with gaps and overlaps if they have any. Where several overlap all
// are on call, those who began first are called first.
type Shifts struct {
	by    []Shift
	edges []time.Time // where who is on call may change, in order, each once
}

// NewShifts keeps the shifts that last at all.
func NewShifts(all []Shift) *Shifts {
	s := &Shifts{}
	for _, x := range all {
		if !x.Until.IsZero() && !x.From.Before(x.Until) {
			continue
		}
		s.by = append(s.by, x)
		s.edges = append(s.edges, x.From)
		if !x.Until.IsZero() {
			s.edges = append(s.edges, x.Until)
		}
	}
	slices.SortStableFunc(s.by, func(a, b Shift) int { return a.From.Compare(b.From) })
	slices.SortFunc(s.edges, time.Time.Compare)
	s.edges = slices.CompactFunc(s.edges, time.Time.Equal)
	return s
}

// Len is how many shifts there are.
func (s *Shifts) Len() int { return len(s.by) }

// At is the turn at a moment. Two shifts of one person that follow each other are two turns.
func (s *Shifts) At(t time.Time) Turn {
	var turn Turn
	next := sort.Search(len(s.edges), func(i int) bool { return s.edges[i].After(t) })
	if next > 0 {
		turn.From = s.edges[next-1]
	}
	if next < len(s.edges) {
		turn.Until = s.edges[next]
	}
	for _, x := range s.by {
		if x.From.After(t) {
			break
		}
		if (x.Until.IsZero() || t.Before(x.Until)) && !slices.Contains(turn.Who, x.Who) {
			turn.Who = append(turn.Who, x.Who)
		}
	}
	return turn
}
