package store

import (
	"context"
	"fmt"

	"telgate"
)

// Pause is the kill switch as it stands, nil where nobody threw it.
func (s *Store) Pause(ctx context.Context) (p *telgate.Pause, err error) {
	err = s.db.read(ctx, func(t tx) (err error) {
		p, err = pause(ctx, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read whether calling is paused: %w", err)
	}
	return p, nil
}

// SetPause throws the kill switch for every gateway, or takes it back with nil. It tells how it stood before.
func (s *Store) SetPause(ctx context.Context, p *telgate.Pause) (was *telgate.Pause, err error) {
	err = s.db.write(ctx, func(t tx) error {
		if was, err = pause(ctx, t); err != nil {
			return err
		}
		if p == nil {
			t.put(ctx, "delete from pause")
		} else {
			t.put(ctx, `insert into pause (one, at, thrower, place, why) values (1, $1, $2, $3, $4)
				on conflict (one) do update set at = excluded.at, thrower = excluded.thrower, place = excluded.place, why = excluded.why`,
				micro(p.At), text(p.By), text(p.Where), text(p.Why))
		}
		t.tell(ctx, "")
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("keep whether calling is paused: %w", err)
	}
	return was, nil
}

func pause(ctx context.Context, t tx) (*telgate.Pause, error) {
	var p telgate.Pause
	var at int64
	found, err := one(ctx, t, []any{&at, &p.By, &p.Where, &p.Why}, "select at, thrower, place, why from pause")
	if err != nil || !found {
		return nil, err
	}
	p.At = moment(at)
	return &p, nil
}
