package sip

import (
	"context"
	"fmt"
	"slices"

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
// it, else by UDP in pieces, which is told once: networks lose them. One of a dialog keeps its headers, which are few.
func (t *Trunk) fit(ctx context.Context, req *sip.Request, p path) (*sip.Request, path) {
	inDialog := tagOf(req.To().Params) != ""
	if t.over(p) == "udp" && !inDialog && size(req) > udpLimit {
		slim(req, udpLimit)
	}
	if t.over(p) != "udp" || size(req) <= udpLimit {
		return req, p
	}
	var why error
	if t.cfg.LargeByTCP {
		var larger path
		if larger, why = t.byTCP(ctx, p, inDialog); why == nil {
			return t.moved(req, larger), larger
		}
	}
	t.up.large.Do(func() {
		t.env.Log.Warn("a SIP request is too large for UDP and goes in pieces, which networks lose", "bytes", size(req), "tcp", why)
	})
	return req, p
}

// byTCP is the way to the same host by TCP. Outside dialogs another of the trunk's will do, where that host has no TCP.
func (t *Trunk) byTCP(ctx context.Context, p path, inDialog bool) (path, error) {
	targets, err := t.targets(ctx, t.firstHops(), "tcp")
	if err != nil {
		return path{}, err
	}
	at := slices.IndexFunc(targets, func(g Target) bool { return g.Addr.Addr() == p.to.Addr() })
	if at < 0 && inDialog {
		return path{}, fmt.Errorf("%s is not the trunk, and where it takes TCP is not known", p.to)
	}
	return t.reach(ctx, targets[max(at, 0)], 1)
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
