//go:build crash

package crash

import (
	"testing"
	"time"
)

func TestOneGatewayOnSQLiteIsKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	w.begin(t, w.newGateway(t))
	stop := w.asking(t, 400*time.Millisecond)
	w.kills(t, amount("TELGATE_KILLS", 150), 1200*time.Millisecond)
	stop()
	w.settles(t, "SQLite, one gateway: kill -9", 3*time.Minute)
}

func TestOneGatewayOnSQLiteIsUpgradedAndGoesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	g, before := w.newGateway(t), w.before(t)
	g.runs(before)
	w.begin(t, g)
	stop := w.asking(t, 400*time.Millisecond)
	for _, binary := range []string{w.binary, before, w.binary} {
		pass(t, 3*time.Second+chance(w.dice, time.Second))
		g.stop()
		g.runs(binary)
		g.start()
		if !g.ready(30 * time.Second) {
			t.Error("it does not come back")
		}
	}
	stop()
	w.settles(t, "SQLite, one gateway: upgraded in the middle", 3*time.Minute)
}

func TestOneGatewayOnSQLiteIsKilledWhileItSaysThanks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100) // a phone rests for long after its gateway was killed
	w.begin(t, w.newGateway(t))
	stop := w.asking(t, 800*time.Millisecond)
	w.thanksKills(t, amount("TELGATE_THANKS_KILLS", 20))
	stop()
	c := w.settles(t, "SQLite, one gateway: kill -9 after a key", 4*time.Minute)
	c.proven(t)
}
