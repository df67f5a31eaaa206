package media

import (
	"encoding/binary"
	"sync/atomic"
	"time"
)

const (
	clockRate   = 8000 // of RTP timestamps (RFC 3551)
	frameBytes  = 160  // G.711: 20 ms at 8000 Hz
	headerBytes = 12   // without CSRCs (RFC 3550 5.1)
	packetBytes = headerBytes + frameBytes
)

// stream is the sending side of a session. The pacer calls next once a turn and nobody else does; what is not atomic
// changes only while the pacer does not have it, or by pacer.between. With many calls the processor's cache has none of it at
// its turn, so it is small and its parts lie together.
type stream struct {
	send   func(packet []byte) bool // must not block
	seal   *sealer                  // nil = plain RTP
	header header
	hush   byte       // what silence is made of
	recode *[256]byte // from the codec of the recordings to the wire's, where they differ
	spurt  bool       // the next packet begins to talk, after silence or a pause: marker (RFC 3551 4.1)
	muted  bool       // held
	short  bool       // the callee takes 10 ms at most
	keys   uint8      // payload type of telephone-event toward the callee, 0 = none
	press  *keypress  // nil while no key of ours is down

	playing *clip
	cursor  int
	slot    int // the pacer's

	mail     atomic.Pointer[clip] // what to play from the next turn on
	progress progress
	box      outbox
	packet   [packetBytes]byte
}

// header is what changes from packet to packet, or from session to session (RFC 3550 5.1).
type header struct {
	ssrc, stamp uint32
	seq         uint16
	payload     uint8 // type
}

// progress is what others may know of a stream at any time.
type progress struct {
	at   atomic.Uint64 // clip<<32 | frames of it sent
	sent atomic.Uint64 // packets
	said atomic.Uint64 // frames of recordings
}

// clip is one recording to be played.
type clip struct {
	id     ClipID
	frames [][]byte
}

// begin sets what a stream starts from; all three numbers are random (RFC 3550 5.1).
func (s *stream) begin(c Codec, ssrc, timestamp uint32, seq uint16) {
	s.header = header{ssrc: ssrc, stamp: timestamp, seq: seq}
	s.spurt = true
	s.speak(c, c)
}

// speak sets the codec on the wire; recordings come in another if the callee changed its mind in mid-call. The stream
// stays the same one.
func (s *stream) speak(wire, recordings Codec) {
	s.header.payload, s.hush = wire.PayloadType, wire.Silence()
	s.recode = recordings.recoding(wire)
}

// play leaves a recording for the next turn, replacing what plays.
func (s *stream) play(c *clip) { s.mail.Store(c) }

// position is what plays, or played last, and how much of it has been sent.
func (s *stream) position() (ClipID, time.Duration) {
	at := s.progress.at.Load()
	return ClipID(at >> 32), time.Duration(at&0xFFFFFFFF) * Frame
}

// skip keeps timestamps true over turns that were not sent. What plays is late by as much, but not shorter.
func (s *stream) skip(turns int) { s.header.stamp += uint32(turns) * frameBytes }

// next is a stream's turn: 20 ms of sound, or of silence. It allocates nothing.
func (s *stream) next() {
	s.box.flush()
	if s.mail.Load() != nil {
		c := s.mail.Swap(nil)
		s.playing, s.cursor = c, 0
		s.progress.at.Store(uint64(c.id) << 32)
	}
	if s.muted {
		s.header.stamp += frameBytes
		s.spurt = true
		return
	}
	if s.press != nil {
		s.pressed()
		return
	}
	frame := s.frame()
	if s.short {
		s.put(frame[:frameBytes/2])
		s.put(frame[frameBytes/2:])
	} else {
		s.put(frame)
	}
	s.advance()
}

// frame puts this turn's payload in place: of the recording, in the wire's codec and filled up if short, or silence.
func (s *stream) frame() []byte {
	payload, n := s.packet[headerBytes:], 0
	if s.playing != nil && s.cursor < len(s.playing.frames) {
		s.spurt = s.spurt || s.cursor == 0
		n = copy(payload, s.playing.frames[s.cursor])
		if s.recode != nil {
			for i, b := range payload[:n] {
				payload[i] = s.recode[b]
			}
		}
	}
	for i := range payload[n:] {
		payload[n+i] = s.hush
	}
	return payload
}

// put sends one packet, with the header of RFC 3550 5.1: version 2, and nothing that is optional but the marker.
func (s *stream) put(payload []byte) {
	b, h := s.packet[:headerBytes+len(payload)], &s.header
	b[0], b[1] = 2<<6, h.payload
	if s.spurt {
		b[1] |= 1 << 7
	}
	binary.BigEndian.PutUint16(b[2:], h.seq)
	binary.BigEndian.PutUint32(b[4:], h.stamp)
	binary.BigEndian.PutUint32(b[8:], h.ssrc)
	if &payload[0] != &b[headerBytes] { // the second half of a frame
		copy(b[headerBytes:], payload)
	}
	if s.seal != nil {
		b = s.seal.seal(b)
	}
	if b != nil && s.send(b) {
		s.progress.sent.Add(1)
	}
	s.spurt = false
	s.header.seq++
	s.header.stamp += uint32(len(payload))
}

// advance moves on in what plays.
func (s *stream) advance() {
	if s.playing == nil {
		return
	}
	if s.cursor < len(s.playing.frames) {
		s.cursor++
		s.progress.said.Add(1)
		s.progress.at.Store(uint64(s.playing.id)<<32 | uint64(s.cursor))
	}
	if s.cursor == len(s.playing.frames) {
		if s.cursor > 0 {
			s.box.tell(Played{s.playing.id})
		}
		s.playing = nil
	}
}
