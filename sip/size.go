package sip

import (
	"context"

	"github.com/emiago/sipgo/sip"
)

const (
	udpLimit   = 1300 // larger requests go by a transport with congestion control (RFC 3261 18.1.1)
	inviteGoal = 1200 // leaves room for what proxies add
)

// optional headers of an INVITE, the least important first.
func optional() []string {
	return []string{"User-Agent", "Organization", "Subject", "Allow", "Supported", "Expires"}
}

// slim drops optional headers until the request is small enough, or none is left.
func slim(req *sip.Request, limit int) {
	for _, name := range optional() {
		if size(req) <= limit {
			return
		}
		req.RemoveHeader(name)
	}
}

func size(req *sip.Request) int { return len(req.String()) }

// fit is the request and the path it takes: one past the MTU goes by TCP where the trunk allows that and the peer takes
// it, else by UDP in pieces, which is told once: networks lose them.
func (t *Trunk) fit(ctx context.Context, req *sip.Request, p path) (*sip.Request, path) {
	if t.over(p) != "udp" || size(req) <= udpLimit {
		return req, p
	}
	slim(req, udpLimit)
	if size(req) <= udpLimit {
		return req, p
	}
	var why error
	if t.cfg.LargeByTCP {
		var larger path
		if larger, why = t.byTCP(ctx, p); why == nil {
			return t.moved(req, larger), larger
		}
	}
	t.up.large.Do(func() {
		t.env.Log.Warn("a SIP request is too large for UDP and goes in pieces, which networks lose", "bytes", size(req), "tcp", why)
	})
	return req, p
}

// byTCP is the way to the same host by TCP, or to another of the trunk's where that host has no TCP.
func (t *Trunk) byTCP(ctx context.Context, p path) (path, error) {
	targets, err := t.targets(ctx, t.firstHops(), "tcp")
	if err != nil {
		return path{}, err
	}
	for _, g := range targets {
		if g.Addr.Addr() == p.to.Addr() {
			targets = []Target{g}
			break
		}
	}
	return t.reach(ctx, targets[0], 1)
}

// moved is the same request on another path: Via and Contact say so.
func (t *Trunk) moved(req *sip.Request, p path) *sip.Request {
	c := req.Clone()
	c.RemoveHeader("Via")
	c.PrependHeader(t.newVia(p))
	c.ReplaceHeader(t.contact(p))
	t.address(c, p)
	return c
}
