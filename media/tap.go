package media

import (
	"net/netip"
	"sync/atomic"
)

// Tap is shown every datagram of a session's RTP port, both ways, as it is on the wire: under SRTP encrypted, so that no
// key is needed to look at it and none is given away. What strangers send is shown too. It is called by the pacer and by
// the ears, must not block them, and must not keep the packet.
type Tap func(sent bool, local, remote netip.AddrPort, packet []byte)

// tapped is a session's tap with what it needs to name addresses; nil where there is none, which costs nothing.
type tapped struct {
	show  Tap
	local netip.AddrPort
	to    atomic.Pointer[netip.AddrPort]
}

// tap hooks the session's tap, if it has one, into what is sent.
func (s *Session) tap() *tapped {
	if s.opt.Tap == nil {
		return nil
	}
	t := &tapped{show: s.opt.Tap, local: netip.AddrPortFrom(s.opt.Local.Unmap(), uint16(s.pair.port))}
	send := s.stream.send
	s.stream.send = func(packet []byte) bool {
		to := t.to.Load()
		ok := send(packet)
		if ok && to != nil {
			t.show(true, t.local, *to, packet)
		}
		return ok
	}
	return t
}

// aiming follows where packets are sent.
func (t *tapped) aiming(aim func(netip.AddrPort)) func(netip.AddrPort) {
	if t == nil {
		return aim
	}
	return func(to netip.AddrPort) {
		to = unmap(to)
		t.to.Store(&to)
		aim(to)
	}
}

// received shows a datagram that came.
func (t *tapped) received(b []byte, from netip.AddrPort) {
	if t != nil {
		t.show(false, t.local, from, b)
	}
}
