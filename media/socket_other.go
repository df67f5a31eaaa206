//go:build !unix

package media

import "net"

// prepare does nothing: marking packets is a matter of policy there.
func prepare(*net.UDPConn, int) {}
