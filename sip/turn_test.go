package sip_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

// member is one gateway of several that share an account.
type member struct {
	trunk *sip.Trunk
	stop  func()
	at    string // host:port of its socket
	dead  atomic.Bool

	mu     sync.Mutex
	turn   sip.Turn
	former string
}

// has gives it a turn, or takes it away.
func (m *member) has(turn sip.Turn) {
	m.mu.Lock()
	m.turn = turn
	m.mu.Unlock()
	m.trunk.TurnChanged()
	synctest.Wait()
}

// deaf is a socket of a machine that may lose its power.
type deaf struct {
	net.PacketConn

	dead *atomic.Bool
}

func (d deaf) WriteTo(b []byte, to net.Addr) (int, error) {
	if d.dead.Load() {
		return len(b), nil
	}
	return d.PacketConn.WriteTo(b, to)
}

func (d deaf) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := d.PacketConn.ReadFrom(b)
		if err != nil || !d.dead.Load() {
			return n, from, err
		}
	}
}

// club is a registrar, and two who share an account of its.
type club struct {
	t         *testing.T
	registrar *siptest.Registrar
	a, b      *member
}

// sharing runs a story of a club in a bubble. Nobody has the turn yet.
func sharing(t *testing.T, rules siptest.Rules, story func(club)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		wire := siptest.NewWire()
		conn, err := wire.Listen(t.Context(), "udp", "127.0.0.1:5060")
		if err != nil {
			t.Fatal(err)
		}
		c := club{t: t, registrar: siptest.NewRegistrar(conn, rules)}
		t.Cleanup(func() {
			c.registrar.Close()
			<-time.NewTimer(time.Minute).C // sipgo's transactions outlive their user agent
		})
		c.a, c.b = c.joins(wire, "127.0.0.1:5062"), c.joins(wire, "127.0.0.1:5064")
		synctest.Wait()
		story(c)
	})
}

func (c *club) joins(wire *siptest.Wire, at string) *member {
	c.t.Helper()
	m := &member{at: at}
	env := inMemory(wire)
	env.Listen = func(ctx context.Context, network, address string) (net.PacketConn, error) {
		conn, err := wire.Listen(ctx, network, address)
		return deaf{conn, &m.dead}, err
	}
	var stop context.CancelFunc
	var ended <-chan error
	m.trunk, stop, ended = start(c.t, env, func(cfg *sip.TrunkConfig) {
		registering(cfg)
		cfg.Local.Bind, cfg.Probe.Mode = at, sip.ProbeRegister
		cfg.Register.Shared = &sip.Sharing{
			Turn:   func() sip.Turn { m.mu.Lock(); defer m.mu.Unlock(); return m.turn },
			Former: func() string { m.mu.Lock(); defer m.mu.Unlock(); return m.former },
		}
	}, c.registrar.Addr())
	m.stop = sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil {
			c.t.Error(err)
		}
	})
	c.t.Cleanup(m.stop)
	ready(c.t, m.trunk)
	return m
}

// sent are the REGISTERs of a member that change something.
func (c *club) sent(m *member) (all []siptest.Message) {
	for _, r := range c.registrar.Seen("REGISTER") {
		if r.From.String() == m.at && len(r.All("Contact")) > 0 {
			all = append(all, r)
		}
	}
	return all
}

// bound wants exactly these members to be registered.
func (c *club) bound(members ...*member) {
	c.t.Helper()
	var want []string
	for _, m := range members {
		want = append(want, "sip:telgate@"+m.at)
	}
	if got := c.registrar.Bindings(); !slices.Equal(got, want) {
		c.t.Errorf("registered are %v, not %v", got, want)
	}
}

func TestWhoDoesNotHaveTheTurnSendsNoRegisterAndCallsWithoutWaiting(t *testing.T) {
	sharing(t, siptest.Rules{Password: "secret"}, func(c club) {
		c.a.has(sip.TurnOurs)
		pass(time.Hour)
		c.bound(c.a)
		began := time.Now()
		ends(c.t, invite(c.t, c.b.trunk), sip.EndedByRefused)
		if waited := time.Since(began); waited >= time.Second {
			c.t.Errorf("the call waited for %s", waited)
		}
		if h := c.b.trunk.Health(); h.State != sip.StateUp || !h.Registration.Elsewhere || h.Registration.Registered(time.Now()) {
			c.t.Errorf("%+v", h)
		}
		for _, m := range c.registrar.Seen("REGISTER") {
			if m.From.String() == c.b.at {
				c.t.Errorf("%v", m)
			}
		}
		if h := c.a.trunk.Health(); h.Registration.Contact != "sip:telgate@"+c.a.at {
			c.t.Errorf("%+v", h.Registration)
		}
	})
}

func TestWhoGivesTheTurnUpUnregistersAndTheNextOneRegisters(t *testing.T) {
	sharing(t, siptest.Rules{Password: "secret", Most: 1}, func(c club) {
		c.a.has(sip.TurnOurs)
		c.bound(c.a)
		c.a.trunk.Unregister(c.t.Context())
		c.bound()
		c.a.has(sip.TurnOther)
		c.b.has(sip.TurnOurs)
		c.bound(c.b)
		if h := c.a.trunk.Health(); h.State != sip.StateUp {
			c.t.Errorf("%+v", h)
		}
		ends(c.t, invite(c.t, c.a.trunk), sip.EndedByRefused) // until it has ended
		before := len(c.sent(c.a))
		c.a.has(sip.TurnOurs) // too late
		pass(time.Hour)
		c.a.stop()
		c.bound(c.b)
		if n := len(c.sent(c.a)); n != before {
			c.t.Errorf("%d REGISTERs more of who gave it up", n-before)
		}
	})
}

func TestTheContactOfWhoDiedIsTakenAwayWhereItIsInTheWay(t *testing.T) {
	for name, rules := range map[string]siptest.Rules{
		"one contact, and the second is refused": {Password: "secret", Most: 1},
		"one contact, and the second replaces":   {Password: "secret", Most: 1, Replaces: true},
		"any number of contacts":                 {Password: "secret"},
	} {
		t.Run(name, func(t *testing.T) {
			sharing(t, rules, func(c club) {
				c.a.has(sip.TurnOurs)
				c.b.former = c.a.trunk.Health().Registration.Contact
				c.a.dead.Store(true)
				pass(3 * time.Second)
				c.b.has(sip.TurnOurs)
				c.bound(c.b)
				if h := c.b.trunk.Health(); !h.Registration.Registered(time.Now()) {
					c.t.Errorf("%+v", h)
				}
			})
		})
	}
}

func TestAContactOfNobodyWeKnowIsLeftAlone(t *testing.T) {
	sharing(t, siptest.Rules{Password: "secret", Most: 1}, func(c club) {
		c.a.has(sip.TurnOurs)
		c.b.has(sip.TurnOurs)
		c.bound(c.a)
		if h := c.b.trunk.Health(); !h.Registration.Refused || h.Registration.Elsewhere {
			c.t.Errorf("%+v", h)
		}
	})
}

func TestWhoIsFencedSendsNoRegisterUntilItHasTheTurnAgain(t *testing.T) {
	sharing(t, siptest.Rules{Password: "secret", Most: 1, Replaces: true, Grant: 120}, func(c club) {
		c.a.has(sip.TurnOurs)
		c.a.has(sip.TurnOther)
		before := len(c.sent(c.a))
		c.b.has(sip.TurnOurs)
		pass(time.Hour)
		c.bound(c.b)
		if n := len(c.sent(c.a)); n != before {
			c.t.Errorf("%d REGISTERs of who is fenced", n-before)
		}
		c.b.has(sip.TurnOther)
		c.a.has(sip.TurnOurs)
		c.bound(c.a)
		c.a.has(sip.TurnOther)
		before = len(c.sent(c.a))
		c.a.stop()
		c.bound(c.a) // nobody knows whose that is by now
		if n := len(c.sent(c.a)); n != before {
			c.t.Errorf("%d REGISTERs of who was fenced and stopped", n-before)
		}
	})
}

func TestWhoStopsInTheMomentInWhichItIsFencedTakesNothingAway(t *testing.T) {
	sharing(t, siptest.Rules{Password: "secret"}, func(c club) {
		c.a.has(sip.TurnOurs)
		c.a.mu.Lock()
		c.a.turn = sip.TurnOther // nobody has told the trunk yet
		c.a.mu.Unlock()
		before := len(c.registrar.Seen("REGISTER"))
		c.a.stop()
		if n := len(c.registrar.Seen("REGISTER")); n != before {
			c.t.Errorf("%d REGISTERs more", n-before)
		}
	})
}

func TestATurnThatEndsWhileTheRegistrarIsSilentIsNotTriedOn(t *testing.T) {
	sharing(t, siptest.Rules{Silent: true}, func(c club) {
		c.a.has(sip.TurnOurs)
		pass(time.Second)
		c.a.has(sip.TurnOther)
		before := len(c.sent(c.a))
		c.registrar.Change(func(r *siptest.Rules) { r.Silent = false })
		pass(time.Hour)
		c.bound()
		if n := len(c.sent(c.a)); n != before {
			c.t.Errorf("%d REGISTERs more", n-before)
		}
	})
}

func TestInDoubtARegistrationIsKeptUntilSomebodyElseIsRegistered(t *testing.T) {
	sharing(t, siptest.Rules{Password: "secret", Most: 1, Replaces: true, Grant: 120}, func(c club) {
		c.a.has(sip.TurnOurs)
		before := len(c.sent(c.a))
		c.a.has(sip.TurnDoubt)
		pass(20 * time.Minute)
		if n := len(c.sent(c.a)); n < before+10 || !c.a.trunk.Health().Registration.Registered(time.Now()) {
			c.t.Errorf("refreshed %d times while it was in doubt", n-before)
		}
		c.b.has(sip.TurnOurs)
		before = len(c.sent(c.a))
		pass(20 * time.Minute)
		c.bound(c.b)
		if n := len(c.sent(c.a)); n != before {
			c.t.Errorf("fought with %d REGISTERs", n-before)
		}
		c.b.trunk.Unregister(c.t.Context())
		c.b.has(sip.TurnOther)
		c.a.has(sip.TurnOurs)
		c.bound(c.a)
	})
}

func TestWhoStopsInDoubtTakesItsContactAwayUnlessSomebodyElseIsRegistered(t *testing.T) {
	for _, taken := range []bool{false, true} {
		sharing(t, siptest.Rules{Password: "secret", Most: 1, Replaces: true}, func(c club) {
			c.a.has(sip.TurnOurs)
			c.a.has(sip.TurnDoubt)
			if taken {
				c.b.has(sip.TurnOurs)
			}
			before := len(c.sent(c.a))
			c.a.stop()
			if n := len(c.sent(c.a)) - before; taken && n != 0 || !taken && n != 1 {
				c.t.Errorf("somebody else is registered: %v, and %d REGISTERs", taken, n)
			}
			if !taken {
				c.bound()
			}
		})
	}
}

func TestATrunkThatIsNotOpenGivesItsTurnUpAtOnce(t *testing.T) {
	trunk, err := sip.NewTrunk(sip.TrunkConfig{
		Name: "main", Addresses: []string{"127.0.0.1:5060"}, Transport: "udp", Credentials: sip.Credentials{User: "telgate"},
		Register: sip.Register{On: true, Shared: &sip.Sharing{Turn: func() sip.Turn { return sip.TurnOurs }}},
	}, environment())
	if err != nil {
		t.Fatal(err)
	}
	trunk.Unregister(t.Context())
	if t.Context().Err() != nil {
		t.Error("it waited")
	}
}

func TestWhoGaveTheTurnUpBeforeItsTrunkWasOpenRegistersNoMore(t *testing.T) {
	for range 50 { // what ends it must not come after the first REGISTER
		synctest.Test(t, func(t *testing.T) {
			wire := siptest.NewWire()
			peer := wire.Peer(t)
			cfg := sip.TrunkConfig{Name: "main", Addresses: []string{peer.Addr()}, Transport: "udp", Credentials: sip.Credentials{User: "telgate", Password: "secret"}}
			registering(&cfg)
			cfg.Register.Shared = &sip.Sharing{Turn: func() sip.Turn { return sip.TurnOurs }}
			trunk, err := sip.NewTrunk(cfg, inMemory(wire))
			if err != nil {
				t.Fatal(err)
			}
			trunk.Unregister(t.Context())
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- trunk.Run(ctx) }()
			ready(t, trunk)
			peer.Quiet(time.Minute)
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}
