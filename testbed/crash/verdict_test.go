//go:build crash

package crash

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"telgate"
)

// counts is what came of a story.
type counts struct {
	story                                       string
	pages, kills, rings, most, confirmed        int
	told, untold                                int // pages of which somebody heard the thanks; or pressed a key, heard none, and it was in vain
	refused, twice                              int // requests that were NOT accepted; cards beside another of the same page
	vain                                        int // must not be, as what follows: who heard the thanks was rung again, or is not shown
	doubles, lost, unreported, unproven, beyond int
}

// tally are the counts of all stories.
type tally struct {
	mu  sync.Mutex
	all []counts
}

var sums tally //nolint:gochecknoglobals // of this run, printed at its end

// table has a line for each story.
func (t *tally) table() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return table(t.all)
}

func table(all []counts) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight) // into memory
	_, _ = fmt.Fprintln(w, "pages\trefused\tkills\trings\tat once\tconfirmed\ttold\tuntold\tkeys in vain\tsecond cards\tdouble rings\tlost\tunreported\tunproven\tover limits\t  story")
	for _, c := range all {
		_, _ = fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t  %s\n",
			c.pages, c.refused, c.kills, c.rings, c.most, c.confirmed, c.told, c.untold, c.vain, c.twice, c.doubles, c.lost, c.unreported, c.unproven, c.beyond, c.story)
	}
	_ = w.Flush()
	return b.String()
}

// settles waits until every page that was accepted has its last card, and holds all of it against the books.
func (w *world) settles(t *testing.T, story string, limit time.Duration) counts {
	t.Helper()
	w.office.work.Wait()
	within(t, limit, func() bool {
		return !slices.ContainsFunc(w.office.promised(), func(p page) bool { return p.final == "" })
	})
	if !within(t, 15*time.Second, func() bool { return w.farm.up() == 0 }) {
		t.Errorf("%d phones ring or are up though every page has ended", w.farm.up())
	}
	c := counts{story: story, refused: len(w.office.answered(refused))}
	for _, g := range w.gateways {
		c.kills += g.kills
	}
	w.rings(t, &c)
	w.pages(t, &c)
	sums.mu.Lock()
	sums.all = append(sums.all, c)
	sums.mu.Unlock()
	t.Log("\n" + table([]counts{c}))
	if c.twice > 0 && c.kills == 0 && w.logged("gateway is dead") == 0 {
		t.Errorf("%d pages have another card though no gateway was taken for dead", c.twice)
	}
	if c.pages == 0 || c.confirmed == 0 {
		t.Errorf("%d pages were accepted and %d confirmed: nothing was tried", c.pages, c.confirmed)
	}
	return c
}

// rings holds the farm's book against what must not be.
func (w *world) rings(t *testing.T, c *counts) {
	t.Helper()
	lines := w.farm.read()
	doubles, most := w.farm.faults()
	c.rings, c.doubles, c.most = len(lines), len(doubles), most
	for _, d := range doubles {
		t.Errorf("two rings at once: %s", d)
	}
	if most > w.lines {
		c.beyond++
		t.Errorf("%d phones rang or were up at once over a trunk of %d", most, w.lines)
	}
	fast := hasty(lines, w.pace)
	c.beyond += len(fast)
	for _, f := range fast {
		t.Errorf("too fast: %s", f)
	}
}

// pages holds the cards against the farm's book and the gateways' own history.
func (w *world) pages(t *testing.T, c *counts) {
	t.Helper()
	promised, lines := w.office.promised(), w.farm.read()
	kept := w.ended(t, promised)
	for _, p := range promised {
		c.pages, c.twice = c.pages+1, c.twice+max(0, p.cards-1)
		is, known := kept[p.n]
		switch {
		case !known || is.State != telgate.PageEnded:
			c.lost++
			t.Errorf("page #%d for %s is lost: it has state %q. Its card: %s", p.n, nick(p.person), is.State, w.office.shows(&p))
		case p.final == "" || p.final != word(is.Result):
			c.unreported++
			t.Errorf("page #%d for %s is %s; its card (%d of them): %s", p.n, nick(p.person), is.Result, p.cards, w.office.shows(&p))
		}
		mine := w.of(lines, &p)
		if p.final == "Confirmed" {
			c.confirmed++
			if !slices.ContainsFunc(mine, func(l ringing) bool { return len(l.pressed) > 0 }) {
				c.unproven++
				t.Errorf("page #%d for %s is confirmed, and nobody pressed a key in a call of it", p.n, nick(p.person))
			}
		}
		w.keys(t, c, promised, &p, mine)
		delete(kept, p.n)
	}
	for n, is := range kept { // pages that nobody knows of
		if n == 0 || is.Result == telgate.Cancelled && len(is.Steps) == 0 { // withdrawn: the asker was told NOT accepted
			continue
		}
		c.unreported++
		t.Errorf("page #%d is %s %s, and no card shows it", n, is.State, is.Result)
	}
}

// word is how a card begins to say a result.
func word(r telgate.Result) string {
	return map[telgate.Result]string{
		telgate.Confirmed: "Confirmed", telgate.NotReached: "Nobody was reached", telgate.Cancelled: "Stopped", telgate.Failed: "Failed",
		telgate.Answered: "Answered", telgate.Partial: "Partly",
	}[r]
}

// ended is the history, when every page in it has ended: a card says "confirmed" while the call still says thanks.
func (w *world) ended(t *testing.T, promised []page) (kept map[int]telgate.Page) {
	t.Helper()
	within(t, 15*time.Second, func() bool {
		kept = w.history(t)
		return !slices.ContainsFunc(promised, func(p page) bool { return kept[p.n].State != telgate.PageEnded })
	})
	return kept
}

// history is what the gateways say of every page, by the number in its message.
func (w *world) history(t *testing.T) map[int]telgate.Page {
	t.Helper()
	all := map[int]telgate.Page{}
	for _, g := range w.gateways {
		out, err := g.ask("--json", "history", "--since", "24h", "--limit", "10000")
		if err != nil {
			t.Logf("%s has no history: %v", g.name, err)
			continue
		}
		for line := range strings.Lines(out) {
			p, err := telgate.ParsePage([]byte(line))
			if err != nil {
				t.Errorf("history: %v", err)
				continue
			}
			n := 0
			if found := numbered.FindStringSubmatch(p.Message); found != nil {
				_, _ = fmt.Sscan(found[1], &n) // digits
			}
			all[n] = p
		}
		return all
	}
	t.Error("no gateway has a history")
	return all
}
