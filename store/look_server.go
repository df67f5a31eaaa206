package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// serverReader is a server that is read only.
type serverReader struct {
	*postgres
}

func (serverReader) write(context.Context, func(tx) error) error { return errReading }

// readServer tries once: nobody waits for an answer from a server that is down.
func readServer(ctx context.Context, c *pgxpool.Config) (engine, error) {
	p := &postgres{at: serverName(c)}
	c.ConnConfig.RuntimeParams["application_name"] = "telgate, reading"
	c.MinConns, c.MinIdleConns, c.MaxConns = 0, 0, 1
	var err error
	if p.pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return nil, errURL
	}
	try, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	if err := p.check(try); err != nil {
		p.pool.Close()
		return nil, p.explain(err)
	}
	return serverReader{p}, nil
}

func serverName(c *pgxpool.Config) string {
	return fmt.Sprintf("%s:%d/%s", c.ConnConfig.Host, c.ConnConfig.Port, c.ConnConfig.Database)
}

func lookServer(ctx context.Context, c *pgxpool.Config) (Sight, error) {
	sight := Sight{Kind: "postgres", At: serverName(c), Known: knownTables()}
	db, err := readServer(ctx, c)
	if err != nil {
		return sight, err
	}
	s := &Store{db: db, clock: time.Now}
	return sight, errors.Join(lookAtServer(ctx, s, &sight), s.Close())
}

func lookAtServer(ctx context.Context, s *Store, sight *Sight) error {
	var commit string
	var tables, standby bool
	err := s.db.read(ctx, func(t tx) error {
		_, err := one(ctx, t, []any{&commit, &tables, &standby}, `select current_setting('synchronous_commit'),
			to_regclass('migration') is not null, pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on'`)
		return err
	})
	sight.Lossy = commit == "off"
	switch {
	case err != nil:
		return err
	case standby:
		return mend(nil, "PostgreSQL at %s is a standby, or read-only: name the primary in store.url, or add target_session_attrs=read-write", sight.At)
	case !tables:
		return nil
	}
	return s.see(ctx, sight)
}
