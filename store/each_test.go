package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"telgate"
	"telgate/lease"
	"telgate/pager"
	"telgate/store"
	"telgate/store/pgtest"
)

// both runs a test on an empty database of each engine; url gives one more each time.
func both(t *testing.T, run func(t *testing.T, url func() string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		run(t, func() string { return file(t) })
	})
	t.Run("postgres", func(t *testing.T) {
		server := pgtest.Start(t)
		run(t, func() string { return server.Schema(t) })
	})
}

// open opens a store that is closed at the end of the test.
func open(tb testing.TB, url string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), url, store.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func file(tb testing.TB) string {
	tb.Helper()
	return "sqlite:" + filepath.Join(tb.TempDir(), "telgate.db")
}

func enter(tb testing.TB, s *store.Store, gateway string) {
	tb.Helper()
	if err := s.Gateways().Enter(tb.Context(), lease.Self{ID: gateway, Name: gateway}); err != nil {
		tb.Fatal(err)
	}
}

// page is a page for people, asked for by U1.
func page(id string, nicks ...string) telgate.Page {
	p := telgate.Page{
		ID: telgate.PageID(id), Version: 1, Title: nicks[0], State: telgate.PageAccepted, Accepted: time.Unix(1e9, 0).UTC(), Rounds: 1,
		Askers: []telgate.Asker{{Actor: telgate.Actor{ID: "U1", Name: "Ann"}, Message: "db is down"}},
	}
	for _, nick := range nicks {
		p.Targets = append(p.Targets, telgate.Target{Nick: nick, Name: "Name of " + nick, Slack: "U" + nick})
	}
	return p
}

// accept keeps a page of gateway g's.
func accept(tb testing.TB, s *store.Store, p telgate.Page) pager.Hold {
	tb.Helper()
	h := pager.Hold{Page: p.ID, Gateway: "g", Token: 1}
	got, err := s.Accept(tb.Context(), &pager.Acceptance{Hold: h, Page: p, Course: []byte("course")})
	if err != nil || got.Verdict != pager.AcceptNew {
		tb.Fatalf("Accept: %+v, %v", got, err)
	}
	return h
}

// ring begins the first call of a page.
func ring(tb testing.TB, s *store.Store, h pager.Hold, p *telgate.Page, until time.Time) {
	tb.Helper()
	n := telgate.Number{E164: "+12025550101", Country: "1", Label: "mobile"}
	id := telgate.CallID("c" + p.ID)
	p.Steps = append(p.Steps, telgate.Step{N: 1, Round: 1, Person: p.Targets[0].Nick, Number: n, At: p.Accepted, Call: &telgate.Call{
		Order: telgate.Order{Call: id, Page: p.ID, Person: p.Targets[0].Nick, Step: 1, Round: 1, Number: n, Trunk: "main"}, State: telgate.CallDialing,
	}})
	p.State = telgate.PageCalling
	p.Version++
	g, err := s.Begin(tb.Context(), &pager.Beginning{
		Change: pager.Change{Hold: h, Page: p.Clone()}, Call: id, Number: n.Key(), Trunk: "main", Counts: true, RingUntil: until,
	})
	if err != nil || g.Verdict != pager.Granted {
		tb.Fatalf("Begin: %+v, %v", g, err)
	}
}

// end ends a page, and its call if there is one.
func end(tb testing.TB, s *store.Store, h pager.Hold, p telgate.Page, r telgate.Result) telgate.Page {
	tb.Helper()
	p.State, p.Result, p.Ended = telgate.PageEnded, r, p.Accepted.Add(time.Minute)
	p.Version++
	var freed []pager.Freed
	for i := range p.Steps {
		c := *p.Steps[i].Call
		c.State, c.Outcome, c.Times.Ended = telgate.CallEnded, telgate.OutcomeConfirmed, p.Ended
		c.Keys, c.Trace = []telgate.Key{{Digit: "1", Via: "info"}}, []telgate.SIPMessage{{Line: "INVITE sip:+12025550101@x"}}
		c.Ending = telgate.Ending{Transport: "udp", Peer: "192.0.2.1:5060", Request: "CANCEL sip:+12025550101@x"}
		c.Signal.Phrase, c.Signal.Status, c.Signal.DivertedTo = "OK 2025550101", 200, "2025550101"
		p.Steps[i].Call = &c
		freed = append(freed, pager.Freed{Call: c.Call, Number: p.Steps[i].Number.Key()})
	}
	if err := s.Save(tb.Context(), &pager.Change{Hold: h, Page: p, Freed: freed}); err != nil {
		tb.Fatal(err)
	}
	return p
}

func ids(pages []telgate.Page) string {
	s := ""
	for _, p := range pages {
		s += fmt.Sprint(p.ID, " ")
	}
	return s
}
