package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// crowd has transactions wait for the writer, in this order, and then lets it go. It gives their ends.
func crowd(t *testing.T, s *sqlite, all ...func(ctx context.Context, x tx) error) []error {
	t.Helper()
	s.turn <- struct{}{}
	errs := make([]error, len(all))
	for i, do := range all {
		go func() { errs[i] = s.write(t.Context(), func(x tx) error { return do(t.Context(), x) }) }()
		synctest.Wait()
	}
	<-s.turn
	synctest.Wait()
	return errs
}

// enters writes a row.
func enters(name string) func(context.Context, tx) error {
	return func(ctx context.Context, x tx) error {
		x.tell(ctx, name)
		_, err := x.exec(ctx, "insert into trunk (name, next) values ($1, 0)", name)
		return err
	}
}

// rows are those that everybody sees.
func rows(ctx context.Context, t *testing.T, s *sqlite) (names string) {
	t.Helper()
	err := s.read(ctx, func(x tx) error {
		names = ""
		return x.rows(ctx, func(scan scan) error {
			var name string
			err := scan(&name)
			names += name + " "
			return err
		}, "select name from trunk order by name")
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// opened is a file that was made before, opened in this bubble.
func opened(t *testing.T, path string) *sqlite {
	t.Helper()
	s, err := openSQLite(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestTransactionsThatWaitAreCommittedTogether(t *testing.T) {
	path := made(t)
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, path)
		var seen []string
		looks := func(name string) func(context.Context, tx) error {
			return func(ctx context.Context, x tx) error {
				seen = append(seen, rows(ctx, t, s))
				return enters(name)(ctx, x)
			}
		}
		for i, err := range crowd(t, s, looks("a"), looks("b"), looks("c")) {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		if got := fmt.Sprintf("%q", seen); got != `["" "" ""]` {
			t.Errorf("what was committed before each: %s", got)
		}
		if got := rows(t.Context(), t, s); got != "a b c " {
			t.Errorf("committed: %s", got)
		}
	})
}

func TestMoreThanABatchWaitsInTurn(t *testing.T) {
	path := made(t)
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, path)
		var all []func(context.Context, tx) error
		for n := range 2*batchRoom + 1 {
			all = append(all, enters(fmt.Sprint(n)))
		}
		for i, err := range crowd(t, s, all...) {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		if n := len(strings.Fields(rows(t.Context(), t, s))); n != len(all) {
			t.Errorf("%d of %d committed", n, len(all))
		}
	})
}

// fails are transactions that fail, each in another way, and what they say.
//
//nolint:gochecknoglobals // a table of facts
var fails = map[string]struct {
	do   func(ctx context.Context, x tx) error
	says string
}{
	"it does not want to": {func(context.Context, tx) error { return errNotGranted }, errNotGranted.Error()},
	"a statement is wrong": {func(ctx context.Context, x tx) error {
		_, err := x.exec(ctx, "insert into trunk (name, next) values ('a', 0)") // it is there
		return err
	}, "UNIQUE constraint failed"},
	"a statement that nobody waits for is wrong": {func(ctx context.Context, x tx) error {
		x.put(ctx, "insert into trunk (name, next) values ('a', 0)")
		x.put(ctx, "insert into trunk (name, next) values ('z', 0)")
		return nil
	}, "UNIQUE constraint failed"},
	"its time is over in the middle": {func(ctx context.Context, x tx) error {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		x.put(ctx, "insert into trunk (name, next) values ('z', 0)")
		return nil
	}, "context canceled"},
	"SQLite takes everything back": {func(ctx context.Context, x tx) error {
		_, err := x.exec(ctx, "rollback")
		return errors.Join(err, errNotGranted)
	}, errNotGranted.Error()},
	"it cannot be committed": {func(ctx context.Context, x tx) error {
		x.put(ctx, "pragma defer_foreign_keys = 1")
		x.put(ctx, "insert into card (page, channel, facts) values ('none', 'C1', '')")
		return nil
	}, "FOREIGN KEY constraint failed"},
	"the disk is full": {func(ctx context.Context, x tx) error {
		x.put(ctx, "insert into trunk (name, next) values (hex(zeroblob(4000000)), 0)")
		return nil
	}, "is full: make room"},
}

func TestATransactionThatFailsTakesNothingOfOthersWithIt(t *testing.T) {
	for name, bad := range fails {
		t.Run(name, func(t *testing.T) {
			path := made(t)
			synctest.Test(t, func(t *testing.T) {
				s := opened(t, path)
				if err := s.whole(t.Context(), "pragma max_page_count = 500"); err != nil {
					t.Fatal(err)
				}
				var told []string
				ctx, deaf := context.WithCancel(t.Context())
				go s.news(ctx, func(page string) { told = append(told, page) })
				synctest.Wait()
				half := func(ctx context.Context, x tx) error {
					if err := enters("half")(ctx, x); err != nil {
						return err
					}
					return bad.do(ctx, x)
				}
				errs := crowd(t, s, enters("a"), half, enters("b"))
				if errs[0] != nil || errs[2] != nil {
					t.Errorf("the others: %v, %v", errs[0], errs[2])
				}
				if errs[1] == nil || !strings.Contains(errs[1].Error(), bad.says) {
					t.Errorf("its own error: %v", errs[1])
				}
				if got := rows(t.Context(), t, s); got != "a b " {
					t.Errorf("committed: %.50s", got)
				}
				deaf()
				synctest.Wait()
				if got := fmt.Sprint(told); got != "[ a b]" {
					t.Errorf("told: %s", got)
				}
			})
		})
	}
}

func TestATransactionWhoseTimeIsOverBeforeItIsBegunIsNot(t *testing.T) {
	path := made(t)
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, path)
		s.turn <- struct{}{}
		ctx, cancel := context.WithCancel(t.Context())
		var late error
		go func() { late = s.write(ctx, func(tx) error { t.Error("it was begun"); return nil }) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if !errors.Is(late, context.Canceled) {
			t.Errorf("%v", late)
		}
		<-s.turn
		if errs := crowd(t, s, enters("a"), enters("b")); errs[0] != nil || errs[1] != nil {
			t.Errorf("those after it: %v", errs)
		}
	})
}
