package media

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// socket is a UDP socket that the runtime's poller does not know.
type socket struct{ fd int }

// detach takes a socket out of the runtime's hands, also if it fails.
func detach(conn *net.UDPConn) (s socket, err error) {
	defer func() { _ = conn.Close() }()
	raw, err := conn.SyscallConn()
	if err != nil {
		return s, fmt.Errorf("reach the RTP socket: %w", err)
	}
	if e := raw.Control(func(fd uintptr) { s.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); e != nil {
		err = e
	}
	if err != nil {
		return s, fmt.Errorf("take over the RTP socket: %w", err)
	}
	return s, nil
}

func (s socket) close() { _ = unix.Close(s.fd) }

// prepare marks a socket's packets, and asks for ICMP errors, which an unconnected socket otherwise never hears of. One
// of the two address families refuses each option, as expected; without them the audio is the same.
func prepare(conn *net.UDPConn, dscp int) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVERR, 1)
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1)
		if dscp > 0 {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TOS, dscp<<2)
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_TCLASS, dscp<<2)
		}
	})
}

// drain empties a socket's queue of ICMP errors, which takes room from what is received.
func drain(fd int) {
	var payload, control [1]byte // both cut short: that there was an error is all that counts
	for {
		if _, _, _, _, err := unix.Recvmsg(fd, payload[:], control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT); err != nil {
			return
		}
	}
}
