package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"telgate"
	"telgate/directory/feed"
	"telgate/directory/rota"
)

// roster is a list of people under one name: a group, or a rota, of which those are meant whose turn it is.
type roster struct {
	kind, nick, prompt string

	way     telgate.Way // of a group
	members []entry     // of a group; of a rota whom to call in a gap
	people  []entry     // of a rota: who takes turns
	turns   rota.Rota   // of a rota without a source
	partial bool        // turns have gaps by intent
	feed    *feed.Feed  // nil = none
	zone    *time.Location
}

// turn is who has a turn, before any cover.
func (r *roster) turn(t time.Time) rota.Turn { return r.rota().At(t) }

// rota is the turns of a rota, or the shifts of a group that is filled from a calendar.
func (r *roster) rota() rota.Rota {
	if r.feed != nil {
		return r.feed.State()
	}
	return r.turns
}

// direct are the entries that a roster names at a moment.
func (d *Directory) direct(r *roster, t time.Time) []entry {
	if r.kind == "rota" {
		return d.entries(r.turn(t).Who)
	}
	all := slices.Clone(r.members)
	if r.feed != nil {
		all = append(all, d.entries(r.turn(t).Who)...)
	}
	return all
}

// entries are the words that mean somebody; those of a source were found before.
func (d *Directory) entries(words []string) []entry {
	var all []entry
	for _, w := range words {
		if e, ok := d.lookup(w); ok {
			all = append(all, e)
		}
	}
	return all
}

// title is the nickname behind a word.
func (d *Directory) title(e entry) string {
	if e.person() {
		return d.people[e.index].Nick
	}
	return d.rosters[e.index].nick
}

// expand finds the people behind an entry at a moment, each once, in order; as indices.
func (d *Directory) expand(e entry, t time.Time) []int {
	return d.within(nil, e, t, nil)
}

// within appends to people. A roster that is met inside itself adds nobody: the configuration has no circles, but a source
// may make one.
func (d *Directory) within(people []int, e entry, t time.Time, inside []int) []int {
	if e.person() {
		if !slices.Contains(people, e.index) {
			people = append(people, e.index)
		}
		return people
	}
	if slices.Contains(inside, e.index) {
		return people
	}
	inside = append(slices.Clone(inside), e.index)
	r := d.rosters[e.index]
	if r.kind == "rota" {
		on, _ := d.turnOf(r, t, inside)
		for _, i := range on {
			people = d.within(people, entry{d.people[i].Nick, "person", i}, t, inside)
		}
		return people
	}
	for _, m := range d.direct(r, t) {
		people = d.within(people, m, t, inside)
	}
	return people
}

// nobody is the refusal for a roster that is empty now.
func (d *Directory) nobody(r *roster) error {
	refusal := &telgate.Refusal{Reason: telgate.RefusedNobodyOnCall, Subject: r.nick}
	if r.kind == "group" {
		refusal.Message = fmt.Sprintf("Nobody is in %s now. Name somebody.", r.nick)
		return refusal
	}
	refusal.Message = fmt.Sprintf("Nobody is on call in %s now. Name somebody.", r.nick)
	if until := r.turn(d.env.Now()).Until; !until.IsZero() {
		refusal.Message = fmt.Sprintf("Nobody is on call in %s until %s. Name somebody.", r.nick, until.In(r.zone).Format("Mon 2006-01-02 15:04 MST"))
	}
	return refusal
}

// known resolves the words of a list of the configuration, each once.
func (d *Directory) known(path string, words []string) ([]entry, []telgate.Fault) {
	var all []entry
	var faults []telgate.Fault
	for i, w := range words {
		at := fmt.Sprintf("%s[%d]", path, i)
		e, ok := d.words[fold(w)]
		switch {
		case !ok:
			f := telgate.Fault{Path: at, Message: fmt.Sprintf("nobody is called %q", telgate.Masked(w))}
			if near := d.suggest(w); len(near) > 0 {
				f.Nearest = near[0]
			}
			faults = append(faults, f)
		case slices.ContainsFunc(all, func(x entry) bool { return x.person() == e.person() && x.index == e.index }):
			faults = append(faults, telgate.Fault{Path: at, Message: fmt.Sprintf("%s is a member already", d.title(e))})
		default:
			all = append(all, e)
		}
	}
	return all, faults
}

// fill takes a group's members.
func (d *Directory) fill(r *roster, g *Group) []telgate.Fault {
	path := "groups." + g.Nick
	members, faults := d.known(path+".members", g.Members)
	r.members, r.zone = members, time.UTC
	if len(g.Members) == 0 && g.Source.Address == "" {
		faults = append(faults, telgate.Fault{Path: path + ".members", Message: "a group needs members, or source = \"…\" of them"})
	}
	return append(faults, d.feed(r, path, g.Source)...)
}

// circles finds groups and rotas that contain themselves.
func (d *Directory) circles() []telgate.Fault {
	var faults []telgate.Fault
	done := make(map[int]bool)
	var path []int
	var visit func(i int)
	visit = func(i int) {
		if at := slices.Index(path, i); at >= 0 {
			faults = append(faults, d.circle(path[at:]))
			return
		}
		if done[i] {
			return
		}
		path = append(path, i)
		for _, e := range slices.Concat(d.rosters[i].members, d.rosters[i].people) {
			if !e.person() {
				visit(e.index)
			}
		}
		path, done[i] = path[:len(path)-1], true
	}
	for i := range d.rosters {
		visit(i)
	}
	return faults
}

func (d *Directory) circle(path []int) telgate.Fault {
	var names []string
	for _, i := range path {
		names = append(names, d.rosters[i].nick)
	}
	first := d.rosters[path[0]]
	return telgate.Fault{
		Path: first.kind + "s." + first.nick, Message: "contains itself: " + strings.Join(append(names, first.nick), " → "),
	}
}
