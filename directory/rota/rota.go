// Package rota says who is on call at a moment: people who take turns ([Rotation]), and shifts that somebody else planned
// ([Shifts]). Everything in it is a pure function of its values and the time it is asked about.
//
// Hand-overs happen at a wall-clock time of the rota's zone ([Wall]): "Monday 09:00" stays 09:00 when clocks change. People
// are words here; whom a word means is for package directory.
package rota

import (
	"slices"
	"time"
)

// Rota tells whose turn it is.
type Rota interface {
	// At is the turn at a moment. It lasts from Turn.From (included) to Turn.Until (excluded).
	At(t time.Time) Turn
}

// Turn is a time in which the same people are on call.
type Turn struct {
	Who   []string  // in the order they are called; nobody = a gap
	From  time.Time // zero: since ever
	Until time.Time // zero: for ever
}

// Within cuts the turn so that it does not last beyond a moment; the zero time cuts nothing.
func (t Turn) Within(until time.Time) Turn {
	if !until.IsZero() && (t.Until.IsZero() || until.Before(t.Until)) {
		t.Until = until
	}
	return t
}

// Problem is a time in which a rota has nobody, or several people where their shifts overlap.
type Problem struct {
	Turn

	Gap bool // false: an overlap
}

// longestLook bounds how many turns are looked at, so that a rota of minutes costs no more than one of weeks.
const longestLook = 2000

// Problems finds the gaps and overlaps of a rota between two moments, cut to them.
func Problems(r Rota, from, to time.Time) []Problem {
	var found []Problem
	for range longestLook {
		turn := r.At(from)
		if len(turn.Who) != 1 {
			p := Problem{Turn: turn.Within(to), Gap: len(turn.Who) == 0}
			p.From = from
			if last := len(found) - 1; last >= 0 && found[last].Until.Equal(from) && slices.Equal(found[last].Who, p.Who) {
				found[last].Until = p.Until
			} else {
				found = append(found, p)
			}
		}
		if turn.Until.IsZero() || !turn.Until.Before(to) {
			break
		}
		from = turn.Until
	}
	return found
}

// Next is the first turn after this one that somebody has; false if none begins before the limit.
func Next(r Rota, turn Turn, limit time.Time) (Turn, bool) {
	for range longestLook {
		if turn.Until.IsZero() || !turn.Until.Before(limit) {
			break
		}
		turn = r.At(turn.Until)
		if len(turn.Who) > 0 {
			return turn, true
		}
	}
	return Turn{}, false
}
