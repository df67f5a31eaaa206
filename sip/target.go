package sip

import (
	"encoding/binary"
	"io"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Target is one place a trunk's requests can be sent to, the result of RFC 3263.
type Target struct {
	Transport string // "udp", "tcp" or "tls"
	Addr      netip.AddrPort
	Host      string // as configured, before resolving
	Port      uint16 // as configured; 0 = none
}

// String is "udp 192.0.2.1:5060 (sip.example.com)".
func (g Target) String() string {
	s := g.Transport + " " + g.Addr.String()
	if g.Host != "" && g.Host != g.Addr.Addr().String() {
		s += " (" + g.Host + ")"
	}
	return s
}

// endpoint is where a target is, whatever name led there.
type endpoint struct {
	transport string
	addr      netip.AddrPort
}

func (g Target) endpoint() endpoint { return endpoint{g.Transport, g.Addr} }

// service is one entry of RFC 2782: an address behind it is as good as another.
type service struct {
	rank    int // of the address in the configuration, of the NAPTR record and of the SRV record; lower is tried first
	weight  uint16
	targets []Target
}

// inOrder sorts services by rank, and within one by chance and weight (RFC 2782): drawn anew for every request, which is
// what spreads calls over equal servers.
func inOrder(services []service, random io.Reader) []Target {
	left := slices.Clone(services)
	slices.SortStableFunc(left, func(a, b service) int { return a.rank - b.rank })
	var targets []Target
	for len(left) > 0 {
		same := 1
		for same < len(left) && left[same].rank == left[0].rank {
			same++
		}
		i := draw(left[:same], random)
		targets = append(targets, left[i].targets...)
		left = slices.Delete(left, i, i+1)
	}
	return targets
}

// draw picks one of several services of one rank.
func draw(services []service, random io.Reader) int {
	if len(services) == 1 {
		return 0
	}
	total := 0
	for _, s := range services {
		total += int(s.weight)
	}
	var b [4]byte
	_, _ = io.ReadFull(random, b[:]) // without chance the first is as right as any
	n := int(binary.BigEndian.Uint32(b[:]))
	if total == 0 {
		return n % len(services)
	}
	n %= total + 1
	for i, s := range services {
		if n -= int(s.weight); n <= 0 {
			return i
		}
	}
	return len(services) - 1
}

const (
	restAfter  = time.Minute     // a target that failed is not tried first for so long
	freshFor   = 2 * time.Minute // a target that was heard from is taken for alive so long
	maxTargets = 16              // of one trunk: what a hostile zone may make us try
)

// health is what is known of the targets: which failed lately, and which were heard from.
type health struct {
	now   func() time.Time
	mu    sync.Mutex
	rests map[endpoint]time.Time // until when
	heard map[endpoint]time.Time
}

func newHealth(now func() time.Time) *health {
	return &health{now: now, rests: make(map[endpoint]time.Time), heard: make(map[endpoint]time.Time)}
}

// failed lets a target rest; d is at least [restAfter].
func (h *health) failed(p endpoint, d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	for old, until := range h.rests {
		if until.Before(now) {
			delete(h.rests, old)
		}
	}
	h.rests[p] = now.Add(max(d, restAfter))
	delete(h.heard, p)
}

// spoke notes that a target answered.
func (h *health) spoke(p endpoint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	for old, at := range h.heard {
		if now.Sub(at) > freshFor {
			delete(h.heard, old)
		}
	}
	h.heard[p] = now
	delete(h.rests, p)
}

func (h *health) fresh(p endpoint) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, ok := h.heard[p]
	return ok && h.now().Sub(at) <= freshFor
}

func (h *health) resting(p endpoint) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rests[p].After(h.now())
}

// sort puts targets that rest last, the one whose rest is over soonest first among them: health orders, it never forbids.
func (h *health) sort(targets []Target) []Target {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	slices.SortStableFunc(targets, func(a, b Target) int {
		x, y := h.rests[a.endpoint()], h.rests[b.endpoint()]
		if !x.After(now) {
			x = time.Time{}
		}
		if !y.After(now) {
			y = time.Time{}
		}
		return x.Compare(y)
	})
	return targets
}
