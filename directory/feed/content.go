package feed

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"telgate"
	"telgate/directory/rota"
)

// Content is what a source says, as far as it is about people we know.
type Content struct {
	Always  []string // named without a time, in order
	Entries int      // how many entries name somebody we know, whenever that is
	Notes   []string // what could not be used, one sentence each

	shifts *rota.Shifts // nil = none
}

// Shifts is how many shifts there are in the time that is looked at.
func (c Content) Shifts() int {
	if c.shifts == nil {
		return 0
	}
	return c.shifts.Len()
}

// How far a calendar's repeated events are laid out. They are again with every refresh, whether it succeeds or not.
const (
	lookBack  = 8 * 24 * time.Hour
	lookAhead = 100 * 24 * time.Hour
)

// most is how many entries and shifts a source may have.
const most = 20_000

var errMost = fmt.Errorf("has more than %d entries", most)

// gathering is content as it is read.
type gathering struct {
	env    Env
	zone   *time.Location
	now    time.Time
	all    []rota.Shift
	c      Content
	strays int // notes that were not kept
}

// decode reads what a source said. The libraries behind it read what others wrote: should one of them panic, that source
// has a problem, and no call.
func (f *Feed) decode(c copied) (content Content, err error) {
	defer func() {
		if p := recover(); p != nil {
			content, err = Content{}, fmt.Errorf("cannot be read: %v", p)
		}
	}()
	g := &gathering{env: f.env, zone: f.cfg.Zone, now: f.env.Now()}
	if g.zone == nil {
		g.zone = time.UTC
	}
	text := strings.TrimPrefix(string(c.Body), "\ufeff")
	switch f.cfg.Kind {
	case Calendar:
		err = g.calendar(text)
	case JSON:
		err = g.json(text)
	case CSV:
		err = g.csv(text)
	case TOML:
		err = g.folder(c.Body)
	default:
		err = fmt.Errorf("%q is not a kind of source", f.cfg.Kind)
	}
	if err != nil {
		return Content{}, err
	}
	return g.done(), nil
}

func (g *gathering) done() Content {
	if len(g.all) > 0 {
		g.c.shifts = rota.NewShifts(g.all)
	}
	if g.strays > 0 {
		g.c.Notes = append(g.c.Notes, fmt.Sprintf("and %d more", g.strays))
	}
	return g.c
}

// note keeps a sentence about what could not be used; of many, the first few.
func (g *gathering) note(format string, args ...any) {
	const few = 5
	if len(g.c.Notes) < few {
		g.c.Notes = append(g.c.Notes, fmt.Sprintf(format, args...))
	} else {
		g.strays++
	}
}

// person adds somebody without a time.
func (g *gathering) person(word string) error {
	if g.c.Entries++; g.c.Entries > most {
		return errMost
	}
	found, ok := g.env.Find(word)
	if !ok {
		g.c.Entries--
		g.note("%q names nobody we know", named(word))
		return nil
	}
	g.c.Always = append(g.c.Always, found.Title)
	return nil
}

// shift adds somebody's time.
func (g *gathering) shift(word, from, until string) error {
	begin, err := g.moment(from)
	if err != nil {
		return err
	}
	end, err := g.moment(until)
	if err != nil {
		return err
	}
	if !begin.Before(end) {
		g.note("%q's shift from %s ends before it begins", named(word), shown(from))
		return nil
	}
	found, ok := g.env.Find(word)
	if !ok {
		g.note("%q names nobody we know", named(word))
		return nil
	}
	g.c.Entries++
	return g.add(found.Title, begin, end)
}

// add keeps a shift if it is in the time that is looked at.
func (g *gathering) add(who string, from, until time.Time) error {
	if until.Before(g.now.Add(-lookBack)) || from.After(g.now.Add(lookAhead)) {
		return nil
	}
	if len(g.all) >= most {
		return errMost
	}
	g.all = append(g.all, rota.Shift{Who: who, From: from, Until: until})
	return nil
}

// moment reads a time: with an offset, or what clocks in the source's zone show.
func (g *gathering) moment(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return rota.Wall(rota.DateOf(t), rota.Clock(t.Hour()*60+t.Minute()), g.zone), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2026-11-25 09:00 or 2026-11-25T09:00:00+09:00", shown(s))
}

// errNobody is an entry without a name.
var errNobody = errors.New("an entry names nobody: it needs a nickname, alias, name or e-mail address as person")

// shown is a word of a source for a sentence.
func shown(word string) string {
	word = strings.Join(strings.Fields(word), " ")
	if r := []rune(word); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return word
}

// named is a word that should be a name, for a sentence; it may be somebody's number.
func named(word string) string { return telgate.Masked(shown(word)) }
