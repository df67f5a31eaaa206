package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telgate"
	"telgate/lease"
	"telgate/pager"
	"telgate/store"
)

// runs is a command at the site, beside its gateway.
func (s *site) runs(args ...string) (status int, out, errs string) {
	var o, e kept
	env := s.environment(&o, &e, nil)
	return run(s.ctx, args, env), string(o.bytes()), string(e.bytes())
}

func TestWhatIsStoredIsToldBackedUpAndForgotten(t *testing.T) {
	s := newSite(t)
	s.dir = shortDir(t)
	s.vars["TELGATE_CONFIG"] = filepath.Join(s.dir, "config.toml")
	s.file("config.toml", strings.ReplaceAll(mainTrunk, "$DIR/state", s.dir)+alicesPhone)
	g, _ := s.loaded()
	g.house.state = s.dir
	kept, err := store.Open(t.Context(), "sqlite:telgate.db", store.Options{Dir: s.dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	hold := pager.Hold{Page: "p1", Gateway: "g1", Token: 1}
	if err := kept.Gateways().Enter(t.Context(), lease.Self{ID: "g1"}); err != nil {
		t.Fatal(err)
	}
	page := telgate.Page{
		ID: "p1", Version: 1, Title: "alice", State: telgate.PageAccepted, Accepted: time.Now(),
		Askers: []telgate.Asker{{Actor: telgate.Actor{ID: "local:grace", Local: true}, At: time.Now()}}, Targets: []telgate.Target{{Nick: "alice", Name: "Alice"}},
	}
	if _, err := kept.Accept(t.Context(), &pager.Acceptance{Hold: hold, Page: page, Course: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	page.State, page.Result, page.Ended, page.Version = telgate.PageEnded, telgate.NotReached, time.Now(), 2
	if err := kept.Save(t.Context(), &pager.Change{Hold: hold, Page: page}); err != nil {
		t.Fatal(err)
	}
	g.house.keepIn(kept)
	ctx, stop := context.WithCancel(t.Context())
	socket, ended := g.socket(func() bool { return false }), make(chan error, 1)
	go func() { ended <- socket.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	<-socket.Listening()

	copied := filepath.Join(s.dir, "copy.db")
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"history"}, 0, "not_reached"},
		{[]string{"history", "--person", "bob"}, 0, ""},
		{[]string{"backup", copied}, 0, "backed up to " + copied},
		{[]string{"backup", copied}, 5, ""},
		{[]string{"forget", "alice"}, 0, "alice is forgotten in 1 pages"},
		{[]string{"history", "--audit"}, 0, "backed_up"},
		{[]string{"history", "--audit", "--until", "1h"}, 0, "TIME"},
	} {
		if status, out, errs := s.runs(c.args...); status != c.status || !strings.Contains(out, c.says) {
			t.Errorf("%v: exit status %d, want %d: %s%s", c.args, status, c.status, out, errs)
		}
	}
	if info, err := os.Stat(copied); err != nil || info.Size() == 0 {
		t.Errorf("the backup: %v", err)
	}
	restored, err := store.Open(t.Context(), "sqlite:copy.db", store.Options{Dir: s.dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = restored.Close() }()
	if pages, _, err := restored.History(t.Context(), store.Query{}); err != nil || len(pages) != 1 || pages[0].Targets[0].Name != "Alice" {
		t.Errorf("restored: %+v, %v", pages, err)
	}
}
