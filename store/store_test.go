package store_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"telgate"
	"telgate/lease"
	"telgate/pager"
	"telgate/store"
	"telgate/store/pgtest"
	"telgate/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	_ pager.Ledger   = (*store.Store)(nil)
	_ pager.Handover = (*store.Store)(nil)
	_ pager.Archive  = (*store.Store)(nil)
	_ pager.Finder   = (*store.Store)(nil)
	_ lease.Register = store.Gateways{}
	_ lease.Peers    = store.Gateways{}
)

func TestSQLiteKeepsPagesAsThePortsSay(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (storetest.Side, storetest.Side) {
		t.Helper()
		s := open(t, file(t))
		side := storetest.Side{Pages: s, Gateways: s.Gateways()}
		return side, side
	})
}

func TestPostgreSQLKeepsPagesAsThePortsSay(t *testing.T) {
	server := pgtest.Start(t)
	storetest.Run(t, func(t *testing.T) (storetest.Side, storetest.Side) {
		t.Helper()
		url := server.Schema(t)
		a, b := open(t, url), open(t, url)
		return storetest.Side{Pages: a, Gateways: a.Gateways()}, storetest.Side{Pages: b, Gateways: b.Gateways()}
	})
}

func TestWhoOpensAFileTakesOverWhatTheProcessBeforeLeft(t *testing.T) {
	url := file(t)
	before, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	enter(t, before, "g")
	p := page("p1", "alice")
	h := accept(t, before, p)
	ring(t, before, h, &p, time.Now().Add(time.Hour))
	if err := before.Close(); err != nil { // as a kill does: nothing was said of the call or the gateway
		t.Fatal(err)
	}
	now := open(t, url)
	enter(t, now, "g2")
	records, err := now.Claim(t.Context(), "g2", 10)
	if err != nil || len(records) != 1 || records[0].Token != 2 || string(records[0].Course) != "course" {
		t.Fatalf("Claim: %+v, %v", records, err)
	}
	if c := records[0].Page.Steps[0].Call; c.Outcome != telgate.OutcomeLost {
		t.Errorf("call %+v", c)
	}
	r := records[0]
	b := &pager.Beginning{Change: pager.Change{Hold: r.Hold, Page: r.Page, From: 1}, Call: "c2", Number: "+12025550101", Trunk: "main"}
	if g, err := now.Begin(t.Context(), b); err != nil || g.Verdict != pager.GrantPhoneRests {
		t.Errorf("Begin: %+v, %v", g, err)
	}
	if peers, err := now.Gateways().Peers(t.Context()); err != nil || len(peers) != 1 {
		t.Errorf("Peers: %v, %v", peers, err)
	}
}

func TestNewsTellsOfMessagesAndOfPagesThatAreNobodys(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		s := open(t, url())
		enter(t, s, "g")
		ctx, cancel := context.WithCancel(t.Context())
		news := s.News(ctx)
		if first := <-news; first != "" {
			t.Errorf("the first news is %q: what came before is to be looked at", first)
		}
		p := page("p1", "alice")
		h := accept(t, s, p)
		if left, err := s.Leave(t.Context(), &pager.Message{Page: "p1", Next: &telgate.Actor{ID: "U"}}); !left || err != nil {
			t.Fatalf("Leave: %v, %v", left, err)
		}
		if got := <-news; got != "p1" {
			t.Errorf("news of %q", got)
		}
		if err := s.Save(t.Context(), &pager.Change{Hold: h, Page: p, HandOver: true, Due: time.Now()}); err != nil {
			t.Fatal(err)
		}
		if got := <-news; got != "p1" {
			t.Errorf("news of %q", got)
		}
		if buried, err := s.Gateways().Bury(t.Context(), lease.Peer{Self: lease.Self{ID: "g"}}); !buried || err != nil {
			t.Fatalf("Bury: %v, %v", buried, err)
		}
		if got := <-news; got != "" {
			t.Errorf("news of %q", got)
		}
		cancel()
		for range news { //nolint:revive // until it is closed
		}
	})
}

func TestHistoryFindsPagesNewestFirst(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		s := open(t, url())
		enter(t, s, "g")
		begin := time.Now().Add(-time.Second)
		for i, nick := range []string{"alice", "bob", "alice", "alice", "bob"} {
			p := page([]string{"p1", "p2", "p3", "p4", "p5"}[i], nick, "carol")
			h := accept(t, s, p)
			if i < 4 {
				end(t, s, h, p, []telgate.Result{telgate.Confirmed, telgate.NotReached}[i%2])
			}
		}
		for want, q := range map[string]store.Query{
			"p5 p4 p3 p2 p1 ": {}, "p4 p3 p1 ": {Person: "alice"}, "p4 p2 ": {Result: telgate.NotReached}, "p5 p4 ": {Limit: 2},
			"p3 p1 ": {Person: "alice", Result: telgate.Confirmed, Since: begin, Until: begin.Add(time.Hour)}, "": {Since: begin.Add(time.Hour)},
		} {
			got, _, err := s.History(t.Context(), q)
			if err != nil || ids(got) != want {
				t.Errorf("%+v: %s, %v, want %s", q, ids(got), err, want)
			}
		}
		for _, person := range []string{"", "carol"} {
			q, got, asked := store.Query{Person: person, Limit: 2}, "", 0
			for next := "more"; next != ""; asked++ {
				var some []telgate.Page
				var err error
				if some, next, err = s.History(t.Context(), q); err != nil {
					t.Fatal(err)
				}
				got, q.After = got+ids(some), next
			}
			if got != "p5 p4 p3 p2 p1 " || asked != 3 {
				t.Errorf("two by two of %q: %s by %d questions", person, got, asked)
			}
		}
		if _, _, err := s.History(t.Context(), store.Query{After: "nonsense"}); err == nil {
			t.Error("a place that is none was taken")
		}
	})
}

func TestForgetErasesAPersonsCallsAndKeepsWhatIsCounted(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		s := open(t, url())
		enter(t, s, "g")
		p := page("p1", "alice", "bob")
		h := accept(t, s, p)
		ring(t, s, h, &p, time.Now())
		p.Version++
		g, err := s.Begin(t.Context(), &pager.Beginning{ // the call went on to where it was forwarded
			Change: pager.Change{Hold: h, Page: p.Clone(), From: 1}, Call: p.Steps[0].Call.Call, Number: "+12025550155", Trunk: "main", Counts: true,
			RingUntil: time.Now(), Nicks: []string{"alice"},
		})
		if err != nil || g.Verdict != pager.Granted {
			t.Fatalf("Begin: %+v, %v", g, err)
		}
		p = end(t, s, h, p, telgate.Confirmed)
		q := page("p2", "bob")
		i := accept(t, s, q)
		ring(t, s, i, &q, time.Now())
		q = end(t, s, i, q, telgate.Confirmed)
		accept(t, s, page("p3", "alice"))
		got, err := s.Forget(t.Context(), "alice")
		if err != nil || got != (store.Forgotten{Pages: 1, Calls: 1}) {
			t.Errorf("Forget: %+v, %v", got, err)
		}
		if rung, err := s.Rang(t.Context(), []string{"+12025550155"}, time.Hour); rung != nil || err != nil {
			t.Errorf("whose phone it is where calls were forwarded to: %+v, %v", rung, err)
		}
		left, err := s.Page(t.Context(), "p1")
		if err != nil {
			t.Fatal(err)
		}
		c := left.Steps[0].Call
		if left.Targets[0] != (telgate.Target{Nick: "alice"}) || left.Targets[1].Name == "" {
			t.Errorf("targets %+v", left.Targets)
		}
		if c.Outcome != telgate.OutcomeConfirmed || c.Signal.Status != 200 || !c.Times.Ended.Equal(p.Ended) || c.Person != "alice" {
			t.Errorf("what is counted is gone: %+v", c)
		}
		if left.Steps[0].Number.E164 != "" || c.Number.E164 != "" || c.Keys != nil || c.Trace != nil || c.Ending != (telgate.Ending{}) || c.Signal.Phrase+c.Signal.DivertedTo != "" {
			t.Errorf("left of the call: %+v", c)
		}
		if other, err := s.Page(t.Context(), "p2"); err != nil || other.Steps[0].Number.E164 == "" || other.Targets[0].Name == "" {
			t.Errorf("another's page: %+v, %v", other, err)
		}
		if runs, err := s.Page(t.Context(), "p3"); err != nil || runs.Targets[0].Name == "" {
			t.Errorf("a page that runs: %+v, %v", runs, err)
		}
	})
}

func TestAFileHasNothingLeftOfANumberThatWasForgotten(t *testing.T) {
	url := file(t)
	s, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	enter(t, s, "g")
	p := page("p1", "alice")
	h := accept(t, s, p)
	ring(t, s, h, &p, time.Now())
	end(t, s, h, p, telgate.Confirmed)
	if _, err := s.Forget(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "-wal"} {
		content, err := os.ReadFile(strings.TrimPrefix(url, "sqlite:") + name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "2025550101") {
			t.Errorf("telgate.db%s has the number still", name)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPruneDeletesOldPagesAndNoneThatRuns(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		s := open(t, url())
		enter(t, s, "g")
		p := page("p1", "alice")
		h := accept(t, s, p)
		ring(t, s, h, &p, time.Now())
		end(t, s, h, p, telgate.Confirmed)
		accept(t, s, page("p2", "alice"))
		if err := s.Note(t.Context(), store.AuditEntry{Actor: "U1", Action: "page", Page: "p1"}); err != nil {
			t.Fatal(err)
		}
		for before, want := range map[time.Time]int{time.Now().Add(-time.Hour): 0, time.Now().Add(time.Hour): 1} {
			if n, err := s.Prune(t.Context(), before); err != nil || n > 1 || want == 1 && n != 1 && before.After(time.Now()) {
				t.Errorf("Prune before %v: %d, %v", before, n, err)
			}
		}
		if got, _, err := s.History(t.Context(), store.Query{}); err != nil || ids(got) != "p2 " {
			t.Errorf("left: %s, %v", ids(got), err)
		}
		if left, err := s.Noted(t.Context(), time.Time{}, time.Time{}, 10); err != nil || len(left) != 0 {
			t.Errorf("noted: %v, %v", left, err)
		}
	})
}

func TestWhoDidWhatIsNoted(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		s := open(t, url())
		for _, action := range []string{"page", "stop"} {
			e := store.AuditEntry{Actor: "U1", Name: "Ann", Action: action, Page: "p1", Subject: "alice", Source: "slack", Detail: "C1"}
			if err := s.Note(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Noted(t.Context(), time.Now().Add(-time.Hour), time.Time{}, 1)
		if err != nil || len(got) != 1 || time.Since(got[0].At).Abs() > time.Minute {
			t.Fatalf("Noted: %+v, %v", got, err)
		}
		got[0].At = time.Time{}
		if got[0] != (store.AuditEntry{Actor: "U1", Name: "Ann", Action: "stop", Page: "p1", Subject: "alice", Source: "slack", Detail: "C1"}) {
			t.Errorf("noted: %+v", got[0])
		}
		all, err := s.Noted(t.Context(), time.Time{}, time.Time{}, 10)
		if err != nil || len(all) != 2 {
			t.Fatalf("%+v, %v", all, err)
		}
		if before, err := s.Noted(t.Context(), time.Time{}, all[0].At, 1); err != nil || len(before) != 1 || before[0].Action != "page" {
			t.Errorf("before the last: %+v, %v", before, err)
		}
	})
}

func TestABackupOfAFileIsAStoreOfItsOwn(t *testing.T) {
	s := open(t, file(t))
	enter(t, s, "g")
	accept(t, s, page("p1", "alice"))
	to := filepath.Join(t.TempDir(), "backup.db")
	if err := s.Backup(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("backup: %v, %v", info, err)
	}
	if err := s.Backup(t.Context(), to); err == nil || !strings.Contains(err.Error(), "is there already: name a new file") {
		t.Errorf("over a file that is there: %v", err)
	}
	if err := s.Backup(t.Context(), filepath.Join(t.TempDir(), "no", "folder", "b.db")); err == nil || !strings.Contains(err.Error(), "cannot be opened") {
		t.Errorf("into no folder: %v", err)
	}
	restored := open(t, "sqlite:"+to)
	if p, err := restored.Page(t.Context(), "p1"); err != nil || p == nil || p.Targets[0].Nick != "alice" {
		t.Errorf("restored: %+v, %v", p, err)
	}
}

func TestMemoryKeepsPagesAsThePortsSay(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (storetest.Side, storetest.Side) {
		t.Helper()
		side := storetest.Side{Pages: pager.NewMemory(time.Now)}
		return side, side
	})
}
