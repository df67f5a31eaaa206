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
