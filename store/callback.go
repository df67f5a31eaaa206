package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"telgate/pager"
)

// kept is how long it is remembered which page rang a number, in microseconds.
const kept = int64(pager.CallbackLife / time.Microsecond)

// Rang finds the page that rang one of these numbers last: see [pager.Finder].
func (s *Store) Rang(ctx context.Context, numbers []string, within time.Duration) (*pager.Rung, error) {
	var found *pager.Rung
	err := s.db.read(ctx, func(t tx) error {
		found = nil
		call, nicks, err := s.lastRung(ctx, t, numbers, within)
		if call == "" || err != nil {
			return err
		}
		var r pager.Rung
		var facts []byte
		there, err := one(ctx, t, []any{&r.Page, &facts}, "select page, facts from call where id = $1 and id <> ''", call)
		if !there || err != nil { // it was deleted, as what is too old
			return err
		}
		var f stepFacts
		if err := decode(facts, &f); err != nil {
			return err
		}
		r.Number, found = f.Number.number(), &r
		return decode(nicks, &r.Nicks)
	})
	if err != nil {
		return nil, fmt.Errorf("find who was rung: %w", err)
	}
	return found, nil
}

// lastRung is the newest call to the first of these numbers that was called at all, and whose phone that is; "" where none was.
func (s *Store) lastRung(ctx context.Context, t tx, numbers []string, within time.Duration) (call string, nicks []byte, err error) {
	keys := make([]string, len(numbers))
	for i, n := range numbers {
		keys[i] = text(n)
	}
	now, err := t.now(ctx)
	if err != nil {
		return "", nil, err
	}
	first := len(keys)
	err = t.rows(ctx, func(scan scan) error {
		var number, id string
		var whose []byte
		if err := scan(&number, &id, &whose); err != nil {
			return err
		}
		if i := slices.Index(keys, number); i < first {
			first, call, nicks = i, id, whose
		}
		return nil
	}, "select number, call, nicks from rung where number "+s.db.words().among+" and at > $2 order by at desc",
		s.db.words().list(keys), now-within.Microseconds())
	return call, nicks, err
}
