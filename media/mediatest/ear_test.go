package mediatest

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"
)

func TestPausesOfASenderThatWasNotScheduledAreLeftOut(t *testing.T) {
	t.Parallel()
	e := newEar()
	e.agree([]string{"PCMU"})
	said := Speech(time.Second, 3)
	for i := range 50 {
		stamp := uint32(7_000_000 + 160*i + 800*(i/10)) // 100 ms of nothing after each ten packets
		p := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(65_520 + i), Timestamp: stamp, SSRC: 9}, Payload: encode("PCMU", said[160*i:160*i+160])}
		b, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		e.take(b, netip.AddrPort{}, time.Time{})
	}
	together := e.HeardTogether()
	if m := Correlate(together, said); !m.Whole() || m.Score < 0.99 || len(together) != len(said) {
		t.Errorf("%d samples, %+v", len(together), m)
	}
	if n := len(e.Heard()); n != len(said)+4*800 {
		t.Errorf("%d samples with the pauses", n)
	}
}
