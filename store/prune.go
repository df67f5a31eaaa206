package store

import (
	"context"
	"fmt"
	"time"
)

// Prune deletes pages that were accepted before a time and have ended, and what else is as old; what has run out is deleted
// with it. It tells how many pages, and works in small pieces, so that pages which come in do not wait for it.
func (s *Store) Prune(ctx context.Context, before time.Time) (int, error) {
	pages := 0
	for {
		var deleted int64
		err := s.db.write(ctx, func(t tx) (err error) {
			deleted, err = t.exec(ctx, `delete from page where id in (select id from page where entered < $1 and state = 'ended'
				order by entered, id limit $2)`, micro(before), some)
			return err
		})
		if err != nil {
			return pages, fmt.Errorf("delete old pages: %w", err)
		}
		if pages += int(deleted); deleted < some {
			break
		}
	}
	err := s.db.write(ctx, func(t tx) error {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		t.put(ctx, "delete from seen where at < $1", micro(before))
		t.put(ctx, "delete from audit where at < $1", micro(before))
		t.put(ctx, "delete from cover where ends < $1", micro(before))
		t.put(ctx, "delete from rung where at <= $1", now-kept)
		t.put(ctx, "delete from phone where until between 1 and $1", now)
		t.put(ctx, "delete from slot where until between 1 and $1", now)
		return nil
	})
	if err != nil {
		return pages, fmt.Errorf("delete what has run out: %w", err)
	}
	return pages, nil
}
