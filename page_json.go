package telgate

import (
	"encoding/json"
	"fmt"
	"time"
)

// pageJSON is a page in the API and in "telgate history --json"; calls are written as in call_ended.
type pageJSON struct {
	V          int          `json:"v"`
	Page       PageID       `json:"page"`
	Version    int          `json:"version"`
	Title      string       `json:"title"`
	Message    string       `json:"message,omitempty"`
	State      PageState    `json:"state"`
	Result     Result       `json:"result,omitempty"`
	Late       bool         `json:"late,omitempty"`
	Accepted   string       `json:"accepted"`
	Ended      string       `json:"ended,omitempty"`
	WaitsFor   string       `json:"waits_for,omitempty"`
	WaitsLine  string       `json:"waits_line,omitempty"`
	Paused     bool         `json:"paused,omitempty"`
	Rounds     int          `json:"rounds"`
	SideBySide bool         `json:"side_by_side,omitempty"`
	RollCall   bool         `json:"roll_call,omitempty"`
	Forced     string       `json:"forced,omitempty"`
	Askers     []askerJSON  `json:"askers"`
	People     []personJSON `json:"people"`
	Steps      []stepJSON   `json:"steps"`
	Stopped    string       `json:"stopped,omitempty"`
}

type askerJSON struct {
	Asker   string `json:"asker"`
	Name    string `json:"name,omitempty"`
	Message string `json:"message,omitempty"`
	Time    string `json:"time"`
}

type personJSON struct {
	targetJSON

	Name       string `json:"name,omitempty"`
	Slack      string `json:"slack,omitempty"`
	Time       string `json:"time,omitempty"`
	CalledBack string `json:"called_back,omitempty"`
}

type stepJSON struct {
	Step    int        `json:"step"`
	Round   int        `json:"round"`
	Time    string     `json:"time"`
	Person  string     `json:"person"`
	Number  string     `json:"number"`
	Label   string     `json:"label,omitempty"`
	Skipped SkipReason `json:"skipped,omitempty"`
	Call    *callJSON  `json:"call,omitempty"`
}

type callJSON struct {
	Call        CallID    `json:"call"`
	Trunk       string    `json:"trunk"`
	State       CallState `json:"state"`
	ForwardedTo string    `json:"forwarded_to,omitempty"` // masked
	Dialed      string    `json:"dialed,omitempty"`
	Alerted     string    `json:"alerted,omitempty"`
	Answered    string    `json:"answered,omitempty"`
	Ended       string    `json:"ended,omitempty"`
	SIPStatus   *int      `json:"sip_status,omitempty"`
	*callEndedJSON
}

// JSON is the public form of a page: one object without a newline. Numbers are masked unless showNumbers.
func (p Page) JSON(showNumbers bool) []byte { return p.encode(showNumbers, false) }

// TracedJSON is [Page.JSON], and the messages of every call that has ended.
func (p Page) TracedJSON(showNumbers bool) []byte { return p.encode(showNumbers, true) }

func (p Page) encode(showNumbers, trace bool) []byte {
	out := pageJSON{
		V: EventVersion, Page: p.ID, Version: p.Version, Title: p.Title, Message: p.Message, State: p.State, Result: p.Result, Late: p.Late,
		Accepted: stamp(p.Accepted), Ended: stamp(p.Ended), WaitsFor: stamp(p.WaitsFor), WaitsLine: p.WaitsLine, Paused: p.Paused, Rounds: p.Rounds,
		SideBySide: p.Way.All, RollCall: p.Way.RollCall, Forced: p.Forced,
		Askers: []askerJSON{}, People: []personJSON{}, Steps: []stepJSON{}, Stopped: p.Stopped,
	}
	for _, a := range p.Askers {
		out.Askers = append(out.Askers, askerJSON{Asker: a.ID, Name: a.Name, Message: a.Message, Time: stamp(a.At)})
	}
	for _, t := range p.Targets {
		out.People = append(out.People, personJSON{
			targetJSON: targetJSON{Person: t.Nick, Result: t.Result, By: t.By, Via: t.Via},
			Name:       t.Name, Slack: t.Slack, Time: stamp(t.At), CalledBack: stamp(t.CalledBack),
		})
	}
	for _, s := range p.Steps {
		step := stepJSON{
			Step: s.N, Round: s.Round, Time: stamp(s.At), Person: s.Person, Number: s.Number.String(), Label: s.Number.Label, Skipped: s.Skip,
		}
		if showNumbers {
			step.Number = s.Number.Whole()
		}
		if s.Call != nil {
			step.Call = s.Call.json(showNumbers, trace)
		}
		out.Steps = append(out.Steps, step)
	}
	b, err := json.Marshal(out)
	if err != nil { // strings, numbers and slices of them always marshal
		panic("telgate: page does not marshal: " + err.Error())
	}
	return b
}

func (c Call) json(showNumbers, trace bool) *callJSON {
	out := &callJSON{
		Call: c.Call, Trunk: c.Trunk, State: c.State, ForwardedTo: lastTwo(c.Forward),
		Dialed: stamp(c.Times.Dialed), Alerted: stamp(c.Times.Alerted), Answered: stamp(c.Times.Answered), Ended: stamp(c.Times.Ended),
	}
	if c.Outcome == "" {
		return out
	}
	out.SIPStatus, out.callEndedJSON = &c.Signal.Status, ended(c)
	if !showNumbers {
		out.hideNumbers()
	}
	if trace {
		out.Trace = traceJSON(c.Trace)
	}
	return out
}

// ParsePage reads what [Page.JSON] wrote. Numbers that were masked stay so; names that are not known are skipped.
func ParsePage(b []byte) (Page, error) {
	var in pageJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return Page{}, fmt.Errorf("read a page: %w", err)
	}
	if in.V != EventVersion {
		return Page{}, fmt.Errorf("read a page: its form is %d, this program reads %d", in.V, EventVersion)
	}
	p := Page{
		ID: in.Page, Version: in.Version, Title: in.Title, Message: in.Message, State: in.State, Result: in.Result, Late: in.Late,
		Accepted: moment(in.Accepted), Ended: moment(in.Ended), Wait: Wait{WaitsFor: moment(in.WaitsFor), WaitsLine: in.WaitsLine, Paused: in.Paused},
		Rounds: in.Rounds, Way: Way{All: in.SideBySide, RollCall: in.RollCall}, Forced: in.Forced, Stopped: in.Stopped,
	}
	for _, a := range in.Askers {
		p.Askers = append(p.Askers, Asker{Actor: Actor{ID: a.Asker, Name: a.Name}, Message: a.Message, At: moment(a.Time)})
	}
	for _, t := range in.People {
		p.Targets = append(p.Targets, Target{
			Nick: t.Person, Name: t.Name, Slack: t.Slack, Result: t.Result, By: t.By, Via: t.Via, At: moment(t.Time),
			CalledBack: moment(t.CalledBack),
		})
	}
	for _, s := range in.Steps {
		step := Step{N: s.Step, Round: s.Round, Person: s.Person, Number: shownNumber(s.Number), Skip: s.Skipped, At: moment(s.Time)}
		step.Number.Label = s.Label
		if s.Call != nil {
			step.Call = s.Call.call(p.ID, &step)
		}
		p.Steps = append(p.Steps, step)
	}
	return p, nil
}

// UnmarshalJSON makes room for what is embedded, which encoding/json does not.
func (j *callJSON) UnmarshalJSON(b []byte) error {
	type plain callJSON
	in := plain{callEndedJSON: &callEndedJSON{}}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*j = callJSON(in)
	return nil
}

func (j *callJSON) call(page PageID, s *Step) *Call {
	c := &Call{
		State: j.State,
		Order: Order{
			Call: j.Call, Page: page, Person: s.Person, Step: s.N, Round: s.Round, Number: s.Number, Trunk: j.Trunk, Forward: j.ForwardedTo,
		},
	}
	if j.Outcome != "" {
		c.learn(j.callEndedJSON, j.SIPStatus, moment(j.Dialed))
	}
	c.Times = CallTimes{Dialed: moment(j.Dialed), Alerted: moment(j.Alerted), Answered: moment(j.Answered), Ended: moment(j.Ended)}
	return c
}

func moment(s string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, s) // "" and what is no time are no time
	return t
}
