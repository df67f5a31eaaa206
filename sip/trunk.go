package sip

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	farewell   = 2 * time.Second       // for the CANCEL or BYE of a leg to be answered, once its trunk stops
	settleTime = 20 * time.Millisecond // for what was read just before
)

// Trunk is a SIP peer that calls go to: one user agent with its own socket. All methods are safe for concurrent use.
type Trunk struct {
	cfg   TrunkConfig
	env   Env
	guard *guard
	key   string // of our From tags
	up    uplink

	auth         *authenticator
	vitals       *vitals
	registration *registration // nil where the trunk does not register

	opened  chan struct{} // closed when the first attempt to open has ended
	waits   waits
	hurry   chan struct{} // closed when nobody waits for the farewell
	hurried sync.Once
	abandon chan struct{} // closed when the farewell is over: legs return whatever is left

	mu      sync.Mutex
	ua      *userAgent
	conn    *tap
	served  <-chan struct{} // closed when nobody reads conn any more
	retired []retired
	local   netip.AddrPort // what we are bound to
	peer    netip.AddrPort // the target that was used last
	openErr error
	closing bool
	legs    map[string]*Leg // by Call-ID

	serviceRoutes []sip.Uri // of the registration (RFC 3608)

	work sync.WaitGroup // every goroutine started by a leg

	succession succession
	count      counters
}

// uplink is the way to the trunk: where it is, which of the places are well, and what is open there.
type uplink struct {
	locations *locations
	hopNames  *hopNames
	health    *health
	flows     *flows
	outside   *outside
	tls       *tls.Config
	shown     shown // certificates
	uses      uses
	admitted  map[netip.Addr]func() // hosts the guard lets in for what the trunk resolves to; owned by letIn
	admitting sync.Mutex
	large     sync.Once // the warning about messages that are too large for UDP
}

type counters struct{ invites, answered, nonsense atomic.Uint64 }

// waits are how long a trunk waits for what ought to come at once. Tests on a busy machine have more patience.
type waits struct{ awake, order time.Duration }

// Stats are the trunk's counters since it was made.
type Stats struct {
	Legs    int    // in progress
	Invites uint64 // sent, digest retries not counted
	Answers uint64 // 2xx
	Dropped uint64 // datagrams of strangers
	// Nonsense is how many messages of the trunk's hosts were no SIP.
	Nonsense uint64
}

// NewTrunk checks the configuration's meaning; the error joins [*ConfigError]s. It starts nothing.
func NewTrunk(cfg TrunkConfig, env Env) (*Trunk, error) {
	secure, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	if env.Source == nil {
		env.Source = kernelSource
	}
	if env.Dial == nil {
		env.Dial = Dial
	}
	t := &Trunk{
		cfg: cfg, env: env, guard: newGuard(cfg.Peers), up: uplink{tls: secure}, legs: make(map[string]*Leg),
		opened: make(chan struct{}), hurry: make(chan struct{}), abandon: make(chan struct{}), waits: waits{awakeLimit, orderWait},
	}
	t.succession.retired = make(chan struct{})
	t.key = t.token(16)
	t.auth = newAuthenticator(cfg, env, t.token)
	t.vitals = newVitals(env.Now, t.auth.restsUntil)
	if cfg.Register.On {
		t.registration = newRegistration(t)
	}
	transports := []string{cfg.Transport}
	if cfg.LargeByTCP {
		transports = append(transports, "tcp")
	}
	t.up.locations = newLocations(resolver{env.DNS.withDial(env.Dial), transports}, env.Now, env.Log)
	t.up.locations.changed = t.letIn
	t.up.hopNames = newHopNames(t.up.locations.resolver.dns, env.Now)
	t.up.health, t.up.flows, t.up.outside = newHealth(env.Now), newFlows(t), &outside{views: make(map[endpoint]view)}
	t.up.uses.places, t.up.admitted = make(map[endpoint]int), make(map[netip.Addr]func())
	return t, nil
}

// letIn lets in what the trunk's names resolve to, and nothing that they did before.
func (t *Trunk) letIn() {
	t.up.admitting.Lock()
	defer t.up.admitting.Unlock()
	now := make(map[netip.Addr]func())
	for _, s := range t.up.locations.all() {
		for _, g := range s.targets {
			host := g.Addr.Addr()
			if release, known := t.up.admitted[host]; known {
				now[host] = release
				delete(t.up.admitted, host)
			} else if now[host] == nil {
				now[host] = t.guard.allow(host)
				t.auth.trust(host)
			}
		}
	}
	for _, release := range t.up.admitted {
		release()
	}
	t.up.admitted = now
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
		if err == nil {
			t.succession.before = nil
			t.orient(ctx)
		}
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
	if seen, ok := t.up.outside.of(t.peer.Addr()); ok {
		return t.local.Addr(), seen
	}
	return t.local.Addr(), t.advertised(t.peer.Addr(), t.local.Addr())
}

// Targets are the places the trunk's addresses resolve to, in the order they would be tried now.
func (t *Trunk) Targets(ctx context.Context) ([]Target, error) {
	return t.targets(ctx, t.firstHops(), t.cfg.Transport)
}

// Listens is where packets of the peer arrive; invalid before the trunk is open, and over TCP and TLS, where connections are opened
// by our requests.
func (t *Trunk) Listens() netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.local.Port() == 0 || t.cfg.Transport != "udp" {
		return netip.AddrPort{}
	}
	return t.local
}

// Peer is the trunk's address that was used last; invalid before that.
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
	return Stats{Legs: legs, Invites: t.count.invites.Load(), Answers: t.count.answered.Load(), Dropped: t.guard.dropped.Load(), Nonsense: t.count.nonsense.Load()}
}

// serveUntil keeps the trunk open until ctx is done, then ends what is left on it.
func (t *Trunk) serveUntil(ctx context.Context, served <-chan struct{}) {
	serving, rest := t.inService(ctx)
	defer rest()
	t.tend(serving)
	var background sync.WaitGroup
	background.Go(func() { t.up.locations.refresh(ctx) })
	t.keepalive(ctx)
	background.Wait()
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
	timer := time.NewTimer(t.patience(legs))
	defer timer.Stop()
	select {
	case <-over:
	case <-timer.C:
	case <-t.hurry:
	}
	close(t.abandon)
	for _, l := range legs {
		l.box.poke()
	}
	<-over
	// What comes now is not read, and what was read a moment ago has time to be answered: sipgo would open a socket of its own
	// for an answer whose socket has gone, and never close it.
	t.guard.shut.Store(true)
	settled := time.NewTimer(settleTime)
	defer settled.Stop()
	<-settled.C
	t.up.flows.close()
	t.closeSockets()
	<-served
	t.ua.close()
	_ = t.ua.transport.Close() // once more: what came late all the same
}

// patience is how long the farewell lasts: a leg that was hung up a while ago has had its time.
func (t *Trunk) patience(legs []*Leg) time.Duration {
	if t.registration != nil || len(legs) == 0 { // what legs left behind
		return farewell
	}
	left := time.Duration(0)
	for _, l := range legs {
		if at := l.box.hungUp(); !at.IsZero() {
			left = max(left, farewell-t.env.Now().Sub(at))
		}
	}
	return left
}

// Hurry ends the farewell of a trunk that stops, or will: what is not answered by then is not waited for.
func (t *Trunk) Hurry() { t.hurried.Do(func() { close(t.hurry) }) }

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
