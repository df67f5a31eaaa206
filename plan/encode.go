package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"telgate"
)

// planJSON is the stored form of a plan. Names are added only: a gateway of the version before goes on with the page. Of a
// person it has what a call needs; the numbers are those of the entries, whole, since they are there to be rung.
type planJSON struct {
	Policy  policyJSON  `json:"policy"`
	Entries []entryJSON `json:"entries"`
}

type policyJSON struct {
	Ring      wireDuration `json:"ring"`
	Rounds    int          `json:"rounds"`
	Pause     wireDuration `json:"pause"`
	PageLimit wireDuration `json:"page_limit"`
	BusyRetry wireDuration `json:"busy_retry"`
	BusyMax   int          `json:"busy_max"`
	All       bool         `json:"all,omitempty"`       // strategy = "all"
	RollCall  bool         `json:"roll_call,omitempty"` // confirmations = "all"
}

type entryJSON struct {
	Person personJSON   `json:"person"`
	Number numberJSON   `json:"number"`
	Ring   wireDuration `json:"ring"`
	Also   []string     `json:"also,omitempty"`
}

type personJSON struct {
	Nick     string          `json:"nick"`
	Name     string          `json:"name,omitempty"`
	Slack    string          `json:"slack,omitempty"`
	Language string          `json:"language,omitempty"`
	TimeZone string          `json:"tz,omitempty"`
	Confirm  telgate.Confirm `json:"confirm,omitempty"`
}

type numberJSON struct {
	E164      string       `json:"e164,omitempty"`
	Country   string       `json:"country,omitempty"`
	Extension string       `json:"extension,omitempty"`
	Trunk     string       `json:"trunk,omitempty"`
	Label     string       `json:"label,omitempty"`
	Ring      wireDuration `json:"ring,omitzero"`
}

// wireDuration is written as "25s".
type wireDuration time.Duration

// MarshalText writes it as Go and config.toml do.
func (d wireDuration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads it.
func (d *wireDuration) UnmarshalText(b []byte) error {
	x, err := time.ParseDuration(string(b))
	*d = wireDuration(x)
	return err //nolint:wrapcheck // it names the text
}

// Encode writes a plan down; [Decode] reads it.
func (p *Plan) Encode() []byte {
	out := planJSON{
		Policy: policyJSON{
			wireDuration(p.Policy.Ring), p.Policy.Rounds, wireDuration(p.Policy.Pause), wireDuration(p.Policy.PageLimit),
			wireDuration(p.Policy.BusyRetry), p.Policy.BusyMax, p.Policy.Way.All, p.Policy.Way.RollCall,
		},
		Entries: make([]entryJSON, 0, len(p.Entries)),
	}
	for _, e := range p.Entries {
		n := e.Number
		out.Entries = append(out.Entries, entryJSON{
			Person: personJSON{e.Person.Nick, e.Person.Name, e.Person.Slack, e.Person.Language, e.Person.TimeZone, e.Person.Confirm},
			Number: numberJSON{n.E164, n.Country, n.Extension, n.Trunk, n.Label, wireDuration(n.Ring)},
			Ring:   wireDuration(e.Ring), Also: e.Also,
		})
	}
	return mustJSON(out)
}

// Decode reads a plan.
func Decode(b []byte) (Plan, error) {
	var in planJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return Plan{}, fmt.Errorf("read a plan: %w", err)
	}
	q := in.Policy
	p := Plan{Policy: Policy{
		Ring: time.Duration(q.Ring), Rounds: q.Rounds, Pause: time.Duration(q.Pause), PageLimit: time.Duration(q.PageLimit),
		BusyRetry: time.Duration(q.BusyRetry), BusyMax: q.BusyMax, Way: telgate.Way{All: q.All, RollCall: q.RollCall},
	}}
	for _, e := range in.Entries {
		n := e.Number
		if (n.E164 == "") == (n.Extension == "") {
			return Plan{}, errors.New("read a plan: an entry has no number, or two")
		}
		p.Entries = append(p.Entries, Entry{
			Person: telgate.Person{
				Nick: e.Person.Nick, Name: e.Person.Name, Slack: e.Person.Slack, Language: e.Person.Language, TimeZone: e.Person.TimeZone,
				Confirm: e.Person.Confirm,
			},
			Number: telgate.Number{
				E164: n.E164, Country: n.Country, Extension: n.Extension, Trunk: n.Trunk, Label: n.Label, Ring: time.Duration(n.Ring),
			},
			Ring: time.Duration(e.Ring), Also: e.Also,
		})
	}
	return p, nil
}

// progressJSON is the stored form of a progress. Phones are named by their place in the plan, so that no number is in it.
type progressJSON struct {
	Began   time.Time      `json:"began"`
	Round   int            `json:"round"`
	Next    int            `json:"next"`
	Again   []againJSON    `json:"again,omitempty"`   // put off, the soonest first
	Tries   map[string]int `json:"tries,omitempty"`   // extra ones in this round, by entry
	Invalid []int          `json:"invalid,omitempty"` // entries whose number does not exist
	Ahead   []int          `json:"ahead,omitempty"`   // entries after next that were rung in this round
	Reached []string       `json:"reached,omitempty"` // who confirmed in a roll call
	Calling []int          `json:"calling,omitempty"` // entries that are being rung
}

type againJSON struct {
	Entry int       `json:"entry"`
	At    time.Time `json:"at"`
}

// EncodeProgress writes down how far a plan has come; [Plan.DecodeProgress] reads it. It is written by hand, because it is
// written with every step of a page, by a goroutine whose stack is to stay small.
func (p *Plan) EncodeProgress(s *Progress) []byte {
	b := make([]byte, 0, 96)
	b = appendTime(append(b, `{"began":`...), s.Began)
	b = strconv.AppendInt(append(b, `,"round":`...), int64(s.Round), 10)
	b = strconv.AppendInt(append(b, `,"next":`...), int64(s.next), 10)
	sep := `,"again":[`
	for _, a := range s.busy {
		b = strconv.AppendInt(append(append(b, sep...), `{"entry":`...), int64(a.entry), 10)
		b = append(appendTime(append(b, `,"at":`...), a.at), '}')
		sep = ","
	}
	b = closed(b, sep, "]")
	sep = `,"tries":{"`
	for i := range p.Entries {
		if n := s.tries[p.Entries[i].Number.Key()]; n > 0 {
			b = strconv.AppendInt(append(b, sep...), int64(i), 10)
			b = strconv.AppendInt(append(b, `":`...), int64(n), 10)
			sep = `,"`
		}
	}
	b = closed(b, sep, "}")
	sep = `,"invalid":[`
	for i := range p.Entries {
		if s.invalid[p.Entries[i].Number.Key()] {
			b = strconv.AppendInt(append(b, sep...), int64(i), 10)
			sep = ","
		}
	}
	b = closed(b, sep, "]")
	sep = `,"ahead":[`
	for i := range p.Entries {
		if s.ahead[i] {
			b = strconv.AppendInt(append(b, sep...), int64(i), 10)
			sep = ","
		}
	}
	b = closed(b, sep, "]")
	sep = `,"calling":[`
	for i := range p.Entries {
		if e, rings := s.calling[p.queue(&p.Entries[i])]; rings && e == i {
			b = strconv.AppendInt(append(b, sep...), int64(i), 10)
			sep = ","
		}
	}
	b = closed(b, sep, "]")
	if len(s.reached) > 0 {
		b = append(append(b, `,"reached":`...), mustJSON(slices.Sorted(maps.Keys(s.reached)))...)
	}
	return append(b, '}')
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

// closed ends a list or an object that was begun, if it was: its separator is a comma then.
func closed(b []byte, sep, end string) []byte {
	if len(sep) > 2 {
		return b
	}
	return append(b, end...)
}

// DecodeProgress reads how far this plan has come. What names no entry of it is an error.
func (p *Plan) DecodeProgress(b []byte) (Progress, error) {
	var in progressJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return Progress{}, fmt.Errorf("read a plan's progress: %w", err)
	}
	if in.Round < 0 || in.Next < 0 || in.Next > len(p.Entries) {
		return Progress{}, fmt.Errorf("read a plan's progress: no entry %d of %d in round %d", in.Next, len(p.Entries), in.Round)
	}
	s := Progress{Began: in.Began, Round: in.Round, next: in.Next, tries: map[string]int{}}
	for _, a := range in.Again {
		if !p.has(a.Entry) {
			return Progress{}, fmt.Errorf("read a plan's progress: no entry %d to ring again", a.Entry)
		}
		s.busy = append(s.busy, again{a.Entry, a.At})
	}
	for i := range p.Entries {
		if n := in.Tries[strconv.Itoa(i)]; n > 0 {
			s.tries[p.Entries[i].Number.Key()] = n
		}
	}
	for _, i := range in.Invalid {
		if !p.has(i) {
			return Progress{}, fmt.Errorf("read a plan's progress: no entry %d that is invalid", i)
		}
		s.ban(p.Entries[i].Number.Key())
	}
	for _, i := range in.Ahead {
		if !p.has(i) || i < s.next {
			return Progress{}, fmt.Errorf("read a plan's progress: no entry %d after %d", i, s.next)
		}
		s.pass(i)
	}
	for _, i := range in.Calling {
		if !p.has(i) {
			return Progress{}, fmt.Errorf("read a plan's progress: no entry %d that is rung", i)
		}
		s.rings(p.queue(&p.Entries[i]), i)
	}
	if len(in.Reached) > 0 {
		p.Reached(&s, in.Reached)
	}
	return s, nil
}

func (p *Plan) has(entry int) bool { return entry >= 0 && entry < len(p.Entries) }

// mustJSON is for values that always marshal: strings, numbers and times.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("plan: " + err.Error())
	}
	return b
}
