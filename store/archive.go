package store

import (
	"context"
	"errors"
	"fmt"

	"telgate"
	"telgate/pager"
)

// Page finds a page, nil where there is none.
func (s *Store) Page(ctx context.Context, id telgate.PageID) (*telgate.Page, error) {
	pages, _, err := s.pages(ctx, "where page.id = $1", id)
	if err != nil {
		return nil, fmt.Errorf("read page %s: %w", id, err)
	}
	if len(pages) == 0 {
		return nil, nil //nolint:nilnil // the port says so
	}
	return &pages[0], nil
}

// Running are the pages that have not ended, newest first. They have an index of their own: those that ended cost nothing.
func (s *Store) Running(ctx context.Context) ([]telgate.Page, error) {
	pages, _, err := s.pages(ctx, "where page.state <> 'ended' order by page.entered desc, page.id desc")
	if err != nil {
		return nil, fmt.Errorf("read the pages that run: %w", err)
	}
	return pages, nil
}

// Ended are the newest of those that have ended, newest first.
func (s *Store) Ended(ctx context.Context, most int) ([]telgate.Page, error) {
	pages, _, err := s.pages(ctx, "where page.state = 'ended' order by page.entered desc, page.id desc limit $1", most)
	if err != nil {
		return nil, fmt.Errorf("read the newest pages: %w", err)
	}
	return pages, nil
}

// pages reads whole pages, and when the last of them was entered.
func (s *Store) pages(ctx context.Context, which string, args ...any) (pages []telgate.Page, last int64, err error) {
	err = s.db.read(ctx, func(t tx) error {
		pages = nil
		err := t.rows(ctx, func(scan scan) error {
			var row pageRow
			if err := scan(row.columns()...); err != nil {
				return err
			}
			pages, last = append(pages, row.done()), row.entered
			return nil
		}, "select "+pageColumns+" from page "+which, args...)
		if err != nil {
			return err
		}
		return s.fill(ctx, t, pages)
	})
	return pages, last, err
}

// Amend changes a page that has ended and still has the version it was read with: see [pager.Archive].
func (s *Store) Amend(ctx context.Context, p *telgate.Page, was int) error {
	err := s.db.write(ctx, func(t tx) error {
		askers := 0 // that are kept already
		same, err := one(ctx, t, []any{&askers}, `update page set version = $1, title = $2, message = $3, result = $4, late = $5, ended = $6, stopped = $7
			where id = $8 and state = 'ended' and version = $9
			returning (select count(*) from asker where asker.page = page.id)`,
			p.Version, text(p.Title), text(p.Message), string(p.Result), p.Late, micro(p.Ended), text(p.Stopped), p.ID, was)
		if err != nil {
			return err
		}
		if !same {
			return pager.ErrFenced
		}
		putAskers(ctx, t, p, askers, 0)
		putTargets(ctx, t, p, 0)
		sum(ctx, t, p)
		return nil
	})
	if err != nil && !errors.Is(err, pager.ErrFenced) {
		return fmt.Errorf("amend page %s: %w", p.ID, err)
	}
	return err
}
