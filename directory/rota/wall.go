package rota

import (
	"fmt"
	"time"
)

// Clock is a time of day in minutes after midnight, 0 to 1439; as the end of a day, 1440.
type Clock int

// ParseClock reads "09:00"; "24:00" is the end of the day.
func ParseClock(s string) (Clock, error) {
	if s == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time such as \"09:00\"", s)
	}
	return Clock(t.Hour()*60 + t.Minute()), nil
}

// String is the clock as people write it.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// Date is a day of the calendar. Days beyond a month's end are days of the next one, as in [time.Date].
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the date at a moment, where it is.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// Plus is so many days later.
func (d Date) Plus(days int) Date { return DateOf(d.midnight().AddDate(0, 0, days)) }

// Since is how many days there are from another date to this one.
func (d Date) Since(other Date) int {
	return int(d.midnight().Sub(other.midnight()) / (24 * time.Hour)) // days of UTC all have 24 hours
}

// Weekday is the date's.
func (d Date) Weekday() time.Weekday { return d.midnight().Weekday() }

func (d Date) midnight() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Wall is the moment at which clocks in a zone show this time. A time that comes twice, when clocks are set back, is the
// first of the two; one that never comes, when they are set forward, is read as if they had not been yet (RFC 5545 3.3.5:
// 02:30 becomes 03:30). Unlike with [time.Date], both are the same everywhere and with every version.
func Wall(d Date, c Clock, zone *time.Location) time.Time {
	return wall(time.Date(d.Year, d.Month, d.Day, 0, int(c), 0, 0, time.UTC), zone)
}

// wall reads the fields of a time in UTC as what clocks show in a zone.
func wall(shown time.Time, zone *time.Location) time.Time {
	const day = 24 * time.Hour // no zone changes twice in two days
	before := shown.Add(-offset(shown.Add(-day), zone))
	after := shown.Add(-offset(shown.Add(day), zone))
	if after.Before(before) { // clocks were set forward
		if shows(after, zone).Equal(shown) && !shows(before, zone).Equal(shown) {
			return after.In(zone)
		}
		return before.In(zone)
	}
	if !shows(before, zone).Equal(shown) { // set back, and long since
		return after.In(zone)
	}
	return before.In(zone)
}

func offset(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// shows is what clocks in a zone show, as fields of a time in UTC.
func shows(t time.Time, zone *time.Location) time.Time { return t.Add(offset(t, zone)).UTC() }
