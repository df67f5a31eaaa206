package rota

import (
	"strings"
	"testing"
	"time"
)

func TestATimeIsReadAsPeopleSayIt(t *testing.T) {
	tokyo := zone(t, "Asia/Tokyo")
	now := time.Date(2026, time.November, 24, 17, 30, 0, 0, tokyo) // a Tuesday
	for text, want := range map[string]string{
		"until 18:00":                "2026-11-24 18:00",
		"until 17:00":                "2026-11-25 17:00", // the next to come
		"18:00":                      "2026-11-24 18:00",
		"till 6pm":                   "2026-11-24 18:00",
		"until 6:30 PM":              "2026-11-24 18:30",
		"until 12am":                 "2026-11-25 00:00",
		"until 24:00":                "2026-11-25 00:00",
		"until midnight":             "2026-11-25 00:00",
		"until tomorrow noon":        "2026-11-25 12:00",
		"明日正午まで":                     "2026-11-25 12:00",
		"until tomorrow 09:00":       "2026-11-25 09:00",
		"until today at 23:59":       "2026-11-24 23:59",
		"until Fri 18:00":            "2026-11-27 18:00",
		"until Tuesday 17:00":        "2026-12-01 17:00",
		"until tue 18:00":            "2026-11-24 18:00",
		"until 2026-11-25 18:00":     "2026-11-25 18:00",
		"until 2026-11-25T18:00":     "2026-11-25 18:00",
		"for 2h":                     "2026-11-24 19:30",
		"for 1h 30m":                 "2026-11-24 19:00",
		"for 90 minutes":             "2026-11-24 19:00",
		"2h":                         "2026-11-24 19:30",
		"for 3 days":                 "2026-11-27 17:30",
		"18:00まで":                    "2026-11-24 18:00",
		"１８時まで":                      "2026-11-24 18:00",
		"18時30分まで":                   "2026-11-24 18:30",
		"18時半まで":                     "2026-11-24 18:30",
		"明日9:00まで":                   "2026-11-25 09:00",
		"明日 9時 まで":                   "2026-11-25 09:00",
		"金曜18:00まで":                  "2026-11-27 18:00",
		"金曜日 18:00 まで":               "2026-11-27 18:00",
		"2時間":                        "2026-11-24 19:30",
		"90分間":                       "2026-11-24 19:00",
		"1時間30分":                     "2026-11-24 19:00",
		"from 20:00 until 22:00":     "2026-11-24 20:00 2026-11-24 22:00",
		"from 23:00 until 02:00":     "2026-11-24 23:00 2026-11-25 02:00",
		"from tomorrow 09:00 for 8h": "2026-11-25 09:00 2026-11-25 17:00",
		"20:00から22:00まで":             "2026-11-24 20:00 2026-11-24 22:00",
		"":                           "!say how long",
		"until":                      "!say the time of day",
		"until tomorrow":             "!say the time of day",
		"until 18":                   "!not a time of day",
		"until 25:00":                "!not a time of day",
		"until 13pm":                 "!not a time of day",
		"until whenever":             "!not a time of day",
		"until 18:00 please":         "!say how long",
		"until 2026-11-23 18:00":     "!is over",
		"until 2027-11-23 18:00":     "!more than 62 days",
		"for ever":                   "!say how long",
		"for 0h":                     "!say how long",
		"for 999d":                   "!more than 62 days",
		"from 2026-11-26 18:00 until 2026-11-25 18:00": "!end before it begins",
		"until " + strings.Repeat("x", longestText):    "!say how long",
		"until today 09:00":                            "!is over",
	} {
		from, until, err := ParseSpan(text, now, tokyo)
		if why, wrong := strings.CutPrefix(want, "!"); wrong {
			if err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%q: %v – %v, %v; want %s", text, from, until, err, why)
			}
			continue
		}
		got := until.In(tokyo).Format("2006-01-02 15:04")
		if !from.Equal(now) {
			got = from.In(tokyo).Format("2006-01-02 15:04") + " " + got
		}
		if err != nil || got != want {
			t.Errorf("%q is %s, want %s (%v)", text, got, want, err)
		}
	}
}

func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"until 18:00", "for 2h", "from 20:00 until 22:00", "明日9時まで", "until 2026-11-25 18:00", "6:30 pm"} {
		f.Add(s)
	}
	now := time.Date(2026, time.March, 29, 0, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		from, until, err := ParseSpan(text, now, zone(t, "Europe/Berlin"))
		if err == nil && (from.Before(now) || !from.Before(until) || until.Sub(now) > LongestSpan) {
			t.Errorf("%q is from %v until %v", text, from, until)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("%q: an error of %d bytes", text, len(err.Error()))
		}
	})
}
