package feed

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/teambition/rrule-go"

	"telgate/directory/rota"
)

// calendar reads an iCalendar (RFC 5545): each event is the time on call of whom its summary names, else of its attendees.
func (g *gathering) calendar(text string) error {
	if err := wellNested(text); err != nil {
		return err
	}
	parsed, err := ics.ParseCalendar(strings.NewReader(text))
	if err != nil {
		return fmt.Errorf("is no iCalendar: %w", plainly(err, text))
	}
	zones := newZones(parsed, g.zone)
	events := parsed.Events()
	if len(events) > most {
		return errMost
	}
	var read []*event
	for _, v := range events {
		e, err := readEvent(v, zones)
		if err != nil {
			g.note("event %q: %v", named(summary(v)), err)
			continue
		}
		read = append(read, e)
	}
	moved := map[string][]time.Time{} // by UID: occurrences that have an event of their own
	for _, e := range read {
		if !e.instance.IsZero() {
			moved[e.uid] = append(moved[e.uid], e.instance)
		}
	}
	began := g.env.Now()
	for _, e := range read {
		if g.env.Now().Sub(began) > patience {
			return fmt.Errorf("takes more than %s to lay out", patience)
		}
		if err := g.event(e, moved); err != nil {
			return err
		}
	}
	return nil
}

// patience bounds what laying out a calendar's rules may cost.
const patience = 5 * time.Second

// deepest is how deep a calendar's components are nested at most: calendar, event, alarm.
const deepest = 8

// wellNested refuses what the parser would follow too deep.
func wellNested(text string) error {
	if !strings.HasPrefix(strings.ToUpper(strings.TrimSpace(text[:min(len(text), 200)])), "BEGIN:VCALENDAR") {
		return fmt.Errorf("is no iCalendar: %w", plainly(errors.New("it does not begin with BEGIN:VCALENDAR"), text))
	}
	depth := 0
	for line := range strings.Lines(text) {
		switch head := strings.ToUpper(line[:min(len(line), 6)]); {
		case strings.HasPrefix(head, "BEGIN:"):
			if depth++; depth > deepest {
				return errors.New("is no iCalendar: it is nested too deep")
			}
		case strings.HasPrefix(head, "END:"):
			depth--
		}
	}
	if depth > 0 {
		return errors.New("is cut off: its last END is missing")
	}
	return nil
}

// event adds the shifts of one event.
func (g *gathering) event(e *event, moved map[string][]time.Time) error {
	if e.cancelled {
		return nil
	}
	who := g.whom(e)
	if len(who) == 0 {
		g.note("event %q names nobody we know", named(e.summary))
		return nil
	}
	g.c.Entries++
	begins, err := g.occurrences(e)
	if err != nil {
		g.note("event %q: %v", named(e.summary), err)
		return nil
	}
	for _, begin := range begins {
		if e.instance.IsZero() && contains(moved[e.uid], begin) || contains(e.except, begin) {
			continue
		}
		for _, nick := range who {
			if err := g.add(nick, begin, e.end(begin)); err != nil {
				return err
			}
		}
	}
	return nil
}

func contains(times []time.Time, t time.Time) bool {
	return slices.ContainsFunc(times, t.Equal)
}

// occurrences are the begins of an event in the time that is looked at.
func (g *gathering) occurrences(e *event) ([]time.Time, error) {
	begins := append([]time.Time{e.begin}, e.also...)
	if e.rule == "" || !e.instance.IsZero() {
		return begins, nil
	}
	option, err := rrule.StrToROptionInLocation(e.rule, e.begin.Location())
	if err != nil {
		return nil, fmt.Errorf("its RRULE cannot be read: %w", err)
	}
	if option.Freq > rrule.DAILY || len(option.Byhour)*len(option.Byminute)*len(option.Bysecond) > 24 || option.Interval > 1000 {
		return nil, errors.New("its RRULE repeats it more often than we follow")
	}
	option.Dtstart = e.begin
	last := g.now.Add(lookAhead)
	if option.Until.IsZero() || option.Until.After(last) {
		option.Until = last
	}
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		return nil, fmt.Errorf("its RRULE cannot be read: %w", err)
	}
	first := g.now.Add(-lookBack).Add(-e.end(e.begin).Sub(e.begin))
	next := rule.Iterator()
	begins = slices.DeleteFunc(begins, func(t time.Time) bool { return t.Equal(e.begin) }) // the rule has it
	for range 10 * most {
		begin, ok := next()
		if !ok {
			break
		}
		if begin = rota.Wall(rota.DateOf(begin), rota.Clock(begin.Hour()*60+begin.Minute()), e.begin.Location()); begin.Before(first) {
			continue
		}
		begins = append(begins, begin)
	}
	return begins, nil
}

// whom is whom an event is about.
func (g *gathering) whom(e *event) []string {
	if who := g.people(e.summary); len(who) > 0 {
		return who
	}
	var who []string
	for _, a := range e.attendees {
		who = g.also(who, a)
	}
	return who
}

// people finds the people a summary names: "alice", "Alice Example", "[L1] alice, bob", "On Call - Alice Example - Primary".
func (g *gathering) people(summary string) []string {
	if who := g.also(nil, summary); len(who) > 0 {
		return who
	}
	var who []string
	for part := range strings.FieldsFuncSeq(strings.NewReplacer(" - ", "|", " – ", "|", " — ", "|", " and ", "|").Replace(summary), func(r rune) bool {
		return strings.ContainsRune("|,;:/&+()[]<>、，；：（）［］【】", r)
	}) {
		who = g.also(who, part)
	}
	return who
}

// also adds somebody, if the word is a person's.
func (g *gathering) also(who []string, word string) []string {
	found, ok := g.env.Find(unphrased(word))
	if ok && found.Person && !slices.Contains(who, found.Title) {
		who = append(who, found.Title)
	}
	return who
}

// unphrased takes away what calendars write around a name.
func unphrased(word string) string {
	word = strings.TrimSpace(word)
	for _, phrase := range []string{"on call", "on-call", "oncall", "オンコール", "当番"} {
		if n := len(phrase); len(word) > n && strings.EqualFold(word[:n], phrase) {
			word = strings.TrimSpace(word[n:])
		}
		if n := len(word) - len(phrase); n > 0 && strings.EqualFold(word[n:], phrase) {
			word = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(word[:n]), " is"))
		}
	}
	return word
}
