package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"telgate/sip/siptest"
)

// gateway runs telgate serve until stop is called.
func (s *site) gateway() (stop func()) {
	s.t.Helper()
	var out, errs kept
	signals, status := make(chan os.Signal, 1), make(chan int, 1)
	go func() { status <- run(s.ctx, []string{"serve"}, s.environment(&out, &errs, signals)) }()
	s.log = &errs
	s.logs("gateway serves")
	return func() {
		signals <- syscall.SIGTERM
		if got := soon(s.t, status); got != 0 {
			s.t.Errorf("serve: exit status %d\n%s", got, errs.bytes())
		}
	}
}

// stateIn has the site's gateway keep its state in a folder below the site's.
func (s *site) stateIn(name string) string {
	s.t.Helper()
	const alice = "[people.alice]\nname = \"Alice Liddell\"\nphones = [\"+12025550147\"]\n[limits]\nprefixes_allowed = [\"+1\"]\n"
	state := filepath.Join(s.dir, name)
	s.file("config.toml", strings.Replace(mainTrunk, "$DIR/state", state, 1)+alice)
	return state
}

func TestABackupOfAGatewayThatRunsIsRestoredAndAPersonForgotten(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.dir = shortDir(t)
	s.vars["TELGATE_CONFIG"] = filepath.Join(s.dir, "config.toml")
	rings := make(chan *siptest.Ring, 4)
	s.behave = func(r *siptest.Ring) { rings <- r }
	state, copied := s.stateIn("state"), filepath.Join(s.dir, "copy.db")
	says := func(status int, words string, args ...string) string {
		t.Helper()
		got, out, errs := s.runs(args...)
		if got != status || !strings.Contains(out+errs, words) {
			t.Errorf("%v: exit status %d, want %d and %q:\n%s%s", args, got, status, words, out, errs)
		}
		return out
	}

	stop := s.gateway()
	called := make(chan int, 1)
	go func() { got, _, _ := s.runs("call", "alice", "db", "is", "down"); called <- got }()
	ring := soon(t, rings)
	says(0, "backed up to "+copied, "backup", copied)
	ring.Decline()
	if got := soon(t, called); got != exitNotReached {
		t.Errorf("call: exit status %d", got)
	}
	says(0, "INVITE", "history", "--trace", pageID(t, says(0, "not_reached", "history", "--csv")))
	if !stored(t, state, "2025550147") || !stored(t, state, "Liddell") {
		t.Error("nothing is there that could be forgotten")
	}
	says(0, "alice is forgotten in 1 pages", "forget", "alice")
	stop()
	for _, word := range []string{"2025550147", "Liddell"} {
		if stored(t, state, word) {
			t.Errorf("%s is in the store still", word)
		}
	}
	says(0, "this is read from its store", "history")
	says(0, "forgot", "history", "--audit")
	says(5, "no gateway runs", "status")

	state = s.stateIn("restored")
	content, err := os.ReadFile(copied)
	if err == nil {
		err = os.Mkdir(state, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(state, "telgate.db"), content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	says(0, "calling", "history", "--json")
	stop = s.gateway() // goes on with the page; its call was lost with the gateway before, and the phone rests
	s.logs("page taken over")
	says(0, "lost", "history", pageID(t, says(0, "", "history", "--csv")))
	stop()
}

// pageID is the page of the last line of a table for spreadsheets.
func pageID(t *testing.T, csv string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(csv), "\n")
	for field := range strings.SplitSeq(lines[len(lines)-1], ",") {
		if len(field) == 27 && field[0] == 'p' {
			return field
		}
	}
	t.Fatalf("no page in %s", csv)
	return ""
}

// stored tells whether a word is in a file of the store's.
func stored(t *testing.T, state, word string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(state, "telgate.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if content, err := os.ReadFile(name); err != nil || bytes.Contains(content, []byte(word)) {
			return err == nil
		}
	}
	return false
}
