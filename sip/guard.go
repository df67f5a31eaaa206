package sip

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/emiago/sipgo/sip"
)

// guard decides whose datagrams are read: the trunk's own addresses, its configured peers, and the hosts of live
// dialogs. Everything else is dropped before it is parsed, so that scanners cost little and learn nothing.
type guard struct {
	peers   []netip.Prefix
	dropped atomic.Uint64
	shut    atomic.Bool // nothing is read any more

	mu    sync.RWMutex
	hosts map[netip.Addr]int // how many need it
}

func newGuard(peers []netip.Prefix) *guard {
	return &guard{peers: peers, hosts: make(map[netip.Addr]int)}
}

// allow lets a host in until the returned function is called.
func (g *guard) allow(host netip.Addr) (release func()) {
	g.enter(host)
	return sync.OnceFunc(func() { g.leave(host) })
}

// enter lets a host in, until it has left as often.
func (g *guard) enter(host netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hosts[host.Unmap()]++
}

func (g *guard) leave(host netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	host = host.Unmap()
	if g.hosts[host]--; g.hosts[host] <= 0 {
		delete(g.hosts, host)
	}
}

func (g *guard) allowed(host netip.Addr) bool {
	host = host.Unmap()
	for _, p := range g.peers {
		if p.Contains(host) {
			return true
		}
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.hosts[host] > 0
}

// filter is sipgo's hook for raw datagrams. Returning an error would end its listener, so what is not wanted becomes
// empty, which it skips without keeping the source.
func (g *guard) filter(info sip.TransportReadProps, data []byte) ([]byte, error) {
	if g.shut.Load() {
		return nil, nil
	}
	udp, ok := info.RemoteAddr.(*net.UDPAddr)
	if !ok { // connections are only ever opened by us
		return data, nil
	}
	if !g.allowed(udp.AddrPort().Addr()) {
		g.dropped.Add(1)
		return nil, nil
	}
	return data, nil
}
