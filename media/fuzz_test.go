package media

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func FuzzSDP(f *testing.F) {
	for _, seed := range []string{
		"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n",
		"v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\nm=audio 0 RTP/AVP 0\nm=audio 9 RTP/AVP 8\nc=IN IP4 127.0.0.1\n",
		"v=0\r\nm=audio 4000/2 RTP/SAVP 0\r\na=rtpmap:0 PCMU/8000/1\r\na=ptime:30\r\n", "", "v=0", "m=audio",
	} {
		f.Add([]byte(seed))
	}
	ours := []Codec{PCMU, PCMA}
	f.Fuzz(func(t *testing.T, body []byte) {
		parsed, err := parseSDP(body)
		if err != nil {
			return
		}
		d, err := parsed.describe(terms{codecs: ours, local: netip.MustParseAddr("127.0.0.1"), srtp: SRTPOptional})
		if err != nil {
			return
		}
		if len(d.codecs) == 0 || !d.addr.IsValid() || d.addr.Port() == 0 {
			t.Fatalf("%q was taken as %+v", body, d)
		}
		mine := local{id: 1, version: 1, codecs: d.codecs[:1], keys: d.keys, direction: mirror(d), profile: "RTP/AVP", at: netip.MustParseAddrPort("127.0.0.1:4000")}
		answer, err := mine.answer(parsed, d.stream)
		if err != nil {
			t.Fatalf("%q cannot be answered: %v", body, err)
		}
		if again, err := parseSDP(answer); err != nil || len(again.streams) != len(parsed.streams) {
			t.Fatalf("the answer to %q has %d streams of %d: %v", body, len(again.streams), len(parsed.streams), err)
		}
	})
}

// FuzzRTP feeds datagrams to a receiver: each is led by its length and by who sends it.
func FuzzRTP(f *testing.F) {
	packet := func(pt byte, seq uint16, payload string) string {
		b := []byte{0x80, pt, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}
		binary.BigEndian.PutUint16(b[2:], seq)
		b = append(b, payload...)
		return string([]byte{byte(len(b)), 0}) + string(b)
	}
	f.Add([]byte(packet(0, 1, strings.Repeat("\xff", 160)) + packet(101, 2, "\x01\x0a\x00\xa0") + packet(101, 3, "\x01\x8a\x01\x40")))
	f.Add([]byte(packet(0, 65535, "x") + packet(0, 0, "") + packet(200, 1, "")))
	callee := netip.MustParseAddrPort("127.0.0.1:4000")
	f.Fuzz(func(t *testing.T, stream []byte) {
		box := new(outbox)
		box.open()
		r := newReceiver(Config{Log: slog.New(slog.DiscardHandler), Now: time.Now}, Options{Latch: LatchSameIP}, box, hooks{
			func() (ClipID, time.Duration) { return 0, 0 }, func(netip.AddrPort) {},
		})
		r.expect(callee, agreement{codecs: []Codec{PCMU}, keys: [2]uint8{101}})
		at, sent := time.Unix(0, 0), uint64(0)
		for len(stream) >= 2 {
			n, who := min(int(stream[0]), len(stream)-2), stream[1]
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1 + who&1}), 4000+uint16(who>>1))
			at = at.Add(Frame)
			r.handle(stream[2:2+n], from, at)
			stream = stream[2+n:]
			sent++
		}
		if c, _ := r.stats(); c.received+c.rejected != sent {
			t.Errorf("%d datagrams: %d received, %d rejected", sent, c.received, c.rejected)
		}
		for len(r.box.ch) > 0 {
			if k, ok := (<-r.box.ch).(Key); ok && !strings.ContainsRune("0123456789*#ABCD", rune(k.Digit)) {
				t.Errorf("key %q", k.Digit)
			}
		}
	})
}

// FuzzSRTP feeds datagrams of whoever has no key to receivers under every suite, with an MKI and without: as RTP and as
// RTCP none may pass.
func FuzzSRTP(f *testing.F) {
	f.Add(rtpPacket(0, 1, 7))
	f.Add(append(rtpPacket(keysPT, 1, 7), make([]byte, 20)...))
	f.Add([]byte("\x9f\x00\x00\x01aaaabbbb\xc0\xde\x00\x01aaaa"))           // CSRCs that are not there, and cryptex
	f.Add([]byte("\xb0\x00\x00\x01aaaabbbb\xbe\xde\x00\x01aaaarest of it")) // an extension, and padding
	f.Add([]byte("\x81\xc9\x00\x07aaaabbbbccccddddeeeeffffgggg\x80\x00\x00\x01hhhhhhhhhh"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		for i := range suites {
			for _, mki := range [][]byte{nil, {0, 0, 0, 1}} {
				c, _ := peerLine(t, &suites[i])
				c.mki = mki
				r, callee := locked(t, c, LatchAny)
				r.take(bytes.Clone(b), callee, time.Time{})
				if n, _ := r.stats(); n.received != 0 || n.rejected != 1 || len(r.box.ch) != 0 {
					t.Errorf("%s: %x was heard", c.name(), b)
				}
				if r.report(bytes.Clone(b), callee.Addr()) != nil {
					t.Errorf("%s: %x was read as a report", c.name(), b)
				}
			}
		}
	})
}
