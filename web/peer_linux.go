package web

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// socketBytes is how long the path of a socket may be: sun_path of unix(7), less its closing zero.
const socketBytes = 107

// peerUID is the user whose process connected, as it was then (SO_PEERCRED, unix(7)).
func peerUID(c *net.UnixConn) (uint32, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) { cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err != nil || failed != nil {
		return 0, errors.Join(err, failed)
	}
	return cred.Uid, nil
}
