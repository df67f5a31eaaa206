package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
)

// kernelSource is the address the kernel would send from; asking sends nothing.
func kernelSource(peer netip.AddrPort) (netip.Addr, error) {
	probe, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(peer))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("find the local address toward %s: %w", peer, err)
	}
	defer func() { _ = probe.Close() }()
	return probe.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// retired is a socket at an address that is not ours any more, or not toward the trunk.
type retired struct {
	conn   net.PacketConn
	local  netip.AddrPort
	served <-chan struct{} // closed when its reader has ended
	since  time.Time
}

func (r retired) close() {
	_ = r.conn.Close()
	<-r.served
}

// watchSource binds the trunk anew when the kernel would send from another address: a machine that was moved to another
// network, or lost a link, is not reached at the old one, and its registrar has to be told.
func (t *Trunk) watchSource(ctx context.Context) {
	if host, _, err := bindHost(t.cfg.Local.Bind); t.cfg.Transport != "udp" || err != nil || host.IsValid() {
		return
	}
	for wait(ctx, t.nextProbe()) {
		t.sweep()
		t.mu.Lock()
		now, peer := t.local.Addr(), t.peer
		t.mu.Unlock()
		source, err := t.env.Source(peer)
		if err != nil || source == now {
			continue // no way to the trunk at all: no address is better than the one we have
		}
		if err := t.rebind(ctx, source); err != nil {
			t.env.Log.Warn("our address has changed, and the new one cannot be bound", "address", source, "err", err)
			continue
		}
		t.env.Log.Warn("our address has changed", "from", now, "to", source)
		if t.registration != nil {
			t.registration.wake()
		}
		t.orient(ctx)
	}
}

// rebind opens a socket at another of our addresses. Calls in progress keep the old one to their end: the address may
// still be there.
func (t *Trunk) rebind(ctx context.Context, source netip.Addr) error {
	ctx, stop := context.WithTimeout(ctx, resolveLimit)
	defer stop()
	t.mu.Lock()
	ua, before := t.ua, t.conn
	old := retired{before, t.local, t.served, t.env.Now()}
	t.mu.Unlock()
	served := make(chan struct{})
	local, err := t.listen(ctx, ua, netip.AddrPortFrom(source, 0), served)
	if err != nil {
		return err
	}
	if err := awaitListener(ctx, ua.transport, local.String()); err != nil {
		t.mu.Lock()
		half := retired{conn: t.conn, served: served}
		t.conn = before // whoever stops the trunk must find the socket it has
		t.mu.Unlock()
		half.close()
		return err
	}
	t.mu.Lock()
	t.local, t.served = local, served
	t.retired = append(t.retired, old)
	t.mu.Unlock()
	t.up.outside.forget()
	return nil
}

// sweep closes retired sockets that no call uses and no transaction can use any more.
func (t *Trunk) sweep() {
	now := t.env.Now()
	t.mu.Lock()
	busy := map[netip.AddrPort]bool{}
	for _, l := range t.legs {
		busy[l.path.local] = true
	}
	var kept, idle []retired
	for _, r := range t.retired {
		if busy[r.local] || now.Sub(r.since) < giveUp {
			kept = append(kept, r)
		} else {
			idle = append(idle, r)
		}
	}
	t.retired = kept
	t.mu.Unlock()
	for _, r := range idle {
		r.close()
	}
}

// closeSockets closes what is bound, and returns when nobody reads any more.
func (t *Trunk) closeSockets() {
	t.mu.Lock()
	all := t.retired
	if t.conn != nil {
		all = append(all, retired{conn: t.conn, local: t.local, served: t.served})
	}
	t.mu.Unlock()
	for _, r := range all {
		r.close()
	}
}

// awaitListener waits until sipgo can send from a socket it was given; it tells nobody when.
func awaitListener(ctx context.Context, layer *sip.TransportLayer, local string) error {
	ready := time.NewTicker(time.Millisecond)
	defer ready.Stop()
	for {
		if c, err := layer.GetConnection("udp", local); err == nil && c != nil {
			return nil
		}
		select {
		case <-ready.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
