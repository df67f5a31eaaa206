//go:build crash

// Package crash tries to lose a page. Real telgate processes serve a stand-in for Slack and ring a farm of telephones on
// loopback, while everything that may die does: the gateways, PostgreSQL, connections, disks, clocks. What counts is seen
// from outside only: the cards in Slack and the rings in the farm's book.
package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv("TELGATE") == "" {
		fmt.Println("make crash builds what this needs") //nolint:forbidigo // there is no test yet to say it
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// seed makes a run repeatable as far as processes can be.
func seed(t *testing.T) uint64 {
	t.Helper()
	if s, err := strconv.ParseUint(os.Getenv("TELGATE_SEED"), 10, 64); err == nil {
		return s
	}
	s := uint64(time.Now().UnixNano())
	t.Logf("TELGATE_SEED=%d", s)
	return s
}

// amount is a number from the environment.
func amount(name string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return usual
}

// pass waits: from outside a process nothing tells when it has got somewhere.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

// portBlocks numbers the RTP ports of gateways.
var portBlocks atomic.Int32 //nolint:gochecknoglobals // of this run

var ports atomic.Int32 //nolint:gochecknoglobals // likewise

// freePorts is the first of some ports of loopback in a row that nobody has, below those that systems hand out.
func freePorts(t *testing.T, many int) int {
	t.Helper()
	for range 2000 {
		first := 10000 + int(ports.Add(int32(many)))%9000
		free := 0
		for ; free < many; free++ {
			address := fmt.Sprintf("127.0.0.1:%d", first+free)
			u, err := net.ListenPacket("udp", address)
			if err != nil {
				break
			}
			_ = u.Close()
			l, err := net.Listen("tcp", address)
			if err != nil {
				break
			}
			_ = l.Close()
		}
		if free == many {
			return first
		}
	}
	t.Fatal("no ports are free")
	return 0
}

// asking has people paged, some every second, until stopped.
func (w *world) asking(ctx context.Context, dice *rand.Rand, every time.Duration) (stop func() int) {
	ctx, cancel := context.WithCancel(ctx)
	done, n := make(chan struct{}), 0
	order := dice.Perm(w.people)
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
				if i%10 == 0 {
					w.office.look()
				}
				if w.office.ask(ctx, n+1, w.people, order[i%len(order)]) {
					n++
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() int { cancel(); <-done; return n }
}

// settles waits until every accepted page has its last card, and says what came of all of it.
func (w *world) settles(t *testing.T, what string, limit time.Duration, kills int) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); pass(t, 500*time.Millisecond) {
		if open, _, _ := w.office.open(); len(open) == 0 {
			break
		}
	}
	open, accepted, confirmed := w.office.open()
	rings, most, doubles, pressed := w.farm.seen()
	unheard := w.office.unproven(pressed)
	t.Logf("%s: pages %d, kills %d, rings %d (at once %d), confirmed %d; double rings %d, lost or unreported %d, confirmed without a key %d",
		what, accepted, kills, rings, most, confirmed, len(doubles), len(open), len(unheard))
	for _, d := range doubles {
		t.Errorf("two rings at once: %s", d)
	}
	for _, p := range open {
		t.Errorf("page #%d for %s has no end: %s", p.n, nick(p.person), w.office.card(p))
	}
	for _, p := range unheard {
		t.Errorf("page #%d for %s is confirmed, and nobody pressed a key", p.n, nick(p.person))
	}
	if accepted == 0 || confirmed == 0 {
		t.Errorf("%d pages were accepted and %d confirmed: nothing was tried", accepted, confirmed)
	}
}

// kills ends one gateway after another by kill -9 at random moments, and starts it again.
func (w *world) kills(t *testing.T, dice *rand.Rand, gateways []*gateway, many int) {
	t.Helper()
	for i := range many {
		g := gateways[dice.IntN(len(gateways))]
		pass(t, time.Duration(dice.ExpFloat64()*float64(1200*time.Millisecond)))
		g.kill()
		if dice.IntN(3) == 0 { // sometimes it stays away long enough for others to notice
			pass(t, time.Duration(dice.IntN(4000))*time.Millisecond)
		}
		g.start()
		if i%25 == 24 {
			t.Logf("killed %d times", i+1)
		}
	}
}
