package sip

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// nextHop is what a URI says about where requests to it go (RFC 3263 4).
type nextHop struct {
	host      string // a name or an address
	port      uint16 // 0 = not given
	transport string // in lower case, "tls" for sips: whatever it says besides; "" = not given
}

// nextHopOf reads a URI.
func nextHopOf(u *sip.Uri) nextHop {
	h := nextHop{host: trimBrackets(u.Host), port: uint16(max(0, min(u.Port, 65_535)))}
	if maddr, ok := param(u.UriParams, "maddr"); ok && maddr != "" { // 4: it stands in for the host
		h.host = trimBrackets(maddr)
	}
	transport, _ := param(u.UriParams, "transport")
	if h.transport = strings.ToLower(transport); u.Scheme == "sips" {
		h.transport = "tls"
	}
	h.host = strings.ToLower(h.host)
	return h
}

// addr is the address where the host is one.
func (h nextHop) addr() (netip.Addr, bool) {
	a, err := netip.ParseAddr(h.host)
	return a.Unmap(), err == nil && a.Zone() == ""
}

// at is the target by a transport where the host is an address. It has no name: its certificate is the trunk's.
func (h nextHop) at(transport string) (Target, bool) {
	a, numeric := h.addr()
	return Target{Transport: transport, Addr: netip.AddrPortFrom(a, cmp.Or(h.port, defaultPort(transport)))}, numeric
}

// by are the transports that may lead to a next hop, the most wanted first, where the INVITE went by over: none where it is
// not to be followed. What came by TLS does not go on in clear, whatever a Contact says; a URI that names no transport
// means the one that is used already, and a name's records may have another.
func (t *Trunk) by(h nextHop, over string) []string {
	_, numeric := h.addr()
	switch {
	case over == "tls":
		if h.transport == "" || h.transport == "tls" {
			return []string{"tls"}
		}
	case h.transport == "" && over == "udp" && !numeric && h.port == 0:
		return []string{"udp", "tcp"}
	case h.transport == "":
		return []string{over}
	case h.transport == "tcp", h.transport == "tls", h.transport == "udp" && t.cfg.Transport == "udp":
		return []string{h.transport}
	}
	return nil
}

// follow is the path to a next hop, on a connection that is open where one is; leg is the path of the INVITE, which is
// stayed on where the next hop is the same place.
func (t *Trunk) follow(ctx context.Context, h nextHop, by []string, leg path) (path, error) {
	services, err := t.up.hopNames.services(ctx, h, by)
	if err != nil {
		return path{}, &SendError{"resolve", err}
	}
	targets := slices.DeleteFunc(inOrder(services, t.env.Rand), func(g Target) bool { return !t.leads(g, leg) })
	if len(targets) == 0 {
		return path{}, &SendError{"resolve", fmt.Errorf("%s: no address that can be reached from %s", h.host, leg.local.Addr())}
	}
	targets = t.up.health.sort(targets)
	slices.SortStableFunc(targets, func(a, b Target) int { return t.nearer(a, leg) - t.nearer(b, leg) })
	for i, target := range targets[:min(len(targets), maxTargets)] {
		var p path
		if p, err = t.goTo(ctx, target, leg, len(targets)-i); err == nil {
			return p, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return path{}, err
}

// leads tells whether a target can be meant: one of a network that its owner is behind, and we are not, cannot.
func (t *Trunk) leads(g Target, leg path) bool {
	to := g.Addr.Addr()
	return to.Is4() == leg.to.Addr().Is4() && (t.cfg.NAT == NATOff || !isHidden(to, leg.to.Addr()))
}

// nearer ranks a target: where the INVITE went, then what is connected, then the others.
func (t *Trunk) nearer(g Target, leg path) int {
	switch {
	case t.same(g, leg):
		return 0
	case g.Transport != "udp" && t.up.flows.at(g.endpoint()) != nil:
		return 1
	}
	return 2
}

// same tells whether a target is where the INVITE went: over a connection, whatever port the peer says it has.
func (t *Trunk) same(g Target, leg path) bool {
	return g.endpoint() == t.endpoint(leg) || g.Transport != "udp" && g.Transport == t.over(leg) && g.Addr.Addr() == leg.to.Addr()
}

// goTo is the path to one target of a next hop; left is how many may still be tried.
func (t *Trunk) goTo(ctx context.Context, target Target, leg path, left int) (path, error) {
	if t.same(target, leg) {
		return leg, nil
	}
	if target.Transport == "udp" {
		return t.byDatagram(target, leg), nil
	}
	p := t.byUDP(target)
	local, err := t.connected(ctx, t.known(target), left)
	if err != nil {
		return path{}, err
	}
	p.local = local
	p.advertise = t.advertise(p)
	return p, nil
}

// byDatagram is the path to a target from the socket that the INVITE left by, else from the trunk's.
func (t *Trunk) byDatagram(target Target, leg path) path {
	if t.over(leg) != "udp" {
		return t.byUDP(target)
	}
	leg.to, leg.transport = target.Addr, "udp"
	return leg
}

// known is a target by the name that its certificate is checked for: the trunk's own where it is one of the trunk's.
func (t *Trunk) known(target Target) Target {
	for _, s := range slices.Concat(t.up.locations.all(), t.up.hopNames.all()) {
		for _, g := range s.targets {
			if g.endpoint() == target.endpoint() {
				return g
			}
		}
	}
	return target
}
