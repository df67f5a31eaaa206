package feed

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"telgate/directory/rota"
)

// event is one VEVENT.
type event struct {
	uid, summary string
	begin        time.Time     // in the zone it is written in
	days         int           // how long it lasts: days,
	clocks       time.Duration // and hours as clocks show them,
	exact        bool          // or as they pass
	rule         string        // RRULE, "" = none
	also, except []time.Time   // RDATE, EXDATE
	instance     time.Time     // RECURRENCE-ID: it stands for this occurrence of the event with its UID
	cancelled    bool
	attendees    []string // e-mail addresses and names, of those who did not decline
}

// end is when an occurrence ends. With a DTEND it ends at the hour that clocks show there, although RFC 5545 (3.8.5.3) counts
// seconds: a rota's hand-over does not move when clocks are changed, and calendars show it so.
func (e *event) end(begin time.Time) time.Time {
	if e.exact {
		return begin.AddDate(0, 0, e.days).Add(e.clocks)
	}
	minutes := begin.Hour()*60 + begin.Minute() + int(e.clocks/time.Minute)
	return rota.Wall(rota.DateOf(begin).Plus(e.days), rota.Clock(minutes), begin.Location())
}

func summary(v *ics.VEvent) string { return value(v, ics.ComponentPropertySummary) }

func value(v *ics.VEvent, name ics.ComponentProperty) string {
	if p := v.GetProperty(name); p != nil {
		return strings.TrimSpace(p.Value)
	}
	return ""
}

func readEvent(v *ics.VEvent, zones *zones) (*event, error) {
	e := &event{
		uid: value(v, ics.ComponentPropertyUniqueId), summary: summary(v), rule: value(v, ics.ComponentPropertyRrule),
		cancelled: strings.EqualFold(value(v, ics.ComponentPropertyStatus), "CANCELLED"),
	}
	start := v.GetProperty(ics.ComponentPropertyDtStart)
	if start == nil {
		return nil, errors.New("has no DTSTART")
	}
	begins, err := zones.times(&start.BaseProperty)
	if err != nil {
		return nil, fmt.Errorf("DTSTART: %w", err)
	}
	e.begin = begins[0]
	if !e.cancelled { // Google writes no end then
		if err := e.lasts(v, start, zones); err != nil {
			return nil, err
		}
	}
	for i := range v.Properties {
		p := &v.Properties[i].BaseProperty
		switch strings.ToUpper(p.IANAToken) {
		case "RDATE", "EXDATE", "RECURRENCE-ID":
			times, err := zones.times(p)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.IANAToken, err)
			}
			switch strings.ToUpper(p.IANAToken) {
			case "RDATE":
				e.also = append(e.also, times...)
			case "EXDATE":
				e.except = append(e.except, times...)
			default:
				e.instance = times[0]
			}
		case "ATTENDEE":
			e.attends(p)
		}
	}
	return e, nil
}

func (e *event) attends(p *ics.BaseProperty) {
	for _, s := range p.ICalParameters["PARTSTAT"] {
		if strings.EqualFold(s, "DECLINED") {
			return
		}
	}
	address := p.Value
	if i := strings.IndexByte(address, ':'); i >= 0 && strings.EqualFold(address[:i], "mailto") {
		address = address[i+1:]
	}
	e.attendees = append(e.attendees, address)
	for _, name := range p.ICalParameters["CN"] {
		e.attendees = append(e.attendees, strings.Trim(name, `"`))
	}
}

// lasts reads how long the event lasts: DTEND, DURATION, or a day where only a date is given.
func (e *event) lasts(v *ics.VEvent, start *ics.IANAProperty, zones *zones) error {
	if p := v.GetProperty(ics.ComponentPropertyDtEnd); p != nil {
		ends, err := zones.times(&p.BaseProperty)
		if err != nil {
			return fmt.Errorf("DTEND: %w", err)
		}
		end := ends[0].In(e.begin.Location())
		if !e.begin.Before(end) {
			return errors.New("ends before it begins")
		}
		e.days = rota.DateOf(end).Since(rota.DateOf(e.begin))
		e.clocks = time.Duration(end.Hour()*60+end.Minute()-e.begin.Hour()*60-e.begin.Minute()) * time.Minute
		return nil
	}
	if p := value(v, ics.ComponentPropertyDuration); p != "" {
		var err error
		e.days, e.clocks, err = readDuration(p)
		e.exact = true
		return err
	}
	if len(start.Value) == len("20060102") {
		e.days = 1
		return nil
	}
	return errors.New("has neither DTEND nor DURATION")
}

// readDuration reads what RFC 5545 (3.3.6) calls a duration: "P1W", "P1DT12H".
func readDuration(s string) (days int, clocks time.Duration, err error) {
	m := regexp.MustCompile(`^\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?$`).FindStringSubmatch(strings.ToUpper(s))
	if m == nil {
		return 0, 0, errors.New("DURATION cannot be read")
	}
	n := func(i int) int { v, _ := strconv.Atoi("0" + m[i]); return v }
	days = n(1)*7 + n(2)
	clocks = time.Duration(n(3))*time.Hour + time.Duration(n(4))*time.Minute + time.Duration(n(5))*time.Second
	if days == 0 && clocks == 0 {
		return 0, 0, errors.New("lasts no time")
	}
	return days, clocks, nil
}
