package feed

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // zones, where the system brings none

	"telgate/directory/rota"
)

// find knows four people by nickname, name and e-mail address, and a group.
func find(word string) (Found, bool) {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "alice", "アリス", "alice example", "alice@example.com":
		return Found{"alice", true}, true
	case "bob", "bob@example.com":
		return Found{"bob", true}, true
	case "carol":
		return Found{"carol", true}, true
	case "ops":
		return Found{"ops", false}, true
	}
	return Found{}, false
}

// reads decodes a text as a source of that kind would.
func reads(t *testing.T, kind Kind, text string, now time.Time) (Content, error) {
	t.Helper()
	f := &Feed{cfg: Config{Kind: kind, Zone: berlin(t)}, env: Env{Now: func() time.Time { return now }, Find: find, Log: slog.New(slog.DiscardHandler)}}
	return f.decode(copied{Body: []byte(text)})
}

func berlin(t interface{ Fatal(...any) }) *time.Location {
	z, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// timeline is who is on call from a moment on, a line for each change.
func timeline(c Content, from, to time.Time) string {
	var b strings.Builder
	for at := from; at.Before(to); {
		turn := c.At(at)
		fmt.Fprintf(&b, "%s %s\n", at.Format("Mon 2006-01-02 15:04 MST"), strings.Join(turn.Who, ", "))
		if turn.Until.IsZero() {
			break
		}
		at = turn.Until.In(from.Location())
	}
	return strings.TrimSpace(b.String())
}

func TestCalendarsAreReadAsTheirMakersWriteThem(t *testing.T) {
	from := time.Date(2026, time.March, 26, 0, 0, 0, 0, berlin(t))
	for name, days := range map[string]int{"google": 40, "outlook": 10, "pagerduty": 10, "grafana": 10} {
		b, err := os.ReadFile(filepath.Join("testdata", name+".ics"))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{string(b), strings.ReplaceAll(string(b), "\n", "\r\n"), "\ufeff" + string(b)} {
			c, err := reads(t, Calendar, text, from)
			if err != nil {
				t.Fatal(name, err)
			}
			got := fmt.Sprintf("%d entries, %d shifts\n%s\n%s\n", c.Entries, c.Shifts(), timeline(c, from, from.AddDate(0, 0, days)), strings.Join(c.Notes, "\n"))
			golden(t, name, got)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if os.Getenv("TELGATE_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
	}
}

func event1(lines string) string {
	return "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nSUMMARY:alice\n" + lines + "\nEND:VEVENT\nEND:VCALENDAR\n"
}

func TestARepeatedEventKeepsItsHoursAcrossDST(t *testing.T) {
	now := time.Date(2026, time.March, 25, 0, 0, 0, 0, berlin(t))
	c, err := reads(t, Calendar, event1("DTSTART;TZID=Europe/Berlin:20260101T090000\nDTEND;TZID=Europe/Berlin:20260102T090000\nRRULE:FREQ=DAILY"), now)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(timeline(c, now.Add(9*time.Hour), now.AddDate(0, 0, 9)), "\n") {
		if !strings.Contains(line, " 09:00 ") || !strings.HasSuffix(line, " alice") {
			t.Errorf("a hand-over at %s", line)
		}
	}
}

func TestShiftsThatFollowEachOtherDoSoInTheNightWhenClocksChange(t *testing.T) {
	text := strings.Replace(event1("DTSTART;TZID=Europe/Berlin:20260301T000000\nDTEND;TZID=Europe/Berlin:20260301T080000\nRRULE:FREQ=DAILY"), "BEGIN:VEVENT",
		"BEGIN:VEVENT\nUID:2\nSUMMARY:bob\nDTSTART;TZID=Europe/Berlin:20260301T080000\nDTEND;TZID=Europe/Berlin:20260302T000000\nRRULE:FREQ=DAILY\nEND:VEVENT\nBEGIN:VEVENT", 1)
	for _, from := range []time.Time{time.Date(2026, time.March, 28, 0, 0, 0, 0, berlin(t)), time.Date(2026, time.October, 24, 0, 0, 0, 0, berlin(t))} {
		c, err := reads(t, Calendar, text, from)
		if err != nil {
			t.Fatal(err)
		}
		if problems := rota.Problems(c, from, from.AddDate(0, 0, 3)); len(problems) > 0 {
			t.Errorf("%+v", problems)
		}
	}
}

func TestAnEventThatCannotBeUsedIsNotedAndTheOthersAreUsed(t *testing.T) {
	now := time.Date(2026, time.March, 25, 0, 0, 0, 0, time.UTC)
	for lines, note := range map[string]string{
		"DTEND:20260326T000000Z":                                                       "has no DTSTART",
		"DTSTART:20260326T000000Z":                                                     "neither DTEND nor DURATION",
		"DTSTART:20260326T000000Z\nDTEND:20260325T000000Z":                             "ends before it begins",
		"DTSTART:now\nDTEND:20260325T000000Z":                                          "is not a time",
		"DTSTART;TZID=Local:20260326T000000\nDTEND:20260327T000000Z":                   "is not known",
		"DTSTART;TZID=../../etc/passwd:20260326T000000\nDTEND:20260327T000000Z":        "is not known",
		"DTSTART:20260326T000000Z\nDURATION:P":                                         "lasts no time",
		"DTSTART:20260326T000000Z\nDURATION:forever":                                   "DURATION cannot be read",
		"DTSTART:20260326T000000Z\nDURATION:PT1H\nRRULE:FREQ=SECONDLY":                 "more often than we follow",
		"DTSTART:20260326T000000Z\nDURATION:PT1H\nRRULE:FREQ=NEVER":                    "RRULE cannot be read",
		"DTSTART:20260326T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYDAY=XX":           "RRULE cannot be read",
		"DTSTART:20260326T000000Z\nDURATION:PT1H\nEXDATE:then":                         "EXDATE",
		"SUMMARY:Team lunch\nDTSTART:20260326T000000Z\nDURATION:PT1H\nX-NOTE:unfolded": "",
	} {
		text := strings.Replace(event1(lines), "BEGIN:VEVENT", "BEGIN:VEVENT\nUID:2\nSUMMARY:bob\nDTSTART:20260325T000000Z\nDTEND:20260401T000000Z\nEND:VEVENT\nBEGIN:VEVENT", 1)
		c, err := reads(t, Calendar, text, now)
		if err != nil || len(c.At(now).Who) != 1 {
			t.Errorf("%q: %v, on call %v", lines, err, c.At(now).Who)
			continue
		}
		if all := strings.Join(c.Notes, "\n"); note != "" && (len(c.Notes) != 1 || !strings.Contains(all, note)) || note == "" && len(c.Notes) > 0 {
			t.Errorf("%q: notes %q, want %q", lines, all, note)
		}
	}
}

func TestWhatIsNoCalendarIsRefusedWithAReason(t *testing.T) {
	for text, why := range map[string]string{
		"":                               "it is empty",
		"<!DOCTYPE html><html>Sign in":   "it is a web page",
		"{}":                             "does not begin with BEGIN:VCALENDAR",
		"BEGIN:VCALENDAR\nVERSION:2.0\n": "cut off",
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:a\n": "cut off",
		strings.Repeat("BEGIN:VCALENDAR\n", 100_000): "nested too deep",
		"BEGIN:VCALENDAR\nnonsense\nEND:VCALENDAR\n": "is no iCalendar",
	} {
		if _, err := reads(t, Calendar, text, time.Now()); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.40q: %v, want %s", text, err, why)
		}
	}
}

func TestTablesAreRead(t *testing.T) {
	now := time.Date(2026, time.November, 24, 12, 0, 0, 0, berlin(t))
	for _, c := range []struct {
		kind            Kind
		text, who, note string
	}{
		{JSON, `["alice", "BOB"]`, "alice, bob", ""},
		{JSON, `{"members": ["alice@example.com"], "other": 1}`, "alice", ""},
		{JSON, `{"oncall": [{"name": "Alice Example"}, {"email": "bob@example.com"}]}`, "alice, bob", ""},
		{JSON, `[{"person": "alice", "from": "2026-11-24T09:00:00+01:00", "until": "2026-11-24T18:00:00+01:00"}, {"person": "bob", "start": "2026-11-24 18:00", "end": "2026-11-25 09:00"}]`, "alice", ""},
		{JSON, `["zoe", "alice"]`, "alice", `"zoe" names nobody`},
		{JSON, `["ops"]`, "ops", ""},
		{JSON, `[]`, "", ""},
		{JSON, `[1]`, "!neither a name", ""},
		{JSON, `{}`, "!has no list", ""},
		{JSON, `{"error": "forbidden"}`, "!has no list", ""},
		{JSON, `["alice"] x`, "!is no JSON", ""},
		{JSON, `<html>`, "!web page", ""},
		{JSON, `[{"person": "alice", "from": "soon", "until": "later"}]`, "!is not a time", ""},
		{JSON, `[{"person": "alice", "from": "2026-11-24"}]`, "!only one of", ""},
		{JSON, `[{"phone": "1"}]`, "!names nobody", ""},
		{CSV, "person\nalice\nbob\n", "alice, bob", ""},
		{CSV, "\ufeffEmail,Team\nalice@example.com,x\n", "alice", ""},
		{CSV, "person;from;until\nalice;2026-11-24 09:00;2026-11-24 18:00\n\"bob\";2026-11-24;2026-11-25\n", "bob, alice", ""},
		{CSV, "person,from,until\nalice,2026-11-24 18:00,2026-11-24 09:00\n", "", "ends before it begins"},
		{CSV, "team\nx\n", "!no column person", ""},
		{CSV, "", "!it is empty", ""},
		{CSV, "person,from,until\nalice,x\n", "!is no CSV", ""},
		{CSV, "person\n\"\"\n", "!line 2", ""},
	} {
		got, err := reads(t, c.kind, c.text, now)
		if why, wrong := strings.CutPrefix(c.who, "!"); wrong {
			if err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%q: %v, want %s", c.text, err, why)
			}
			continue
		}
		if who := strings.Join(got.At(now).Who, ", "); err != nil || who != c.who || c.note == "" && len(got.Notes) > 0 || !strings.Contains(strings.Join(got.Notes, "\n"), c.note) {
			t.Errorf("%q: %q %v, %v; want %q %s", c.text, who, got.Notes, err, c.who, c.note)
		}
	}
}

func FuzzCalendar(f *testing.F) {
	for _, name := range []string{"google", "outlook", "pagerduty", "grafana"} {
		b, err := os.ReadFile(filepath.Join("testdata", name+".ics"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add(event1("DTSTART:20260325T000000Z\nDTEND:20260401T000000Z\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"))
	f.Add(event1("DTSTART;VALUE=DATE:20260325\nRRULE:FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO;INTERVAL=1000"))
	fuzz(f, Calendar)
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`["alice"]`, `{"members":[{"person":"alice","from":"2026-03-26","until":"2026-03-27"}]}`, `{"shifts":[{"user":"bob"}]}`} {
		f.Add(s)
	}
	fuzz(f, JSON)
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"person\nalice", "person;from;until\nalice;2026-03-26;2026-03-27", "name\tstart\tend\n"} {
		f.Add(s)
	}
	fuzz(f, CSV)
}

func fuzz(f *testing.F, kind Kind) {
	f.Helper()
	now := time.Date(2026, time.March, 26, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := reads(t, kind, text, now)
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		if len(c.Notes) > 6 {
			t.Errorf("%d notes", len(c.Notes))
		}
		for at := now; at.Before(now.AddDate(0, 0, 3)); at = at.Add(7 * time.Hour) {
			turn := c.At(at)
			for _, who := range turn.Who {
				if _, ok := find(who); !ok {
					t.Errorf("%q is on call", who)
				}
			}
			if !turn.Until.IsZero() && !turn.Until.After(at) {
				t.Errorf("at %v a turn until %v", at, turn.Until)
			}
		}
	})
}
