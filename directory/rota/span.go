package rota

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// LongestSpan is how long somebody may stand in for somebody else at once: longer is a change of the rota.
const LongestSpan = 62 * 24 * time.Hour

// ParseSpan reads how people say a time to come: "until 18:00", "until tomorrow 09:00", "until Fri 18:00", "until 2026-11-25
// 18:00", "for 2h", "from 20:00 until 22:00", 「明日9:00まで」, 「2時間」. Times are wall-clock times in the zone; one without a day is
// the next to come. Without "from" it begins now. The error is one sentence for who wrote it.
func ParseSpan(text string, now time.Time, zone *time.Location) (from, until time.Time, err error) {
	words := strings.Fields(plain(text))
	from = now
	if len(words) > 0 && words[0] == "from" {
		if from, words, err = moment(words[1:], now, zone); err != nil {
			return from, until, err
		}
	}
	switch {
	case len(words) == 0:
		return from, until, errSpan
	case words[0] == "for":
		length, err := length(words[1:])
		if err != nil {
			return from, until, err
		}
		until = from.Add(length)
	default:
		if words[0] == "until" || words[0] == "till" || words[0] == "to" {
			words = words[1:]
		}
		if until, words, err = moment(words, from, zone); err != nil {
			return from, until, err
		}
		if len(words) > 0 {
			return from, until, errSpan
		}
	}
	return from, until, CheckSpan(from, until, now)
}

// CheckSpan says what is wrong with a time to come, in one sentence; nil where it is fine.
func CheckSpan(from, until, now time.Time) error {
	switch {
	case !until.After(now):
		return errors.New("that time is over")
	case !from.Before(until):
		return errors.New("it would end before it begins")
	case until.Sub(now) > LongestSpan:
		return fmt.Errorf("that is more than %d days away", int(LongestSpan/(24*time.Hour)))
	}
	return nil
}

var errSpan = errors.New("say how long: until 18:00, until tomorrow 09:00, until 2026-11-25 18:00, or for 2h")

// longestText bounds what is read: nobody says a time in more.
const longestText = 200

// plain makes one way of writing of many: half-width, lower case, English words.
func plain(text string) string {
	if len(text) > longestText {
		return ""
	}
	s := strings.ToLower(norm.NFKC.String(text))
	s = regexp.MustCompile(`(\d)\s*時間`).ReplaceAllString(s, "${1}h")
	s = regexp.MustCompile(`(\d{1,2})時(\d{1,2})分`).ReplaceAllString(s, "$1:$2")
	s = regexp.MustCompile(`(\d)\s*時半`).ReplaceAllString(s, "$1:30")
	s = regexp.MustCompile(`(\d)\s*時`).ReplaceAllString(s, "$1:00")
	s = regexp.MustCompile(`(\d)\s*分間?`).ReplaceAllString(s, "${1}m")
	s = regexp.MustCompile(`(\d)\s*日間`).ReplaceAllString(s, "${1}d")
	s = regexp.MustCompile(`^(.*?)から`).ReplaceAllString(s, "from $1 ")
	s = strings.NewReplacer("正午", " noon ", "明日", " tomorrow ", "今日", " today ", "まで", " ", "間", " ", "月曜", " mon ", "火曜", " tue ", "水曜", " wed ",
		"木曜", " thu ", "金曜", " fri ", "土曜", " sat ", "日曜", " sun ", "日 ", " ", ",", " ").Replace(s)
	s = regexp.MustCompile(`(\d{4}-\d{2}-\d{2})t(\d)`).ReplaceAllString(s, "$1 $2")
	if regexp.MustCompile(`^(\s*\d+\s*[dhm])+\s*$`).MatchString(s) {
		s = "for " + s
	}
	return s
}

// length reads "2h", "1h 30m", "90 minutes", "3d"; a day has 24 hours here.
func length(words []string) (time.Duration, error) {
	text := strings.Join(words, "")
	parts := regexp.MustCompile(`^(?:(\d{1,3})(?:d|days?))?(?:(\d{1,4})(?:h|hours?|hrs?))?(?:(\d{1,5})(?:m|min|mins|minutes?))?$`).FindStringSubmatch(text)
	if text == "" || parts == nil {
		return 0, errors.New("say how long as 2h, 90m or 3d")
	}
	var total time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
		n, _ := strconv.Atoi("0" + parts[i+1]) // digits, or nothing
		total += time.Duration(n) * unit
	}
	if total == 0 {
		return 0, errors.New("say how long as 2h, 90m or 3d")
	}
	return total, nil
}

// moment reads a time, with its day before it if there is one, that is after a moment; rest is what stands behind it.
func moment(words []string, after time.Time, zone *time.Location) (at time.Time, rest []string, err error) {
	today := DateOf(after.In(zone))
	days, named := daysNamed(words, today)
	if named {
		words = words[1:]
		if len(words) > 0 && words[0] == "at" {
			words = words[1:]
		}
	}
	if len(words) == 0 {
		return at, nil, errors.New("say the time of day, too, such as 18:00")
	}
	clock, rest, err := timeOfDay(words)
	if err != nil {
		return at, nil, err
	}
	if named {
		for _, d := range days {
			if at = Wall(d, clock, zone); at.After(after) {
				break
			}
		}
		return at, rest, nil
	}
	for day := range 3 { // tomorrow's may be over, too, where a time never comes
		if at = Wall(today.Plus(day), clock, zone); at.After(after) {
			break
		}
	}
	return at, rest, nil
}

// daysNamed are the days that the first word can mean, in the order they are tried.
func daysNamed(words []string, today Date) (days []Date, named bool) {
	if len(words) == 0 {
		return nil, false
	}
	switch word := words[0]; word {
	case "today":
		return []Date{today}, true
	case "tomorrow":
		return []Date{today.Plus(1)}, true
	default:
		if weekday, ok := ParseWeekday(word); ok {
			ahead := (int(weekday) - int(today.Weekday()) + 7) % 7
			return []Date{today.Plus(ahead), today.Plus(ahead + 7)}, true
		}
		if t, err := time.Parse(time.DateOnly, word); err == nil {
			return []Date{DateOf(t)}, true
		}
	}
	return nil, false
}

// timeOfDay reads "18:00", "6pm", "6:30 pm", "noon" and "midnight".
func timeOfDay(words []string) (clock Clock, rest []string, err error) {
	word, rest := words[0], words[1:]
	switch word {
	case "noon":
		return 12 * 60, rest, nil
	case "midnight":
		return 24 * 60, rest, nil
	}
	if len(rest) > 0 && (rest[0] == "am" || rest[0] == "pm") {
		word, rest = word+rest[0], rest[1:]
	}
	parts := regexp.MustCompile(`^(\d{1,2})(?::(\d{2}))?(am|pm)?$`).FindStringSubmatch(word)
	if parts == nil || parts[2] == "" && parts[3] == "" {
		return 0, nil, fmt.Errorf("%q is not a time of day such as 18:00", clipped(word))
	}
	hour, _ := strconv.Atoi(parts[1])
	minute, _ := strconv.Atoi("0" + parts[2])
	if half := parts[3]; half != "" {
		if hour < 1 || hour > 12 {
			return 0, nil, fmt.Errorf("%q is not a time of day such as 18:00", clipped(word))
		}
		hour %= 12
		if half == "pm" {
			hour += 12
		}
	}
	if hour > 24 || minute > 59 || hour == 24 && minute > 0 {
		return 0, nil, fmt.Errorf("%q is not a time of day such as 18:00", clipped(word))
	}
	return Clock(hour*60 + minute), rest, nil
}

func clipped(word string) string {
	if r := []rune(word); len(r) > 20 {
		return string(r[:20]) + "…"
	}
	return word
}
