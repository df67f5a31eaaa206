// Package store keeps pages, calls and gateways in rows: in a file of SQLite for one gateway, or in PostgreSQL for several,
// whose locks and clock then decide between them.
//
// [Store] is a pager.Ledger, pager.Handover, pager.Archive and pager.Finder, [Gateways] a lease.Register and lease.Peers. A statement is
// the same text for both engines but for a few words, and one suite, storetest, holds both of them to the ports' contracts.
// No rule of a page is in here, but for those that hold between gateways: who may change a page, which phone and which line
// are free, and how often.
//
// Rows have whole telephone numbers, which are needed to ring them. [Store.Forget] and [Store.Prune] erase them.
package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Store is a database that is open. Its methods may be called side by side.
type Store struct {
	db    engine
	clock func() time.Time // of this process, set right by the server's
	ahead atomic.Int64     // nanoseconds by which the server's clock is ahead of this process's own
	work  sync.WaitGroup   // listeners for news
}

// Options are what a store needs beside its URL.
type Options struct {
	Dir     string           // where a file is that the URL names without its folder
	Now     func() time.Time // this process's clock; it is a file's, while a server has its own
	Waiting func(error)      // is told why a server cannot be reached yet, once for each reason; nil = nobody
}

// Open opens the database that a URL names, "sqlite:FILE" or "postgres://…", and brings its tables up to date. For a server
// that cannot be reached it waits until ctx is done. Its errors are sentences for the operator, without the password.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	if o.Waiting == nil {
		o.Waiting = func(error) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	where, err := parse(url, o.Dir)
	if err != nil {
		return nil, err
	}
	if where.file == "" {
		return openServer(ctx, where.server, &o)
	}
	db, err := openSQLite(ctx, where.file, o.Now)
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, clock: o.Now}
	if err := errors.Join(db.migrate(ctx), s.buryAll(ctx)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends what is in progress and lets go of the database. Contexts of [Store.News] are to be done before.
func (s *Store) Close() error {
	s.work.Wait()
	return s.db.close()
}

// buryAll takes every gateway for dead: a file has one process, so who opens it finds what others left.
func (s *Store) buryAll(ctx context.Context) error {
	err := s.db.write(ctx, func(t tx) error {
		var ids []string
		err := t.rows(ctx, func(scan scan) error {
			var id string
			err := scan(&id)
			ids = append(ids, id)
			return err
		}, "select id from gateway")
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := s.orphan(ctx, t, id); err != nil {
				return err
			}
		}
		_, err = t.exec(ctx, "delete from gateway")
		return err
	})
	if err != nil {
		return fmt.Errorf("take over what was left: %w", err)
	}
	return nil
}
