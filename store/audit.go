package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"telgate"
)

// AuditEntry says who did what.
type AuditEntry struct {
	At      time.Time // set by [Store.Note]
	Actor   string    // Slack id, or "local:NAME"
	Name    string    // of the actor, for people
	Action  string    // a [telgate.Action], "reload", "forget", …
	Page    telgate.PageID
	Subject string // whom or what it was about
	Source  string // where it came from: "slack", "socket", an address
	Detail  string
}

// Note keeps an entry, with the database's time.
func (s *Store) Note(ctx context.Context, e AuditEntry) error {
	err := s.db.write(ctx, func(t tx) error {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		t.put(ctx, `insert into audit (at, actor, name, action, page, subject, source, detail) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
			now, text(e.Actor), text(e.Name), text(e.Action), e.Page, text(e.Subject), text(e.Source), text(e.Detail))
		return nil
	})
	if err != nil {
		return fmt.Errorf("note who did what: %w", err)
	}
	return nil
}

// Noted are the newest entries since a moment and before another one, the zero one being any, newest first, at most so many.
func (s *Store) Noted(ctx context.Context, since, until time.Time, most int) ([]AuditEntry, error) {
	var entries []AuditEntry
	before := int64(math.MaxInt64)
	if !until.IsZero() {
		before = micro(until)
	}
	err := s.db.read(ctx, func(t tx) error {
		entries = nil
		return t.rows(ctx, func(scan scan) error {
			var e AuditEntry
			var at int64
			if err := scan(&at, &e.Actor, &e.Name, &e.Action, &e.Page, &e.Subject, &e.Source, &e.Detail); err != nil {
				return err
			}
			e.At = moment(at)
			entries = append(entries, e)
			return nil
		}, `select at, actor, name, action, page, subject, source, detail from audit where at >= $1 and at < $2 order by at desc, id desc limit $3`,
			micro(since), before, most)
	})
	if err != nil {
		return nil, fmt.Errorf("read who did what: %w", err)
	}
	return entries, nil
}
