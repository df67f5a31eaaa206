package store

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// serverTx is a transaction of PostgreSQL's. What is put waits for the next question or the end, and travels with it: a page
// is accepted in few ways there and back.
type serverTx struct {
	conn   *pgx.Conn
	queued *pgx.Batch
	news   []string
}

func (t *serverTx) put(_ context.Context, statement string, args ...any) {
	if t.queued == nil {
		t.queued = &pgx.Batch{}
	}
	t.queued.Queue(statement, args...)
}

// send does what was put, and last the statement that was put last, with what read makes of it.
func (t *serverTx) send(ctx context.Context, read func(pgx.BatchResults) error) (err error) {
	batch := t.queued
	t.queued = nil
	results := t.conn.SendBatch(ctx, batch)
	defer func() {
		if closed := results.Close(); err == nil {
			err = closed
		}
	}()
	for range batch.Len() - 1 {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	return read(results)
}

func (t *serverTx) exec(ctx context.Context, statement string, args ...any) (n int64, err error) {
	t.put(ctx, statement, args...)
	err = t.send(ctx, func(results pgx.BatchResults) error {
		tag, err := results.Exec()
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

func (t *serverTx) rows(ctx context.Context, row func(scan scan) error, statement string, args ...any) error {
	t.put(ctx, statement, args...)
	return t.send(ctx, func(results pgx.BatchResults) error {
		found, err := results.Query()
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			if err := row(found.Scan); err != nil {
				return err
			}
		}
		return found.Err()
	})
}

// lock takes the names in one order, so that two who want the same do not wait for each other.
func (t *serverTx) lock(ctx context.Context, names ...string) error {
	keys := make([]int64, len(names))
	for i, name := range names {
		h := fnv.New64a()
		_, _ = h.Write([]byte(name)) // it never fails
		keys[i] = int64(h.Sum64())
	}
	slices.Sort(keys)
	t.put(ctx, "select pg_advisory_xact_lock(k) from unnest($1::bigint[]) as k", slices.Compact(keys))
	return nil
}

func (t *serverTx) tell(_ context.Context, page string) {
	if !slices.Contains(t.news, page) {
		t.news = append(t.news, page)
	}
}

func (t *serverTx) now(ctx context.Context) (now int64, err error) {
	_, err = one(ctx, t, []any{&now}, "select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
	return now, err
}

func (t *serverTx) commit(ctx context.Context) error {
	for _, page := range t.news {
		t.put(ctx, "select pg_notify($1, $2)", channel, page)
	}
	t.put(ctx, "commit")
	return t.send(ctx, func(results pgx.BatchResults) error {
		tag, err := results.Exec()
		if err == nil && tag.String() != "COMMIT" {
			err = errors.New("the server rolled the transaction back")
		}
		return err
	})
}

// rollback ends the transaction, or else the connection.
func (t *serverTx) rollback(ctx context.Context) {
	if t.conn.IsClosed() || t.conn.PgConn().TxStatus() == 'I' {
		return
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := t.conn.Exec(end, "rollback"); err != nil {
		_ = t.conn.Close(end) // the server ends the transaction then
	}
}
