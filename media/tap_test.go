package media_test

import (
	"net/netip"
	"sync"
	"testing"

	"telgate/media"
	"telgate/media/mediatest"
)

func TestATapIsShownWhatIsOnTheWireBothWays(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	shown := map[bool]int{}
	var us, them netip.AddrPort
	s, h := answered(t, running(t, media.Config{}), media.Options{
		Tap: func(sent bool, local, remote netip.AddrPort, packet []byte) {
			mu.Lock()
			defer mu.Unlock()
			shown[sent]++
			us, them = local, remote
			if len(packet) != 172 || packet[0] != 2<<6 {
				t.Errorf("%d bytes, the first %#x", len(packet), packet[0])
			}
		},
	}, mediatest.Config{})
	hear(t, h, 5)
	next[media.FirstPacket](t, s)
	s.Close()
	mu.Lock()
	defer mu.Unlock()
	stats := s.Stats()
	if shown[true] != int(stats.Sent) || shown[false] < int(stats.Received) || shown[false] == 0 {
		t.Errorf("shown %v, stats %+v", shown, stats)
	}
	if us.Port() == 0 || us.Addr() != loopback() || them.Addr() != loopback() || us == them {
		t.Errorf("from %v to %v", us, them)
	}
}

func TestUnderSRTPATapIsShownWhatIsEncrypted(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	sizes := map[int]bool{}
	s, h := answered(t, running(t, media.Config{}), media.Options{
		SRTP: media.SRTPRequired, Tap: func(_ bool, _, _ netip.AddrPort, packet []byte) {
			mu.Lock()
			defer mu.Unlock()
			sizes[len(packet)] = true
		},
	}, mediatest.Config{Suites: []string{"AES_CM_128_HMAC_SHA1_80"}})
	hear(t, h, 5)
	next[media.FirstPacket](t, s)
	s.Close()
	mu.Lock()
	defer mu.Unlock()
	if len(sizes) != 1 || !sizes[182] { // and its tag of ten bytes
		t.Errorf("packets of %v bytes", sizes)
	}
}
