//go:build unix && !linux

package media

import (
	"net"

	"golang.org/x/sys/unix"
)

// prepare marks a socket's packets. One of the two address families refuses, as expected.
func prepare(conn *net.UDPConn, dscp int) {
	raw, err := conn.SyscallConn()
	if err != nil || dscp == 0 {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TOS, dscp<<2)
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_TCLASS, dscp<<2)
	})
}
