package store

import (
	"encoding/json"
	"fmt"
	"time"

	"telgate"
)

// The forms in which facts are kept. Their names are on disk: they are added to, and not changed. Moments and durations are
// microseconds, as in the columns.
type (
	stepFacts struct {
		Number numberRow `json:"number"`
		Call   *callRow  `json:"call,omitempty"`
	}

	numberRow struct {
		E164      string `json:"e164,omitempty"`
		Country   string `json:"country,omitempty"`
		Extension string `json:"extension,omitempty"`
		Trunk     string `json:"trunk,omitempty"`
		Label     string `json:"label,omitempty"`
		Ring      int64  `json:"ring,omitempty"`
	}

	// callRow is a call without what is in columns.
	callRow struct {
		Forward  string          `json:"forward,omitempty"`
		Spent    int64           `json:"spent,omitempty"`
		LastHope bool            `json:"last_hope,omitempty"`
		Unheard  bool            `json:"unheard,omitempty"`
		Ring     int64           `json:"ring,omitempty"`
		Language string          `json:"language,omitempty"`
		Prompt   string          `json:"prompt,omitempty"`
		Confirm  telgate.Confirm `json:"confirm,omitempty"`
		Scope    telgate.Scope   `json:"scope,omitempty"`
		Times    timesRow        `json:"times"`
		Signal   signalRow       `json:"signal"`
		Audio    audioRow        `json:"audio"`
		Keys     []keyRow        `json:"keys,omitempty"`
		Trace    []sipRow        `json:"trace,omitempty"`
		Ending   *endingRow      `json:"ending,omitempty"`
	}

	// timesRow has those moments that are no columns.
	timesRow struct {
		Alerted   int64 `json:"alerted,omitempty"`
		Answered  int64 `json:"answered,omitempty"`
		RingUntil int64 `json:"ring_until,omitempty"`
	}

	signalRow struct {
		Status     int              `json:"status,omitempty"`
		Phrase     string           `json:"phrase,omitempty"`
		Q850       int              `json:"q850,omitempty"`
		Reasons    []string         `json:"reasons,omitempty"`
		Warning    string           `json:"warning,omitempty"`
		Server     string           `json:"server,omitempty"`
		RetryAfter int64            `json:"retry_after,omitempty"`
		RedirectTo string           `json:"redirect_to,omitempty"`
		DivertedTo string           `json:"diverted_to,omitempty"`
		ToTags     int              `json:"to_tags,omitempty"`
		Alerting   telgate.Alerting `json:"alerting,omitempty"`
		SIPCallID  string           `json:"sip_call_id,omitempty"`
		Err        string           `json:"error,omitempty"`
	}

	audioRow struct {
		Codec    string             `json:"codec,omitempty"`
		Media    telgate.Media      `json:"media,omitempty"`
		Suite    string             `json:"suite,omitempty"`
		Early    telgate.EarlyAudio `json:"early,omitempty"`
		Prompt   int64              `json:"prompt,omitempty"`
		Sent     uint64             `json:"sent,omitempty"`
		Received uint64             `json:"received,omitempty"`
		Lost     uint64             `json:"lost,omitempty"`
		Rejected uint64             `json:"rejected,omitempty"`
		For      telgate.Rejection  `json:"rejected_for,omitempty"`
	}

	endingRow struct {
		Transport string `json:"transport"`
		Peer      string `json:"peer"`
		Request   string `json:"request"`
	}

	keyRow struct {
		Digit string `json:"digit"`
		Via   string `json:"via,omitempty"`
		After int64  `json:"after"`
		Early bool   `json:"early,omitempty"`

		Confirms bool `json:"confirms,omitempty"`
	}

	sipRow struct {
		At        int64  `json:"at"`
		Sent      bool   `json:"sent,omitempty"`
		Transport string `json:"transport,omitempty"`
		Local     string `json:"local,omitempty"`
		Remote    string `json:"remote,omitempty"`
		Line      string `json:"line,omitempty"`
		SDP       string `json:"sdp,omitempty"`
		Text      string `json:"text,omitempty"`
		Skipped   int    `json:"skipped,omitempty"`
	}
)

// encode is for row forms, which always marshal.
func encode(row any) string {
	b, err := json.Marshal(row)
	if err != nil {
		panic("store: a row does not marshal: " + err.Error())
	}
	return string(b)
}

func decode(b []byte, row any) error {
	if err := json.Unmarshal(b, row); err != nil {
		return fmt.Errorf("read a row's facts: %w", err)
	}
	return nil
}

func factsOf(s *telgate.Step) stepFacts {
	return stepFacts{Number: numberOf(s.Number), Call: callOf(s.Call)}
}

func numberOf(n telgate.Number) numberRow {
	return numberRow{n.E164, n.Country, n.Extension, n.Trunk, n.Label, n.Ring.Microseconds()}
}

func (n numberRow) number() telgate.Number {
	return telgate.Number{
		E164: n.E164, Country: n.Country, Extension: n.Extension, Trunk: n.Trunk, Label: n.Label, Ring: micros(n.Ring),
	}
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

func callOf(c *telgate.Call) *callRow {
	if c == nil {
		return nil
	}
	row := &callRow{
		Forward: c.Forward, Spent: c.Spent.Microseconds(), LastHope: c.LastHope, Unheard: c.Unheard, Ring: c.Ring.Microseconds(),
		Language: c.Language, Prompt: c.Prompt, Confirm: c.Confirm, Scope: c.Scope,
		Times: timesRow{micro(c.Times.Alerted), micro(c.Times.Answered), micro(c.Times.RingUntil)},
		Signal: signalRow{
			Status: c.Signal.Status, Phrase: c.Signal.Phrase, Q850: c.Signal.Q850, Reasons: c.Signal.Reasons, Warning: c.Signal.Warning,
			Server: c.Signal.Server, RetryAfter: c.Signal.RetryAfter.Microseconds(), RedirectTo: c.Signal.RedirectTo,
			DivertedTo: c.Signal.DivertedTo, ToTags: c.Signal.ToTags, Alerting: c.Signal.Alerting, SIPCallID: c.Signal.SIPCallID,
			Err: c.Signal.Err,
		},
		Audio: audioRow{
			c.Audio.Codec, c.Audio.Media, c.Audio.Suite, c.Audio.Early, c.Audio.Prompt.Microseconds(),
			c.Audio.RTP.Sent, c.Audio.RTP.Received, c.Audio.RTP.Lost, c.Audio.RTP.Rejected, c.Audio.RTP.RejectedFor,
		},
	}
	if c.Ending != (telgate.Ending{}) {
		e := endingRow(c.Ending)
		row.Ending = &e
	}
	for _, k := range c.Keys {
		row.Keys = append(row.Keys, keyRow{k.Digit, k.Via, k.After.Microseconds(), k.Early, k.Confirms})
	}
	for i := range c.Trace {
		m := &c.Trace[i]
		row.Trace = append(row.Trace, sipRow{micro(m.At), m.Sent, m.Transport, m.Local, m.Remote, m.Line, m.SDP, m.Text, m.Skipped})
	}
	return row
}

// call puts the facts into a call that has what is in columns.
func (row *callRow) call(c *telgate.Call) {
	c.Forward, c.Spent, c.LastHope, c.Unheard = row.Forward, micros(row.Spent), row.LastHope, row.Unheard
	c.Ring, c.Language, c.Prompt, c.Confirm, c.Scope = micros(row.Ring), row.Language, row.Prompt, row.Confirm, row.Scope
	c.Times.Alerted, c.Times.Answered = moment(row.Times.Alerted), moment(row.Times.Answered)
	c.Times.RingUntil = moment(row.Times.RingUntil)
	s := row.Signal
	c.Signal = telgate.Signal{
		Status: s.Status, Phrase: s.Phrase, Q850: s.Q850, Reasons: s.Reasons, Warning: s.Warning, Server: s.Server,
		RetryAfter: micros(s.RetryAfter), RedirectTo: s.RedirectTo, DivertedTo: s.DivertedTo, ToTags: s.ToTags, Alerting: s.Alerting,
		SIPCallID: s.SIPCallID, Err: s.Err,
	}
	a := row.Audio
	c.Audio = telgate.Audio{
		Codec: a.Codec, Media: a.Media, Suite: a.Suite, Early: a.Early, Prompt: micros(a.Prompt),
		RTP: telgate.RTP{Sent: a.Sent, Received: a.Received, Lost: a.Lost, Rejected: a.Rejected, RejectedFor: a.For},
	}
	if row.Ending != nil {
		c.Ending = telgate.Ending(*row.Ending)
	}
	for _, k := range row.Keys {
		c.Keys = append(c.Keys, telgate.Key{Digit: k.Digit, Via: k.Via, After: micros(k.After), Early: k.Early, Confirms: k.Confirms})
	}
	for i := range row.Trace {
		m := &row.Trace[i]
		c.Trace = append(c.Trace, telgate.SIPMessage{
			At: moment(m.At), Sent: m.Sent, Transport: m.Transport, Local: m.Local, Remote: m.Remote, Line: m.Line, SDP: m.SDP,
			Text: m.Text, Skipped: m.Skipped,
		})
	}
}
