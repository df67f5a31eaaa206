package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telgate"
)

// coverFacts is a cover as its row has it. Its times keep the time zone in which they were said.
type coverFacts struct {
	For   string    `json:"for"`
	By    string    `json:"by"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	Asker string    `json:"asker"`
}

// SaveCover keeps a cover, in place of one with the same ID: Store is a directory.Covers for every gateway.
func (s *Store) SaveCover(ctx context.Context, c telgate.Cover) error {
	return s.saveCover(ctx, &c, "update set asked = excluded.asked, ends = excluded.ends, facts = excluded.facts")
}

// AddCover keeps a cover if none has its ID.
func (s *Store) AddCover(ctx context.Context, c telgate.Cover) error {
	return s.saveCover(ctx, &c, "nothing")
}

func (s *Store) saveCover(ctx context.Context, c *telgate.Cover, conflict string) error {
	err := s.db.write(ctx, func(t tx) error {
		facts := encode(coverFacts{text(c.For), text(c.By), c.From, c.Until, text(c.Asker)})
		t.put(ctx, "insert into cover (id, asked, ends, facts) values ($1, $2, $3, $4) on conflict (id) do "+conflict,
			c.ID, micro(c.Asked), micro(c.Until), facts)
		t.tell(ctx, "")
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep a cover: %w", err)
	}
	return nil
}

// Covers are those that end after a moment, in the order in which they were asked for.
func (s *Store) Covers(ctx context.Context, after time.Time) ([]telgate.Cover, error) {
	var covers []telgate.Cover
	err := s.db.read(ctx, func(t tx) error {
		covers = nil
		return t.rows(ctx, func(scan scan) error {
			var c telgate.Cover
			var asked int64
			var facts []byte
			var f coverFacts
			if err := errors.Join(scan(&c.ID, &asked, &facts), decode(facts, &f)); err != nil {
				return err
			}
			c.Asked, c.For, c.By, c.From, c.Until, c.Asker = moment(asked), f.For, f.By, f.From, f.Until, f.Asker
			covers = append(covers, c)
			return nil
		}, "select id, asked, facts from cover where ends > $1 order by asked, id", micro(after))
	})
	if err != nil {
		return nil, fmt.Errorf("read the covers: %w", err)
	}
	return covers, nil
}
