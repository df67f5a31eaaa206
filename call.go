package telgate

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// CallID names one INVITE to one number over one trunk.
type CallID string

// Order is what the pager asks of voice: ring this number over this trunk, once.
type Order struct {
	Call     CallID
	Page     PageID
	Person   string // nickname
	Step     int    // from 1, over the whole page
	Round    int    // from 1
	Number   Number
	Forward  string        // the user part that a 301 or 302 named and that is rung in place of Number, "" = Number itself
	Spent    time.Duration // of the time to set up, by what came before Forward
	Trunk    string
	LastHope bool          // no other eligible trunk is left: wait until setup instead of first_response
	Unheard  bool          // a trunk before in this step failed without judging the number: a 404 now is not the last word
	Ring     time.Duration // from first alerting
	Language string        // BCP 47, of the person, else of the gateway
	Prompt   string        // name of the recording
	Confirm  Confirm
}

// Call is one INVITE and everything that is known about it. While it is in progress Outcome is "".
type Call struct {
	Order
	State   CallState
	Outcome Outcome
	Detail  Detail
	Scope   Scope
	Times   CallTimes
	Signal  Signal
	Audio   Audio
	Keys    []Key
	Trace   []SIPMessage // what passed for it, in order; nobody changes it
	Ending  Ending       // while it is in progress
}

// Ending is the request that ends a call for whoever goes on with its page after its gateway died: a CANCEL, and a BYE once
// there was an answer. The zero Ending ends nothing.
type Ending struct {
	Transport string // "udp", "tcp" or "tls"
	Peer      string // address and port
	Request   string // a SIP message, with the number that is called
}

// CallID is the Call-ID of the call (RFC 3261 20.8), "" where the request has none.
func (e Ending) CallID() string {
	for line := range strings.SplitSeq(e.Request, "\r\n") {
		if line == "" { // what follows is a body
			break
		}
		if name, value, ok := strings.Cut(line, ":"); ok && (strings.EqualFold(strings.TrimSpace(name), "Call-ID") || strings.TrimSpace(name) == "i") {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// EventInvited is for the pager only: an INVITE was handed to the network, or answered, and what ends the call is another
// request from now on.
const EventInvited EventKind = "invited"

// Reached tells whether the call reached a human: the confirm key, or, where the person's policy is ConfirmAnswer,
// listening long enough. Any other answered call reached nobody.
func (c Call) Reached() bool {
	return c.Outcome == OutcomeConfirmed ||
		c.Outcome == OutcomeAnswered && c.Detail == DetailListened && c.Confirm == ConfirmAnswer
}

// KeyHeard tells whether the call is confirmed by its key. One in progress is saying thanks then.
func (c Call) KeyHeard() bool {
	return slices.ContainsFunc(c.Keys, func(k Key) bool { return k.Confirms })
}

// RedirectedTo is where the peer sent the call, followed or not: the last two digits, "" if nowhere.
func (c Call) RedirectedTo() string { return lastTwo(cmp.Or(c.Signal.RedirectTo, c.Forward)) }

// CallState is how far a call in progress has come.
type CallState string

// States of a call.
const (
	CallDialing   CallState = "dialing"
	CallRinging   CallState = "ringing"
	CallEarly     CallState = "early_media"
	CallForwarded CallState = "forwarded"
	CallAnswered  CallState = "answered"
	CallEnded     CallState = "ended"
)

// CallTimes are the moments of a call; zero where it did not come so far.
type CallTimes struct {
	Dialed    time.Time // INVITE handed to the network
	Alerted   time.Time
	Answered  time.Time // ACK sent
	Ended     time.Time
	RingUntil time.Time // until then the phone may ring whatever happens to us
}

// RingFor is how long it rang, from first alerting to answer or end.
func (t CallTimes) RingFor() time.Duration {
	if t.Alerted.IsZero() {
		return 0
	}
	if !t.Answered.IsZero() {
		return max(0, t.Answered.Sub(t.Alerted))
	}
	return max(0, t.Ended.Sub(t.Alerted))
}

// TalkFor is how long the call was up.
func (t CallTimes) TalkFor() time.Duration {
	if t.Answered.IsZero() {
		return 0
	}
	return max(0, t.Ended.Sub(t.Answered))
}

// Signal is what the peer said about a call, as received.
type Signal struct {
	Status     int      // the final SIP status, 0 if none came
	Phrase     string   // its reason phrase
	Q850       int      // the first Q.850 cause of a Reason header, 0 if none
	Reasons    []string // every Reason header value, of the final response or the peer's BYE
	Warning    string
	Server     string
	RetryAfter time.Duration
	RedirectTo string // where a 3xx pointed; user part only
	DivertedTo string // where the network said that it forwarded the call; user part only, "" = not said
	ToTags     int    // number of early or confirmed dialogs
	Alerting   Alerting
	SIPCallID  string // Call-ID of the INVITE, to find it in the PBX's log
	Err        string // the error chain where no response decided; or what else the status may mean
}

// Audio is what was sent to and heard from the callee.
type Audio struct {
	Codec  string
	Media  Media  // "" where nothing was agreed on
	Suite  string // of SRTP, as RFC 4568 names it
	Early  EarlyAudio
	Prompt time.Duration // of the recording that was sent, repeats included
	RTP    RTP
}

// Media says whether the audio was encrypted.
type Media string

// What the audio travelled as. A call of which some part was plain is MediaRTP.
const (
	MediaRTP  Media = "rtp"
	MediaSRTP Media = "srtp"
)

// RTP counts packets of one call.
type RTP struct {
	Sent     uint64 `json:"sent"`
	Received uint64 `json:"received"`
	Lost     uint64 `json:"lost"` // of the peer's, by sequence number (RFC 3550 A.3)

	Rejected    uint64    `json:"rejected,omitempty"` // that came and were not listened to
	RejectedFor Rejection `json:"rejected_for,omitempty"`
}

// Rejection is why most of the packets that were not listened to were not.
type Rejection string

// Reasons not to listen to a packet.
const (
	RejectedSource  Rejection = "source"       // it came from another address than SDP names, and latch does not allow that
	RejectedPayload Rejection = "payload_type" // its payload type was not agreed on
	RejectedKey     Rejection = "key"          // it was not under the callee's SRTP key
)

// Key is one key press of the callee.
type Key struct {
	Digit string        // "0"–"9", "*", "#", "A"–"D"
	Via   string        // "rfc4733" or "info"
	After time.Duration // since the answer
	Early bool          // came before it could count

	Confirms bool // it is the confirm key and counts: the call is confirmed, whatever becomes of it
}

// StopCause cancels the context of a call: why it is no longer wanted. Voice turns it into CANCEL or BYE.
type StopCause struct {
	Why StopWhy
	By  string // who asked, "" for the gateway itself
}

// Error makes a StopCause usable as a context's cause.
func (s *StopCause) Error() string {
	if s.By == "" {
		return "call stopped: " + string(s.Why)
	}
	return "call stopped: " + string(s.Why) + " by " + s.By
}

// StopWhy says why a call in progress is no longer wanted.
type StopWhy string

// Reasons to stop a call in progress.
const (
	StopAsked     StopWhy = "asked"     // somebody stopped the page
	StopConfirmed StopWhy = "confirmed" // the target confirmed another way
	StopNext      StopWhy = "next"      // somebody wants the next number called
	StopGateway   StopWhy = "gateway"   // the gateway stops
	StopFenced    StopWhy = "fenced"    // another gateway goes on with the page
)
