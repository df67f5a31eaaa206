package rota

import "time"

// Rotation is people who take turns of the same length. Before the first hand-over nobody is on call.
type Rotation struct {
	People   []string // in the order of their turns; the first begins
	Days     int      // the length of a turn, 1 or more
	HandOver Clock
	Begins   Date // the day of the first hand-over
	Zone     *time.Location
	Only     []Window // when somebody is on call at all; none = always
}

// At is the turn at a moment.
func (r *Rotation) At(t time.Time) Turn {
	turn := r.turn(t)
	if len(r.Only) == 0 || len(turn.Who) == 0 {
		return turn
	}
	open, from, until := during(r.Only, t, r.Zone)
	if !open {
		turn.Who = nil
	}
	if from.After(turn.From) {
		turn.From = from
	}
	return turn.Within(until)
}

// turn is the turn without windows.
func (r *Rotation) turn(t time.Time) Turn {
	first := r.handOver(0)
	if t.Before(first) || len(r.People) == 0 {
		return Turn{Until: first}
	}
	n := max(0, DateOf(t.In(r.Zone)).Since(r.Begins)/r.Days) // at most one off: a date may begin a turn, and be before its hour
	for n > 0 && t.Before(r.handOver(n)) {
		n--
	}
	for !t.Before(r.handOver(n + 1)) {
		n++
	}
	return Turn{Who: []string{r.People[n%len(r.People)]}, From: r.handOver(n), Until: r.handOver(n + 1)}
}

// handOver is when turn n begins.
func (r *Rotation) handOver(n int) time.Time {
	return Wall(r.Begins.Plus(n*r.Days), r.HandOver, r.Zone)
}
