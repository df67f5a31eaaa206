package telgate

import (
	"encoding/json"
	"strings"
	"time"
)

// EventVersion is the "v" of the JSON form. Names may be added under one version; removing or renaming bumps it.
const EventVersion = 1

// EventKind names what happened.
type EventKind string

// What can happen to a page.
const (
	EventPageAccepted    EventKind = "page_accepted"
	EventPageJoined      EventKind = "page_joined"
	EventDialing         EventKind = "dialing"
	EventRinging         EventKind = "ringing"
	EventEarlyMedia      EventKind = "early_media"
	EventForwarded       EventKind = "forwarded"
	EventAnswered        EventKind = "answered"
	EventPrompt          EventKind = "prompt" // a recording starts
	EventKey             EventKind = "key"
	EventVoicemail       EventKind = "voicemail"
	EventCallEnded       EventKind = "call_ended"
	EventStepSkipped     EventKind = "step_skipped"
	EventWaiting         EventKind = "waiting"
	EventWaitingForLine  EventKind = "waiting_for_line"
	EventCalledBack      EventKind = "called_back" // who was rung calls us; it confirms nothing
	EventPageConfirmed   EventKind = "page_confirmed"
	EventPersonConfirmed EventKind = "person_confirmed" // in a roll call that others have still to confirm
	EventPageEnded       EventKind = "page_ended"
	EventRefused         EventKind = "refused"
)

// Event is one thing that happened to a page. Which of the later fields are set depends on the kind.
type Event struct {
	Seq    int // per page, from 1; set by the pager
	Time   time.Time
	Kind   EventKind
	Page   PageID
	Order  *Order // of the step it belongs to: dialing … call_ended, step_skipped, waiting_for_line; called_back: whose phone
	Ended  *Call  // call_ended
	Status int    // ringing, early_media, forwarded: the SIP status
	Clip   string // prompt: the recording's name
	Key    *Key   // key
	Skip   SkipReason
	Until  time.Time // waiting: when the next step begins; waiting_for_line: when the next trunk is tried
	Asker  *Asker    // page_accepted, page_joined
	Result Result    // page_confirmed, page_ended
	Late   bool
	People []Target // page_accepted, page_confirmed, page_ended, called_back
	Refuse *Refusal // refused
	Ending *Ending  // invited
}

type eventJSON struct {
	V           int          `json:"v"`
	Seq         int          `json:"seq,omitempty"`
	Time        string       `json:"time"`
	Event       EventKind    `json:"event"`
	Page        PageID       `json:"page,omitempty"`
	Call        CallID       `json:"call,omitempty"`
	Person      string       `json:"person,omitempty"`
	Step        int          `json:"step,omitempty"`
	Round       int          `json:"round,omitempty"`
	Number      string       `json:"number,omitempty"`
	Trunk       string       `json:"trunk,omitempty"`
	ForwardedTo string       `json:"forwarded_to,omitempty"` // masked: a redirect that is followed
	SIPStatus   *int         `json:"sip_status,omitempty"`
	Prompt      string       `json:"prompt,omitempty"`
	Key         string       `json:"key,omitempty"`
	KeyVia      string       `json:"key_via,omitempty"`
	KeyEarly    bool         `json:"key_early,omitempty"`
	KeyConfirms bool         `json:"key_confirms,omitempty"`
	Until       string       `json:"until,omitempty"`
	Asker       string       `json:"asker,omitempty"`
	Message     string       `json:"message,omitempty"`
	Reason      string       `json:"reason,omitempty"`
	Suggestions []string     `json:"suggestions,omitempty"`
	Result      Result       `json:"result,omitempty"`
	Late        bool         `json:"late,omitempty"`
	People      []targetJSON `json:"people,omitempty"`
	*callEndedJSON
}

type targetJSON struct {
	Person string `json:"person"`
	Result Result `json:"result,omitempty"`
	By     string `json:"by,omitempty"`
	Via    Via    `json:"via,omitempty"`
}

type callEndedJSON struct {
	Outcome    Outcome    `json:"outcome"`
	Detail     Detail     `json:"detail,omitempty"`
	Scope      Scope      `json:"scope,omitempty"`
	SIPReason  string     `json:"sip_reason,omitempty"`
	Q850       int        `json:"q850,omitempty"`
	Reasons    []string   `json:"reasons,omitempty"`
	Warning    string     `json:"warning,omitempty"`
	Server     string     `json:"server,omitempty"`
	SIPCallID  string     `json:"sip_call_id,omitempty"`
	RetryMS    int64      `json:"retry_after_ms,omitempty"`
	ToTags     int        `json:"to_tags,omitempty"`
	Redirected string     `json:"redirected_to,omitempty"` // masked
	Diverted   string     `json:"diverted_to,omitempty"`   // masked
	Error      string     `json:"error,omitempty"`
	Alerting   Alerting   `json:"alerting"`
	EarlyAudio EarlyAudio `json:"early_audio"`
	RingMS     int64      `json:"ring_ms"`
	TalkMS     int64      `json:"talk_ms"`
	PromptMS   int64      `json:"prompt_ms"`
	Codec      string     `json:"codec,omitempty"`
	Media      Media      `json:"media,omitempty"`
	SRTPSuite  string     `json:"srtp_suite,omitempty"`
	Keys       []keyJSON  `json:"keys"`
	RTP        RTP        `json:"rtp"`

	Trace []sipMessageJSON `json:"trace,omitempty"` // only where it was asked for
}

type keyJSON struct {
	Key   string `json:"key"`
	Via   string `json:"via"`
	MS    int64  `json:"ms"`
	Early bool   `json:"early,omitempty"`

	Confirms bool `json:"confirms,omitempty"`
}

// JSON is the public form of an event: one object without a newline. Numbers are masked unless showNumbers.
func (e Event) JSON(showNumbers bool) []byte { return e.encode(showNumbers, false) }

// encode puts a refusal into its event. What somebody typed, and what they may have meant, may be numbers.
func (r *Refusal) encode(out *eventJSON, showNumbers bool) {
	out.Reason, out.Message, out.Suggestions, out.Person = string(r.Reason), r.Message, r.Suggestions, r.Subject
	if showNumbers {
		return
	}
	out.Person, out.Suggestions = Masked(r.Subject), nil
	for _, s := range r.Suggestions {
		out.Suggestions = append(out.Suggestions, Masked(s))
	}
}

func (e Event) encode(showNumbers, trace bool) []byte {
	out := eventJSON{
		V: EventVersion, Seq: e.Seq, Time: stamp(e.Time), Event: e.Kind, Page: e.Page,
		Prompt: e.Clip, Until: stamp(e.Until), Result: e.Result, Late: e.Late, Reason: string(e.Skip),
	}
	if e.Order != nil {
		out.Call, out.Person, out.Step, out.Round, out.Trunk = e.Order.Call, e.Order.Person, e.Order.Step, e.Order.Round, e.Order.Trunk
		out.ForwardedTo = lastTwo(e.Order.Forward)
		switch number := e.Order.Number; {
		case number == (Number{}): // of a page of another gateway not everything is known
		case showNumbers:
			out.Number = number.Whole()
		default:
			out.Number = number.String()
		}
	}
	if e.Status != 0 {
		out.SIPStatus = &e.Status
	}
	if e.Key != nil {
		out.Key, out.KeyVia, out.KeyEarly, out.KeyConfirms = e.Key.Digit, e.Key.Via, e.Key.Early, e.Key.Confirms
	}
	if e.Asker != nil {
		out.Asker, out.Message = e.Asker.ID, e.Asker.Message
	}
	if e.Refuse != nil {
		e.Refuse.encode(&out, showNumbers)
	}
	for _, t := range e.People {
		out.People = append(out.People, targetJSON{Person: t.Nick, Result: t.Result, By: t.By, Via: t.Via})
	}
	if e.Ended != nil {
		out.callEndedJSON = ended(*e.Ended)
		if !showNumbers {
			out.hideNumbers()
		}
		out.SIPStatus = &e.Ended.Signal.Status
		if trace {
			out.Trace = traceJSON(e.Ended.Trace)
		}
	}
	b, err := json.Marshal(out)
	if err != nil { // strings, numbers and slices of them always marshal
		panic("telgate: event does not marshal: " + err.Error())
	}
	return b
}

func ended(c Call) *callEndedJSON {
	out := &callEndedJSON{
		Outcome: c.Outcome, Detail: c.Detail, Scope: c.Scope,
		SIPReason: c.Signal.Phrase, Q850: c.Signal.Q850, Reasons: c.Signal.Reasons, Warning: c.Signal.Warning,
		Server: c.Signal.Server, SIPCallID: c.Signal.SIPCallID, Error: c.Signal.Err,
		RetryMS: c.Signal.RetryAfter.Milliseconds(), ToTags: c.Signal.ToTags, Redirected: c.RedirectedTo(), Diverted: lastTwo(c.Signal.DivertedTo),
		Alerting: c.Signal.Alerting, EarlyAudio: c.Audio.Early,
		RingMS: c.Times.RingFor().Milliseconds(), TalkMS: c.Times.TalkFor().Milliseconds(),
		PromptMS: c.Audio.Prompt.Milliseconds(), Codec: c.Audio.Codec, Media: c.Audio.Media, SRTPSuite: c.Audio.Suite, RTP: c.Audio.RTP,
		Keys: make([]keyJSON, 0, len(c.Keys)),
	}
	for _, k := range c.Keys {
		out.Keys = append(out.Keys, keyJSON{Key: k.Digit, Via: k.Via, MS: k.After.Milliseconds(), Early: k.Early, Confirms: k.Confirms})
	}
	return out
}

// hideNumbers takes telephone numbers out of what a peer wrote.
func (c *callEndedJSON) hideNumbers() {
	c.SIPReason, c.Warning, c.Error = MaskedWire(c.SIPReason), MaskedWire(c.Warning), MaskedWire(c.Error)
	reasons := make([]string, len(c.Reasons))
	for i, r := range c.Reasons {
		reasons[i] = MaskedWire(r)
	}
	c.Reasons = reasons
}

// lastTwo masks a user part.
func lastTwo(user string) string {
	if len(user) < 5 {
		return strings.Repeat("…", min(1, len(user)))
	}
	return "…" + user[len(user)-2:]
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}
