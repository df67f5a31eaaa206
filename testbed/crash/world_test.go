//go:build crash

package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// world is what gateways have in common.
type world struct {
	office *office
	farm   *farm
	dice   *rand.Rand
	store  func(gateway string) string // store.url
	base   string                      // the database's name, "" = a file
	binary string
	people int
	phones func(person int) []string
	lines  int     // max_calls of the trunk
	pace   float64 // calls_per_second
	limit  string  // page_limit
	trunk  string  // more lines of the trunk

	gateways []*gateway
}

func nick(i int) string { return fmt.Sprintf("p%03d", i) }

// onePhone is that of each person.
func onePhone(i int) []string { return []string{fmt.Sprintf("71%03d", i)} }

// newWorld is an office and a farm, with a file for a database.
func newWorld(t *testing.T, people int) *world {
	t.Helper()
	s := seed(t)
	return &world{
		office: newOffice(t, people), farm: newFarm(t, s, 11*time.Second), dice: rand.New(rand.NewPCG(s, 2)),
		people: people, phones: onePhone, binary: os.Getenv("TELGATE"), lines: 40, pace: 20, limit: "15m",
		store: func(string) string { return "sqlite:telgate.db" },
	}
}

// on keeps pages in a PostgreSQL, where each gateway's connections have its name.
func (w *world) on(address string) *world {
	w.store = func(gateway string) string { return address + "&application_name=" + gateway }
	if u, err := url.Parse(address); err == nil {
		w.base = strings.TrimPrefix(u.Path, "/")
	}
	return w
}

// configuration is that of one gateway.
func (w *world) configuration(g *gateway) string {
	as := w.office.Config()
	var b strings.Builder
	fmt.Fprintf(&b, "[gateway]\nname = %q\nstate_dir = %q\ndrain = \"2s\"\n[store]\nurl = %q\n", g.name, g.state, w.store(g.name))
	fmt.Fprintf(&b, "[slack]\nmode = \"socket\"\nbot_token = %q\napp_token = %q\napi_url = %q\nallow_users = [%q]\n", as.BotToken, as.AppToken, w.office.APIURL(), asker)
	fmt.Fprintf(&b, "[calls]\nring = \"3s\"\nsetup = \"3s\"\nrounds = 3\npause = \"1s\"\npage_limit = %q\nmax_duration = \"12s\"\nbusy_retry = \"2s\"\n", w.limit)
	fmt.Fprintf(&b, "[limits]\ncalls_per_number_per_hour = 1000\npages_per_asker_per_hour = 1000\n")
	fmt.Fprintf(&b, "[sip]\nbind = \"127.0.0.1:%d\"\n[media]\nports = \"%d-%d\"\n[web]\nlisten = %q\n[log]\nformat = \"json\"\n", g.sip, g.rtp, g.rtp+rtpPorts-1, g.web)
	fmt.Fprintf(&b, "[prompts.alert]\nfile = \"alert.wav\"\n[prompts.confirmed]\nfile = \"thanks.wav\"\n[trunks.main]\nkind = \"pbx\"\naddresses = [%q]\nprobe = \"off\"\nmax_calls = %d\ncalls_per_second = %g\n%s",
		w.farm.phone.Addr(), w.lines, w.pace, w.trunk)
	for i := range w.people {
		fmt.Fprintf(&b, "[people.%s]\nphones = [\"sip:%s@main\"]\n", nick(i), strings.Join(w.phones(i), `@main", "sip:`))
	}
	return b.String()
}

// before is the version before, whose tables are older; where there is none it is this one.
func (w *world) before(t *testing.T) string {
	t.Helper()
	if binary := os.Getenv("TELGATE_BEFORE"); binary != "" {
		return binary
	}
	t.Log("TELGATE_BEFORE names no binary of the version before: this one takes its place")
	return w.binary
}

// begin starts gateways, and waits until all are ready.
func (w *world) begin(t *testing.T, gateways ...*gateway) {
	t.Helper()
	for _, g := range gateways {
		g.start()
	}
	for _, g := range gateways {
		if !g.ready(30 * time.Second) {
			t.Fatalf("%s is not ready:\n%s", g.name, g.last(3000))
		}
	}
}

// asking has people paged, one after another, until stopped.
func (w *world) asking(t *testing.T, every time.Duration) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done, order := make(chan struct{}), w.dice.Perm(w.people)
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
				if i%5 == 0 {
					w.office.look()
				}
				w.office.ask(ctx, order[i%len(order)])
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// burst has so many paged at once.
func (w *world) burst(t *testing.T, many int) {
	t.Helper()
	w.office.look()
	order := w.dice.Perm(w.people)
	for i := range many {
		w.office.ask(t.Context(), order[i%len(order)])
	}
}

// kills ends one gateway after another by kill -9 at random moments, and starts it again.
func (w *world) kills(t *testing.T, many int, mean time.Duration) {
	t.Helper()
	for i := range many {
		g := w.gateways[w.dice.IntN(len(w.gateways))]
		pass(t, chance(w.dice, mean))
		g.kill()
		if w.dice.IntN(4) == 0 { // sometimes it stays away long enough for others to notice
			pass(t, time.Duration(w.dice.IntN(4500))*time.Millisecond)
		}
		g.start()
		if i%50 == 49 {
			t.Logf("killed %d times", i+1)
		}
	}
	for _, g := range w.gateways {
		if !g.ready(30 * time.Second) {
			t.Errorf("%s does not come back", g.name)
		}
	}
}
