package store

import (
	"context"
	"errors"
	"fmt"

	"telgate"
	"telgate/pager"
)

// Claim makes pages the gateway's: see [pager.Handover]. A page that has ended is among them where a confirmation came too
// late for whoever had it. A gateway that is not entered gets [pager.ErrFenced].
func (s *Store) Claim(ctx context.Context, gateway string, most int) ([]pager.Record, error) {
	var records []pager.Record
	err := s.db.write(ctx, func(t tx) error {
		records = nil
		if err := s.alive(ctx, t, gateway); err != nil {
			return err
		}
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		var pages []telgate.Page
		err = t.rows(ctx, func(scan scan) error {
			r := pager.Record{Hold: pager.Hold{Gateway: gateway}}
			var row pageRow
			if err := scan(append(row.columns(), &r.Token, &r.Course, &r.Progress)...); err != nil {
				return err
			}
			pages, records = append(pages, row.done()), append(records, r)
			return nil
		}, "select "+pageColumns+`, page.token + 1, page.course, page.progress from page
			where owner = '' and due > 0 and due <= $1 order by due limit $2`+s.db.words().skipLocked, now, most)
		if err != nil {
			return err
		}
		if err := s.fill(ctx, t, pages); err != nil {
			return err
		}
		for i := range records {
			records[i].Hold.Page, records[i].Page = pages[i].ID, pages[i]
			t.put(ctx, "update page set owner = $1, token = $2, due = 0 where id = $3", gateway, records[i].Token, pages[i].ID)
		}
		return nil
	})
	if err != nil && !errors.Is(err, pager.ErrFenced) {
		return nil, fmt.Errorf("claim pages: %w", err)
	}
	return records, err
}

// Leave puts a message down for the owner of a page: see [pager.Handover].
func (s *Store) Leave(ctx context.Context, m *pager.Message) (bool, error) {
	left := false
	err := s.db.write(ctx, func(t tx) error {
		now, err := t.now(ctx)
		if err == nil {
			left, err = s.leave(ctx, t, m, now)
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("leave a message for page %s: %w", m.Page, err)
	}
	return left, nil
}

// leave puts a message down if the page has not ended. A page that nobody owns is due then.
func (s *Store) leave(ctx context.Context, t tx, m *pager.Message, now int64) (bool, error) {
	runs, err := t.exec(ctx, `update page set due = case when owner <> '' then 0 else `+s.db.words().least+`(due, $1) end
		where id = $2 and state <> 'ended'`, now, m.Page)
	if err != nil || runs == 0 {
		return false, err
	}
	s.put(ctx, t, m)
	return true, nil
}

func (s *Store) put(ctx context.Context, t tx, m *pager.Message) {
	t.put(ctx, "insert into message (page, at, body) values ($1, $2, $3)", m.Page, micro(m.At), encode(messageOf(m)))
	t.tell(ctx, string(m.Page))
}

// Inbox are the messages for a gateway's pages, oldest first, also of those that have ended meanwhile.
func (s *Store) Inbox(ctx context.Context, gateway string) ([]pager.Message, error) {
	var inbox []pager.Message
	err := s.db.read(ctx, func(t tx) error {
		return t.rows(ctx, func(scan scan) error {
			var m pager.Message
			var at int64
			var body []byte
			if err := scan(&m.ID, &m.Page, &at, &body); err != nil {
				return err
			}
			var row messageRow
			if err := decode(body, &row); err != nil {
				return err
			}
			m.At = moment(at)
			row.into(&m)
			inbox = append(inbox, m)
			return nil
		}, `select message.id, message.page, message.at, message.body from message join page on page.id = message.page
			where page.owner = $1 order by message.id`, gateway)
	})
	if err != nil {
		return nil, fmt.Errorf("read the messages: %w", err)
	}
	return inbox, nil
}
