package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a web server that answers what the test says, at a time the test says.
type site struct {
	*httptest.Server
	t       *testing.T
	now     time.Time
	answer  atomic.Pointer[http.HandlerFunc]
	copies  string
	private string // a part of the address that nobody may see
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, now: time.Date(2026, time.November, 24, 12, 0, 0, 0, time.UTC), copies: t.TempDir(), private: "private-3f9a"}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.answer.Load())(w, r) }))
	t.Cleanup(s.Close)
	return s
}

func (s *site) answers(h http.HandlerFunc) { s.answer.Store(&h) }

func (s *site) says(body string) {
	s.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
}

// feed is a new process that reads the site.
func (s *site) feed() *Feed {
	s.t.Helper()
	f, err := New(Config{
		Name: "groups.ops", Address: s.URL + "/" + s.private + "/ops.json", Token: "t0ken", StaleAfter: time.Hour, Refresh: time.Minute, Zone: time.UTC,
	}, Env{Now: func() time.Time { return s.now }, HTTP: s.Client(), Find: find, Copies: s.copies, Keeps: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := f.Load(); err != nil {
		s.t.Fatal(err)
	}
	return f
}

func (s *site) who(f *Feed) string { return strings.Join(f.State().At(s.now).Who, ",") }

func TestWhatASourceSaidOutlivesItsFaultsAndARestart(t *testing.T) {
	s := newSite(t)
	f := s.feed()
	if state := f.State(); !state.Fetched.IsZero() || state.Stale {
		t.Errorf("before anything was read: %+v", state)
	}
	s.says(`["alice", "bob"]`)
	if err := f.Refresh(t.Context()); err != nil || s.who(f) != "alice,bob" {
		t.Fatal(err, s.who(f))
	}
	read := s.now
	gone := errors.New("gone")
	for _, c := range []struct {
		what   string
		answer http.HandlerFunc
		why    string
	}{
		{"an error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) }, "answers 502 Bad Gateway"},
		{"a login", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<!doctype html>") }, "web page"},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, "it is empty"},
		{"nobody", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `[]`) }, "names nobody we know any more"},
		{"strangers", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `["zoe"]`) }, "names nobody we know any more"},
		{"too much", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("[ "), largest)) }, "larger than 4 MB"},
		{"half of it", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `["alice"`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "breaks off"},
		{"a loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "redirected too often"},
		{"a downgrade", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://rota.invalid/"+s.private, http.StatusFound)
		}, "use https"},
		{"another scheme", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, "is not https"},
		{"silence", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, ""},
	} {
		s.answers(c.answer)
		ctx, cancel := context.WithCancelCause(t.Context())
		if c.why == "" { // patience is up as soon as the answer was asked for
			s.answers(func(w http.ResponseWriter, r *http.Request) { cancel(gone); c.answer(w, r) })
		}
		err := f.Refresh(ctx)
		cancel(nil)
		if err == nil || !strings.Contains(err.Error(), c.why) || f.State().Problem != err.Error() {
			t.Errorf("%s: %v, want %s", c.what, err, c.why)
		}
		if strings.Contains(fmt.Sprint(err), s.private) || strings.Contains(fmt.Sprint(err), "t0ken") || strings.Contains(f.State().From, s.private) {
			t.Errorf("%s: a secret in %v", c.what, err)
		}
		for _, f := range []*Feed{f, s.feed()} { // the process goes on; or a new one starts without the network
			if s.who(f) != "alice,bob" || !f.State().Fetched.Equal(read) {
				t.Errorf("after %s: %s of %v", c.what, s.who(f), f.State().Fetched)
			}
		}
		s.now = s.now.Add(time.Minute)
	}
	s.now = read.Add(2 * time.Hour)
	if !f.State().Stale || s.who(f) != "alice,bob" {
		t.Errorf("two hours later: %+v", f.State())
	}
	s.says(`["bob"]`)
	if err := f.Refresh(t.Context()); err != nil || s.who(f) != "bob" || f.State().Stale || f.State().Problem != "" {
		t.Errorf("when it is back: %v, %+v", err, f.State())
	}
}

func TestAnUnchangedSourceIsNotSentAgain(t *testing.T) {
	s := newSite(t)
	asked, sent := 0, 0
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Last-Modified", "Tue, 24 Nov 2026 10:00:00 GMT")
		if r.Header.Get("If-None-Match") == `"v1"` && r.Header.Get("If-Modified-Since") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent++
		if r.Header.Get("Authorization") != "Bearer t0ken" {
			t.Errorf("authorized as %q", r.Header.Get("Authorization"))
		}
		_, _ = io.WriteString(w, `["alice"]`)
	})
	for range 2 {
		f := s.feed() // the second is a new process
		for range 2 {
			s.now = s.now.Add(time.Minute)
			if err := f.Refresh(t.Context()); err != nil || s.who(f) != "alice" || !f.State().Fetched.Equal(s.now) {
				t.Errorf("%v, %s of %v", err, s.who(f), f.State().Fetched)
			}
		}
	}
	if asked != 4 || sent != 1 {
		t.Errorf("asked %d times, sent %d times", asked, sent)
	}
	if f := s.feed(); !f.State().Fetched.Equal(s.now) {
		t.Errorf("the copy is of %v, last seen at %v", f.State().Fetched, s.now)
	}
}

func TestTheTokenDoesNotFollowToAnotherHost(t *testing.T) {
	s := newSite(t)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token travelled")
		}
		_, _ = io.WriteString(w, `["alice"]`)
	}))
	t.Cleanup(other.Close)
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	s.answers(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) })
	if f := s.feed(); f.Refresh(t.Context()) != nil && f.State().Problem != "" {
		t.Skip("localhost is not known here:", f.State().Problem)
	}
}

func TestTheCopyOfAnotherAddressIsNoCopy(t *testing.T) {
	s := newSite(t)
	s.says(`["alice"]`)
	if err := s.feed().Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.private = "another"
	if f := s.feed(); s.who(f) != "" || !f.State().Fetched.IsZero() {
		t.Errorf("%s of %v", s.who(f), f.State().Fetched)
	}
}

func TestABrokenCopyIsTold(t *testing.T) {
	s := newSite(t)
	f := s.feed()
	if err := os.WriteFile(filepath.Join(s.copies, "groups.ops.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Load(); err == nil {
		t.Error("no error")
	}
}

func TestAddressesThatTravelInClearAreRefused(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://example.com/x9.ics": true, "webcal://example.com/x9.ics": true, "http://localhost/x9.ics": true, "http://127.0.0.1:8/a.csv": true,
		"http://[::1]/a": true, "http://10.1.2.3/a": true, "people.csv": true, "teams/": true, "/etc/telgate/rotx9.ics": true,
		"http://example.com/x9.ics": false, "http://192.0.2.1/a": false, "ftp://example.com/a": false, "https://": false, "https://exa mple/": false,
	} {
		if _, err := New(Config{Address: address}, Env{}); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		} else if err != nil && strings.Contains(err.Error(), "x9.ics") {
			t.Errorf("the error shows the address: %v", err)
		}
	}
}

func TestFilesAndFoldersAreRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open := func(address string) *Feed {
		f, err := New(Config{Name: "x", Address: filepath.Join(dir, address), Zone: time.UTC}, Env{
			Now: time.Now, Find: find, Log: slog.New(slog.DiscardHandler),
			TOML: func(text string) (map[string]any, error) {
				if text == "broken" {
					return nil, errors.New("no TOML")
				}
				var list []any
				for name := range strings.FieldsSeq(text) {
					list = append(list, name)
				}
				return map[string]any{"members": list}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	write("b.toml", "bob")
	write("a.toml", "alice carol")
	write(".hidden.toml", "broken")
	write("notes.txt", "broken")
	write("people.csv", "person\nbob\n")
	for address, want := range map[string]string{".": "[alice carol bob]", "people.csv": "[bob]"} {
		f := open(address)
		if err := f.Refresh(t.Context()); err != nil || fmt.Sprint(f.State().Always) != want {
			t.Errorf("%s: %v, %v", address, f.State().Always, err)
		}
	}
	f := open(".")
	_ = f.Refresh(t.Context())
	write("b.toml", "broken")
	if err := f.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "b.toml: no TOML") || len(f.State().Always) != 3 {
		t.Errorf("%v, %v", err, f.State().Always)
	}
	if err := open("gone.ics").Refresh(t.Context()); err == nil {
		t.Error("a file that is not there was read")
	}
}

// strikes is a log that counts its lines by message.
type strikes struct {
	slog.Handler

	mu    sync.Mutex
	lines []string
}

func (s *strikes) Handle(_ context.Context, r slog.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, r.Message)
	return nil
}
func (s *strikes) WithAttrs([]slog.Attr) slog.Handler { return s }

func (*strikes) Enabled(context.Context, slog.Level) bool { return true }

func TestASourceIsReadOnATimerAndItsTroublesAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "people.csv")
		log := &strikes{Handler: slog.DiscardHandler}
		var waits []time.Duration
		f, err := New(Config{Name: "x", Address: path, Refresh: time.Minute, StaleAfter: 10 * time.Minute}, Env{
			Now: time.Now, Find: find, Log: slog.New(log), Jitter: func(d time.Duration) time.Duration { waits = append(waits, d); return d + time.Second },
		})
		if err != nil {
			t.Fatal(err)
		}
		write := func(text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("person\nalice\n")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { f.Run(ctx); close(done) }()
		synctest.Wait()
		if fmt.Sprint(f.State().Always) != "[alice]" {
			t.Errorf("at once: %v", f.State().Always)
		}
		write("nonsense")
		pass(20 * time.Minute)
		if fmt.Sprint(f.State().Always) != "[alice]" || !f.State().Stale {
			t.Errorf("broken: %+v", f.State())
		}
		write("person\nbob\nzoe\n")
		pass(2 * time.Minute)
		if fmt.Sprint(f.State().Always) != "[bob]" {
			t.Errorf("again: %v", f.State().Always)
		}
		cancel()
		<-done
		if want := "[source has a problem; what it last said is used source is stale source is well again not all of a source can be used]"; fmt.Sprint(log.lines) != want {
			t.Errorf("logged %v", log.lines)
		}
		if len(waits) != 22 {
			t.Errorf("read %d times", len(waits))
		}
	})
}

// pass lets time go by inside a bubble.
func pass(d time.Duration) {
	<-time.NewTimer(d).C
	synctest.Wait()
}
