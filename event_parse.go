package telgate

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// ParseEvent reads what [Event.JSON] wrote: for who follows a page from another process. Numbers that were masked stay so,
// names that are not known are skipped, and moments that the form gives as a length are counted back from the event's time.
func ParseEvent(b []byte) (Event, error) {
	in := eventJSON{callEndedJSON: &callEndedJSON{}} // encoding/json makes no embedded pointer of its own
	if err := json.Unmarshal(b, &in); err != nil {
		return Event{}, fmt.Errorf("read an event: %w", err)
	}
	if in.V != EventVersion {
		return Event{}, fmt.Errorf("read an event: its form is %d, this program reads %d", in.V, EventVersion)
	}
	e := Event{
		Seq: in.Seq, Time: moment(in.Time), Kind: in.Event, Page: in.Page, Clip: in.Prompt, Until: moment(in.Until), Result: in.Result, Late: in.Late,
	}
	switch {
	case e.Kind == EventRefused:
		e.Refuse = &Refusal{Reason: RefusalReason(in.Reason), Message: in.Message, Suggestions: in.Suggestions, Subject: in.Person}
		return e, nil
	case in.Asker != "":
		e.Asker = &Asker{Actor: Actor{ID: in.Asker}, Message: in.Message, At: e.Time}
	}
	e.Skip = SkipReason(in.Reason)
	if in.Person != "" || in.Call != "" || in.Trunk != "" {
		e.Order = &Order{
			Call: in.Call, Page: in.Page, Person: in.Person, Step: in.Step, Round: in.Round, Number: shownNumber(in.Number), Trunk: in.Trunk,
			Forward: in.ForwardedTo,
		}
	}
	if in.Key != "" {
		e.Key = &Key{Digit: in.Key, Via: in.KeyVia, Early: in.KeyEarly, Confirms: in.KeyConfirms}
	}
	for _, t := range in.People {
		e.People = append(e.People, Target{Nick: t.Person, Name: t.Person, Result: t.Result, By: t.By, Via: t.Via})
	}
	if e.Order != nil && in.Outcome != "" {
		e.Ended = &Call{Order: *e.Order, State: CallEnded}
		e.Ended.learn(in.callEndedJSON, in.SIPStatus, e.Time)
		e.Ended.countBack(in.callEndedJSON, e.Time)
	} else if in.SIPStatus != nil {
		e.Status = *in.SIPStatus
	}
	return e, nil
}

// learn takes what is written of a call that has ended; first is when its first message was sent.
func (c *Call) learn(j *callEndedJSON, status *int, first time.Time) {
	c.Outcome, c.Detail, c.Scope = j.Outcome, j.Detail, j.Scope
	c.Signal = Signal{
		Phrase: j.SIPReason, Q850: j.Q850, Reasons: j.Reasons, Warning: j.Warning, Server: j.Server,
		RetryAfter: time.Duration(j.RetryMS) * time.Millisecond, DivertedTo: j.Diverted, ToTags: j.ToTags, Alerting: j.Alerting,
		SIPCallID: j.SIPCallID, Err: j.Error,
	}
	if j.Redirected != c.Forward {
		c.Signal.RedirectTo = j.Redirected
	}
	if status != nil {
		c.Signal.Status = *status
	}
	c.Audio = Audio{
		Codec: j.Codec, Media: j.Media, Suite: j.SRTPSuite, Early: j.EarlyAudio, Prompt: time.Duration(j.PromptMS) * time.Millisecond, RTP: j.RTP,
	}
	for _, k := range j.Keys {
		c.Keys = append(c.Keys, Key{Digit: k.Key, Via: k.Via, After: time.Duration(k.MS) * time.Millisecond, Early: k.Early, Confirms: k.Confirms})
	}
	for _, m := range j.Trace {
		local, remote := m.To, m.From
		if m.Sent {
			local, remote = remote, local
		}
		c.Trace = append(c.Trace, SIPMessage{
			At: first.Add(time.Duration(m.MS) * time.Millisecond), Sent: m.Sent, Transport: m.Transport, Local: local, Remote: remote,
			Line: m.Line, SDP: m.SDP, Text: m.Text, Skipped: m.Skipped,
		})
	}
}

// countBack finds the moments of a call from how long its parts took.
func (c *Call) countBack(j *callEndedJSON, end time.Time) {
	c.Times.Ended = end
	begin := end
	if j.TalkMS > 0 {
		c.Times.Answered = end.Add(-time.Duration(j.TalkMS) * time.Millisecond)
		begin = c.Times.Answered
	}
	if j.RingMS > 0 {
		c.Times.Alerted = begin.Add(-time.Duration(j.RingMS) * time.Millisecond)
	}
}

// shownNumber reads a number as it was shown, whole or masked: it prints again as it was.
func shownNumber(s string) Number {
	if user, trunk, ok := strings.Cut(strings.TrimPrefix(s, "sip:"), "@"); ok && strings.HasPrefix(s, "sip:") {
		return Number{Extension: user, Trunk: trunk}
	}
	country, _, masked := strings.Cut(strings.TrimPrefix(s, "+"), "…")
	if !strings.HasPrefix(s, "+") || !masked {
		return Number{E164: s}
	}
	return Number{E164: s, Country: country}
}
