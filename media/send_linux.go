package media

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sender sends datagrams from a socket without the runtime's poller in between: the call never blocks, and a packet
// that the kernel cannot take now is late anyway.
type sender struct {
	socket
	to      atomic.Pointer[target]
	refused atomic.Uint64 // ICMP errors met while sending
}

// target is a destination as the kernel wants it.
type target struct {
	v4  unix.RawSockaddrInet4
	v6  unix.RawSockaddrInet6
	is6 bool
}

// newSender sends from a socket, which must stay open until the pacer has let go of the stream.
func newSender(s socket) *sender { return &sender{socket: s} }

// aim changes the destination.
func (s *sender) aim(to netip.AddrPort) {
	t := &target{is6: to.Addr().Is6() && !to.Addr().Is4In6()}
	if t.is6 {
		t.v6 = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: networkOrder(to.Port()), Addr: to.Addr().As16()}
	} else {
		t.v4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: networkOrder(to.Port()), Addr: to.Addr().Unmap().As4()}
	}
	s.to.Store(t)
}

// send puts one datagram on the wire and says whether the kernel took it. An error may be an old one, about an earlier
// packet (ICMP): then the packet gets a second chance.
func (s *sender) send(packet []byte) bool {
	t := s.to.Load()
	if t == nil {
		return false
	}
	errno := s.sendto(packet, t)
	if errno == 0 {
		return true
	}
	if errno == unix.EAGAIN || errno == unix.ENOBUFS {
		return false
	}
	s.refused.Add(1)
	drain(s.fd)
	return s.sendto(packet, t) == 0
}

// sendto does not hand the processor over, as blocking system calls do: it takes some microseconds.
func (s *sender) sendto(packet []byte, t *target) syscall.Errno {
	addr, size := unsafe.Pointer(&t.v4), uintptr(unix.SizeofSockaddrInet4)
	if t.is6 {
		addr, size = unsafe.Pointer(&t.v6), uintptr(unix.SizeofSockaddrInet6)
	}
	_, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&packet[0])), uintptr(len(packet)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(addr), size)
	return errno
}

// networkOrder is the number whose bytes in memory are those of port in network order.
func networkOrder(port uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], port)
	return binary.NativeEndian.Uint16(b[:])
}
