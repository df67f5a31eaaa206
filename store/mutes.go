package store

import (
	"context"
	"fmt"
	"time"

	"telgate"
)

// PutMute keeps a mute in place of the one of the same person.
func (s *Store) PutMute(ctx context.Context, m *telgate.Mute) error {
	err := s.db.write(ctx, func(t tx) error {
		_, err := t.exec(ctx, `insert into mute (nick, until, by_whom, at) values ($1, $2, $3, $4)
			on conflict (nick) do update set until = excluded.until, by_whom = excluded.by_whom, at = excluded.at`,
			text(m.Nick), micro(m.Until), text(m.By), micro(m.At))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a mute: %w", err)
	}
	return nil
}

// Mutes are those in force after a moment, the soonest over first.
func (s *Store) Mutes(ctx context.Context, after time.Time) (all []telgate.Mute, err error) {
	err = s.db.read(ctx, func(t tx) error {
		all = nil
		return t.rows(ctx, func(scan scan) error {
			var m telgate.Mute
			var until, at int64
			if err := scan(&m.Nick, &until, &m.By, &at); err != nil {
				return err
			}
			m.Until, m.At = moment(until), moment(at)
			all = append(all, m)
			return nil
		}, "select nick, until, by_whom, at from mute where until > $1 order by until, nick", micro(after))
	})
	if err != nil {
		return nil, fmt.Errorf("read who is muted: %w", err)
	}
	return all, nil
}
