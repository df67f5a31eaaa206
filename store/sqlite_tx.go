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
	steady bool     // a statement that has begun is not interrupted: SQLite would take back what others do in the same transaction
	failed error    // of a put
	news   []string // to be told when it is done
}

// begin gives a statement and the context it runs in, unless it is too late for it.
func (t *sqliteTx) begin(ctx context.Context, statement string) (context.Context, *sql.Stmt, error) {
	if t.failed != nil {
		return nil, nil, t.failed
	}
	if t.steady {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		ctx = context.WithoutCancel(ctx)
	}
	stmt, err := t.run(ctx, statement)
	return ctx, stmt, err
}

func (t *sqliteTx) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	ctx, stmt, err := t.begin(ctx, statement)
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
	ctx, stmt, err := t.begin(ctx, statement)
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
