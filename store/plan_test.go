package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"telgate"
	"telgate/lease"
	"telgate/pager"
	"telgate/plan"
	"telgate/slack"
	"telgate/store/pgtest"
)

// watched is an engine that remembers what was run.
type watched struct {
	engine
	mu   sync.Mutex
	seen map[string][]any
}

type watchedTx struct {
	tx
	of *watched
}

func (w *watched) write(ctx context.Context, do func(tx) error) error {
	return w.engine.write(ctx, func(t tx) error { return do(watchedTx{t, w}) })
}

func (w *watched) read(ctx context.Context, do func(tx) error) error {
	return w.engine.read(ctx, func(t tx) error { return do(watchedTx{t, w}) })
}

func (w *watched) saw(statement string, args []any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[statement] = args
}

func (t watchedTx) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	t.of.saw(statement, args)
	return t.tx.exec(ctx, statement, args...)
}

func (t watchedTx) put(ctx context.Context, statement string, args ...any) {
	t.of.saw(statement, args)
	t.tx.put(ctx, statement, args...)
}

func (t watchedTx) rows(ctx context.Context, row func(scan scan) error, statement string, args ...any) error {
	t.of.saw(statement, args)
	return t.tx.rows(ctx, row, statement, args...)
}

// statements runs everything that a store does while pages run and are looked at, and returns it.
func statements(t *testing.T, s *Store) map[string][]any {
	t.Helper()
	w := &watched{engine: s.db, seen: map[string][]any{}}
	s.db = w
	defer func() { s.db = w.engine }()
	ctx, now := t.Context(), time.Now()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	g := s.Gateways()
	must(g.Enter(ctx, lease.Self{ID: "g"}))
	p := telgate.Page{
		ID: "p1", Version: 1, State: telgate.PageAccepted, Askers: []telgate.Asker{{Actor: telgate.Actor{ID: "U"}}},
		Targets: []telgate.Target{{Nick: "alice"}},
	}
	h := pager.Hold{Page: "p1", Gateway: "g", Token: 1}
	a := &pager.Acceptance{
		Hold: h, Key: "k", Page: p, Numbers: []string{"+1"}, PerNumber: 1, PerAsker: 1, Storm: 1, Within: time.Minute,
	}
	_, err := s.Accept(ctx, a)
	must(err)
	a.Key, a.Page.ID = "k2", "p2"
	_, err = s.Accept(ctx, a) // joins
	must(err)
	p.Steps = []telgate.Step{{N: 1, Person: "alice", Call: &telgate.Call{Order: telgate.Order{Call: "c1"}}}}
	b := &pager.Beginning{
		Change: pager.Change{Hold: h, Page: p, Taken: []int64{1}, Freed: []pager.Freed{{Call: "c0"}, {Call: "c0", Rest: now}}}, Call: "c1", Number: "+1",
		Trunk: "main", Lines: plan.Limit{Calls: 5, PerSecond: 5}, PerNumber: 5, Counts: true, RingUntil: now,
	}
	for range 2 {
		_, err = s.Begin(ctx, b)
		must(err)
	}
	b.Hold.Page, b.Call = "p1", "c2"
	_, err = s.Begin(ctx, b) // the trunk is not ready yet
	must(err)
	_, err = s.Leave(ctx, &pager.Message{Page: "p1"})
	must(err)
	_, err = s.Inbox(ctx, "g")
	must(err)
	must(s.Save(ctx, &pager.Change{Hold: h, Page: p, HandOver: true, Due: now.Add(-time.Hour)}))
	records, err := s.Claim(ctx, "g", 1)
	must(err)
	p.Steps[0].Call.Outcome = telgate.OutcomeConfirmed
	if err := s.Save(ctx, &pager.Change{Hold: h, Page: p}); !errors.Is(err, pager.ErrFenced) {
		t.Fatal(err)
	}
	p.State, p.Version = telgate.PageEnded, 5
	must(s.Save(ctx, &pager.Change{Hold: records[0].Hold, Page: p}))
	p.Version = 6
	must(s.Amend(ctx, &p, 5))
	_, err = s.Page(ctx, "p1")
	must(err)
	_, err = s.Running(ctx)
	must(err)
	_, err = s.Ended(ctx, 10)
	must(err)
	rung, err := s.Rang(ctx, []string{"+1", "+2"}, time.Hour)
	must(err)
	if rung == nil {
		t.Error("nobody was rung")
	}
	for _, q := range []Query{
		{},
		{Since: now.Add(-time.Hour), Until: now.Add(time.Hour)},
		{Person: "alice"},
		{Person: "alice", Since: now.Add(-time.Hour), After: "1.p"},
		{Result: telgate.Failed},
		{Result: telgate.Failed, Since: now.Add(-time.Hour), After: "1.p"},
		{After: "1.p"},
	} {
		_, _, err = s.History(ctx, q)
		must(err)
		_, _, err = s.Summaries(ctx, q)
		must(err)
	}
	_, err = g.Beat(ctx, "g")
	must(err)
	_, err = g.Peers(ctx)
	must(err)
	_, err = g.Take(ctx, "g", []string{"main"})
	must(err)
	_, err = g.Turns(ctx, []string{"main"})
	must(err)
	must(g.Sign(ctx, "g", "main", "sip:g@192.0.2.1"))
	must(g.Give(ctx, "g"))
	shown(t, s)
	_, err = s.Forget(ctx, "alice")
	must(err)
	_, err = s.Prune(ctx, now.Add(-time.Hour))
	must(err)
	_, err = s.Noted(ctx, now, now.Add(time.Hour), 1)
	must(err)
	must(s.Note(ctx, AuditEntry{}))
	_, err = g.Bury(ctx, lease.Peer{Self: lease.Self{ID: "g"}, Beats: 1})
	must(err)
	return w.seen
}

// shown runs what a store does for cards, and for what counts for every page.
func shown(t *testing.T, s *Store) {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	cards := s.Cards(func() string { return "g" })
	_, mine, err := cards.Show(ctx, "p1")
	must(err)
	if !mine {
		t.Error("nobody else shows the page, and it is not ours")
	}
	must(cards.Keep(ctx, "p1", []slack.Card{{Channel: "C"}}, 1))
	_, err = cards.Behind(ctx, 10)
	must(err)
	must(s.PutMute(ctx, &telgate.Mute{Nick: "alice", Until: now, At: now}))
	_, err = s.Mutes(ctx, now)
	must(err)
	must(s.AddCover(ctx, telgate.Cover{ID: "c1", Until: now}))
	_, err = s.Covers(ctx, now)
	must(err)
	_, err = s.SetPause(ctx, &telgate.Pause{By: "U", At: now})
	must(err)
	_, err = s.Pause(ctx)
	must(err)
}

// tables are those that grow with the history, or with the calls of some hours. Messages are gone when they are read.
const tables = "(?:page|target|asker|call|rung|seen|audit|card)"

func TestNoStatementOfAFileLooksAtTheWholeHistory(t *testing.T) {
	s, err := Open(t.Context(), "sqlite:"+made(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	scanned := regexp.MustCompile(`SCAN ` + tables + `\b(.*)`)
	checkPlans(t, statements(t, s), func(statement string, args []any) (plan string, bad bool) {
		err := s.db.read(t.Context(), func(x tx) error {
			return x.rows(t.Context(), func(scan scan) error {
				var id, parent, unused int
				var detail string
				err := scan(&id, &parent, &unused, &detail)
				plan += detail + "\n"
				return err
			}, "explain query plan "+statement, args...)
		})
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		for _, m := range scanned.FindAllStringSubmatch(plan, -1) {
			// Pages that run have indexes of their own, and a scan in the order of an index ends with the limit.
			runs := strings.Contains(m[1], "page_running") || strings.Contains(m[1], "page_owner") || strings.Contains(m[1], "page_behind")
			ordered := strings.Contains(m[1], "page_entered") && strings.Contains(statement, "limit")
			bad = bad || !runs && !ordered
		}
		return plan, bad
	})
}

func TestNoStatementOfAServerLooksAtTheWholeHistory(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	s, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	grown(t, s)
	seen := statements(t, s)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	// Of so few rows many at once are still best looked for in all of them: that is done now only where there is no other way.
	if _, err := conn.Exec(t.Context(), "set enable_seqscan = off"); err != nil {
		t.Fatal(err)
	}
	checkPlans(t, seen, func(statement string, args []any) (string, bool) {
		rows, err := conn.Query(t.Context(), "explain "+statement, args...)
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		plan := strings.Join(lines, "\n")
		return plan, wholly(statement, lines)
	})
}

// grown gives a server a history, and has it count what is there: it plans by that.
func grown(t *testing.T, s *Store) {
	t.Helper()
	entered := fmt.Sprintf("(%d + i * %d)", time.Now().Add(-400*24*time.Hour).UnixMicro(), 24*time.Hour.Microseconds()/50)
	err := s.db.write(t.Context(), func(x tx) error {
		for _, statement := range []string{
			`insert into page (id, version, title, message, state, result, late, accepted, entered, ended, waits_for, waits_line, rounds, stopped,
				owner, token, due, reported, summed)
				select 'h' || i, 9, 't', 'm', 'ended', case when i % 50 = 0 then 'failed' else 'confirmed' end, false, E, E, E, 0, '', 3, '',
				'old', 1, 0, 9, 9 from N`,
			`insert into target select 'h' || i, 0, 'nick' || (i % 500), 'Name', 'U', 'confirmed', '', 'key', E, 0, false, E from N`,
			`insert into asker select 'h' || i, 0, 'U' || (i % 100), 'Ann', 'T', 'C', '[]', false, false, false, 'm', E, E from N`,
			`insert into call select 'h' || i, 1, 1, 'nick' || (i % 500), '+12025550101', E, '', 'hc' || i, 1, 'main', 'ended',
				'confirmed', '', E, E, '{}', E from N`,
			`insert into rung select 'n' || (i % 2000), 'hc' || i, E, '[]' from N`,
			`insert into seen select 'k' || i, 'h' || i, false, 'w', E from N`,
			`insert into audit (at, actor, name, action, page, subject, source, detail) select E, 'U', '', 'page', '', '', '', '' from N`,
			`insert into card select 'h' || i, 'C', '{}' from N`,
			"analyze",
		} {
			statement = strings.NewReplacer(" E", " "+entered, " N", " generate_series(1::bigint, 20000) as i").Replace(statement)
			if _, err := x.exec(t.Context(), statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// wholly tells whether a plan looks at the whole of a table that grows, or at the whole of an index of it.
func wholly(statement string, plan []string) bool {
	scan := regexp.MustCompile(`(Seq Scan|Index Scan|Index Only Scan)(?: Backward)?(?: using (\w+))? on ` + tables + `\b`)
	own := []string{"page_running", "page_owner", "page_due", "page_behind", "target_open"} // of those that run, or nearly
	for i, line := range plan {
		found := scan.FindStringSubmatch(line)
		if found == nil || slices.Contains(own, found[2]) {
			continue
		}
		sought := false
		for _, more := range plan[i+1:] {
			if strings.Contains(more, "->") {
				break
			}
			sought = sought || strings.Contains(more, "Index Cond:")
		}
		// A scan in the order of an index ends with the limit.
		if !sought && (found[1] == "Seq Scan" || !strings.Contains(statement, "limit")) {
			return true
		}
	}
	return false
}

// checkPlans looks at how each statement is run.
func checkPlans(t *testing.T, seen map[string][]any, explain func(statement string, args []any) (plan string, bad bool)) {
	t.Helper()
	if len(seen) < 50 {
		t.Errorf("%d statements were seen: not all that a store runs", len(seen))
	}
	delete(seen, "delete from rung where at <= $1")   // once in a while, of some hours' calls
	delete(seen, "delete from rung where nicks = $1") // whenever somebody is to be forgotten
	for _, statement := range slices.Sorted(maps.Keys(seen)) {
		if !regexp.MustCompile(`(?i)^\s*(select|insert|update|delete)\b`).MatchString(statement) {
			continue
		}
		if plan, bad := explain(statement, seen[statement]); bad {
			t.Errorf("the whole of a table is looked at by\n%s\n%s", strings.Join(strings.Fields(statement), " "), plan)
		} else {
			t.Logf("%s\n%s", strings.Join(strings.Fields(statement), " "), plan)
		}
	}
}
