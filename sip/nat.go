package sip

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// NAT says whether addresses are translated on the way to a trunk.
type NAT string

// Every request asks for rport (RFC 3581), so that answers tell where it came from.
const (
	// NATAuto (also "") looks for one: a trunk that opens on an address of an inner network asks by OPTIONS, once; where an
	// answer says that we are seen at another address, that is what Via, Contact and SDP name from then on; and what a peer writes from behind one is answered to where it speaks from.
	NATAuto NAT = "auto"
	// NATOff says that there is none, or that all of it is configured: both sides are where they say.
	NATOff NAT = "off"
	// NATOn says that there is one: before the first INVITE to a place OPTIONS asks where it sees us, its door is kept open
	// also while nothing is up, and a peer without a Record-Route is answered to where the INVITE went, whatever its Contact.
	NATOn NAT = "on"
)

// outside is where peers see us.
type outside struct {
	mu    sync.Mutex
	views map[endpoint]view
}

// view is one of our sockets as one place sees it; seen is zero where that was asked and does not say.
type view struct{ local, seen netip.AddrPort }

// mostViews is more than the places of a trunk at any time; which are forgotten then does not matter.
const mostViews = 4 * maxTargets

func (o *outside) at(p endpoint) (view, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, ok := o.views[p]
	return v, ok
}

// of is our address as a host sees it, whatever the transport.
func (o *outside) of(host netip.Addr) (netip.Addr, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for p, v := range o.views {
		if p.addr.Addr() == host && v.seen.IsValid() {
			return v.seen.Addr(), true
		}
	}
	return netip.Addr{}, false
}

// keep tells whether it is news.
func (o *outside) keep(p endpoint, v view) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	old, known := o.views[p]
	for other := range o.views {
		if known || len(o.views) < mostViews {
			break
		}
		delete(o.views, other)
	}
	o.views[p] = v
	return !known || old.seen != v.seen
}

// forget begins anew: our own address is another one.
func (o *outside) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.views)
}

// learns tells whether what a peer says of our address counts: what is configured counts more, and in our own networks we
// are where we are.
func (t *Trunk) learns(peer netip.Addr) bool {
	return t.cfg.NAT != NATOff && t.cfg.Local.PublicAddress == "" && !t.isLocal(peer)
}

// learn reads from an answer where the peer sees us. It must be the answer of a transaction of ours: anybody else could
// have our calls' BYEs sent wherever they like.
func (t *Trunk) learn(req *sip.Request, res *sip.Response) {
	at := destination(req)
	if !t.learns(at.addr.Addr()) {
		return
	}
	local := t.localOf(req, at)
	seen := seenAt(res.Via(), saidBy(req))
	if !local.IsValid() || !seen.IsValid() || !isOurs(seen.Addr(), local.Addr()) {
		return
	}
	if t.up.outside.keep(at, view{local, seen}) && seen.Addr() != local.Addr() {
		t.env.Log.Info("the trunk sees us at another address: Contact and SDP name it", "target", at.addr, "bound", local, "seen", seen)
	}
}

// isOurs tells whether an address that a peer tells us can be our own.
func isOurs(seen, local netip.Addr) bool {
	return seen.Is4() == local.Is4() && (seen.IsGlobalUnicast() || seen == local)
}

// localOf is the address that a request was sent from.
func (t *Trunk) localOf(req *sip.Request, to endpoint) netip.AddrPort {
	if to.transport == "udp" {
		ip, _ := netip.AddrFromSlice(req.Laddr.IP) // address wrote it
		return netip.AddrPortFrom(ip.Unmap(), uint16(req.Laddr.Port))
	}
	if f := t.up.flows.at(to); f != nil {
		return addrPort(f.LocalAddr())
	}
	return netip.AddrPort{}
}

// saidBy is where a request said that it comes from.
func saidBy(req *sip.Request) netip.AddrPort {
	via := req.Via()
	if via == nil {
		return netip.AddrPort{}
	}
	host, _ := netip.ParseAddr(trimBrackets(via.Host)) // newVia wrote it
	return netip.AddrPortFrom(host, uint16(via.Port))
}

// advertise is what Via and Contact name on a path: where the peer sees us, else what is configured, else where we are. A
// connection that nothing was heard on yet has another port than the one before.
func (t *Trunk) advertise(p path) netip.AddrPort {
	if v, ok := t.up.outside.at(t.endpoint(p)); ok && v.seen.IsValid() {
		if v.local == p.local {
			return v.seen
		}
		return netip.AddrPortFrom(v.seen.Addr(), p.local.Port())
	}
	return netip.AddrPortFrom(t.advertised(p.to.Addr(), p.local.Addr()), p.local.Port())
}

// oriented is the path once it was asked where its peer sees us, for [NATOn]. A peer that does not say is asked once.
func (t *Trunk) oriented(ctx context.Context, p path) path {
	if t.cfg.NAT == NATOn && t.learns(p.to.Addr()) {
		t.ask(ctx, p)
		p.advertise = t.advertise(p)
	}
	return p
}

// ask asks a peer where it sees us, unless that is known, or it was asked and does not say.
func (t *Trunk) ask(ctx context.Context, p path) {
	at := t.endpoint(p)
	if v, known := t.up.outside.at(at); known && v.local == p.local {
		return
	}
	limit, cancel := context.WithTimeout(ctx, t.waits.awake)
	defer cancel()
	_, _ = t.transact(limit, t.request(sip.OPTIONS, "", p)) // learn has read it
	if v, known := t.up.outside.at(at); ctx.Err() == nil && (!known || v.local != p.local) {
		t.up.outside.keep(at, view{local: p.local})
	}
}

// orientPatience is how long the first call waits for a trunk to say where it sees us, where there may be no NAT at all.
const orientPatience = 500 * time.Millisecond

// orient asks where the trunk sees us before anything depends on it, SDP above all. With [NATAuto] that is asked once, and
// waited for shortly: an answer that comes later is for the calls after it.
func (t *Trunk) orient(ctx context.Context) {
	t.mu.Lock()
	local, peer := t.local.Addr(), t.peer.Addr()
	t.mu.Unlock()
	patience := dialLimit
	if t.cfg.NAT != NATOn {
		if !t.learns(peer) || !mayBeTranslated(local) {
			return
		}
		patience = orientPatience
	}
	limit, stop := context.WithTimeout(ctx, dialLimit)
	asked := make(chan struct{})
	t.work.Go(func() {
		defer stop()
		defer close(asked)
		if p, err := t.path(limit); err == nil {
			t.ask(limit, p)
		}
	})
	wait, done := context.WithTimeout(ctx, patience)
	defer done()
	select {
	case <-asked:
	case <-wait.Done():
	}
}

// mayBeTranslated tells whether a NAT may stand between our address and a peer: it means nothing outside its own network,
// and is not this machine's alone.
func mayBeTranslated(local netip.Addr) bool { return isInside(local) && !local.IsLoopback() }

// reoriented takes what an answer to the INVITE told of our address into what the leg sends from now on.
func (l *Leg) reoriented() {
	t := l.trunk
	now := t.advertise(l.path)
	if now == l.path.advertise {
		return
	}
	t.mu.Lock()
	l.path.advertise = now
	t.mu.Unlock()
	l.first = t.moved(l.first, l.path)
}

// isHidden tells whether an address means nothing where we are: it is of a network behind the one its owner speaks from.
func isHidden(addr, speaks netip.Addr) bool { return isInside(addr) && !isInside(speaks) }

// isInside tells whether an address means something in its own network only (RFC 1918, 4193, 6598, 3927).
func isInside(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || shared.Contains(a)
}

// shared is what carriers use behind their own NAT (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10") //nolint:gochecknoglobals // a constant that Go cannot spell
