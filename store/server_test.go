package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"telgate/lease"
	"telgate/pager"
	"telgate/store"
	"telgate/store/pgtest"
)

// unopened wants a server not to be opened, with these words and without the password.
func unopened(t *testing.T, url string, words ...string) {
	t.Helper()
	s, err := store.Open(t.Context(), url, store.Options{Waiting: func(err error) { t.Errorf("it waits: %v", err) }})
	if err == nil {
		t.Fatalf("it was opened: %v", s.Close())
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v\ndoes not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), pgtest.Password) || strings.Contains(err.Error(), "wrong-secret") {
		t.Errorf("the password is in %v", err)
	}
}

func TestWhatIsWrongWithAServerIsSaidInASentence(t *testing.T) {
	server := pgtest.Start(t)
	url := server.Database(t) // t1
	unopened(t, strings.Replace(url, pgtest.Password, "wrong-secret", 1), "refuses the user or the password", "store.url")
	unopened(t, strings.Replace(url, "telgate:", "nobody:", 1), "refuses the user or the password")
	unopened(t, server.URL("nowhere"), "has no such database: create it")

	server.Exec(t, "postgres", "create database ascii encoding 'SQL_ASCII' template template0")
	unopened(t, server.URL("ascii"), "is in SQL_ASCII: create one with ENCODING 'UTF8'")

	server.Exec(t, "postgres", "create role guest login password '"+pgtest.Password+"'")
	unopened(t, strings.Replace(url, "telgate:", "guest:", 1), "may not use the database", "make it the owner")

	server.Exec(t, "postgres", "alter database t1 set default_transaction_read_only = on")
	unopened(t, url, "is a standby, or read-only")
	server.Exec(t, "postgres", "alter database t1 reset default_transaction_read_only")

	open(t, url)
	server.Exec(t, "t1", "insert into migration (version_id, is_applied) values (1999, true)")
	open(t, url)
	server.Exec(t, "t1", "insert into migration (version_id, is_applied) values (2001, true)")
	unopened(t, url, "the database is newer than this telgate (tables 2001", "install the newer telgate again")
}

func TestAServerThatIsDownIsWaitedFor(t *testing.T) {
	server := pgtest.Start(t)
	url := server.Database(t)
	if err := server.Stop("fast"); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 10)
	type opened struct {
		*store.Store
		error
	}
	done := make(chan opened)
	ctx, cancel := context.WithCancel(t.Context())
	try := func() {
		s, err := store.Open(ctx, url, store.Options{Waiting: func(err error) { waiting <- err }})
		done <- opened{s, err}
	}
	go try()
	err := <-waiting
	if !strings.Contains(err.Error(), "cannot be reached: see that it runs") || strings.Contains(err.Error(), pgtest.Password) {
		t.Errorf("it waits: %v", err)
	}
	cancel()
	if o := <-done; o.error == nil || !strings.Contains(o.Error(), "cannot be reached") {
		t.Errorf("the wait was given up: %v", o.error)
	}
	ctx = t.Context()
	go try()
	if err := <-waiting; err == nil {
		t.Error("it waits and does not say why")
	}
	if err := server.Run(); err != nil {
		t.Fatal(err)
	}
	o := <-done
	if o.error != nil {
		t.Fatal(o.error)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
}

func TestAServerThatCrashesIsUsedAgainWhenItIsBack(t *testing.T) {
	server := pgtest.Start(t)
	s := open(t, server.Database(t))
	enter(t, s, "g")
	ctx, cancel := context.WithCancel(t.Context())
	news := s.News(ctx)
	<-news
	p := page("p1", "alice")
	h := accept(t, s, p)
	ring(t, s, h, &p, time.Now().Add(time.Hour))
	if err := server.Stop("immediate"); err != nil {
		t.Fatal(err)
	}
	c := &pager.Change{Hold: h, Page: p}
	if err := s.Save(t.Context(), c); err == nil || errors.Is(err, pager.ErrFenced) || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("Save while it is down: %v", err)
	}
	if alive, err := s.Gateways().Beat(t.Context(), "g"); err == nil || alive {
		t.Errorf("Beat while it is down: %v, %v", alive, err)
	}
	if err := server.Run(); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), c); err != nil {
		t.Errorf("Save when it is back: %v", err)
	}
	if first := <-news; first != "" {
		t.Errorf("the first news after the crash is %q: what was missed is to be looked at", first)
	}
	cancel()
	for range news { //nolint:revive // until it is closed
	}
	end(t, s, h, p, "confirmed")
}

func TestGatewaysThatStartTogetherMakeTheTablesOnce(t *testing.T) {
	server := pgtest.Start(t)
	url := server.Database(t)
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			s, err := store.Open(t.Context(), url, store.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	enter(t, open(t, url), "g")
}

func TestAServersClockDecidesWhenAPhoneIsQuietAndNotTheGateways(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	fast, err := store.Open(t.Context(), url, store.Options{Now: func() time.Time { return time.Now().Add(10 * time.Minute) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fast.Close(); err != nil {
			t.Error(err)
		}
	})
	right := open(t, url)
	enter(t, fast, "g")
	p := page("p1", "alice")
	h := accept(t, fast, p)
	ring(t, fast, h, &p, fast.Now().Add(time.Minute))
	if buried, err := right.Gateways().Bury(t.Context(), lease.Peer{Self: lease.Self{ID: "g"}}); err != nil || !buried {
		t.Fatalf("Bury: %v, %v", buried, err)
	}
	enter(t, right, "g2")
	records, err := right.Claim(t.Context(), "g2", 1)
	if err != nil || len(records) != 1 {
		t.Fatalf("Claim: %v, %v", records, err)
	}
	b := &pager.Beginning{Change: pager.Change{Hold: records[0].Hold, Page: records[0].Page, From: 1}, Call: "c2", Number: "+12025550101", Trunk: "main"}
	g, err := right.Begin(t.Context(), b)
	if err != nil || g.Verdict != pager.GrantPhoneRests || time.Until(g.Until) > time.Minute || time.Until(g.Until) < 30*time.Second {
		t.Errorf("Begin: %+v in %v, %v", g, time.Until(g.Until), err)
	}
}

func TestAServerIsBackedUpByItsOwnProgram(t *testing.T) {
	s := open(t, pgtest.Start(t).Database(t))
	if err := s.Backup(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "pg_dump") {
		t.Errorf("%v", err)
	}
}

func TestAGatewayWhoseClockIsWrongGoesByTheServers(t *testing.T) {
	var shift atomic.Int64
	shift.Store(int64(7 * time.Minute))
	s, err := store.Open(t.Context(), pgtest.Start(t).Database(t), store.Options{
		Now: func() time.Time { return time.Now().Add(time.Duration(shift.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	right := func() {
		t.Helper()
		if off := time.Since(s.Now()).Abs(); off > time.Minute {
			t.Errorf("the time is off by %s", off)
		}
	}
	right()
	if err := s.Gateways().Enter(t.Context(), lease.Self{ID: "a", Name: "a"}); err != nil {
		t.Fatal(err)
	}
	shift.Store(int64(-3 * time.Minute)) // somebody set the machine's clock
	if alive, err := s.Gateways().Beat(t.Context(), "a"); !alive || err != nil {
		t.Errorf("alive %v, %v", alive, err)
	}
	right()
}
