package rota

import (
	"fmt"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // zones, where the system brings none

	"pgregory.net/rapid"
)

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestAWallClockTimeIsTheSameMomentEverywhere(t *testing.T) {
	for _, c := range []struct{ zone, wall, want, why string }{
		{"Europe/Berlin", "2026-03-29 01:59", "2026-03-29T00:59:00Z", "before clocks go forward"},
		{"Europe/Berlin", "2026-03-29 02:30", "2026-03-29T01:30:00Z", "never comes: shown as 03:30"},
		{"Europe/Berlin", "2026-03-29 03:00", "2026-03-29T01:00:00Z", "after"},
		{"Europe/Berlin", "2026-10-25 02:30", "2026-10-25T00:30:00Z", "comes twice: the first"},
		{"Europe/Berlin", "2026-10-25 03:00", "2026-10-25T02:00:00Z", "after clocks went back"},
		{"America/New_York", "2026-03-08 02:00", "2026-03-08T07:00:00Z", "never comes"},
		{"America/New_York", "2026-11-01 01:59", "2026-11-01T05:59:00Z", "comes twice"},
		{"Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03T15:45:00Z", "half an hour that never comes"},
		{"Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04T14:45:00Z", "half an hour that comes twice"},
		{"Asia/Tokyo", "2028-02-29 09:00", "2028-02-29T00:00:00Z", "a leap day"},
		{"Pacific/Apia", "2011-12-29 23:30", "2011-12-30T09:30:00Z", "before a day that never came"},
		{"Pacific/Apia", "2011-12-31 09:00", "2011-12-30T19:00:00Z", "after it"},
		{"UTC", "2026-01-01 24:00", "2026-01-02T00:00:00Z", "the end of a day"},
	} {
		var d Date
		var hour, minute int
		if _, err := fmt.Sscanf(c.wall, "%d-%d-%d %d:%d", &d.Year, &d.Month, &d.Day, &hour, &minute); err != nil {
			t.Fatal(err)
		}
		if got := Wall(d, Clock(hour*60+minute), zone(t, c.zone)).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s is %s, want %s: %s", c.wall, c.zone, got, c.want, c.why)
		}
	}
}

func TestHandOversKeepTheirWallClockTimeAcrossDST(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	r := &Rotation{People: []string{"alice", "bob"}, Days: 7, HandOver: 9 * 60, Begins: Date{2026, time.March, 23}, Zone: berlin}
	turn := r.At(time.Date(2026, time.March, 30, 8, 59, 59, 0, berlin))
	if turn.Who[0] != "alice" || turn.Until.Sub(turn.From) != 7*24*time.Hour-time.Hour {
		t.Errorf("the week in which clocks go forward: %+v", turn)
	}
	if turn = r.At(turn.Until); turn.Who[0] != "bob" || turn.From.Format("15:04 MST") != "09:00 CEST" {
		t.Errorf("the week after it: %+v", turn)
	}
}

func TestNobodyIsOnCallBeforeTheFirstHandOver(t *testing.T) {
	r := &Rotation{People: []string{"alice"}, Days: 1, HandOver: 9 * 60, Begins: Date{2026, time.January, 5}, Zone: time.UTC}
	begins := time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)
	if turn := r.At(begins.Add(-time.Second)); len(turn.Who) != 0 || !turn.Until.Equal(begins) {
		t.Errorf("%+v", turn)
	}
	if turn := r.At(begins); len(turn.Who) != 1 {
		t.Errorf("%+v", turn)
	}
}

// aRotation is any rotation in one of the zones whose clocks are changed.
func aRotation(t *rapid.T) *Rotation {
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "America/St_Johns", "Pacific/Chatham"}
	return &Rotation{
		People: []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "people")], Days: rapid.SampledFrom([]int{1, 2, 7, 14}).Draw(t, "days"),
		HandOver: Clock(rapid.IntRange(0, 24*60-1).Draw(t, "hand-over")),
		Begins:   Date{rapid.IntRange(2020, 2028).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day")},
		Zone:     zone(t, rapid.SampledFrom(zones).Draw(t, "zone")),
	}
}

func aMoment(t *rapid.T) time.Time {
	from := time.Date(2019, time.January, 1, 0, 0, 0, 0, time.UTC)
	return from.Add(time.Duration(rapid.Int64Range(0, int64(12*366*24*time.Hour)).Draw(t, "moment")))
}

func TestEveryMomentIsInsideItsTurnAndTurnsFollowEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, at := aRotation(t), aMoment(t)
		turn := r.At(at)
		if !turn.From.IsZero() && at.Before(turn.From) || !at.Before(turn.Until) {
			t.Fatalf("%v is not in %+v", at, turn)
		}
		if len(turn.Who) == 0 {
			if !at.Before(Wall(r.Begins, r.HandOver, r.Zone)) {
				t.Fatalf("nobody at %v", at)
			}
			return
		}
		next := r.At(turn.Until)
		if !next.From.Equal(turn.Until) {
			t.Fatalf("%+v is followed by %+v", turn, next)
		}
		was, is := slices.Index(r.People, turn.Who[0]), slices.Index(r.People, next.Who[0])
		if is != (was+1)%len(r.People) {
			t.Fatalf("%s is followed by %s", turn.Who[0], next.Who[0])
		}
		if last := r.At(turn.Until.Add(-1)); last.Who[0] != turn.Who[0] {
			t.Fatalf("the last moment of a turn is %s's", last.Who[0])
		}
		if length := turn.Until.Sub(turn.From) - time.Duration(r.Days)*24*time.Hour; length > time.Hour || length < -time.Hour {
			t.Fatalf("a turn of %v", turn.Until.Sub(turn.From))
		}
	})
}

// TestATurnIsThatOfAReferenceThatCountsHandOvers compares with the slow way: from the first hand-over, one after another.
func TestATurnIsThatOfAReferenceThatCountsHandOvers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := aRotation(t)
		at := Wall(r.Begins, r.HandOver, r.Zone).Add(time.Duration(rapid.Int64Range(0, int64(800*24*time.Hour)).Draw(t, "after")))
		n := 0
		for !at.Before(Wall(r.Begins.Plus((n+1)*r.Days), r.HandOver, r.Zone)) {
			n++
		}
		if want := r.People[n%len(r.People)]; r.At(at).Who[0] != want {
			t.Fatalf("at %v %s, want %s", at, r.At(at).Who[0], want)
		}
	})
}

func TestAWallClockTimeThatExistsIsShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z, at := aRotation(t).Zone, aMoment(t).Truncate(time.Minute)
		local := at.In(z)
		got := Wall(DateOf(local), Clock(local.Hour()*60+local.Minute()), z)
		if got.Format("2006-01-02 15:04") != local.Format("2006-01-02 15:04") || got.After(at.Truncate(time.Minute)) {
			t.Fatalf("%v is read as %v", local, got)
		}
	})
}

func TestOutsideItsHoursARotaHasNobody(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	window := func(s string) Window {
		w, err := ParseWindow(s)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	r := &Rotation{
		People: []string{"alice", "bob"}, Days: 7, HandOver: 9 * 60, Begins: Date{2026, time.January, 5}, Zone: berlin,
		Only: []Window{window("Mon-Fri 08:00-18:00"), window("Fri 18:00-20:00"), window("Sat 22:00-06:00")},
	}
	for _, c := range []struct{ at, who, until string }{
		{"2026-11-23 07:59", "", "2026-11-23 08:00"},
		{"2026-11-23 08:00", "bob", "2026-11-23 09:00"}, // until Monday's hand-over
		{"2026-11-23 09:00", "alice", "2026-11-23 18:00"},
		{"2026-11-23 18:00", "", "2026-11-24 08:00"},
		{"2026-11-27 17:00", "alice", "2026-11-27 20:00"}, // two windows without a pause
		{"2026-11-28 12:00", "", "2026-11-28 22:00"},
		{"2026-11-29 05:59", "alice", "2026-11-29 06:00"},
		{"2026-11-29 06:00", "", "2026-11-30 08:00"},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, berlin)
		if err != nil {
			t.Fatal(err)
		}
		turn := r.At(at)
		if who := fmt.Sprint(turn.Who); who != "["+c.who+"]" || turn.Until.In(berlin).Format("2006-01-02 15:04") != c.until {
			t.Errorf("%s: %s until %v, want %s until %s", c.at, who, turn.Until, c.who, c.until)
		}
	}
}

func TestNightsAndWeekendsAreOneTimeFromFridayToMonday(t *testing.T) {
	r := &Rotation{People: []string{"alice"}, Days: 1, Begins: Date{2026, time.January, 5}, Zone: time.UTC}
	for _, s := range []string{"Mon-Fri 18:00-08:00", "Sat,Sun 08:00-08:00"} {
		w, err := ParseWindow(s)
		if err != nil {
			t.Fatal(err)
		}
		r.Only = append(r.Only, w)
	}
	friday := time.Date(2026, time.November, 27, 18, 0, 0, 0, time.UTC)
	for at, monday := friday, friday.Add(62*time.Hour); at.Before(monday); at = at.Add(time.Hour) {
		if open, from, until := during(r.Only, at, time.UTC); !open || from.After(at) || !until.Equal(monday) {
			t.Errorf("at %v from %v until %v", at, from, until)
		}
	}
}

func TestWindowsAreReadOrRefused(t *testing.T) {
	for _, s := range []string{"", "Mon", "Mon-Fri", "Mon 9-17", "Foo 09:00-17:00", "Mon-Fri 09:00-17:00 x", "24:00-25:00", "09:00"} {
		if w, err := ParseWindow(s); err == nil {
			t.Errorf("%q is %+v", s, w)
		}
	}
	w, err := ParseWindow("Sat-Mon,wed 22:00-24:00")
	if want := [7]bool{true, true, false, true, false, false, true}; err != nil || w.Days != want || w.End != 24*60 {
		t.Errorf("%+v, %v", w, err)
	}
}

func at(hour int) time.Time { return time.Date(2026, time.November, 24, hour, 0, 0, 0, time.UTC) }

func TestShiftsShowTheirGapsAndOverlaps(t *testing.T) {
	s := NewShifts([]Shift{
		{"bob", at(12), at(18)}, {"alice", at(6), at(13)}, {"carol", at(20), at(22)}, {"nobody", at(9), at(9)}, {"dave", at(22), time.Time{}},
	})
	for hour, want := range map[int]string{5: "[]", 6: "[alice]", 12: "[alice bob]", 13: "[bob]", 18: "[]", 20: "[carol]", 22: "[dave]", 90: "[dave]"} {
		if got := fmt.Sprint(s.At(at(hour)).Who); got != want {
			t.Errorf("at %d: %s, want %s", hour, got, want)
		}
	}
	var found []string
	for _, p := range Problems(s, at(7), at(21)) {
		found = append(found, fmt.Sprintf("%t %d-%d %v", p.Gap, p.From.Hour(), p.Until.Hour(), p.Who))
	}
	if want := []string{"false 12-13 [alice bob]", "true 18-20 []"}; !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	if next, ok := Next(s, s.At(at(14)), at(40)); !ok || next.Who[0] != "carol" {
		t.Errorf("next is %+v", next)
	}
	if next, ok := Next(NewShifts(nil), Turn{}, at(40)); ok {
		t.Errorf("next of none is %+v", next)
	}
}
