package siptest

import (
	"net"
	"time"
)

// pinhole is how long a [NAT] lets answers in after the last packet that went out.
const pinhole = 30 * time.Second

// NAT translates the addresses of one host on a [Wire], as a router at home or in an office does (RFC 4787): each of its
// sockets gets a port outside, whatever it speaks to, and packets come in there while it is spoken from.
type NAT struct {
	inside, outside net.IP
	ports           map[int]hole // by port inside
}

type hole struct {
	port int // outside
	till time.Time
}

// NAT puts a host behind an address from now on.
func (w *Wire) NAT(inside, outside string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nat = &NAT{net.ParseIP(inside), net.ParseIP(outside), map[int]hole{}}
}

// out is where a packet of this sender seems to come from.
func (n *NAT) out(from *net.UDPAddr) *net.UDPAddr {
	if n == nil || !from.IP.Equal(n.inside) {
		return from
	}
	h, open := n.ports[from.Port]
	if !open || time.Now().After(h.till) {
		h.port = 61000 + len(n.ports)
	}
	h.till = time.Now().Add(pinhole)
	n.ports[from.Port] = h
	return &net.UDPAddr{IP: n.outside, Port: h.port}
}

// in is who gets a packet for this address; nil is nobody.
func (n *NAT) in(to *net.UDPAddr) *net.UDPAddr {
	switch {
	case n == nil:
		return to
	case to.IP.Equal(n.inside):
		return nil // an address that is nobody's outside
	case !to.IP.Equal(n.outside):
		return to
	}
	for port, h := range n.ports {
		if h.port == to.Port && !time.Now().After(h.till) {
			return &net.UDPAddr{IP: n.inside, Port: port}
		}
	}
	return nil
}
