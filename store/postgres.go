package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

const (
	tryEvery   = time.Second     // how often a server that cannot be reached is tried
	tryFor     = 5 * time.Second // and how long each time
	tries      = 4               // of a transaction that the server took back for another's sake
	oldest     = 140000          // the oldest version of PostgreSQL
	channel    = "telgate"       // of LISTEN and NOTIFY
	serverConn = 16              // connections of a gateway

	// A gateway that stands still inside a transaction lets go of its locks after this. It is said in each transaction and not
	// as the connection is made, since a pooler such as PgBouncer refuses that.
	patience = "set local idle_in_transaction_session_timeout = '5s'"
)

// postgres is a server that several gateways share.
type postgres struct {
	pool *pgxpool.Pool
	at   string // "HOST:PORT/DATABASE", for sentences
}

// openServer waits for the server.
func openServer(ctx context.Context, c *pgxpool.Config, o *Options) (*Store, error) {
	p := &postgres{at: serverName(c)}
	params := c.ConnConfig.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "telgate"
	}
	if c.MaxConns < serverConn {
		c.MaxConns = serverConn
	}
	var err error
	if p.pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return nil, errURL
	}
	if err := p.await(ctx, o.Waiting); err != nil {
		p.pool.Close()
		return nil, err
	}
	s := &Store{db: p}
	s.clock = func() time.Time { return o.Now().Add(s.Ahead()) }
	if err := p.read(ctx, func(t tx) error { return s.setClock(ctx, t) }); err != nil {
		p.pool.Close()
		return nil, err
	}
	return s, nil
}

// await tries until the server answers and its tables are there.
func (p *postgres) await(ctx context.Context, waiting func(error)) error {
	said := ""
	again := time.NewTicker(tryEvery)
	defer again.Stop()
	for {
		try, cancel := context.WithTimeout(ctx, tryFor)
		err := p.check(try)
		cancel()
		if err == nil {
			err = p.migrate(ctx)
		}
		if err == nil || !unreached(err) {
			return p.explain(err)
		}
		if err = p.explain(err); err.Error() != said {
			said = err.Error()
			waiting(err)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

func (p *postgres) check(ctx context.Context) error {
	var version int
	var encoding string
	err := p.pool.QueryRow(ctx, "select current_setting('server_version_num')::int, current_setting('server_encoding')").Scan(&version, &encoding)
	switch {
	case err != nil:
		return err
	case version < oldest:
		return fmt.Errorf("PostgreSQL at %s is version %d: telgate needs %d or newer", p.at, version/10000, oldest/10000)
	case encoding != "UTF8":
		return fmt.Errorf("the database %s is in %s: create one with ENCODING 'UTF8' for telgate", p.at, encoding)
	}
	return nil
}

func (p *postgres) migrate(ctx context.Context) (err error) {
	db := stdlib.OpenDBFromPool(p.pool)
	defer func() { err = errors.Join(err, db.Close()) }()
	return migrate(ctx, db, goose.DialectPostgres, "migrations/postgres")
}

func (p *postgres) close() error {
	p.pool.Close()
	return nil
}

func (*postgres) words() *words { return &postgresWords }

//nolint:gochecknoglobals // a table of facts
var postgresWords = words{
	forUpdate: " for update", keyShare: " for key share", skipLocked: " for update skip locked", among: "= any($1)", least: "least",
	used: "to_regclass('migration') is not null",
	list: func(ids []string) any { return ids },
}

func (*postgres) backup(context.Context, string) error {
	return errors.New("a PostgreSQL database is saved with its own tools: run pg_dump -Fc, and pg_restore to get it back")
}

// scrub leaves it to autovacuum, which frees what was erased.
func (*postgres) scrub(context.Context) error { return nil }

// news listens on a connection of its own. After a connection was lost there may be news of anything.
func (p *postgres) news(ctx context.Context, tell func(page string)) {
	again := time.NewTicker(tryEvery)
	defer again.Stop()
	for ctx.Err() == nil {
		p.listen(ctx, tell)
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

// listen returns when the connection is lost.
func (p *postgres) listen(ctx context.Context, tell func(page string)) {
	conn, err := pgx.ConnectConfig(ctx, p.pool.Config().ConnConfig)
	if err != nil {
		return // whoever looks once a second meets the same and says so
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(end) // the server may be gone
	}()
	if _, err := conn.Exec(ctx, "listen "+channel); err != nil {
		return
	}
	tell("")
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return
		}
		tell(n.Payload)
	}
}

func (p *postgres) write(ctx context.Context, do func(tx) error) error {
	for try := 1; ; try++ {
		err := p.transaction(ctx, do, "begin", patience)
		if try == tries || !takenBack(err) {
			return p.explain(err)
		}
	}
}

func (p *postgres) read(ctx context.Context, do func(tx) error) error {
	for try := 1; ; try++ {
		err := p.transaction(ctx, do, "begin transaction isolation level repeatable read read only")
		if try == tries || !takenBack(err) {
			return p.explain(err)
		}
	}
}

// takenBack tells whether nothing was done and the same may be tried at once.
func takenBack(err error) bool {
	if of, ok := errors.AsType[*pgconn.PgError](err); ok {
		return of.Code == "40001" || of.Code == "40P01" // serialization failure, deadlock
	}
	return pgconn.SafeToRetry(err)
}

func (p *postgres) transaction(ctx context.Context, do func(tx) error, begin ...string) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // one that is still inside a transaction is closed
	t := &serverTx{conn: conn.Conn()}
	for _, statement := range begin {
		t.put(ctx, statement)
	}
	if err = do(t); err == nil {
		err = t.commit(ctx)
	}
	if err != nil {
		t.rollback(ctx)
	}
	return err
}
