//go:build crash

package crash

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// newWorld is an office, a farm and a place for the database.
func newWorld(t *testing.T, s uint64, people int) *world {
	t.Helper()
	return &world{office: newOffice(t, people), farm: newFarm(t, s, 11*time.Second), people: people, binary: os.Getenv("TELGATE"), store: "sqlite:telgate.db"}
}

func TestOneGatewayOnSQLiteIsKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	s := seed(t)
	dice := rand.New(rand.NewPCG(s, 2))
	w := newWorld(t, s, 60)
	g := w.newGateway(t, 1)
	g.start()
	if !g.ready(20 * time.Second) {
		t.Fatal("the gateway is not ready")
	}
	stop := w.asking(t.Context(), dice, 400*time.Millisecond)
	w.kills(t, dice, []*gateway{g}, amount("TELGATE_KILLS", 150))
	stop()
	w.settles(t, "SQLite, one gateway", 4*time.Minute, g.kills)
}
