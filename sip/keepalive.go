package sip

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"
)

// uses counts who needs the way to a place kept open: legs that are up, and a registration.
type uses struct {
	mu     sync.Mutex
	places map[endpoint]int
}

// keepOpen has the path held open by keep-alives until the returned function is called. For a registration, call it when
// the 200 came.
func (t *Trunk) keepOpen(p path) (release func()) {
	at := t.endpoint(p)
	t.up.uses.begin(at)
	return sync.OnceFunc(func() { t.up.uses.end(at) })
}

// begin has a place held open, until it was ended as often.
func (u *uses) begin(at endpoint) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.places[at]++
}

func (u *uses) end(at endpoint) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.places[at]--; u.places[at] <= 0 {
		delete(u.places, at)
	}
}

func (u *uses) list() []endpoint {
	u.mu.Lock()
	defer u.mu.Unlock()
	list := make([]endpoint, 0, len(u.places))
	for p := range u.places {
		list = append(list, p)
	}
	return list
}

// keepalive holds the ways open that are in use: a UDP pinhole closes in 30 s, and a phone may ring that long; a
// connection's peer may be gone without a word (RFC 5626 4.4.1, 3.5.1).
func (t *Trunk) keepalive(ctx context.Context) {
	if t.cfg.Keepalive <= 0 {
		<-ctx.Done()
		return
	}
	tick, late := time.NewTicker(t.cfg.Keepalive), time.NewTimer(time.Hour)
	defer tick.Stop()
	defer late.Stop()
	var pinged []pinged
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			pinged = append(unanswered(pinged), t.ping()...)
			late.Reset(pongLimit)
		case <-late.C:
			pinged = unanswered(pinged)
		}
	}
}

// pinged is a connection that a keep-alive was sent on, at that moment.
type pinged struct {
	flow *flow
	deaf func() bool
	at   time.Time
}

// ping sends a keep-alive on every way in use. Those on UDP have no answer: a lost one is followed by the next.
func (t *Trunk) ping() []pinged {
	var sent []pinged
	for _, p := range t.held() {
		if p.transport == "udp" {
			t.mu.Lock()
			conn := t.conn
			t.mu.Unlock()
			if conn != nil {
				_, _ = conn.WriteTo([]byte("\r\n\r\n"), net.UDPAddrFromAddrPort(p.addr))
			}
			continue
		}
		if f := t.up.flows.at(p); f != nil {
			at := time.Now()
			sent = append(sent, pinged{f, f.ping(), at})
		}
	}
	return sent
}

// held are the ways to keep open: those in use, and behind a NAT all of the trunk's.
func (t *Trunk) held() []endpoint {
	list := t.up.uses.list()
	if t.cfg.NAT != NATOn {
		return list
	}
	t.mu.Lock()
	local := t.local.Addr()
	t.mu.Unlock()
	for _, s := range t.up.locations.all() {
		for _, g := range s.targets {
			if g.Transport == t.cfg.Transport && g.Addr.Addr().Is4() == local.Is4() && !slices.Contains(list, g.endpoint()) {
				list = append(list, g.endpoint())
			}
		}
	}
	return list
}

// unanswered ends connections whose peer used to answer keep-alives and did not for too long, and keeps those that are
// still waited for.
func unanswered(sent []pinged) []pinged {
	var left []pinged
	for _, p := range sent {
		switch {
		case !p.flow.alive() || !p.deaf():
		case time.Since(p.at) >= pongLimit:
			p.flow.end(errNoPong)
		default:
			left = append(left, p)
		}
	}
	return left
}
