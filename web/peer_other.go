//go:build !linux

package web

import (
	"net"
	"os"
)

// socketBytes is how long the path of a socket may be: sun_path of the BSDs, less its closing zero.
const socketBytes = 103

// peerUID is the gateway's own user: the socket is closed to everybody else but root.
func peerUID(*net.UnixConn) (uint32, error) { return uint32(os.Getuid()), nil }
