package store_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"telgate/lease"
	"telgate/pager"
	"telgate/store"
	"telgate/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	_ pager.Ledger   = (*store.Store)(nil)
	_ pager.Handover = (*store.Store)(nil)
	_ pager.Archive  = (*store.Store)(nil)
	_ lease.Register = store.Gateways{}
	_ lease.Peers    = store.Gateways{}
)

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

func TestSQLiteKeepsPagesAsThePortsSay(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (storetest.Side, storetest.Side) {
		t.Helper()
		s := open(t, file(t))
		side := storetest.Side{Pages: s, Gateways: s.Gateways()}
		return side, side
	})
}
