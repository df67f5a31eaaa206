//go:build crash

package crash

import (
	"slices"
	"testing"
	"time"

	"telgate/store/pgtest"
)

// A database that is gone for all is nobody's death: calls that are up go on, and what came of them is written when it is back.
func TestPostgreSQLStopsInTheMiddleOfCallsAndComesBack(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	w := pair(t, server, 60, nil)
	for range amount("TELGATE_OUTAGES", 3) {
		stop := w.asking(t, 250*time.Millisecond)
		pass(t, 5*time.Second+chance(w.dice, time.Second))
		up := w.farm.up()
		if err := server.Stop("immediate"); err != nil {
			t.Error(err)
		}
		down := time.Now()
		pass(t, 10*time.Second)
		if up > 0 && w.keysAfter(down) == 0 {
			t.Errorf("%d phones rang or were up as the database stopped, and nobody pressed a key after that", up)
		}
		if err := server.Run(); err != nil {
			t.Fatal(err)
		}
		stop()
	}
	w.settles(t, "PostgreSQL, two gateways: stopped for 10 s", 3*time.Minute)
	if n := w.logged("gateway is dead") + w.logged("gateway begins anew"); n > 0 {
		t.Errorf("a gateway was taken for dead %d times", n)
	}
	w.answersInTime(t)
}

// keysAfter counts the keys that were pressed after a moment, in calls that began before it.
func (w *world) keysAfter(at time.Time) (n int) {
	for _, l := range w.farm.read() {
		for _, p := range l.pressed {
			if l.began.Before(at) && p.After(at) {
				n++
			}
		}
	}
	return n
}

// answersInTime holds that there is someone who was told NOT accepted, and that they were told so within a second: nine of ten,
// since the machine is busy.
func (w *world) answersInTime(t *testing.T) {
	t.Helper()
	var took []time.Duration
	for _, p := range w.office.answered(refused) {
		took = append(took, p.answered.Round(time.Millisecond))
	}
	if slices.Sort(took); len(took) == 0 {
		t.Error("nobody was told NOT accepted")
		return
	}
	most, slowest := took[len(took)*9/10], took[len(took)-1]
	t.Logf("%d pages were NOT accepted, and nine of ten askers told within %s, all within %s", len(took), most, slowest)
	if most > time.Second {
		t.Errorf("it took %s to say NOT accepted", most)
	}
	t.Logf("%d requests had no answer", len(w.office.answered(unsure)))
}
