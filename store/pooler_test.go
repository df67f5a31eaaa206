package store_test

import (
	"strings"
	"testing"
	"time"

	"telgate/store"
	"telgate/store/pgtest"
	"telgate/store/storetest"
)

func TestPagesAreKeptThroughAPooler(t *testing.T) {
	server := pgtest.Start(t, "max_connections=500")
	t.Run("transaction", func(t *testing.T) {
		through := server.Pooler(t, "transaction")
		storetest.Run(t, func(t *testing.T) (storetest.Side, storetest.Side) {
			t.Helper()
			url := through(server.Database(t)) + "&default_query_exec_mode=cache_describe"
			a, b := open(t, url), open(t, url)
			return storetest.Side{Pages: a, Gateways: a.Gateways()}, storetest.Side{Pages: b, Gateways: b.Gateways()}
		})
	})
	t.Run("session", func(t *testing.T) {
		s := open(t, server.Pooler(t, "session")(server.Database(t)))
		enter(t, s, "g")
		p := page("p1", "alice")
		ring(t, s, accept(t, s, p), &p, time.Now().Add(time.Minute))
		if kept, err := s.Page(t.Context(), p.ID); err != nil || kept == nil || len(kept.Steps) != 1 {
			t.Errorf("Page: %+v, %v", kept, err)
		}
	})
}

func TestWhatAPoolerNeedsIsSaid(t *testing.T) {
	server := pgtest.Start(t)
	through := server.Pooler(t, "transaction")
	unopened(t, through(server.Database(t))+"&statement_timeout=9s", "does not know a parameter of store.url: leave it out")

	url := through(server.Database(t))
	first, err := store.Open(t.Context(), url, store.Options{}) // its connections have statements that the next one's lack, and the other way round
	for range 20 {
		if err != nil {
			break
		}
		var next *store.Store
		if next, err = store.Open(t.Context(), url, store.Options{}); err == nil {
			_, err = next.Page(t.Context(), "p1")
			t.Cleanup(func() { _ = next.Close() })
		}
	}
	if first != nil {
		t.Cleanup(func() { _ = first.Close() })
	}
	if err == nil || !strings.Contains(err.Error(), "add default_query_exec_mode=cache_describe to store.url") {
		t.Errorf("it says %v", err)
	}
}
