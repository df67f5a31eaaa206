package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

const (
	readBuffer   = 4 << 20 // of the UDP socket: the default loses packets at 200 set-ups side by side
	resolveLimit = 3 * time.Second
	reopenAfter  = 5 * time.Second
	farewell     = 2 * time.Second // for the CANCELs and BYEs of a trunk that stops
)

// Trunk is a SIP peer that calls go to: one user agent with its own socket. All methods are safe for concurrent use.
type Trunk struct {
	cfg   TrunkConfig
	env   Env
	guard *guard
	key   string // of our From tags

	auth         *authenticator
	vitals       *vitals
	registration *registration // nil where the trunk does not register

	opened  chan struct{} // closed when the first attempt to open has ended
	abandon chan struct{} // closed when the farewell is over: legs return whatever is left

	mu       sync.Mutex
	ua       *sipgo.UserAgent
	conn     net.PacketConn
	served   <-chan struct{} // closed when nobody reads conn any more
	retired  []retired
	local    netip.AddrPort // what we are bound to
	peer     netip.AddrPort // the trunk, as resolved last
	openErr  error
	closing  bool
	legs     map[string]*Leg // by Call-ID
	services []sip.Uri       // Service-Route

	work  sync.WaitGroup // every goroutine started by a leg
	count counters
}

type counters struct{ invites, answered atomic.Uint64 }

// Stats are the trunk's counters since it was made.
type Stats struct {
	Legs    int    // in progress
	Invites uint64 // sent, digest retries not counted
	Answers uint64 // 2xx
	Dropped uint64 // datagrams of strangers
}

// NewTrunk checks the configuration's meaning; the error joins [*ConfigError]s. It starts nothing.
func NewTrunk(cfg TrunkConfig, env Env) (*Trunk, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if env.Source == nil {
		env.Source = kernelSource
	}
	if env.Resolver == nil {
		env.Resolver = net.DefaultResolver
	}
	t := &Trunk{
		cfg: cfg, env: env, guard: newGuard(cfg.Peers), legs: make(map[string]*Leg),
		opened: make(chan struct{}), abandon: make(chan struct{}),
	}
	t.key = t.token(16)
	t.auth = newAuthenticator(cfg, env, t.token)
	t.vitals = newVitals(env.Now, t.auth.restsUntil)
	if cfg.Register.On {
		t.registration = newRegistration(t)
	}
	return t, nil
}

// Name is the trunk's name in the configuration.
func (t *Trunk) Name() string { return t.cfg.Name }

// Run opens the socket and serves until ctx is done. Then it hangs up what is left and returns after its last packet. A
// trunk whose name does not resolve, or whose address is not ours yet, is tried again; [Trunk.Ready] has the reason.
func (t *Trunk) Run(ctx context.Context) error {
	first := sync.OnceFunc(func() { close(t.opened) })
	defer first()
	for {
		served, err := t.open(ctx)
		t.mu.Lock()
		t.openErr = err
		t.mu.Unlock()
		first()
		if err == nil {
			t.serveUntil(ctx, served)
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		t.vitals.miss(&SendError{"open", err})
		t.env.Log.Warn("trunk cannot be opened, trying again", "err", err)
		if !wait(ctx, reopenAfter) {
			return nil
		}
	}
}

// Ready waits for Run's first attempt to open the trunk, and returns why it failed.
func (t *Trunk) Ready(ctx context.Context) error {
	select {
	case <-t.opened:
	case <-ctx.Done():
		return fmt.Errorf("wait for trunk %s: %w", t.cfg.Name, context.Cause(ctx))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.openErr
}

// MediaAddr is the address RTP toward this trunk should be bound to, and the one SDP should name.
func (t *Trunk) MediaAddr() (local, advertised netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.local.Addr(), t.advertisedLocked().Addr()
}

// Peer is the trunk's address as resolved last; invalid before that.
func (t *Trunk) Peer() netip.Addr {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.peer.Addr()
}

// Stats are the counters now.
func (t *Trunk) Stats() Stats {
	t.mu.Lock()
	legs := len(t.legs)
	t.mu.Unlock()
	return Stats{Legs: legs, Invites: t.count.invites.Load(), Answers: t.count.answered.Load(), Dropped: t.guard.dropped.Load()}
}

// open resolves the trunk, finds our address toward it and makes the user agent. served is closed when its reader ended.
func (t *Trunk) open(ctx context.Context) (served <-chan struct{}, err error) {
	peer, err := t.resolve(ctx)
	if err != nil {
		return nil, err
	}
	t.guard.allow(peer.Addr())
	local, err := t.bindAddress(peer)
	if err != nil {
		return nil, err
	}
	log := quietly(t.env.Log)
	ua, err := sipgo.NewUA(
		sipgo.WithUserAgentTransportLayerOptions(
			sip.WithTransportLayerLogger(log), sip.WithTransportLayerReadFilter(t.guard.filter)),
		sipgo.WithUserAgentTransactionLayerOptions(
			sip.WithTransactionLayerLogger(log), sip.WithTransactionLayerTerminateOnConnClose(),
			sip.WithTransactionLayerUnhandledResponseHandler(t.unhandled)),
	)
	if err != nil {
		return nil, fmt.Errorf("make a user agent: %w", err)
	}
	ua.TransactionLayer().OnRequest(t.serve)
	done := make(chan struct{})
	if t.cfg.Transport == "tcp" {
		close(done) // nothing listens: connections are opened by our requests
	} else if local, err = t.listen(ctx, ua, local, done); err != nil {
		_ = ua.Close()
		return nil, err
	}
	t.mu.Lock()
	t.ua, t.local, t.served = ua, local, done
	t.mu.Unlock()
	return done, nil
}

// listen binds the UDP socket and hands it to sipgo's reader.
func (t *Trunk) listen(ctx context.Context, ua *sipgo.UserAgent, local netip.AddrPort, done chan struct{}) (netip.AddrPort, error) {
	preferred := netip.AddrPortFrom(local.Addr(), t.cfg.Local.Port)
	if local.Port() != 0 {
		preferred = local
	}
	conn, err := t.env.Listen(ctx, "udp", preferred.String())
	if errors.Is(err, syscall.EADDRINUSE) && preferred != local { // another trunk of ours has it, or another program
		conn, err = t.env.Listen(ctx, "udp", local.String())
	}
	if err != nil {
		return local, fmt.Errorf("listen for SIP: %w", err)
	}
	if b, ok := conn.(interface{ SetReadBuffer(bytes int) error }); ok {
		_ = b.SetReadBuffer(readBuffer) // what the kernel grants has to do (net.core.rmem_max)
	}
	if c, ok := conn.(syscall.Conn); ok {
		setDSCP(c, t.cfg.Local.DSCP)
	}
	t.mu.Lock()
	t.conn = conn
	t.mu.Unlock()
	go func() {
		defer close(done)
		_ = ua.TransportLayer().ServeUDP(conn) // ends when the socket is closed
	}()
	ready := time.NewTicker(time.Millisecond) // sipgo tells nobody when its listener can be sent from
	defer ready.Stop()
	for ua.TransportLayer().Pool("udp").Size() == 0 {
		select {
		case <-ready.C:
		case <-ctx.Done():
			_ = conn.Close()
			<-done
			return local, ctx.Err()
		}
	}
	return conn.LocalAddr().(*net.UDPAddr).AddrPort(), nil
}

// serveUntil keeps the trunk open until ctx is done, then ends what is left on it.
func (t *Trunk) serveUntil(ctx context.Context, served <-chan struct{}) {
	t.tend(ctx)
	t.keepalive(ctx)
	t.mu.Lock()
	t.closing = true
	legs := make([]*Leg, 0, len(t.legs))
	for _, l := range t.legs {
		legs = append(legs, l)
	}
	t.mu.Unlock()
	for _, l := range legs {
		l.Hangup(Hangup{})
	}
	over := make(chan struct{})
	go func() { t.work.Wait(); close(over) }()
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	select {
	case <-over:
	case <-timer.C:
	}
	close(t.abandon)
	<-over
	_ = t.ua.Close()
	t.closeSockets()
	<-served
}

// keepalive holds the UDP path open while anything is up, or we are registered: a pinhole closes in 30 s, and a phone may
// ring that long.
// Connections have the kernel's own keep-alive.
func (t *Trunk) keepalive(ctx context.Context) {
	if t.cfg.Keepalive <= 0 || t.cfg.Transport != "udp" {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(t.cfg.Keepalive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			t.mu.Lock()
			busy, peer, conn := len(t.legs) > 0, t.peer, t.conn
			t.mu.Unlock()
			if busy || t.registration != nil {
				_, _ = conn.WriteTo([]byte("\r\n\r\n"), net.UDPAddrFromAddrPort(peer)) // RFC 5626 3.5.1; a lost one is followed by the next
			}
		}
	}
}

// resolve finds the trunk's address. A name that does not resolve now keeps its last good address.
func (t *Trunk) resolve(ctx context.Context) (netip.AddrPort, error) {
	peer, err := t.lookup(ctx, t.cfg.Addresses[0])
	t.mu.Lock()
	last := t.peer
	t.mu.Unlock()
	if err != nil && last.IsValid() {
		return last, nil
	}
	if err != nil {
		return netip.AddrPort{}, err
	}
	t.mu.Lock()
	moved := t.peer.IsValid() && t.peer.Addr() != peer.Addr()
	t.peer = peer
	t.mu.Unlock()
	if moved {
		t.guard.allow(peer.Addr())
	}
	return peer, nil
}

// lookup finds the address of host[:port], which is the trunk's from then on.
func (t *Trunk) lookup(ctx context.Context, address string) (netip.AddrPort, error) {
	host, port, err := splitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		look, cancel := context.WithTimeout(ctx, resolveLimit)
		defer cancel()
		found, err := t.env.Resolver.LookupNetIP(look, "ip", host)
		if err == nil && len(found) == 0 {
			err = errors.New("no address")
		}
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("resolve %s: %w", host, err)
		}
		addr = found[0]
	}
	t.auth.trust(addr)
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), nil
}

// bindAddress is the configured address, else the one the kernel would send from.
func (t *Trunk) bindAddress(peer netip.AddrPort) (netip.AddrPort, error) {
	host, port, err := bindHost(t.cfg.Local.Bind)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if !host.IsValid() {
		if host, err = t.env.Source(peer); err != nil {
			return netip.AddrPort{}, err
		}
	}
	return netip.AddrPortFrom(host, port), nil
}

// advertisedLocked is the address peers are told: the public one for peers outside our own networks.
func (t *Trunk) advertisedLocked() netip.AddrPort {
	public, err := netip.ParseAddr(t.cfg.Local.PublicAddress)
	if err != nil {
		return t.local
	}
	for _, n := range t.cfg.Local.LocalNets {
		if n.Contains(t.peer.Addr()) {
			return t.local
		}
	}
	return netip.AddrPortFrom(public, t.local.Port())
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

// wait returns false where ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
