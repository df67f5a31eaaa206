package media

import (
	"net/netip"
	"slices"
)

// early is what is known of the source that is listened to before the answer.
type early struct {
	addr   netip.AddrPort
	codecs []Codec
}

// Early listens to what the network says before the callee answers: sdp is that of a 18x, a preview of the answer
// (RFC 3261 13.2.1, RFC 3960). Of several, the newest is listened to, and the answer ends it: [Session.Accept] begins
// afresh, with its own source, keys and counters. Until then a session tells [Tone] and nothing else: no key, no speech
// of the callee, for early audio proves nobody.
//
// Silence is sent to it, never a recording. NATs and session border controllers let audio in only where audio went out
// before, and every phone speaks into early media; what is silent disturbs nobody.
//
// The error is an [*AnswerError], and leaves everything as it was.
func (s *Session) Early(sdp []byte) error {
	if s.deal.final {
		return nil // too late to matter
	}
	parsed, err := parseSDP(sdp)
	if err != nil {
		return err
	}
	d, err := parsed.describe(s.terms(true))
	if err != nil {
		return err
	}
	e := &s.deal.early
	if d.addr == e.addr && slices.Equal(d.codecs, e.codecs) && s.locks.previews(d.crypto) || d.addr.Addr().IsUnspecified() {
		return nil // a 18x that came again, or another of the same dialog; or nobody who could be heard
	}
	keys, err := s.locks.preview(d.crypto)
	if err != nil {
		return err
	}
	e.addr, e.codecs = d.addr, d.codecs
	s.engine.pacer.between(func() {
		s.stream.speak(d.codecs[0], d.codecs[0])
		s.stream.short, s.stream.muted = d.short, d.held()
		s.stream.seal = keys.seal
	})
	s.ear.before(d.addr, agreed(parsed, d), keys)
	if !d.held() {
		s.pace()
	}
	return nil
}

// Listen goes on telling [Tone]s after the answer, or ends it. It costs about half a millisecond of processor a second
// and a kilobyte, and both end with it. A call that has been answered is listened to only where Early was, or this says so.
func (s *Session) Listen(on bool) { s.ear.network(on) }
