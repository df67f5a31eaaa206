package media

import "time"

// Event is something a session noticed: [FirstPacket], [SpeechBegan], [SpeechEnded], [Key], [Played] or [Held].
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

// ClipID names one Play of a session; 0 is the silence before the first.
type ClipID uint32

func (FirstPacket) event() {}
func (SpeechBegan) event() {}
func (SpeechEnded) event() {}
func (Key) event()         {}
func (Played) event()      {}
func (Held) event()        {}
