package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"telgate"
	"telgate/lease"
	"telgate/pager"
	"telgate/store"
	"telgate/store/pgtest"
	"telgate/web"
)

// counter is a gateway's socket at which a test answers itself.
type counter struct {
	dir     string
	config  string
	stops   chan string
	submits atomic.Int64
	close   func()
}

// opens answers POST /v1/pages with a page, and its events as the test says.
func opens(t *testing.T, dir string, events http.HandlerFunc) *counter {
	t.Helper()
	c := &counter{dir: dir, stops: make(chan string, 10), config: filepath.Join(dir, "config.toml")}
	if err := os.WriteFile(c.config, fmt.Appendf(nil, "[gateway]\nstate_dir = %q\n", dir), 0o600); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/pages", func(w http.ResponseWriter, r *http.Request) {
		c.submits.Add(1)
		_, _ = fmt.Fprintf(w, `{"v":1,"page":"p1","words":"alice","joined":%t}`, r.Header.Get(web.KeyHeader) == "")
	})
	mux.HandleFunc("POST /v1/pages/{id}/stop", func(w http.ResponseWriter, r *http.Request) {
		c.stops <- r.PathValue("id")
		_, _ = io.WriteString(w, `{"v":1}`)
	})
	mux.HandleFunc("GET /v1/pages/{id}/events", events)
	l, err := net.Listen("unix", filepath.Join(dir, web.SocketName))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: mux, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)} //nolint:gosec // a test's
	go func() { _ = s.Serve(l) }()
	c.close = sync.OnceFunc(func() { _ = s.Close() })
	t.Cleanup(c.close)
	return c
}

// shortDir is a directory whose path a socket's fits into.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tg") //nolint:usetesting // a short path, whatever the test's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// calls has somebody at a shell call alice through the gateway.
func (c *counter) calls(t *testing.T, flags ...string) *shell {
	t.Helper()
	s := c.shell()
	c.begins(t, s, flags...)
	return s
}

// shell is somebody who has not typed anything yet.
func (*counter) shell() *shell {
	s := &shell{signals: make(chan os.Signal, 4), env: realEnvironment(), status: make(chan int, 1)}
	s.env.out, s.env.err, s.env.terminal = &s.out, &s.errs, false
	s.env.signals = func() (<-chan os.Signal, func()) { return s.signals, func() {} }
	return s
}

func (c *counter) begins(t *testing.T, s *shell, flags ...string) {
	t.Helper()
	args := append([]string{"--config", c.config}, flags...)
	go func() { s.status <- run(t.Context(), append(args, "call", "alice"), s.env) }()
}

func sends(w http.ResponseWriter, events ...telgate.Event) {
	for _, e := range events {
		e.Page = "p1"
		_, _ = fmt.Fprintf(w, "%s\n", e.JSON(false))
	}
	_ = http.NewResponseController(w).Flush()
}

func accepted() telgate.Event { return telgate.Event{Seq: 1, Kind: telgate.EventPageAccepted} }

func ended(seq int, r telgate.Result) telgate.Event {
	return telgate.Event{Seq: seq, Kind: telgate.EventPageEnded, Result: r}
}

func TestAnInterruptedCallOverTheSocketStopsItsPageFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		signal os.Signal
		ends   telgate.Result
		want   int
	}{
		{os.Interrupt, telgate.Cancelled, 130},
		{syscall.SIGTERM, telgate.Cancelled, 143},
		{os.Interrupt, telgate.Confirmed, 0}, // who confirmed meanwhile has
	} {
		stopped := make(chan struct{})
		gateway := opens(t, shortDir(t), func(w http.ResponseWriter, _ *http.Request) {
			sends(w, accepted())
			<-stopped
			sends(w, ended(2, c.ends))
		})
		s := gateway.calls(t)
		s.until(t, "page p1 accepted")
		s.signals <- c.signal
		if id := soon(t, gateway.stops); id != "p1" {
			t.Errorf("%s was stopped", id)
		}
		close(stopped)
		if got := soon(t, s.status); got != c.want || !strings.Contains(string(s.errs.bytes()), "hanging up") {
			t.Errorf("%s: exit status %d, want %d: %s", c.signal, got, c.want, s.errs.bytes())
		}
	}
}

func TestTheSecondSignalWaitsForTheGatewayNoMore(t *testing.T) {
	t.Parallel()
	gateway := opens(t, shortDir(t), func(w http.ResponseWriter, r *http.Request) {
		sends(w, accepted())
		<-r.Context().Done()
	})
	s := gateway.calls(t)
	s.until(t, "page p1 accepted")
	s.signals <- os.Interrupt
	soon(t, gateway.stops)
	s.signals <- os.Interrupt
	if got := soon(t, s.status); got != 130 {
		t.Errorf("exit status %d", got)
	}
}

func TestACallGoesOnWhenItsGatewayIsBack(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	gateway := opens(t, shortDir(t), func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			sends(w, accepted(), telgate.Event{Seq: 2, Kind: telgate.EventWaiting})
			panic(http.ErrAbortHandler)
		}
		if r.URL.Query().Get("after") != "2" {
			t.Errorf("asked for %s", r.URL)
		}
		sends(w, ended(3, telgate.NotReached))
	})
	s := gateway.calls(t, "--json")
	if got := soon(t, s.status); got != 3 {
		t.Errorf("exit status %d", got)
	}
	if n := strings.Count(string(s.out.bytes()), `"page":"p1"`); n != 3 {
		t.Errorf("%d events:\n%s", n, s.out.bytes())
	}
	told := string(s.errs.bytes())
	if !strings.Contains(told, "the gateway is gone") || !strings.Contains(told, "the gateway is back") {
		t.Errorf("it says %s", told)
	}
	if gateway.submits.Load() != 1 {
		t.Errorf("%d pages were asked for", gateway.submits.Load())
	}
}

func TestACallWhoseGatewayForgotItEndsWithASentence(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	gateway := opens(t, shortDir(t), func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			sends(w, accepted())
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"v":1,"reason":"not_found","message":"There is no such page."}`)
	})
	s := gateway.calls(t)
	if got := soon(t, s.status); got != 1 || !strings.Contains(string(s.errs.bytes()), "does not know how page p1 goes on") {
		t.Errorf("exit status %d: %s", got, s.errs.bytes())
	}
}

func TestNotesOfDirectCallsAreTakenIntoTheAuditOnce(t *testing.T) {
	dir := t.TempDir()
	h := &house{state: dir, audit: &auditFile{dir: dir}}
	note := `{"time":"2026-01-31T21:00:00Z","page":"p1","asker":"local:grace","who":["alice"],"message":"db"}`
	for _, line := range []string{note, `{"time":"2026`, `{"time":"2026-01-31T21:01:00Z","page":"p1","asker":"local:grace","who":["alice"],"result":"confirmed"}`} {
		if err := appendLine(dir, directName, []byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{2, 0} {
		if n, err := h.takeDirectNotes(context.Background()); n != want || err != nil {
			t.Errorf("%d, %v; want %d", n, err, want)
		}
	}
	if err := appendLine(dir, directName+".taking", []byte(note)); err != nil { // a gateway died at it
		t.Fatal(err)
	}
	if n, err := h.takeDirectNotes(context.Background()); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	found, err := h.audit.Audit(context.Background(), h.started, h.started, 10)
	if err != nil || len(found) != 3 || found[1].Detail != "ended: confirmed" || found[0].From != telgate.FromDirect {
		t.Errorf("%+v, %v", found, err)
	}
	kept, err := os.ReadFile(filepath.Join(dir, directName+".taken"))
	if err != nil || strings.Count(string(kept), "\n") != 4 {
		t.Errorf("%q, %v", kept, err)
	}
}

func TestABrakeThatCannotBeReadIsPulled(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, pausedName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := openBrake(t.Context(), newPauseFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := b.Paused(); p == nil {
		t.Error("it is not")
	}
}

// jumps is a clock that can be put forward.
func (s *shell) jumps() (forward func(time.Duration)) {
	var by atomic.Int64
	s.env.now = func() time.Time { return time.Now().Add(time.Duration(by.Load())) }
	return func(d time.Duration) { by.Add(int64(d)) }
}

func TestACallIsFollowedForAsLongAsItsPageMayLive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		away time.Duration // when the gateway is asked again for the third time
		want int
		says string
	}{
		{"a gateway that is away for long", 29 * time.Minute, 3, "the gateway is back"},
		{"a gateway that does not come back", 34 * time.Minute, 1, "nobody can be asked how page p1 went: telgate history p1 shows it"},
	} {
		var forward func(time.Duration)
		var asked atomic.Int64
		gateway := opens(t, shortDir(t), func(w http.ResponseWriter, _ *http.Request) {
			switch asked.Add(1) {
			case 1:
				sends(w, accepted())
			case 2: // it starts, and cannot read its store yet
				w.WriteHeader(http.StatusInternalServerError)
				_, _ = io.WriteString(w, `{"v":1,"reason":"internal","message":"Something went wrong."}`)
			case 3:
				forward(c.away)
			default:
				sends(w, ended(3, telgate.NotReached))
				return
			}
			panic(http.ErrAbortHandler)
		})
		s := gateway.shell()
		forward = s.jumps()
		gateway.begins(t, s)
		if got := soon(t, s.status); got != c.want || !strings.Contains(string(s.errs.bytes()), c.says) {
			t.Errorf("%s: exit status %d, want %d: %s", c.name, got, c.want, s.errs.bytes())
		}
	}
}

func TestWhatComesAgainFromAnotherGatewayIsShownOnce(t *testing.T) {
	t.Parallel()
	order := &telgate.Order{Call: "c1", Person: "alice", Step: 1, Trunk: "main"}
	dialing, ringing := telgate.Event{Seq: 2, Kind: telgate.EventDialing, Order: order}, telgate.Event{Seq: 3, Kind: telgate.EventRinging, Order: order}
	var asked atomic.Int64
	gateway := opens(t, shortDir(t), func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			sends(w, accepted(), dialing)
			panic(http.ErrAbortHandler)
		}
		again := dialing
		again.Seq = 3
		sends(w, again, ringing, ended(4, telgate.NotReached))
	})
	s := gateway.calls(t, "--json")
	soon(t, s.status)
	if out := string(s.out.bytes()); strings.Count(out, "dialing") != 1 || strings.Count(out, "ringing") != 1 {
		t.Errorf("%s", out)
	}
}

func TestACallWhoseGatewayDiedIsFollowedInTheStoreThatItShares(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t).Database(t)
	kept, err := store.Open(t.Context(), url, store.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	hold := pager.Hold{Page: "p1", Gateway: "two", Token: 1}
	if err := kept.Gateways().Enter(t.Context(), lease.Self{ID: "two"}); err != nil {
		t.Fatal(err)
	}
	page := telgate.Page{
		ID: "p1", Version: 1, Title: "alice", State: telgate.PageAccepted, Accepted: time.Now(),
		Askers:  []telgate.Asker{{Actor: telgate.Actor{ID: "local:grace", Local: true}, At: time.Now()}},
		Targets: []telgate.Target{{Nick: "alice", Name: "Alice"}},
	}
	if _, err := kept.Accept(t.Context(), &pager.Acceptance{Hold: hold, Page: page, Course: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	dir := shortDir(t)
	gateway := opens(t, dir, func(w http.ResponseWriter, _ *http.Request) {
		sends(w, accepted())
		panic(http.ErrAbortHandler)
	})
	if err := os.WriteFile(gateway.config, fmt.Appendf(nil, "[gateway]\nstate_dir = %q\n[store]\nurl = %q\n", dir, url), 0o600); err != nil {
		t.Fatal(err)
	}
	s := gateway.calls(t)
	s.until(t, "page p1 accepted")
	gateway.close()
	tell := func(change func()) {
		change()
		page.Version++
		if err := kept.Save(t.Context(), &pager.Change{Hold: hold, Page: page}); err != nil {
			t.Fatal(err)
		}
	}
	tell(func() {
		page.State, page.Steps = telgate.PageWaiting, []telgate.Step{{N: 1, Round: 1, Person: "alice", Skip: telgate.SkipMuted, At: time.Now()}}
		page.WaitsFor = time.Now().Add(time.Minute)
	})
	s.until(t, "not dialled: muted")
	s.until(t, "waiting until")
	tell(func() {
		page.State, page.Result, page.Ended, page.Wait = telgate.PageEnded, telgate.NotReached, time.Now(), telgate.Wait{}
		page.Targets[0].Result = telgate.NotReached
	})
	if got := soon(t, s.status); got != 3 || !strings.Contains(string(s.errs.bytes()), "no gateway runs here: the page is followed in the store that it shares") {
		t.Errorf("exit status %d: %s%s", got, s.out.bytes(), s.errs.bytes())
	}
}
