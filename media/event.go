package media

import "time"

// Event is something a session noticed: [FirstPacket], [SpeechBegan], [SpeechEnded], [Key], [Played], [Held] or [Tone].
type Event interface{ event() }

// FirstPacket is the first RTP from the callee.
type FirstPacket struct{ At time.Time }

// SpeechBegan says that the callee speaks, since about 60 ms.
type SpeechBegan struct{ At time.Time }

// SpeechEnded says that the callee has been silent for 300 ms after speaking.
type SpeechEnded struct{ At time.Time }

// Key is a key press (RFC 4733), told when it begins, and once.
type Key struct {
	Digit byte      // '0'–'9', '*', '#', 'A'–'D'
	At    time.Time // when it began
	// Clip is what played when the press was heard of, or had played last; ClipSent is how much of it had been sent
	// when the press began.
	Clip     ClipID
	ClipSent time.Duration
}

// Played says that a recording was sent to its end.
type Played struct{ Clip ClipID }

// Held says that the callee put us on hold, or took us back. While held nothing is sent, and what plays stands still.
type Held struct{ On bool }

// Tone is what a session that listens for the network's own sounds made out: see [Session.Early] and [Session.Listen].
type Tone struct {
	Kind ToneKind
	At   time.Time // when it began, or, with Over, ended
	Over bool
}

// ToneKind is one of those sounds.
type ToneKind string

// The sounds that are told apart. Ringback, busy and congestion are told when their cadence is certain, and once more,
// with Over, when they stop.
const (
	ToneUnknown    ToneKind = "unknown"    // a tone has begun, it may become one of the following
	ToneRingback   ToneKind = "ringback"   // somewhere a phone rings
	ToneBusy       ToneKind = "busy"       // the callee is on another call, or has hung up
	ToneCongestion ToneKind = "congestion" // also called reorder, or fast busy: the network has no way
	ToneSIT        ToneKind = "sit"        // special information tone: an announcement about a failure follows
	ToneSpeech     ToneKind = "speech"     // a human, an announcement or music, since about 0.4 s
	ToneFax        ToneKind = "fax"        // a fax machine calls, or answers
)

// ClipID names one Play of a session; 0 is the silence before the first.
type ClipID uint32

func (FirstPacket) event() {}
func (SpeechBegan) event() {}
func (SpeechEnded) event() {}
func (Key) event()         {}
func (Played) event()      {}
func (Held) event()        {}
func (Tone) event()        {}
