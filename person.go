package telgate

import (
	"log/slog"
	"strings"
	"time"
	"unicode"
)

// Person is somebody who can be reached. The nickname is the key; it is unique among nicknames, aliases and groups.
type Person struct {
	Nick     string
	Name     string // as written for people; Nick where the configuration names none
	Aliases  []string
	Numbers  []Number // in the order they are rung
	Slack    string   // Slack user id, "" if unknown
	Email    string   // by which calendars name them, "" if unknown
	Language string   // BCP 47, "" = the gateway's
	TimeZone string   // IANA name, "" = the gateway's
	Confirm  Confirm  // "" = the gateway's
}

// Group is people who are called together, by one nickname.
type Group struct {
	Nick    string
	Members []string // nicknames, in the order they are called
	Prompt  string   // the recording played to its members, "" = the gateway's
	Way     Way
}

// Number is a phone that can be rung: a PSTN number in E.164, or an extension of one PBX trunk. Exactly one of E164 and
// Extension is set. It prints masked everywhere; only E164, Extension and Dialled give the whole.
type Number struct {
	E164      string        // "+819012345678"
	Country   string        // the calling code inside E164, "81"
	Extension string        // user part on Trunk, "7100"
	Trunk     string        // the only trunk that may ring it; "" = any
	Label     string        // "mobile", "desk"
	Ring      time.Duration // how long it rings; 0 = the plan's
}

// Key identifies the phone behind the number: two members with one Key share a phone.
func (n Number) Key() string {
	if n.Extension != "" {
		return n.Extension + "@" + n.Trunk
	}
	return n.E164
}

// Whole is the number unmasked, for people who may see numbers and for nothing else.
func (n Number) Whole() string {
	if n.Extension != "" {
		return "sip:" + n.Extension + "@" + n.Trunk
	}
	return n.E164
}

// String masks the number: country code and last two digits of a PSTN number; an extension is shown whole, since it
// identifies a desk and not a person's own line.
func (n Number) String() string {
	if n.Extension != "" {
		return n.Whole()
	}
	rest := strings.TrimPrefix(n.E164, "+"+n.Country)
	if n.E164 == "" || len(rest) <= 2 {
		return "…"
	}
	return "+" + n.Country + "…" + rest[len(rest)-2:]
}

// MaskedWire hides the telephone numbers in a text of a peer's, such as a reason phrase: of six digits and more in a row the
// last two are left. Addresses and versions, which have their digits apart, stay.
func MaskedWire(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		switch {
		case end-i >= shortestMasked:
			b.WriteString("…" + text[end-2:end])
		case end > i:
			b.WriteString(text[i:end])
		default:
			end++
			b.WriteByte(text[i])
		}
		i = end
	}
	return b.String()
}

// Masked hides the telephone numbers in a text somebody wrote: of six digits and more in a row, whatever stands between
// them, the last two are left.
func Masked(text string) string {
	var b strings.Builder
	run, digits := []rune{}, 0 // what may be a number, and how many digits it has
	flush := func() {
		if digits < shortestMasked {
			b.WriteString(string(run))
		} else {
			b.WriteString("…")
			begin := len(run)
			for left := 2; left > 0; {
				begin--
				if unicode.IsDigit(run[begin]) {
					left--
				}
			}
			for _, r := range run[begin:] {
				b.WriteRune(r)
			}
		}
		run, digits = run[:0], 0
	}
	for _, r := range text {
		switch {
		case unicode.IsDigit(r):
			digits++
		case !strings.ContainsRune("+ .-()/＋", r):
			flush()
			b.WriteRune(r)
			continue
		}
		run = append(run, r)
	}
	flush()
	return b.String()
}

// shortestMasked is the length from which digits are taken for a telephone number: emergency numbers and most extensions are
// shorter.
const shortestMasked = 6

// LogValue keeps whole numbers out of logs.
func (n Number) LogValue() slog.Value { return slog.StringValue(n.String()) }

// GoString keeps whole numbers out of %#v.
func (n Number) GoString() string { return n.String() }

// MarshalText keeps whole numbers out of every encoder; who stores numbers writes E164 and Extension.
func (n Number) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// Confirm is what counts as having reached somebody.
type Confirm string

// The ways to reach somebody.
const (
	ConfirmKey    Confirm = "key"    // the confirm key was pressed
	ConfirmAnswer Confirm = "answer" // a human listened long enough
)

// Match is what one word of a request means.
type Match struct {
	Title  string   // the nickname of the person or group, as configured
	People []Person // in the order they are called
	Prompt string   // the group's recording, "" = the gateway's
	Way    Way      // the group's
}
