// Package voice makes one call: one INVITE to one number over one named trunk, the recording, the keys, BYE, and exactly
// one outcome with its facts. It is the only room where signalling (package sip) and audio (package media) meet; SDP
// crosses between them as bytes (RFC 3264).
//
// It never fails over, never repeats a call and knows nothing about pages: what comes next is for plan and pager.
//
// The rules are few. Alerting is a 180, or ringback heard in early media (early.go): from then on nothing is a trunk's
// failure (outcome.go holds the table). Silence is sent from the ACK on; the recording starts when the callee stopped
// saying hello (talk.go). A confirm key counts only if it began after enough of the spoken recording was sent (keys.go).
// Whatever happens, the leg is given its CANCEL or BYE before Call returns, and an answer that crosses our CANCEL is told,
// not hidden.
package voice

import (
	"context"
	"fmt"
	"time"

	"telgate"
	"telgate/media"
	"telgate/prompts"
	"telgate/sip"
)

// Config is how every call is made.
type Config struct {
	Setup         time.Duration // from INVITE to alerting or answer
	FirstResponse time.Duration // until any response, where another trunk is left; also for connecting
	MaxDuration   time.Duration // from answer to our BYE
	ConfirmAfter  time.Duration // of spoken recording sent before a key counts
	AnswerMin     time.Duration // of recording sent before an answer counts, where the policy is ConfirmAnswer
	RepeatPause   time.Duration // silence between two rounds of the recording
	ConfirmKey    string        // one digit
	RepeatKey     string        // one digit, "" = none
	AcceptUnknown bool          // nothing tells a human from a machine here: take the unknown for a human where the policy is ConfirmAnswer
	Announce      string        // recording played before the alert, "" = none
	Languages     []string      // after the person's: the gateway's, then English
	Trace         sip.TraceOptions
}

// Leg is the signalling of one call; [sip.Leg] is one.
type Leg interface {
	Events() <-chan sip.Event
	Hangup(why sip.Hangup)
	CallID() string
	Ending() sip.Ending
}

// Session is the audio of one call; [media.Session] is one.
type Session interface {
	Audio
	Negotiation
	Listener
	Reported() bool // the callee's RTCP says that it receives us
	Close()
}

// Audio is what is played and heard.
type Audio interface {
	Play(frames [][]byte) media.ClipID
	Events() <-chan media.Event
	Stats() media.Stats
}

// Listener hears what the network says before the callee does, and tells [media.Tone]s.
type Listener interface {
	Early(sdp []byte) error // to the media of a 18x, until the answer
	Listen(on bool)         // after the answer
}

// Negotiation is the session's side of offer and answer (RFC 3264).
type Negotiation interface {
	Offer() []byte
	Narrow() []byte // a narrower offer for a 488, nil = none
	Accept(answer []byte) error
	Reoffer(offer []byte) ([]byte, error)
	Codec() media.Codec
}

// Line is a trunk as voice needs it.
type Line struct {
	// Unsupervised says that a 200 on this trunk is not yet the callee (FXO and GSM gateways answer when they go off hook).
	Unsupervised bool

	Dial   func(telgate.Number) (user string, err error)         // the final dial string, or what forbids it
	Invite func(ctx context.Context, in sip.Invite) (Leg, error) // returns when the INVITE was handed to the network
	Open   func(ctx context.Context) (Session, error)            // a port pair with our offer; a [*sip.SendError] where the trunk is not open
	Script func(prompts.ScriptOptions) (prompts.Script, error)   // the recordings, in this trunk's codecs
	Keys   KeySource                                             // which keys count; "" is KeysAuto
	End    func(ctx context.Context, e sip.Ending) (int, error)  // ends a call of a gateway that died; the status of the answer
}

// KeySource is where keys may come from.
type KeySource string

// Sources of keys. With KeysAuto the first that a call brings is the call's own.
const (
	KeysAuto    KeySource = "auto"
	KeysRFC4733 KeySource = "rfc4733" // telephone-event in the callee's RTP
	KeysInfo    KeySource = "info"    // SIP INFO in the callee's dialog
)

// Voice makes calls. It is safe for use by many goroutines.
type Voice struct {
	cfg   Config
	lines map[string]Line
	now   func() time.Time
}

// New returns a Voice over these trunks, by name.
func New(cfg Config, lines map[string]Line, now func() time.Time) *Voice {
	return &Voice{cfg: cfg, lines: lines, now: now}
}

// Call rings o.Number once over o.Trunk and returns how it ended; Outcome is never "". It blocks until the leg is down,
// or a moment after it was told to be. Cancelling ctx with a [telgate.StopCause] hangs up. emit is called in order from
// one goroutine and must not block.
func (v *Voice) Call(ctx context.Context, o *telgate.Order, emit func(telgate.Event)) *telgate.Call {
	c := &call{cfg: &v.cfg, now: v.now, emit: emit, out: new(telgate.Call), ev: evidence{lastHope: o.LastHope && !o.Unheard}}
	c.out.Order, c.out.State = *o, telgate.CallDialing
	c.ev.extension = !c.phone()
	c.early.unsupervised = v.lines[o.Trunk].Unsupervised
	c.out.Signal.Alerting, c.out.Audio.Early = telgate.AlertingNone, telgate.EarlyNone
	if line, ok := v.lines[o.Trunk]; ok {
		c.run(ctx, &line)
	} else {
		c.failed(ownCannotListen, fmt.Errorf("trunk %q does not exist", o.Trunk))
	}
	return c.out
}

// languages is the order in which recordings are looked for.
func languages(person string, more []string) []string {
	if person == "" {
		return more
	}
	return append([]string{person}, more...)
}

// hangupFor says what the peer is told when a call is no longer wanted: BYE says normal clearing (RFC 3326); CANCEL
// says so only where somebody else took over, so that the phone shows no missed call for it.
func hangupFor(cause error, answered bool) sip.Hangup {
	if answered {
		return sip.Hangup{Reason: normalClearing}
	}
	stop, ok := cause.(*telgate.StopCause) //nolint:errorlint // a context's cause is given as it was set
	if ok && stop.Why == telgate.StopConfirmed {
		return sip.Hangup{Reason: `SIP;cause=200;text="Call completed elsewhere"`}
	}
	return sip.Hangup{}
}

// normalClearing is the Reason of every BYE of ours (RFC 3326, Q.850).
const normalClearing = "Q.850;cause=16"
