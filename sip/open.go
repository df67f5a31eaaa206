package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	readBuffer  = 4 << 20 // of the UDP socket: the default loses packets at 200 set-ups side by side
	reopenAfter = 5 * time.Second
)

// open resolves the trunk, finds our address toward it and makes the user agent. served is closed when its reader ended.
func (t *Trunk) open(ctx context.Context) (served <-chan struct{}, err error) {
	targets, err := t.find(ctx, t.firstHops(), t.cfg.Transport)
	if err != nil {
		return nil, err
	}
	peer, local, err := t.bindAddress(targets)
	if err != nil {
		return nil, err
	}
	ua := t.newUserAgent()
	done := make(chan struct{})
	if t.cfg.Transport != "udp" {
		close(done) // nothing listens: connections are opened by us
	} else if local, err = t.listen(ctx, ua, local, done); err != nil {
		ua.close()
		return nil, err
	}
	t.up.flows.serve(ua)
	t.mu.Lock()
	t.ua, t.local, t.peer, t.served = ua, local, peer, done
	t.mu.Unlock()
	return done, nil
}

// userAgent is what sipgo does for us: messages in and out, and their transactions.
type userAgent struct {
	transport    *sip.TransportLayer
	transactions *sip.TransactionLayer
}

// newUserAgent puts the two together as sipgo.NewUA does, but we see every message before the transactions, in order.
func (t *Trunk) newUserAgent() *userAgent {
	log := quietly(t.env.Log)
	transport := sip.NewTransportLayer(net.DefaultResolver, sip.NewParser(), nil,
		sip.WithTransportLayerLogger(log), sip.WithTransportLayerReadFilter(t.guard.filter),
		sip.WithTransportLayerTransports(sip.TransportsConfig{
			TCP: &sip.TransportTCP{DialerCreate: neverDial}, TLS: &sip.TransportTLS{TransportTCP: &sip.TransportTCP{DialerCreate: neverDial}},
		}))
	transport.OnMessage(t.came)
	transactions := sip.NewTransactionLayer(transport,
		sip.WithTransactionLayerLogger(log), sip.WithTransactionLayerTerminateOnConnClose(),
		sip.WithTransactionLayerUnhandledResponseHandler(t.unhandled))
	transactions.OnRequest(t.serve)
	return &userAgent{transport, transactions}
}

func (u *userAgent) close() {
	u.transactions.Close()
	_ = u.transport.Close()
}

// neverDial keeps sipgo from opening connections: it would check a certificate for the wrong name, and wait a minute.
func neverDial(net.Addr) net.Dialer {
	return net.Dialer{Control: func(string, string, syscall.RawConn) error { return errNotConnected }}
}

var errNotConnected = errors.New("the connection is gone")

// listen binds the UDP socket and hands it to sipgo's reader.
func (t *Trunk) listen(ctx context.Context, ua *userAgent, local netip.AddrPort, done chan struct{}) (netip.AddrPort, error) {
	preferred := netip.AddrPortFrom(local.Addr(), t.cfg.Local.Port)
	if local.Port() != 0 {
		preferred = local
	}
	s := t.inherited(local, preferred)
	if s == nil {
		opened, err := t.openPort(ctx, local, preferred)
		if err != nil {
			return local, err
		}
		s = opened.join(t, nil)
	}
	if c, ok := s.PacketConn.(syscall.Conn); ok {
		setDSCP(c, t.cfg.Local.DSCP)
	}
	conn := &tap{s, t}
	t.mu.Lock()
	t.conn = conn
	t.mu.Unlock()
	go func() {
		defer close(done)
		_ = ua.transport.ServeUDP(conn) // ends when the socket is closed
	}()
	ready := time.NewTicker(time.Millisecond) // sipgo tells nobody when its listener can be sent from
	defer ready.Stop()
	for ua.transport.Pool("udp").Size() == 0 {
		select {
		case <-ready.C:
		case <-ctx.Done():
			_ = conn.Close()
			<-done
			return local, ctx.Err()
		}
	}
	return unmapped(conn.LocalAddr().(*net.UDPAddr).AddrPort()), nil
}

// openPort binds a UDP socket.
func (t *Trunk) openPort(ctx context.Context, local, preferred netip.AddrPort) (*port, error) {
	conn, err := t.env.Listen(ctx, "udp", preferred.String())
	if errors.Is(err, syscall.EADDRINUSE) && (preferred != local || t.cfg.Local.Beside) { // another trunk has it, or the gateway
		conn, err = t.env.Listen(ctx, "udp", netip.AddrPortFrom(local.Addr(), 0).String())
	}
	if err != nil {
		return nil, fmt.Errorf("listen for SIP: %w", err)
	}
	if b, ok := conn.(interface{ SetReadBuffer(bytes int) error }); ok {
		_ = b.SetReadBuffer(readBuffer) // what the kernel grants has to do (net.core.rmem_max)
	}
	return newPort(conn), nil
}

// unmapped writes an IPv4 address as one, however a socket has it.
func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// bindAddress is the configured address, else the one the kernel would send from toward the first target that it knows a
// way to. One trunk speaks one IP version, which is decided here: what SDP says must fit it.
func (t *Trunk) bindAddress(targets []Target) (peer, local netip.AddrPort, err error) {
	host, port, err := bindHost(t.cfg.Local.Bind)
	if err != nil {
		return peer, local, err
	}
	for _, target := range targets {
		if host.IsValid() && host.Is4() != target.Addr.Addr().Is4() {
			err = errors.Join(err, fmt.Errorf("%s is not reached from %s", target.Addr, host))
			continue
		}
		if host.IsValid() {
			return target.Addr, netip.AddrPortFrom(host, port), nil
		}
		found, failed := t.env.Source(target.Addr)
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		return target.Addr, netip.AddrPortFrom(found, port), nil
	}
	return peer, local, err
}

// setDSCP marks packets for routers that care; that one of two families refuses is expected.
func setDSCP(c syscall.Conn, dscp int) {
	raw, err := c.SyscallConn()
	if err != nil || dscp == 0 {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_TOS, dscp<<2)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, dscp<<2)
	})
}
