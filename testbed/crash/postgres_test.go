//go:build crash

package crash

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"telgate/store/pgtest"
)

// pair is a world with two gateways on one database, which run.
func pair(t *testing.T, server *pgtest.Server, people int, change func(*world)) *world {
	t.Helper()
	w := newWorld(t, people).on(server.Database(t))
	if change != nil {
		change(w)
	}
	w.begin(t, w.newGateway(t), w.newGateway(t))
	return w
}

func TestTwoGatewaysOnPostgreSQL(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, "max_connections=500")
	for name, story := range map[string]func(*testing.T, *pgtest.Server){
		"are killed at random moments":                 killed,
		"are killed while they say thanks":             thanking,
		"take over what a dead one had within seconds": takenOver,
		"do not ring beside each other after a freeze": frozen,
		"lose their connections":                       cut,
		"have clocks that differ by minutes":           shifted,
		"race for phones":                              race,
		"are upgraded one after the other":             upgraded,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, server)
		})
	}
}

func killed(t *testing.T, server *pgtest.Server) {
	t.Helper()
	w := pair(t, server, 60, nil)
	stop := w.asking(t, 400*time.Millisecond)
	w.kills(t, amount("TELGATE_KILLS", 150), 1200*time.Millisecond)
	stop()
	w.settles(t, "PostgreSQL, two gateways: kill -9", 3*time.Minute)
}

func thanking(t *testing.T, server *pgtest.Server) {
	t.Helper()
	w := pair(t, server, 100, nil)
	stop := w.asking(t, 800*time.Millisecond)
	w.thanksKills(t, amount("TELGATE_THANKS_KILLS", 20))
	stop()
	c := w.settles(t, "PostgreSQL, two gateways: kill -9 after a key", 4*time.Minute)
	c.proven(t)
}

// takenOver has a gateway die whose people have two phones: while the first may still ring, the other one is rung.
func takenOver(t *testing.T, server *pgtest.Server) {
	t.Helper()
	const people = 40
	w := newWorld(t, people).on(server.Database(t))
	w.phones = func(i int) []string { return append(onePhone(i), fmt.Sprintf("72%03d", i)) }
	a, b := w.newGateway(t), w.newGateway(t)
	w.begin(t, a, b)
	var took []time.Duration
	for i := range amount("TELGATE_TAKEOVERS", 5) {
		dies, lives := a, b
		if i%2 == 1 {
			dies, lives = b, a
		}
		w.farm.behave([5]int{0, 0, 0, 100, 0}) // what rings goes on ringing
		lives.stop()
		w.burst(t, 8)
		if !within(t, 10*time.Second, func() bool { return w.farm.up() >= 4 }) {
			t.Error("nothing rings")
		}
		w.begin(t, lives)
		pass(t, chance(w.dice, time.Second))
		dies.kill()
		at := time.Now()
		first := time.Time{}
		within(t, 15*time.Second, func() bool {
			for _, l := range w.farm.read() {
				if l.gateway == lives.sip && l.began.After(at) {
					first = l.began
				}
				if !first.IsZero() {
					return true
				}
			}
			return false
		})
		w.farm.behave([5]int{100})
		if first.IsZero() {
			t.Log("nobody had anything to take over, or it rested") // what is not measured is not judged; what is lost is, below
			dies.start()
			continue
		}
		took = append(took, first.Sub(at))
		dies.start()
		if !dies.ready(30 * time.Second) {
			t.Errorf("%s does not come back", dies.name)
		}
		within(t, time.Minute, func() bool {
			return !slices.ContainsFunc(w.office.promised(), func(p page) bool { return p.final == "" })
		})
	}
	slices.Sort(took)
	w.settles(t, "PostgreSQL, two gateways: takeover", 2*time.Minute)
	t.Logf("from kill -9 to the first INVITE of the other gateway: %v", took)
	if len(took) == 0 || took[len(took)/2] > 4*time.Second {
		t.Errorf("it took %v", took)
	}
}

// frozen stops a gateway for longer than the others wait for it. When it goes on, it does not know that it was away.
func frozen(t *testing.T, server *pgtest.Server) {
	t.Helper()
	w := pair(t, server, 60, nil)
	stop := w.asking(t, 300*time.Millisecond)
	for i := range amount("TELGATE_FREEZES", 4) {
		g := w.gateways[i%2]
		pass(t, 4*time.Second+chance(w.dice, time.Second))
		g.signal(syscall.SIGSTOP)
		pass(t, 8*time.Second)
		g.signal(syscall.SIGCONT)
	}
	pass(t, 3*time.Second)
	stop()
	w.settles(t, "PostgreSQL, two gateways: one frozen for 8 s", 3*time.Minute)
	if w.logged("page taken over") == 0 || w.logged("gateway begins anew") == 0 {
		t.Error("nobody took over from a frozen gateway")
	}
}

// logged is how often any gateway said so.
func (w *world) logged(message string) (n int) {
	for _, g := range w.gateways {
		n += g.logged(message)
	}
	return n
}

// cut ends the sessions of one gateway again and again, and those alone that listen.
func cut(t *testing.T, server *pgtest.Server) {
	t.Helper()
	w := pair(t, server, 60, nil)
	stop := w.asking(t, 300*time.Millisecond)
	for i := range amount("TELGATE_CUTS", 40) {
		pass(t, chance(w.dice, 600*time.Millisecond))
		which := "application_name = 'gw1'"
		if i%4 == 3 {
			which = "query ilike 'listen%'"
		}
		server.Exec(t, w.base, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and "+which)
	}
	stop()
	w.settles(t, "PostgreSQL, two gateways: connections cut", 3*time.Minute)
}

// race has pages that share phones compete for them, on two gateways.
func race(t *testing.T, server *pgtest.Server) {
	t.Helper()
	const people = 120
	w := newWorld(t, people).on(server.Database(t))
	w.phones = func(i int) []string { return onePhone(i % (people / 2)) }
	w.lines, w.pace = 24, 25
	w.begin(t, w.newGateway(t), w.newGateway(t))
	want := amount("TELGATE_PAGES", 200)
	stop := w.asking(t, 60*time.Millisecond)
	within(t, 2*time.Minute, func() bool { return len(w.office.answered(accepted)) >= want })
	stop()
	c := w.settles(t, "PostgreSQL, two gateways: a race for phones", 3*time.Minute)
	if c.pages < want {
		t.Errorf("%d pages were accepted, not %d", c.pages, want)
	}
}

// upgraded has gateways replaced one after the other while they work: by a new version whose tables have more, by the old one
// on the new tables again, as where somebody thinks better of it, and by the new one for good.
func upgraded(t *testing.T, server *pgtest.Server) {
	t.Helper()
	w := newWorld(t, 60).on(server.Database(t))
	a, b, before := w.newGateway(t), w.newGateway(t), w.before(t)
	a.runs(before)
	b.runs(before)
	w.begin(t, a, b)
	stop := w.asking(t, 250*time.Millisecond)
	for _, next := range []struct {
		gateway *gateway
		binary  string
	}{{a, w.binary}, {b, before}, {a, before}, {b, w.binary}, {a, w.binary}, {b, w.binary}} {
		pass(t, 2*time.Second+chance(w.dice, time.Second))
		next.gateway.stop()
		pass(t, chance(w.dice, 500*time.Millisecond))
		next.gateway.runs(next.binary)
		next.gateway.start()
		if !next.gateway.ready(30 * time.Second) {
			t.Errorf("%s does not come back", next.gateway.name)
		}
	}
	stop()
	w.settles(t, "PostgreSQL, two gateways: upgraded in the middle", 3*time.Minute)
	if w.logged("page handed over") == 0 || w.logged("page taken over") == 0 {
		t.Error("nothing was handed over")
	}
	t.Logf("%d requests had no answer", len(w.office.answered(unsure)))
}
