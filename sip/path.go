package sip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// path is how requests of one leg travel: from which of our addresses to which of the peer's.
type path struct {
	local     netip.AddrPort // what the socket is bound to
	advertise netip.AddrPort // what Via and Contact say
	to        netip.AddrPort
	transport string // "" = the trunk's
	host      string // of Request-URIs, as configured; "" = to
	port      uint16 // likewise; 0 = none
}

// over is the transport of a path.
func (t *Trunk) over(p path) string { return cmp.Or(p.transport, t.cfg.Transport) }

func (t *Trunk) endpoint(p path) endpoint { return endpoint{t.over(p), p.to} }

// path finds the target that is best now and, for connections, opens or finds the one that will be used, since Contact
// names its port. The error is a [*SendError].
func (t *Trunk) path(ctx context.Context) (path, error) { return t.pathBy(ctx, t.firstHops()) }

// pathBy is the path to the best target of these addresses.
func (t *Trunk) pathBy(ctx context.Context, hops []string) (path, error) {
	targets, err := t.targets(ctx, hops, t.cfg.Transport)
	if err != nil {
		return path{}, err
	}
	for i, target := range targets {
		var p path
		if p, err = t.reach(ctx, target, len(targets)-i); err == nil {
			return p, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return path{}, err
}

// targets are the places that requests to these addresses may go to, the best first.
func (t *Trunk) targets(ctx context.Context, hops []string, transport string) ([]Target, error) {
	t.mu.Lock()
	open, closing, openErr, local := t.ua != nil, t.closing, t.openErr, t.local
	t.mu.Unlock()
	switch {
	case openErr != nil:
		if _, ok := errors.AsType[*SendError](openErr); ok {
			return nil, openErr
		}
		return nil, &SendError{"open", openErr}
	case !open || closing:
		return nil, &SendError{"closed", errClosed}
	}
	found, err := t.find(ctx, hops, transport)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(g Target) bool { return g.Addr.Addr().Is4() != local.Addr().Is4() })
	if len(found) == 0 {
		return nil, &SendError{"resolve", fmt.Errorf("no address that can be reached from %s", local.Addr())}
	}
	return t.up.health.sort(found)[:min(len(found), maxTargets)], nil
}

// find resolves addresses. A service route that does not resolve leaves the trunk's own.
func (t *Trunk) find(ctx context.Context, hops []string, transport string) ([]Target, error) {
	services, err := t.up.locations.services(ctx, hops)
	if err != nil && t.isServiceRoute(hops) {
		services, err = t.up.locations.services(ctx, t.cfg.Addresses)
	}
	if err != nil {
		return nil, &SendError{"resolve", err}
	}
	targets := slices.DeleteFunc(inOrder(services, t.env.Rand), func(g Target) bool { return g.Transport != transport })
	if len(targets) == 0 {
		return nil, &SendError{"resolve", fmt.Errorf("%s: nothing there speaks %s", strings.Join(hops, ", "), transport)}
	}
	return targets, nil
}

// reach makes the path to a target; left is how many may still be tried, this one included, in the time that ctx has. A
// target that cannot be reached rests.
func (t *Trunk) reach(ctx context.Context, target Target, left int) (path, error) {
	p := t.byUDP(target)
	if target.Transport != "udp" {
		var err error
		if p.local, err = t.connected(ctx, target, left); err != nil {
			return path{}, err
		}
		p.advertise = t.advertise(p)
	}
	t.mu.Lock()
	t.peer = target.Addr
	t.mu.Unlock()
	return p, nil
}

// connected finds or opens the connection to a target, and returns our address on it. The error is a [*SendError].
func (t *Trunk) connected(ctx context.Context, target Target, left int) (local netip.AddrPort, err error) {
	limit, cancel := portion(ctx, left)
	defer cancel()
	f, err := t.up.flows.connect(limit, target)
	if err != nil {
		if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
			t.up.health.failed(target.endpoint(), 0)
		}
		return local, &SendError{"connect", err}
	}
	if local, err = netip.ParseAddrPort(f.LocalAddr().String()); err != nil {
		return local, &SendError{"connect", err}
	}
	return unmapped(local), nil
}

// byUDP is the path to a target from our socket; for a connection it wants another local address.
func (t *Trunk) byUDP(target Target) path {
	p := path{to: target.Addr, transport: target.Transport}
	p.host, p.port = t.domainOf(target)
	t.mu.Lock()
	p.local = t.local
	t.mu.Unlock()
	p.advertise = t.advertise(p)
	return p
}

// portion is an equal part of the time left.
func portion(ctx context.Context, among int) (context.Context, context.CancelFunc) {
	end, limited := ctx.Deadline()
	if !limited {
		return context.WithTimeout(ctx, dialLimit)
	}
	return context.WithTimeout(ctx, max(time.Until(end)/time.Duration(max(among, 1)), 100*time.Millisecond))
}

// domainOf is the host of Request-URIs to a target: what the configuration calls it, which is the trunk's own address also
// where a proxy stands before it.
func (t *Trunk) domainOf(target Target) (host string, port uint16) {
	if slices.Equal(t.firstHops(), t.cfg.Addresses) {
		return target.Host, target.Port
	}
	host, port, _ = splitAddress(t.cfg.Addresses[0]) // validated
	return host, port
}

// advertised is the address peers are told: the public one for peers outside our own networks.
func (t *Trunk) advertised(peer, local netip.Addr) netip.Addr {
	public, err := netip.ParseAddr(t.cfg.Local.PublicAddress)
	if err != nil || public.Is4() != local.Is4() {
		return local
	}
	if t.isLocal(peer) {
		return local
	}
	return public
}

// isLocal tells whether a peer is in our own networks.
func (t *Trunk) isLocal(peer netip.Addr) bool {
	return slices.ContainsFunc(t.cfg.Local.LocalNets, func(n netip.Prefix) bool { return n.Contains(peer) })
}

// address fills in what sipgo needs to send a request: transport, destination and, on UDP, our own socket. The transport
// is always said: of a sips: URI alone, sipgo would make UDP in clear.
func (t *Trunk) address(req *sip.Request, p path) {
	req.SetBody(req.Body()) // writes Content-Length, without which a message on a connection has no end (RFC 3261 20.14)
	req.SetTransport(strings.ToUpper(t.over(p)))
	req.SetDestination(p.to.String())
	req.Laddr = sip.Addr{}
	if t.over(p) == "udp" {
		req.Laddr = sip.Addr{IP: p.local.Addr().AsSlice(), Port: int(p.local.Port())}
	}
}

// destination is where a request is addressed to.
func destination(req *sip.Request) endpoint {
	to, _ := netip.ParseAddrPort(req.Destination()) // address wrote it
	return endpoint{strings.ToLower(req.Transport()), to}
}

// connect opens the connection a request needs, where there is none: sipgo could not.
func (t *Trunk) connect(ctx context.Context, req *sip.Request) error {
	to := destination(req)
	if to.transport == "udp" || t.up.flows.at(to) != nil {
		return nil
	}
	if _, err := t.up.flows.connect(ctx, t.known(Target{Transport: to.transport, Addr: to.addr})); err != nil {
		return &SendError{"connect", err}
	}
	return nil
}

// write sends an ACK by a path; no transaction looks after it. One that needs a connection, because it is past the MTU or the
// path has lost its own, is not waited for: whoever misses the ACK asks for it again.
func (t *Trunk) write(req *sip.Request, p path) {
	to := destination(req)
	if to.transport == "udp" && size(req) <= udpLimit || to.transport != "udp" && t.up.flows.at(to) != nil {
		_ = t.ua.transport.WriteMsg(req)
		return
	}
	if !t.begin() {
		if to.transport == "udp" { // in pieces rather than not at all
			_ = t.ua.transport.WriteMsg(req)
		}
		return
	}
	go func() {
		defer t.work.Done()
		ctx, stop := t.limited(dialLimit)
		defer stop()
		sent, _ := t.fit(ctx, req, p)
		sent.Via().Params.Add("branch", branchOf(req.Via())) // of the ACK whenever it is sent (RFC 3261 13.2.2.4)
		if t.connect(ctx, sent) == nil {
			_ = t.ua.transport.WriteMsg(sent)
		}
	}()
}

// begin counts one more goroutine that Run waits for; false where the trunk stops.
func (t *Trunk) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing {
		return false
	}
	t.work.Add(1)
	return true
}
