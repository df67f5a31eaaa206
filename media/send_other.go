//go:build !linux

package media

import (
	"net/netip"
	"sync/atomic"
)

// sender sends datagrams from a socket.
type sender struct {
	socket
	to      atomic.Pointer[netip.AddrPort]
	refused atomic.Uint64
}

func newSender(s socket) *sender { return &sender{socket: s} }

func (s *sender) aim(to netip.AddrPort) { s.to.Store(&to) }

// send puts one datagram on the wire and says whether the kernel took it. One that cannot be sent now is late anyway.
func (s *sender) send(packet []byte) bool {
	to := s.to.Load()
	if to == nil {
		return false
	}
	if _, err := s.conn.WriteToUDPAddrPort(packet, *to); err != nil {
		s.refused.Add(1)
		return false
	}
	return true
}
