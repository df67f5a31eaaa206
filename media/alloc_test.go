package media

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// The pacer sends thousands of packets a second: a turn allocates nothing, also where somebody looks on.
func TestATurnAllocatesNothing(t *testing.T) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	sock, err := detach(conn)
	if err != nil {
		t.Fatal(err)
	}
	defer sock.close()
	for _, show := range []Tap{nil, func(bool, netip.AddrPort, netip.AddrPort, []byte) {}} {
		s := &Session{opt: Options{Local: netip.MustParseAddr("127.0.0.1"), Tap: show}, sender: newSender(sock)}
		s.stream = &stream{send: s.sender.send}
		s.stream.box.open()
		s.stream.begin(PCMU, 1, 2, 3)
		s.tap().aiming(s.sender.aim)(to)
		s.stream.play(&clip{1, make([][]byte, int(time.Minute/Frame))})
		if n := testing.AllocsPerRun(200, s.stream.next); n != 0 {
			t.Errorf("with a tap %t: %v allocations a turn", show != nil, n)
		}
	}
}
