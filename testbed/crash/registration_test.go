//go:build crash

package crash

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"telgate/sip/siptest"
	"telgate/store/pgtest"
)

// granted is for how long a registration lasts, in seconds: it is refreshed several times in every chapter.
const granted = 6

// counter is where gateways register: a registrar that keeps one contact and refuses a second one, and the book of who came.
type counter struct {
	*siptest.Registrar

	mu    sync.Mutex
	lines []entry
}

// entry is one REGISTER that changes something.
type entry struct {
	gateway int // port
	at      time.Time
	leaves  bool
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{Registrar: siptest.NewRegistrar(conn, siptest.Rules{Grant: granted, Most: 1})}
	over := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case m := <-c.Requests():
				c.write(&m)
			case <-over:
				return
			}
		}
	}()
	t.Cleanup(func() { c.Close(); close(over); <-done })
	return c
}

func (c *counter) write(m *siptest.Message) {
	if m.Method() != "REGISTER" || m.Get("Contact") == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, entry{m.From.Port, time.Now(), m.Get("Expires") == "0"})
}

// came is when a gateway registered for the first time after a moment; zero if it did not yet.
func (c *counter) came(g *gateway, after time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lines {
		if l.gateway == g.sip && l.at.After(after) && !l.leaves {
			return l.at
		}
	}
	return time.Time{}
}

// often is how often a gateway came after a moment.
func (c *counter) often(g *gateway, after time.Time) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lines {
		if l.gateway == g.sip && l.at.After(after) {
			n++
		}
	}
	return n
}

// hands is who registered, each change once.
func (c *counter) hands() (ports []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lines {
		if n := len(ports); !l.leaves && (n == 0 || ports[n-1] != l.gateway) {
			ports = append(ports, l.gateway)
		}
	}
	return ports
}

// has tells whether the only contact is a gateway's.
func (c *counter) has(g *gateway) bool {
	all := c.Bindings()
	return len(all) == 1 && all[0] == fmt.Sprintf("sip:telgate@127.0.0.1:%d", g.sip)
}

// Two gateways share an account of which the registrar keeps one contact, while the one that is registered dies, freezes, stops,
// and loses its database.
func TestTwoGatewaysShareAnAccount(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	c := newCounter(t)
	w := newWorld(t, 40).on(server.Database(t))
	w.trunk = fmt.Sprintf("user = \"telgate\"\nregister = true\nregister_by = \"lease\"\nregistrar = %q\n", c.Addr())
	a, b := w.newGateway(t), w.newGateway(t)
	w.begin(t, a)
	within(t, 10*time.Second, func() bool { return c.has(a) })
	w.begin(t, b)
	asking := w.asking(t, 400*time.Millisecond)
	holds, waits, hands := a, b, []int{a.sip}
	var took []time.Duration
	follows := func(how string, since time.Time) time.Duration {
		t.Helper()
		if !within(t, 15*time.Second, func() bool { return c.has(waits) }) {
			t.Fatalf("%s, and %v are registered, not %s", how, c.Bindings(), waits.name)
		}
		holds, waits = waits, holds
		hands = append(hands, holds.sip)
		return c.came(holds, since).Sub(since)
	}
	for range amount("TELGATE_REGISTRATIONS", 3) {
		pass(t, time.Second+chance(w.dice, time.Second))
		holds.kill()
		took = append(took, follows("killed", time.Now()))
		w.begin(t, waits)

		pass(t, time.Second+chance(w.dice, time.Second))
		holds.signal(syscall.SIGSTOP)
		follows("frozen", time.Now())
		pass(t, 3*time.Second)
		waits.signal(syscall.SIGCONT)
		thawed := time.Now()
		pass(t, 2*granted*time.Second)
		if n := c.often(waits, thawed); n > 0 || !c.has(holds) {
			t.Errorf("after a freeze %s sent %d REGISTERs, and %v are registered", waits.name, n, c.Bindings())
		}

		began := time.Now()
		holds.stop()
		t.Logf("from SIGTERM to the other's REGISTER: %s", follows("stopped", began))
		w.begin(t, waits)
	}
	slices.Sort(took)
	t.Logf("from kill -9 to the other's REGISTER: %v", took)
	if middle := took[len(took)/2]; middle > 4500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	asking()
	w.outage(t, server, c, holds, waits)
	w.settles(t, "PostgreSQL, two gateways: one account", 3*time.Minute)
	if got := c.hands(); !slices.Equal(got, hands) {
		t.Errorf("registered were, one after the other, %v, not %v", got, hands)
	}
}

// outage has nobody reach the database: the registration stays where it is, and is refreshed.
func (w *world) outage(t *testing.T, server *pgtest.Server, c *counter, holds, waits *gateway) {
	t.Helper()
	if err := server.Stop("immediate"); err != nil {
		t.Error(err)
	}
	down := time.Now()
	pass(t, 3*granted*time.Second)
	if n, m := c.often(holds, down), c.often(waits, down); n < 2 || m > 0 || !c.has(holds) {
		t.Errorf("without a database %d REGISTERs came from %s and %d from %s; %v are registered", n, holds.name, m, waits.name, c.Bindings())
	}
	if err := server.Run(); err != nil {
		t.Fatal(err)
	}
	up := time.Now()
	pass(t, 2*granted*time.Second)
	if m := c.often(waits, up); m > 0 || !c.has(holds) {
		t.Errorf("when the database was back %d REGISTERs came from %s; %v are registered", m, waits.name, c.Bindings())
	}
}
