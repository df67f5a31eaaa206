package telgate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
)

// Summary is a page in one line, as lists show it: without its steps, and with one of its people.
type Summary struct {
	ID       PageID
	Title    string
	Message  string
	State    PageState
	Result   Result
	Late     bool
	Accepted time.Time
	Ended    time.Time
	Asker    string // who asked for it, by name, or else by id
	Joined   int    // how many joined
	People   int    // how many are called
	Reached  Target // the first who was reached: Nick, By and Via; zero where nobody was
	Calls    int    // INVITEs; a redirect that is followed is none of its own
	PickedUp time.Time
}

// Summary is the page in short.
func (p Page) Summary() Summary {
	s := Summary{
		ID: p.ID, Title: p.Title, Message: p.Message, State: p.State, Result: p.Result, Late: p.Late, Accepted: p.Accepted, Ended: p.Ended,
		People: len(p.Targets),
	}
	if len(p.Askers) > 0 {
		s.Asker, s.Joined = cmp.Or(p.Askers[0].Name, p.Askers[0].ID), len(p.Askers)-1
	}
	for _, t := range p.Targets {
		if t.Result.Reached() {
			s.Reached = Target{Nick: t.Nick, By: t.By, Via: t.Via}
			break
		}
	}
	for _, step := range p.Steps {
		if step.Call == nil {
			continue
		}
		s.Calls++
		if at := step.Call.Times.Answered; !at.IsZero() && (s.PickedUp.IsZero() || at.Before(s.PickedUp)) {
			s.PickedUp = at
		}
	}
	return s
}

// summaryJSON is a page in lists of the API that are asked for in short. Names are those of the whole form where they are the
// same thing.
type summaryJSON struct {
	V        int       `json:"v"`
	Page     PageID    `json:"page"`
	Title    string    `json:"title"`
	Message  string    `json:"message,omitempty"`
	State    PageState `json:"state"`
	Result   Result    `json:"result,omitempty"`
	Late     bool      `json:"late,omitempty"`
	Accepted string    `json:"accepted"`
	Ended    string    `json:"ended,omitempty"`
	Asker    string    `json:"asker,omitempty"`
	Joined   int       `json:"joined,omitempty"`
	People   int       `json:"people"`
	Person   string    `json:"person,omitempty"`
	By       string    `json:"by,omitempty"`
	Via      Via       `json:"via,omitempty"`
	Calls    int       `json:"calls"`
	PickedUp string    `json:"picked_up,omitempty"`
}

// JSON is the public form of a summary: one object without a newline. It has no whole numbers.
func (s Summary) JSON() []byte {
	b, err := json.Marshal(summaryJSON{
		V: EventVersion, Page: s.ID, Title: s.Title, Message: s.Message, State: s.State, Result: s.Result, Late: s.Late,
		Accepted: stamp(s.Accepted), Ended: stamp(s.Ended), Asker: s.Asker, Joined: s.Joined, People: s.People,
		Person: s.Reached.Nick, By: s.Reached.By, Via: s.Reached.Via, Calls: s.Calls, PickedUp: stamp(s.PickedUp),
	})
	if err != nil { // strings and numbers always marshal
		panic("telgate: summary does not marshal: " + err.Error())
	}
	return b
}

// ParseSummary reads what [Summary.JSON] wrote; names that are not known are skipped.
func ParseSummary(b []byte) (Summary, error) {
	var in summaryJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return Summary{}, fmt.Errorf("read a page in short: %w", err)
	}
	if in.V != EventVersion {
		return Summary{}, fmt.Errorf("read a page in short: its form is %d, this program reads %d", in.V, EventVersion)
	}
	return Summary{
		ID: in.Page, Title: in.Title, Message: in.Message, State: in.State, Result: in.Result, Late: in.Late,
		Accepted: moment(in.Accepted), Ended: moment(in.Ended), Asker: in.Asker, Joined: in.Joined, People: in.People,
		Reached: Target{Nick: in.Person, By: in.By, Via: in.Via}, Calls: in.Calls, PickedUp: moment(in.PickedUp),
	}, nil
}
