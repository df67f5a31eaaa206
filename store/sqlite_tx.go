package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// sqliteTx is a transaction of SQLite's. There is no other at the same time that writes, so a lock is nothing to it.
type sqliteTx struct {
	clock  func() time.Time
	run    func(ctx context.Context, statement string) (*sql.Stmt, error)
	failed error    // of a put
	news   []string // to be told when it is done
}

func (t *sqliteTx) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	if t.failed != nil {
		return 0, t.failed
	}
	stmt, err := t.run(ctx, statement)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t *sqliteTx) put(ctx context.Context, statement string, args ...any) {
	if _, err := t.exec(ctx, statement, args...); err != nil {
		t.failed = err
	}
}

func (t *sqliteTx) rows(ctx context.Context, row func(scan scan) error, statement string, args ...any) (err error) {
	if t.failed != nil {
		return t.failed
	}
	stmt, err := t.run(ctx, statement)
	if err != nil {
		return err
	}
	found, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		if err := row(found.Scan); err != nil {
			return err
		}
	}
	return found.Err()
}

func (*sqliteTx) lock(context.Context, ...string) error { return nil }

func (t *sqliteTx) tell(_ context.Context, page string) { t.news = append(t.news, page) }

func (t *sqliteTx) now(context.Context) (int64, error) { return t.clock().UnixMicro(), nil }
