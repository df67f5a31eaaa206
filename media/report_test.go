package media_test

import (
	"encoding/binary"
	"net"
	"testing"

	"telgate/media"
	"telgate/media/mediatest"
)

// receiverReport is a compound of an empty report and one with a block about this stream (RFC 3550 6.4.2).
func receiverReport(about uint32) []byte {
	b := make([]byte, 8+8+24)
	b[0], b[1], b[3] = 2<<6, 201, 1
	b[8], b[9], b[11] = 2<<6|1, 201, 7
	binary.BigEndian.PutUint32(b[16:], about)
	return b
}

func TestASilentPhoneIsKnownToHearUsByItsReports(t *testing.T) {
	t.Parallel()
	s, h := answered(t, running(t, media.Config{}), media.Options{}, mediatest.Config{Quiet: true})
	hear(t, h, 3)
	d, err := mediatest.ParseSDP(s.Offer())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: d.Addr.Addr().AsSlice(), Port: int(d.Addr.Port()) + 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ssrc := h.Ear.Report().SSRCs[0]
	for _, c := range []struct {
		name string
		sent []byte
		want bool
	}{
		{"nothing", nil, false},
		{"garbage", []byte("no report"), false},
		{"about another stream", receiverReport(ssrc + 1), false},
		{"cut off", receiverReport(ssrc)[:30], false},
		{"a length beyond the packet", append([]byte{2 << 6, 201, 0xff, 0xff}, receiverReport(ssrc)...), false},
		{"about ours", receiverReport(ssrc), true},
	} {
		if c.sent != nil {
			if _, err := conn.Write(c.sent); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.Reported(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
