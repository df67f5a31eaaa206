package media

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// datagram is the longest RTP packet that is looked at; G.711 of 200 ms, the longest a receiver should take (RFC 3551
// 4.2), has 1612 bytes.
const datagram = 1632

// receiver is the hearing side of a session. The ears bring what comes; expect and stats come from the owner.
type receiver struct {
	cfg   Config
	box   *outbox
	hooks hooks
	tap   *tapped // nil where nobody looks
	heard func(Codec, []byte)

	mu       sync.Mutex // of what follows
	quiet    time.Time  // when speech is over if nothing comes; zero while nobody speaks
	warned   bool       // of a stranger
	agreed   agreement
	gate     gate
	latch    latch
	sequence sequence
	keys     keyReader
	voice    voice
	early    bool      // before the answer: no key and no speech is told
	listener *listener // nil unless somebody listens for what the network says
	header   rtp.Header
	counts   counts
}

// hooks are what hearing needs of the sending side.
type hooks struct {
	position func() (ClipID, time.Duration)
	aim      func(netip.AddrPort)
}

// agreement is what offer and answer said about packets toward us.
type agreement struct {
	codecs []Codec
	keys   [2]uint8 // payload types of telephone-event, 0 = none
}

// counts are the receiver's counters.
type counts struct {
	received, rejected, refused uint64
	strange, unagreed           uint64 // of the rejected: from another source, of another payload type
	last                        time.Time
}

func newReceiver(cfg Config, o Options, box *outbox, h hooks) *receiver {
	return &receiver{
		cfg: cfg, box: box, hooks: h, voice: newVoice(), heard: o.Heard,
		latch: latch{rule: o.Latch, peer: o.Peer.Unmap()},
	}
}

// expect sets whom to listen to and to send to, and what for, from now on.
func (r *receiver) expect(peer netip.AddrPort, a agreement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expectLocked(peer, a)
}

func (r *receiver) expectLocked(peer netip.AddrPort, a agreement) {
	r.agreed = a
	if named := unmap(peer); named != r.latch.named { // a refresh that moves nothing leaves a source from behind a NAT trusted
		r.latch.expect(named)
		r.hooks.aim(peer)
	}
}

// rekey sets the key packets have to be under from now on, of a peer that SDP puts there.
func (r *receiver) rekey(l lock, there netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gate.turn(l, unmap(there) == r.latch.named, r.cfg.Now())
}

// security is the suite all packets were under, or "" if some were plain RTP, and how many did not authenticate.
func (r *receiver) security() (suite string, forged uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gate.plain {
		return "", r.gate.forged
	}
	return r.gate.suite, r.gate.forged
}

// before sets whom to listen to until the answer comes, for nothing but what the network says.
func (r *receiver) before(peer netip.AddrPort, a agreement, l lock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.early, r.listener = true, newListener()
	r.gate.turn(l, false, r.cfg.Now())
	r.expectLocked(peer, a)
}

// preliminary says that what comes is still before the answer, whatever was agreed on.
func (r *receiver) preliminary() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.early = true
	if r.listener == nil {
		r.listener = newListener()
	}
}

// answered sets whom to listen to from the answer on. Of what was heard before, nothing counts; only the listener goes
// on where the source stays.
func (r *receiver) answered(peer netip.AddrPort, a agreement, l lock, same bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.early {
		r.early = false
		r.sequence, r.keys, r.voice, r.quiet = sequence{}, keyReader{}, newVoice(), time.Time{}
		r.counts.received, r.counts.strange, r.counts.unagreed, r.counts.last = 0, 0, 0, time.Time{}
		r.gate = gate{forged: r.gate.forged}
		r.latch.expect(netip.AddrPort{})
		if !same {
			r.listener = newListener()
		}
	}
	r.gate.turn(l, false, r.cfg.Now())
	if !peer.Addr().IsUnspecified() {
		r.expectLocked(peer, a)
	}
}

// network begins to listen for what the network says, or ends it.
func (r *receiver) network(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !on:
		r.listener = nil
	case r.listener == nil:
		r.listener = newListener()
	}
}

// stats are the counters, and what was lost.
func (r *receiver) stats() (c counts, lost uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts, uint64(max(0, r.sequence.lost()))
}

// take hears one datagram. It returns when the callee's speech is over if nothing more comes; zero if it does not speak.
func (r *receiver) take(b []byte, from netip.AddrPort, at time.Time) (quiet time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from = unmap(from)
	r.tap.received(b, from)
	r.handle(b, from, at)
	return r.due()
}

// due is when silence means something.
func (r *receiver) due() time.Time {
	if r.listener == nil {
		return r.quiet
	}
	due := r.listener.due()
	if due.IsZero() || !r.quiet.IsZero() && r.quiet.Before(due) {
		return r.quiet
	}
	return due
}

// refuse counts an ICMP error.
func (r *receiver) refuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.refused++
}

// silence ends speech after which nothing has come for a while, and returns what take does.
func (r *receiver) silence(at time.Time) (quiet time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listener != nil {
		r.listener.idle(at, r.box.tell)
	}
	if r.quiet.IsZero() || at.Before(r.quiet) {
		return r.due()
	}
	r.quiet = time.Time{}
	if r.voice.end() == voiceEnded {
		r.box.tell(SpeechEnded{at})
	}
	return r.due()
}

// handle takes one datagram.
func (r *receiver) handle(b []byte, from netip.AddrPort, at time.Time) {
	h := &r.header
	n, err := h.Unmarshal(b)
	if err != nil || h.Version != 2 || n > len(b) || h.PayloadType >= 64 && h.PayloadType < 96 { // RTCP (RFC 5761 4)
		r.counts.rejected++
		return
	}
	codec, isAudio := r.agreed.audio(h.PayloadType)
	isKey := !isAudio && r.agreed.key(h.PayloadType)
	if !r.latch.hears(from, h, isAudio || isKey) { // a stranger's flood is not worth deciphering
		r.reject(from, h, isAudio || isKey)
		return
	}
	payload, genuine := r.gate.pass(b, n, h.SSRC, at)
	if !genuine {
		r.forged(from)
		return
	}
	switch r.latch.judge(from, h, isAudio || isKey) {
	case stranger:
		r.reject(from, h, isAudio || isKey)
		return
	case onTrial:
		r.counts.rejected++
		return
	case theirsNow:
		r.found(from, at)
	case theirs:
	}
	began := r.counts.last // no press can be older than the packet before it
	r.sequence.count(h.SequenceNumber)
	r.counts.received++
	r.counts.last = at
	payload = unpadded(h, payload)
	switch {
	case isKey:
		if !r.early {
			r.key(payload, began, at)
		}
	case isAudio:
		if r.heard != nil {
			r.heard(codec, payload)
		}
		r.listen(codec, payload, at)
	}
}

// found begins to listen to a new source, and sends to where it is.
func (r *receiver) found(from netip.AddrPort, at time.Time) {
	if r.counts.received == 0 && !r.early {
		r.box.tell(FirstPacket{at})
	}
	r.counts.rejected -= r.latch.spent
	r.sequence.end()
	if from != r.latch.named {
		r.cfg.Log.Info("RTP comes from another address than the SDP says", slog.Any("sdp", r.latch.named), slog.Any("from", from))
	}
	r.hooks.aim(from)
}

// reject counts a packet that is not listened to. The first is logged: it is either an attack or the reason nobody is heard.
func (r *receiver) reject(from netip.AddrPort, h *rtp.Header, agreed bool) {
	r.counts.rejected++
	if !r.latch.named.IsValid() { // before the answer is known, everybody is a stranger
		return
	}
	unagreed := !agreed && r.latch.admits(from)
	if unagreed {
		r.counts.unagreed++
	} else {
		r.counts.strange++
	}
	if r.warned {
		return
	}
	r.warned = true
	if unagreed {
		r.cfg.Log.Warn("RTP of a payload type that was not agreed on", slog.Any("from", from), slog.Int("payload_type", int(h.PayloadType)))
	} else {
		r.cfg.Log.Warn("RTP from a stranger", slog.Any("from", from), slog.Any("sdp", r.latch.named), slog.String("latch", string(r.latch.rule)))
	}
}

// forged counts a packet that is not under the callee's key, or that came before. The first is logged: where all are,
// the two sides did not understand each other's keys.
func (r *receiver) forged(from netip.AddrPort) {
	r.counts.rejected++
	if r.gate.forged == 1 {
		r.cfg.Log.Warn("RTP that does not authenticate", slog.Any("from", from), slog.String("suite", r.gate.suite))
	}
}

// key tells a press. If its start was lost it began earlier, but not before the packet that came before it.
func (r *receiver) key(payload []byte, before, at time.Time) {
	p, ok := r.keys.read(payload, r.header.SSRC, r.header.Timestamp)
	if !ok {
		return
	}
	since := p.since
	if !before.IsZero() {
		since = min(since, max(0, at.Sub(before)))
	}
	clip, sent := r.hooks.position()
	r.box.tell(Key{Digit: p.digit, At: at.Add(-since), Clip: clip, ClipSent: max(0, sent-since)})
}

// listen tells speech from silence. Who speaks may also fall silent by sending nothing.
func (r *receiver) listen(c Codec, payload []byte, at time.Time) {
	if r.listener != nil {
		r.listener.packet(c, payload, &r.header, at, r.box.tell)
	}
	if r.early {
		return
	}
	switch r.voice.hear(c, payload) {
	case voiceBegan:
		r.box.tell(SpeechBegan{at})
	case voiceEnded:
		r.box.tell(SpeechEnded{at})
	case voiceSame:
	}
	r.quiet = time.Time{}
	if r.voice.active {
		r.quiet = at.Add(silenceAfter)
	}
}

func (a agreement) audio(pt uint8) (Codec, bool) {
	for _, c := range a.codecs {
		if c.PayloadType == pt {
			return c, true
		}
	}
	return Codec{}, false
}

func (a agreement) key(pt uint8) bool { return pt != 0 && (pt == a.keys[0] || pt == a.keys[1]) }

// unpadded takes the padding off (RFC 3550 5.1): its last byte counts it.
func unpadded(h *rtp.Header, payload []byte) []byte {
	if n := len(payload); h.Padding && n > 0 {
		return payload[:max(0, n-int(payload[n-1]))]
	}
	return payload
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
