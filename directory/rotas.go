package directory

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"telgate"
	"telgate/directory/rota"
)

// Rota is one rota as configured. It has either People, who take turns, or a Source of shifts.
type Rota struct {
	Nick     string
	Prompt   string
	People   []string // words, in the order of their turns
	Every    string   // the length of a turn: "day", "week", "2 weeks", "10 days"; "" = a week
	HandOver string   // "09:00", "Mon 09:00"; "" = 09:00
	TimeZone string
	Begins   string   // the day of the first hand-over, "2026-01-05"
	Only     []string // when there is somebody on call at all: "Mon-Fri 09:00-17:00"
	Fallback []string // words: who is called when nobody has a turn
	Source   Source
}

// plan makes a rota's turns.
func (d *Directory) plan(r *roster, cfg *Rota) []telgate.Fault {
	path := "rotas." + cfg.Nick
	var faults []telgate.Fault
	fault := func(key, format string, args ...any) {
		faults = append(faults, telgate.Fault{Path: path + "." + key, Message: fmt.Sprintf(format, args...)})
	}
	var f []telgate.Fault
	r.members, f = d.known(path+".fallback", cfg.Fallback)
	faults = append(faults, f...)
	r.zone = time.UTC
	if zone, err := time.LoadLocation(cfg.TimeZone); cfg.TimeZone == "" || strings.EqualFold(cfg.TimeZone, "local") || err != nil {
		fault("time_zone", "a rota needs the time zone of its hand-overs, such as \"Europe/Berlin\"")
	} else {
		r.zone = zone
	}
	if cfg.Source.Address != "" {
		for key, given := range map[string]bool{
			"people": len(cfg.People) > 0, "every": cfg.Every != "", "hand_over": cfg.HandOver != "", "begins": cfg.Begins != "", "only": len(cfg.Only) > 0,
		} {
			if given {
				fault(key, "is there beside source, which says whose turn it is; use one of the two")
			}
		}
		slices.SortFunc(faults, func(a, b telgate.Fault) int { return strings.Compare(a.Path, b.Path) })
		return append(faults, d.feed(r, path, cfg.Source)...)
	}
	if len(cfg.People) == 0 {
		fault("people", "a rota needs people, or source = \"…\" of shifts")
		return faults
	}
	r.people, f = d.taking(path+".people", cfg.People)
	faults = append(faults, f...)
	turns, f := cfg.rotation(path, r.zone)
	for _, e := range r.people {
		turns.People = append(turns.People, d.title(e))
	}
	r.turns, r.partial = turns, len(turns.Only) > 0
	return append(faults, f...)
}

// taking are who takes turns; somebody may have several.
func (d *Directory) taking(path string, words []string) ([]entry, []telgate.Fault) {
	var all []entry
	var faults []telgate.Fault
	for i, w := range words {
		e, f := d.known(path, []string{w})
		for j := range f {
			f[j].Path = fmt.Sprintf("%s[%d]", path, i)
		}
		all, faults = append(all, e...), append(faults, f...)
	}
	return all, faults
}

// rotation reads the times of a rota.
func (cfg *Rota) rotation(path string, zone *time.Location) (*rota.Rotation, []telgate.Fault) {
	r := &rota.Rotation{Days: 7, Zone: zone}
	var faults []telgate.Fault
	fault := func(key, format string, args ...any) {
		faults = append(faults, telgate.Fault{Path: path + "." + key, Message: fmt.Sprintf(format, args...)})
	}
	every, handOver := cmp.Or(cfg.Every, "week"), cmp.Or(cfg.HandOver, "09:00")
	var err error
	if r.Days, err = parseEvery(every); err != nil {
		fault("every", "%v", err)
	}
	day, clock, hasDay := strings.Cut(handOver, " ")
	if !hasDay {
		day, clock = "", handOver
	}
	if r.HandOver, err = rota.ParseClock(clock); err != nil || r.HandOver == 24*60 {
		fault("hand_over", "%q is not a time such as \"09:00\" or \"Mon 09:00\"", handOver)
	}
	weekday, known := rota.ParseWeekday(day)
	if hasDay && !known {
		fault("hand_over", "%q is not a weekday such as \"Mon\"", day)
	}
	begins, err := time.Parse(time.DateOnly, cfg.Begins)
	switch {
	case err != nil:
		fault("begins", "%q is not the day of the first hand-over, such as \"2026-01-05\"", cfg.Begins)
	case hasDay && known && r.Days%7 != 0:
		fault("hand_over", "names a weekday, but a turn is no whole number of weeks (every)")
	case hasDay && known && begins.Weekday() != weekday:
		fault("begins", "%s is a %s, and hand_over is on %s", cfg.Begins, begins.Weekday(), weekday)
	}
	r.Begins = rota.DateOf(begins)
	for i, s := range cfg.Only {
		w, err := rota.ParseWindow(s)
		if err != nil {
			fault(fmt.Sprintf("only[%d]", i), "%v", err)
		}
		r.Only = append(r.Only, w)
	}
	return r, faults
}

// longestTurn is in days.
const longestTurn = 366

// parseEvery reads the length of a turn, in days.
func parseEvery(s string) (int, error) {
	n, unit := 1, s
	if number, rest, ok := strings.Cut(s, " "); ok {
		var err error
		if n, err = strconv.Atoi(number); err != nil {
			n = 0
		}
		unit = strings.TrimSuffix(rest, "s")
	}
	switch unit {
	case "week":
		n *= 7
	case "day":
	default:
		n = 0
	}
	if n < 1 || n > longestTurn {
		return 7, fmt.Errorf("%q is not the length of a turn, such as \"day\", \"week\" or \"2 weeks\"", s)
	}
	return n, nil
}

// turnOf is who is called for a rota at a moment, covers and fallback considered, and until when that is so. inside are the
// rosters that are being expanded.
func (d *Directory) turnOf(r *roster, t time.Time, inside []int) (people []int, turn telgate.OnCall) {
	base := r.turn(t)
	turn = telgate.OnCall{Rota: r.nick, TimeZone: r.zone.String(), Until: base.Until}
	for _, e := range d.entries(base.Who) {
		people = d.within(people, e, t, inside)
	}
	people = d.covered(r, people, t, &turn)
	if len(people) == 0 {
		for _, e := range r.members {
			people = d.within(people, e, t, inside)
		}
		turn.Fallback = len(people) > 0
	}
	return people, turn
}

// farAhead is how far the next turn is looked for.
const farAhead = 62 * 24 * time.Hour

// OnCall is how every rota stands now.
func (d *Directory) OnCall() []telgate.OnCall {
	var all []telgate.OnCall
	for i, r := range d.rosters {
		if r.kind == "rota" {
			all = append(all, d.onCall(i, r))
		}
	}
	return all
}

// onCall looks ahead to where somebody else is called. Where the same people go on farther than it looks, Until is zero.
func (d *Directory) onCall(i int, r *roster) telgate.OnCall {
	now := d.env.Now()
	people, turn := d.turnOf(r, now, []int{i})
	turn.People = d.persons(people)
	at, changed := turn.Until, false
	for n := 0; !at.IsZero() && at.Before(now.Add(farAhead)) && n < 500; n++ {
		next, then := d.turnOf(r, at, []int{i})
		if !changed && (!slices.Equal(next, people) || then.Fallback != turn.Fallback) {
			turn.Until, changed = at, true
		}
		if changed && len(next) > 0 && !then.Fallback {
			turn.Next = d.persons(next)
			return turn
		}
		at = then.Until
	}
	if !changed && !at.Equal(turn.Until) {
		turn.Until = time.Time{}
	}
	return turn
}

func (d *Directory) persons(indices []int) []telgate.Person {
	var all []telgate.Person
	for _, i := range indices {
		all = append(all, d.people[i])
	}
	return all
}

// RotaFaults are the gaps and overlaps of all rotas from now until then. Hours in which a rota has nobody by intent (Only)
// are no gaps.
func (d *Directory) RotaFaults(until time.Time) []telgate.RotaFault {
	var all []telgate.RotaFault
	for _, r := range d.rosters {
		if r.kind != "rota" {
			continue
		}
		for _, p := range rota.Problems(r.rota(), d.env.Now(), until) {
			if !p.Gap || !r.partial {
				all = append(all, telgate.RotaFault{Rota: r.nick, People: p.Who, From: p.From.In(r.zone), Until: p.Until.In(r.zone)})
			}
		}
	}
	return all
}
