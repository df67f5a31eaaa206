package media

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"telgate/media/mediatest"
)

// peerLine is a peer's key for a suite, as SDP would have brought it.
func peerLine(tb testing.TB, s *suite) (crypto, *mediatest.SRTP) {
	tb.Helper()
	m, err := s.draw(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	theirs, err := mediatest.NewSRTP(s.name, m.bytes(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return crypto{tag: s.tag, suite: s, master: m}, theirs
}

// locked is a receiver that waits for packets under this key from a callee on loopback.
func locked(tb testing.TB, c crypto, rule Latch) (*receiver, netip.AddrPort) {
	tb.Helper()
	box := new(outbox)
	box.open()
	r := newReceiver(Config{Log: slog.New(slog.DiscardHandler), Now: time.Now}, Options{Latch: rule}, box, hooks{
		func() (ClipID, time.Duration) { return 0, 0 }, func(netip.AddrPort) {},
	})
	callee := netip.MustParseAddrPort("127.0.0.1:4000")
	r.rekey(lockFor(tb, c), callee)
	r.expect(callee, agreement{codecs: []Codec{PCMU}, keys: [2]uint8{101}})
	return r, callee
}

func lockFor(tb testing.TB, c crypto) lock {
	tb.Helper()
	o, err := newOpener(c)
	if err != nil {
		tb.Fatal(err)
	}
	return lock{peer: c, open: o}
}

// rtpPacket is a plain one, of silence, or of key 1.
func rtpPacket(pt byte, seq uint16, ssrc uint32) []byte {
	b := make([]byte, headerBytes, packetBytes)
	b[0], b[1] = 0x80, pt
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], uint32(seq)*frameBytes)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	if pt == keysPT {
		return append(b, 1, 10, 0, 160)
	}
	return append(b, bytes.Repeat([]byte{PCMU.Silence()}, frameBytes)...)
}

// A peer that sends keys under another payload type than the answer names is nobody's stranger: the log must not send
// whoever reads it after addresses.
func TestAPayloadTypeThatWasNotAgreedOnIsNotCalledAStranger(t *testing.T) {
	t.Parallel()
	elsewhere := netip.MustParseAddrPort("203.0.113.9:999")
	for _, c := range []struct {
		from func(callee netip.AddrPort) netip.AddrPort
		want string
	}{
		{func(callee netip.AddrPort) netip.AddrPort { return callee }, `msg="RTP of a payload type that was not agreed on" from=127.0.0.1:4000 payload_type=96`},
		{func(netip.AddrPort) netip.AddrPort { return elsewhere }, `msg="RTP from a stranger" from=203.0.113.9:999`},
	} {
		var log bytes.Buffer
		anyLine, _ := peerLine(t, &suites[0])
		r, callee := locked(t, anyLine, LatchSameIP)
		r.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
		r.take(rtpPacket(96, 1, 7), c.from(callee), time.Now())
		if !strings.Contains(log.String(), c.want) {
			t.Errorf("no %s in %s", c.want, log.String())
		}
		if n, _ := r.stats(); n.strange+n.unagreed != 1 || (n.unagreed == 1) != strings.Contains(c.want, "payload") {
			t.Errorf("counted are %+v", n)
		}
	}
}

func TestAPacketThatComesAgainIsForged(t *testing.T) {
	t.Parallel()
	for i := range suites {
		c, theirs := peerLine(t, &suites[i])
		r, callee := locked(t, c, LatchSameIP)
		key := theirs.Seal(rtpPacket(keysPT, 1, 7))
		for range 3 {
			r.take(bytes.Clone(key), callee, time.Now())
		}
		r.take(theirs.Seal(rtpPacket(0, 2, 7)), callee, time.Now())
		if n, _ := r.stats(); n.received != 2 || n.rejected != 2 || r.gate.forged != 2 || len(r.box.ch) != 2 { // FirstPacket, Key
			t.Errorf("%s: %+v, %d events", suites[i].name, n, len(r.box.ch))
		}
	}
}

func TestWhoHasTheKeyIsTheCalleeWhereverItIs(t *testing.T) {
	t.Parallel()
	c, theirs := peerLine(t, &suites[0])
	r, _ := locked(t, c, LatchAny)
	nat, stranger := netip.MustParseAddrPort("198.51.100.7:999"), netip.MustParseAddrPort("203.0.113.9:999")
	for seq := range uint16(10) {
		r.take(rtpPacket(0, seq, 8), stranger, time.Now()) // who is first, but has no key
		r.take(theirs.Seal(rtpPacket(0, seq, 7)), nat, time.Now())
	}
	if n, _ := r.stats(); n.received != 7 || r.latch.locked.addr != nat {
		t.Errorf("%+v from %v", n, r.latch.locked.addr)
	}
}

func TestPacketsUnderTheLastKeyPassForAMoment(t *testing.T) {
	t.Parallel()
	for i := range suites {
		was, old := peerLine(t, &suites[i])
		now, fresh := peerLine(t, &suites[i])
		r, callee := locked(t, was, LatchSameIP)
		at := r.cfg.Now()
		r.take(old.Seal(rtpPacket(0, 1, 7)), callee, at)
		r.rekey(lockFor(t, now), callee)
		r.expect(callee, r.agreed)
		for _, step := range []struct {
			by   *mediatest.SRTP
			seq  uint16
			at   time.Duration
			good uint64
		}{
			{old, 2, 100 * time.Millisecond, 2}, // on its way when the key changed
			{old, 3, 3 * time.Second, 2},        // too late
			{old, 4, 200 * time.Millisecond, 3}, // reordered
			{fresh, 5, 250 * time.Millisecond, 4},
			{old, 6, 300 * time.Millisecond, 4}, // the new one is in use
		} {
			r.take(step.by.Seal(rtpPacket(0, step.seq, 7)), callee, at.Add(step.at))
			if n, _ := r.stats(); n.received != step.good {
				t.Errorf("%s, packet %d: %d received, want %d", suites[i].name, step.seq, n.received, step.good)
			}
		}
		r.rekey(lockFor(t, was), netip.MustParseAddrPort("127.0.0.1:5000")) // a transfer
		if r.gate.before != nil {
			t.Error("who was there before is still listened to")
		}
	}
}

func TestAFloodOfStreamsUnderOneKeyIsBounded(t *testing.T) {
	t.Parallel()
	c, theirs := peerLine(t, &suites[1])
	r, callee := locked(t, c, LatchSameIP)
	for ssrc := range uint32(100) {
		r.take(theirs.Seal(rtpPacket(0, 1, ssrc)), callee, time.Now())
	}
	if n := len(r.gate.now.sources); n != mostSources {
		t.Errorf("%d streams are kept", n)
	}
	r.take(theirs.Seal(rtpPacket(0, 2, 0)), callee, time.Now())
	if n, _ := r.stats(); n.received != 2 {
		t.Errorf("the callee is not heard any more: %+v", n)
	}
}

func TestTheRolloverCounterOfOursFollowsPacketsNotTurns(t *testing.T) {
	t.Parallel()
	for i := range suites {
		c, theirs := peerLine(t, &suites[i])
		seal, err := newSealer(c.suite, c.master)
		if err != nil {
			t.Fatal(err)
		}
		var heard []uint16
		s := &stream{seal: seal, send: func(b []byte) bool {
			plain, err := theirs.Open(b)
			if err != nil || len(plain) != packetBytes {
				t.Fatalf("%s: packet %d: %v", suites[i].name, len(heard), err)
			}
			heard = append(heard, binary.BigEndian.Uint16(plain[2:]))
			return true
		}}
		s.box.open()
		s.begin(PCMU, 7, 0, 65530)
		for turn := range 3 * 65536 {
			switch {
			case turn%1000 < 300:
				s.skip(3) // the process was not scheduled
			case turn%1000 < 500:
				s.muted = true // held
				s.next()
				s.muted = false
			default:
				s.next()
			}
		}
		if len(heard) <= 65536 || heard[0] != 65530 || heard[len(heard)-1] != 65530+uint16(len(heard)-1) {
			t.Errorf("%s: %d packets, the last is %d", suites[i].name, len(heard), heard[len(heard)-1])
		}
	}
}

func TestASessionsKeysComeFromItsSourceOfRandomness(t *testing.T) {
	t.Parallel()
	offer := func(rule SRTP) string {
		e, err := NewEngine(Config{PortMin: 20000, PortMax: 29999, Rand: strings.NewReader(strings.Repeat("0123456789", 30))})
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.Open(t.Context(), Options{Local: netip.MustParseAddr("127.0.0.1"), SRTP: rule})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if rule == SRTPOff && s.locks != nil {
			t.Error("a call without SRTP has memory for it")
		}
		if s.stream.header.seq >= 1<<15 && rule != SRTPOff {
			t.Errorf("the first number is %d, near the wrap", s.stream.header.seq)
		}
		_, lines, _ := strings.Cut(string(s.Offer()), "a=crypto")
		return lines
	}
	if a, b := offer(SRTPRequired), offer(SRTPRequired); a != b || a == "" {
		t.Errorf("%q and %q", a, b)
	}
	if a := offer(SRTPOff); a != "" {
		t.Errorf("%q", a)
	}
	short, err := NewEngine(Config{PortMin: 20000, PortMax: 29999, Rand: strings.NewReader(strings.Repeat("x", 60))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := short.Open(t.Context(), Options{Local: netip.MustParseAddr("127.0.0.1"), SRTP: SRTPRequired}); err == nil {
		t.Error("a source that ended is no error")
	}
}

func TestAPacketCostsNoAllocation(t *testing.T) {
	if raced {
		t.Skip("the race detector has pools forget what was put back")
	}
	for i := range suites {
		t.Run(suites[i].name, func(t *testing.T) {
			send, hear := both(t, &suites[i])
			if n := testing.AllocsPerRun(1000, send); n != 0 {
				t.Errorf("sending one allocates %g times", n)
			}
			if n := testing.AllocsPerRun(1000, hear); n != 0 {
				t.Errorf("hearing one allocates %g times", n)
			}
		})
	}
	t.Run("plain RTP", func(t *testing.T) {
		send, hear := both(t, nil)
		if n := testing.AllocsPerRun(1000, send) + testing.AllocsPerRun(1000, hear); n != 0 {
			t.Errorf("a packet allocates %g times", n)
		}
	})
}

func BenchmarkSRTPOfAPacket(b *testing.B) {
	for i := range len(suites) + 1 {
		name, s := "plain", (*suite)(nil)
		if i < len(suites) {
			name, s = suites[i].name, &suites[i]
		}
		send, hear := both(b, s)
		for what, do := range map[string]func(){"send": send, "hear": hear} {
			b.Run(fmt.Sprintf("%s/%s", name, what), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					do()
				}
			})
		}
	}
}

// both are a turn of a stream whose packets go nowhere, and a receiver's taking of the next packet of a callee. What seals
// the callee's packets is the room's own sealer: it allocates nothing, or the measurement would say so.
func both(tb testing.TB, s *suite) (send, hear func()) {
	tb.Helper()
	ours := &stream{send: func([]byte) bool { return true }}
	ours.box.open()
	ours.begin(PCMU, 7, 0, 0)
	theirs := &stream{}
	theirs.box.open()
	theirs.begin(PCMU, 8, 0, 0)
	c := crypto{}
	if s != nil {
		c, _ = peerLine(tb, s)
		for _, x := range []*stream{ours, theirs} {
			var err error
			if x.seal, err = newSealer(c.suite, c.master); err != nil {
				tb.Fatal(err)
			}
		}
	}
	r, callee := receiverFor(tb, c)
	theirs.send = func(b []byte) bool {
		r.take(b, callee, time.Time{})
		return true
	}
	theirs.next() // the first begins things
	return ours.next, func() {
		before := r.counts.received
		theirs.next()
		if r.counts.received != before+1 {
			tb.Fatal("it was not heard")
		}
	}
}

func receiverFor(tb testing.TB, c crypto) (*receiver, netip.AddrPort) {
	tb.Helper()
	if c.suite != nil {
		return locked(tb, c, LatchSameIP)
	}
	r, callee := locked(tb, crypto{suite: &suites[1], master: keep(make([]byte, 30))}, LatchSameIP)
	r.rekey(lock{}, callee)
	return r, callee
}
