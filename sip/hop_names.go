package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	mostHopNames = 64              // that are kept
	hopRenewal   = time.Second / 2 // for a name to be asked for again, before its last address does
)

// hopNames are what names in Record-Route and Contact resolved to. As with the trunk's own ([locations]), a last good answer
// is kept where DNS is down. But these are the peers' words: few are kept, and nobody asks again for one that no dialog needs.
type hopNames struct {
	dns *DNS
	now func() time.Time

	mu    sync.Mutex
	known map[hopName]*hopPlace
}

// hopName is one that was looked up, for these transports.
type hopName struct{ address, by string }

// hopPlace is where one is.
type hopPlace struct {
	location
	asking chan struct{} // closed when the lookup that is on its way has ended; nil = there is none
}

func newHopNames(dns *DNS, now func() time.Time) *hopNames {
	return &hopNames{dns: dns, now: now, known: make(map[hopName]*hopPlace)}
}

// services are those of a next hop, by these transports.
func (n *hopNames) services(ctx context.Context, h nextHop, by []string) ([]service, error) {
	r := resolver{n.dns, by}
	if a, numeric := h.addr(); numeric {
		return r.plain("", h.port, []netip.Addr{a}), nil // it has no name of its own: its certificate is the trunk's
	}
	name := hopName{h.host, strings.Join(by, " ")}
	if h.port != 0 {
		name.address = net.JoinHostPort(h.host, strconv.Itoa(int(h.port)))
	}
	for {
		l := n.look(name)
		switch {
		case l.mine != nil:
			n.ask(ctx, r, name, l.mine)
			continue
		case l.asking == nil:
			return l.services, l.err
		}
		select {
		case <-l.asking:
		case <-ctx.Done():
			return nil, fmt.Errorf("resolve %s: %w", name.address, context.Cause(ctx))
		}
	}
}

// hopLook is what a look at a name gave: an answer, somebody's lookup that is on its way, or one to be made by whoever looked.
type hopLook struct {
	services []service
	err      error
	asking   <-chan struct{}
	mine     *hopPlace
}

func (n *hopNames) look(name hopName) hopLook {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := n.known[name]
	switch {
	case at == nil:
		n.forget()
		at = &hopPlace{}
		n.known[name] = at
	case at.asking != nil:
		return hopLook{asking: at.asking}
	case at.until.After(n.now()) && len(at.services) > 0:
		return hopLook{services: at.services}
	case at.until.After(n.now()):
		return hopLook{err: at.err}
	}
	at.asking = make(chan struct{})
	return hopLook{mine: at}
}

// forget makes room for one more: the one that is due first goes; who waits for it keeps waiting.
func (n *hopNames) forget() {
	if len(n.known) < mostHopNames {
		return
	}
	var first hopName
	for name, at := range n.known {
		if old := n.known[first]; old == nil || at.until.Before(old.until) {
			first = name
		}
	}
	delete(n.known, first)
}

// ask resolves a name for everybody who waits for it; only whoever asks changes what is known.
func (n *hopNames) ask(ctx context.Context, r resolver, name hopName, at *hopPlace) {
	limit := resolveLimit
	if len(at.services) > 0 {
		limit = hopRenewal
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	f, err := r.resolve(ctx, name.address)
	n.mu.Lock()
	defer n.mu.Unlock()
	at.until = n.now().Add(retryDNS)
	switch {
	case err != nil:
		at.err = fmt.Errorf("resolve %s: %w", name.address, err)
	case f.guessed && len(at.services) > 0: // the records it was found by are not to be had now
	default:
		at.services, at.err = f.services, nil
		if f.ttl > 0 && !f.guessed {
			at.until = n.now().Add(min(max(f.ttl, ttlLow), ttlHigh))
		}
	}
	close(at.asking)
	at.asking = nil
}

// all are all services known, of whatever name.
func (n *hopNames) all() []service {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []service
	for _, at := range n.known {
		all = append(all, at.services...)
	}
	return all
}
