package feed

import (
	_ "embed" // windows_zones.tsv
	"errors"
	"fmt"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"telgate/directory/rota"
)

// windowsZones are the names of Windows for time zones, which Outlook and Exchange write, with the zones of IANA: one a line.
// They are those of Unicode's CLDR, territory 001.
//
//go:embed windows_zones.tsv
var windowsZones string

// zones reads the times of one calendar.
type zones struct {
	local *time.Location            // of times without a zone, and of days
	own   map[string]*time.Location // that the calendar explains itself, by TZID
	known map[string]*time.Location // that were found before
}

// newZones takes the calendar's own zone (X-WR-TIMEZONE, as Google writes it) for times without one, if it has any.
func newZones(c *ics.Calendar, local *time.Location) *zones {
	z := &zones{local: local, own: map[string]*time.Location{}, known: map[string]*time.Location{}}
	for _, p := range c.CalendarProperties {
		if strings.EqualFold(p.IANAToken, "X-WR-TIMEZONE") {
			if named, err := z.named(p.Value); err == nil {
				z.local = named
			}
		}
	}
	for _, component := range c.Components {
		if t, ok := component.(*ics.VTimezone); ok {
			if id, zone, ok := explained(t); ok {
				z.own[id] = zone
			}
		}
	}
	return z
}

// explained is the zone of a VTIMEZONE that names one of IANA's, or that never changes its clocks. One that does, under a
// name of its own, has rules we do not follow.
func explained(t *ics.VTimezone) (id string, zone *time.Location, ok bool) {
	name := ""
	for _, p := range t.Properties {
		switch strings.ToUpper(p.IANAToken) {
		case "TZID":
			id = p.Value
		case "X-LIC-LOCATION":
			name = p.Value
		}
	}
	if zone, err := load(name); err == nil {
		return id, zone, true
	}
	offsets := map[string]bool{}
	for _, c := range t.Components {
		for _, p := range c.UnknownPropertiesIANAProperties() {
			if strings.EqualFold(p.IANAToken, "TZOFFSETTO") {
				offsets[p.Value] = true
			}
		}
	}
	if len(offsets) != 1 {
		return id, nil, false
	}
	for o := range offsets {
		at, err := time.Parse("-0700", o)
		if err != nil {
			return id, nil, false
		}
		_, seconds := at.Zone()
		zone = time.FixedZone(id, seconds)
	}
	return id, zone, true
}

// load is a zone of IANA, and never the machine's own.
func load(name string) (*time.Location, error) {
	if name == "" || strings.EqualFold(name, "local") {
		return nil, errors.New("no zone")
	}
	return time.LoadLocation(name)
}

// named finds a zone by its TZID: a name of IANA, of Windows, one behind a vendor's prefix
// ("/freeassociation.sourceforge.net/Europe/Berlin"), or one that the calendar explains.
func (z *zones) named(id string) (*time.Location, error) {
	id = strings.Trim(strings.TrimSpace(id), `"`)
	if zone, ok := z.known[id]; ok {
		return zone, nil
	}
	zone, err := z.find(id)
	if err == nil {
		z.known[id] = zone
	}
	return zone, err
}

func (z *zones) find(id string) (*time.Location, error) {
	if zone, err := load(id); err == nil {
		return zone, nil
	}
	for line := range strings.Lines(windowsZones) {
		if windows, iana, _ := strings.Cut(strings.TrimSpace(line), "\t"); strings.EqualFold(windows, id) {
			return load(iana)
		}
	}
	if zone, ok := z.own[id]; ok {
		return zone, nil
	}
	if parts := strings.Split(id, "/"); len(parts) > 2 {
		for _, n := range []int{2, 3} {
			if zone, err := load(strings.Join(parts[len(parts)-n:], "/")); err == nil {
				return zone, nil
			}
		}
	}
	return nil, fmt.Errorf("the time zone %q is not known", shown(id))
}

// times reads a property's times, one or several; none is an error.
func (z *zones) times(p *ics.BaseProperty) ([]time.Time, error) {
	zone := z.local
	for _, id := range p.ICalParameters["TZID"] {
		var err error
		if zone, err = z.named(id); err != nil {
			return nil, err
		}
	}
	var times []time.Time
	for s := range strings.SplitSeq(p.Value, ",") {
		s, _, _ = strings.Cut(strings.TrimSpace(s), "/") // of a PERIOD its begin
		t, err := oneTime(s, zone)
		if err != nil {
			return nil, err
		}
		times = append(times, t)
	}
	return times, nil
}

// oneTime reads a date, a time of UTC, or one that clocks in the zone show (RFC 5545 3.3.4 and 3.3.5).
func oneTime(s string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse("20060102T150405Z", s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"20060102T150405", "20060102T1504", "20060102"} {
		if t, err := time.Parse(layout, s); err == nil {
			return rota.Wall(rota.DateOf(t), rota.Clock(t.Hour()*60+t.Minute()), zone), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time", shown(s))
}
