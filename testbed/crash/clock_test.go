//go:build crash

package crash

import (
	"os"
	"testing"
	"time"

	"telgate/store/pgtest"
)

// shifted is a pair of which one believes that it is minutes later, or earlier. The binary that does so is built with the
// tag shifted.
func shifted(t *testing.T, server *pgtest.Server) {
	t.Helper()
	binary := os.Getenv("TELGATE_SHIFTED")
	if binary == "" {
		t.Skip("TELGATE_SHIFTED names no telgate with the tag shifted: make crash builds it")
	}
	for name, by := range map[string]time.Duration{"ahead": 7 * time.Minute, "behind": -7 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 60).on(server.Database(t))
			w.limit = "6m" // less than the clocks differ
			right, wrong := w.newGateway(t), w.newGateway(t)
			wrong.command[0], wrong.env = binary, []string{"TELGATE_SHIFT=" + by.String()}
			w.begin(t, right, wrong)
			stop := w.asking(t, 400*time.Millisecond)
			w.kills(t, amount("TELGATE_SHIFTED_KILLS", 8), 3*time.Second)
			stop()
			w.settles(t, "PostgreSQL, two gateways: one's clock "+by.String(), 3*time.Minute)
			if wrong.logged("the clock of this machine is wrong") == 0 {
				t.Error("the clock is not wrong: nothing was tried")
			}
			for n, p := range w.history(t) {
				if p.Accepted.Before(began.Add(-time.Minute)) || p.Ended.After(time.Now().Add(time.Minute)) {
					t.Errorf("page #%d ran from %s to %s", n, p.Accepted, p.Ended)
				}
			}
		})
	}
}

var began = time.Now() //nolint:gochecknoglobals // of this run
