package rota

import (
	"fmt"
	"strings"
	"time"
)

// Window is a time of some days of the week: "Mon-Fri 09:00-17:00". One that ends at or before its begin ends the next day.
type Window struct {
	Days       [7]bool // by time.Weekday: on which it begins
	Begin, End Clock
}

// ParseWindow reads "Mon-Fri 09:00-17:00", "Sat,Sun 10:00-22:00" and "22:00-06:00" (every day).
func ParseWindow(s string) (Window, error) {
	wrong := fmt.Errorf("%q is not a time such as \"Mon-Fri 09:00-17:00\"", s)
	fields := strings.Fields(s)
	var w Window
	switch len(fields) {
	case 1:
		w.Days = [7]bool{true, true, true, true, true, true, true}
	case 2:
		for part := range strings.SplitSeq(fields[0], ",") {
			first, last, ranged := strings.Cut(part, "-")
			if !ranged {
				last = first
			}
			a, ok1 := ParseWeekday(first)
			b, ok2 := ParseWeekday(last)
			if !ok1 || !ok2 {
				return Window{}, wrong
			}
			for ; ; a = (a + 1) % 7 {
				w.Days[a] = true
				if a == b {
					break
				}
			}
		}
	default:
		return Window{}, wrong
	}
	begin, end, _ := strings.Cut(fields[len(fields)-1], "-")
	var err1, err2 error
	w.Begin, err1 = ParseClock(begin)
	w.End, err2 = ParseClock(end)
	if err1 != nil || err2 != nil || w.Begin == 24*60 {
		return Window{}, wrong
	}
	return w, nil
}

// ParseWeekday reads an English weekday, "Mon" or "Monday", in any case.
func ParseWeekday(s string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := d.String(); strings.EqualFold(s, name) || strings.EqualFold(s, name[:3]) {
			return d, true
		}
	}
	return 0, false
}

// on is the window that begins on a date.
func (w Window) on(d Date, zone *time.Location) (from, until time.Time) {
	last := d
	if w.End <= w.Begin {
		last = d.Plus(1)
	}
	return Wall(d, w.Begin, zone), Wall(last, w.End, zone)
}

// during tells whether a moment is in one of the windows, and between which moments that is so.
func during(windows []Window, t time.Time, zone *time.Location) (open bool, from, until time.Time) {
	today := DateOf(t.In(zone))
	for day := -2; day <= 8; day++ { // from windows that began before, to those of the same weekday next week
		for _, w := range windows {
			d := today.Plus(day)
			begin, end := w.on(d, zone)
			if !w.Days[d.Weekday()] || !begin.Before(end) {
				continue
			}
			switch {
			case !begin.After(t) && t.Before(end):
				if !open || end.After(until) {
					from, until = begin, end
				}
				open = true
			case open:
				if !begin.After(until) && end.After(until) {
					until = end // it goes on without a pause
				}
			case !end.After(t):
				if end.After(from) {
					from = end
				}
			case until.IsZero() || begin.Before(until):
				until = begin
			}
		}
	}
	return open, from, until
}
