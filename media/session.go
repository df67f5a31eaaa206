package media

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Session is the audio of one call. Its negotiation and Play belong to one goroutine, its owner; Events, Stats and Close
// may be used from any.
type Session struct {
	engine *Engine
	opt    Options
	pair   pair
	sender *sender
	stream *stream
	ear    *receiver
	box    *outbox
	deal   deal
	locks  *keyring // nil where SRTP is off
	clips  ClipID

	closeOnce sync.Once
}

// deal is how far offer and answer have come.
type deal struct {
	local   local
	offer   []byte
	codec   Codec // of recordings: the first that was agreed on
	wire    Codec // of packets
	held    bool
	settled bool
	final   bool // the answer to our first offer has come
	paced   bool // sent
	address bool // the callee has given one to send to
	early   early
}

// Stats are a session's counters.
type Stats struct {
	Sent         uint64        // packets
	Received     uint64        // packets of the callee
	Lost         uint64        // of the callee's, by sequence number (RFC 3550 A.3)
	Rejected     uint64        // datagrams of strangers, and garbage
	Strange      uint64        // of these, what came from another source than the callee's since the answer
	Unagreed     uint64        // of these, what came from the callee in a payload type that was not agreed on
	Forged       uint64        // of these, what is not under the callee's key, or was sent again by somebody
	Refused      uint64        // times the network sent a packet of ours back (ICMP): nobody listens there
	PromptSent   time.Duration // of recordings, repeats included
	LastReceived time.Time     // the callee's last packet; zero before the first
	Suite        string        // of SRTP (RFC 4568 6.2), under which all of the call was; "" = some of it, or all, was plain RTP
}

// Open takes a port pair and makes the offer. Nothing is sent before [Session.Early] or [Session.Accept]. ctx is
// for opening only. The error is [ErrNoPort] if the range is used up. Whoever opens a session closes it.
func (e *Engine) Open(ctx context.Context, o Options) (*Session, error) {
	o, err := o.complete()
	if err != nil {
		return nil, fmt.Errorf("open a session: %w", err)
	}
	got, err := e.ports.take(ctx, o.Local)
	if err != nil {
		return nil, err
	}
	s := &Session{engine: e, opt: o, pair: got}
	if err := s.prepare(); err != nil {
		e.ports.give(got)
		return nil, err
	}
	tap := s.tap()
	s.ear = newReceiver(e.cfg, o, s.box, hooks{s.stream.position, tap.aiming(s.sender.aim)})
	s.ear.tap = tap
	if err := e.ears.add(got.rtp, s.ear); err != nil {
		e.ports.give(got)
		return nil, err
	}
	return s, nil
}

// prepare draws the session's random numbers and writes the offer.
func (s *Session) prepare() error {
	var b [14]byte
	if _, err := io.ReadFull(s.engine.cfg.Rand, b[:]); err != nil {
		return fmt.Errorf("draw an SSRC: %w", err)
	}
	s.sender = newSender(s.pair.rtp)
	s.stream = &stream{send: s.sender.send}
	s.box = &s.stream.box
	s.box.open()
	s.stream.begin(s.opt.Codecs[0], binary.BigEndian.Uint32(b[0:]), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint16(b[8:]))
	s.deal.local = local{
		id: uint64(binary.BigEndian.Uint32(b[10:])), version: 1, codecs: s.opt.Codecs, keys: s.opt.keysPT(), direction: "sendrecv",
		at: netip.AddrPortFrom(s.opt.Advertise.Unmap(), uint16(s.pair.port)),
	}
	var err error
	if s.opt.SRTP != SRTPOff {
		if s.locks, err = newKeyring(s.engine.cfg.Rand); err != nil {
			return err
		}
		// A first packet that is lost just before the number wraps would leave the two sides with different rollover
		// counters: begin far from there (RFC 3711 3.3.1).
		s.stream.header.seq &= 1<<15 - 1
	}
	s.deal.local.secure(s.opt.SRTP, s.locks)
	s.deal.offer, err = s.deal.local.offer()
	return err
}

// secure makes it an offer of SRTP, or of none.
func (l *local) secure(rule SRTP, k *keyring) {
	l.profile, l.crypto = "RTP/AVP", k.offer()
	if rule == SRTPRequired {
		l.profile = "RTP/SAVP"
	}
}

// terms are ours for a description of the peer's.
func (s *Session) terms(answer bool) terms {
	return terms{codecs: s.opt.Codecs, local: s.opt.Local, srtp: s.opt.SRTP, answer: answer}
}

// Offer is our SDP offer.
func (s *Session) Offer() []byte { return s.deal.offer }

// Narrow is the same offer with PCMU alone, for a peer that answers the whole with 488; nil where it is no narrower.
func (s *Session) Narrow() []byte {
	mine := s.deal.local
	if len(mine.codecs) < 2 || !slices.Contains(mine.codecs, PCMU) {
		return nil
	}
	mine.codecs = []Codec{PCMU}
	body, err := mine.offer()
	if err != nil {
		return nil // the whole one was written the same way
	}
	return body
}

// Codec is the one recordings must be in: the first of the answer that we offered. It stays the same for the life of the
// session, also if the callee changes to another later. It is the zero Codec before [Session.Accept].
func (s *Session) Codec() Codec { return s.deal.codec }

// Events tells what the session notices, in order. It is never closed. Who reads late gets all of it late.
func (s *Session) Events() <-chan Event { return s.box.ch }

// Accept takes the answer to our offer. From the next turn on, within 20 ms, silence is sent. The error is an
// [*AnswerError], and leaves the session as it was. A further answer, to an offer of [Session.Reoffer], is taken too.
func (s *Session) Accept(answer []byte) error {
	parsed, err := parseSDP(answer)
	if err != nil {
		return err
	}
	d, err := parsed.describe(s.terms(true))
	if err != nil {
		return err
	}
	keys, err := s.locks.turn(d.crypto)
	if err != nil {
		return err
	}
	a, first := agreed(parsed, d), !s.deal.final
	s.deal.final = true
	if first {
		s.ear.answered(d.addr, a, keys, d.addr == s.deal.early.addr)
		s.engine.pacer.between(func() { s.stream.muted = s.deal.held })
	}
	s.settle(d, d.codecs[0], a, keys)
	return nil
}

// agreed is what an answer says about packets toward us. Its number of telephone-event is what the callee wants to get;
// toward us it should use our offer's (RFC 3264 6.1), and some do and some do not.
func agreed(parsed peerSDP, d description) agreement {
	a := agreement{codecs: d.codecs, keys: [2]uint8{d.keys}}
	if _, taken := parsed.streams[d.stream].maps[keysPT]; d.keys != 0 && !taken {
		a.keys[1] = keysPT
	}
	return a
}

// Reoffer answers a re-INVITE of the peer with our codecs and the mirrored direction, and follows its address; a source
// that was latched has to win trust again. A nil offer asks for ours: until its answer is given to Accept the callee
// counts as listening where it was. On an error, an [*AnswerError], everything stays as it was (RFC 3264 8).
func (s *Session) Reoffer(offer []byte) ([]byte, error) {
	mine := s.deal.local
	mine.version++
	if offer == nil {
		mine.codecs, mine.keys, mine.direction = s.opt.Codecs, s.opt.keysPT(), "sendrecv"
		mine.secure(s.opt.SRTP, s.locks)
		body, err := mine.offer()
		if err == nil {
			s.deal.local = mine
			s.hold(!s.deal.address)
		}
		return body, err
	}
	parsed, err := parseSDP(offer)
	if err != nil {
		return nil, err
	}
	d, err := parsed.describe(s.terms(false))
	if err != nil {
		return nil, err
	}
	if s.opt.keysPT() == 0 {
		d.keys = 0
	}
	wire := d.codecs[0]
	if slices.Contains(d.codecs, s.deal.wire) {
		wire = s.deal.wire
	}
	mine.codecs, mine.keys, mine.direction = []Codec{wire}, d.keys, mirror(d)
	mine.profile, mine.crypto = parsed.streams[d.stream].profile, s.locks.answer(d.crypto)
	body, err := mine.answer(parsed, d.stream)
	if err != nil {
		return nil, err
	}
	keys, err := s.locks.turn(d.crypto)
	if err != nil {
		return nil, err
	}
	s.deal.local = mine
	if !s.deal.final { // an UPDATE while it rings
		s.ear.preliminary()
	}
	s.settle(d, wire, agreement{codecs: mine.codecs, keys: [2]uint8{d.keys}}, keys)
	return body, nil
}

// settle points both directions at what was agreed on.
func (s *Session) settle(d description, wire Codec, a agreement, keys lock) {
	first := !s.deal.settled
	if first {
		s.deal.codec = wire
	}
	s.deal.wire, s.deal.settled = wire, true
	s.engine.pacer.between(func() {
		s.stream.speak(wire, s.deal.codec)
		s.stream.short = d.short
		s.stream.seal = keys.seal
		s.stream.keys = d.keys
	})
	s.locks.commit(keys)
	s.ear.rekey(keys, d.addr)
	if !d.addr.Addr().IsUnspecified() {
		s.deal.address = true
		s.ear.expect(d.addr, a)
	}
	s.hold(d.held())
	s.pace()
}

// pace begins to send, if that has not begun.
func (s *Session) pace() {
	if !s.deal.paced {
		s.deal.paced = true
		s.engine.pacer.add(s.stream)
	}
}

// hold stops sending, or goes on.
func (s *Session) hold(on bool) {
	if on == s.deal.held || !s.deal.settled {
		return
	}
	s.deal.held = on
	s.engine.pacer.between(func() { s.stream.muted = on })
	s.box.tell(Held{on})
}

// Play sends these frames of 20 ms, in the session's [Session.Codec], from the next turn on, in place of what plays; none
// is silence. [Played] follows unless something takes their place. The frames are read until then.
func (s *Session) Play(frames [][]byte) ClipID {
	s.clips++
	s.stream.play(&clip{s.clips, frames})
	return s.clips
}

// Stats are the counters now.
func (s *Session) Stats() Stats {
	c, lost := s.ear.stats()
	suite, forged := s.ear.security()
	p := &s.stream.progress
	return Stats{
		Sent: p.sent.Load(), PromptSent: time.Duration(p.said.Load()) * Frame,
		Received: c.received, Lost: lost, Rejected: c.rejected, Refused: c.refused + s.sender.refused.Load(), LastReceived: c.last,
		Strange: c.strange, Unagreed: c.unagreed, Forged: forged, Suite: suite,
	}
}

// Close ends the session: it leaves the pacer, then it is not read any more, then the sockets close, so that nothing of it can
// leave by a socket that took its place. Its ports rest for 10 s. It may be called more than once.
func (s *Session) Close() {
	s.closeOnce.Do(func() {
		s.engine.pacer.remove(s.stream)
		s.engine.ears.remove(s.pair.rtp)
		s.engine.ports.give(s.pair)
	})
}
