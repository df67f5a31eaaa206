package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

// Sight is what can be seen of a database from outside, while a gateway runs on it or not.
type Sight struct {
	Kind   string    // "sqlite" or "postgres"
	At     string    // the file, or HOST:PORT/DATABASE
	Tables int64     // their version, 0 = there are none yet
	Known  int64     // the version that this binary makes of them
	Backup time.Time // when the gateway was last asked for one; zero = never
	Free   int64     // bytes on the disk of a file; 0 = unknown
	Lossy  bool      // a server that may forget what it has committed, when it crashes
}

// Look looks at the database that a URL names, and changes nothing: it makes no file and no table, and takes no lock. Where it
// cannot be used, the error says what Open would.
func Look(ctx context.Context, url string, o Options) (Sight, error) {
	where, err := parse(url, o.Dir)
	if err != nil {
		return Sight{}, err
	}
	if where.file == "" {
		return lookServer(ctx, where.server)
	}
	return lookFile(ctx, where.file)
}

// ErrUnused says that there is nothing to read: no gateway has made its tables there yet.
var ErrUnused = errors.New("no gateway has used this database yet")

// Read opens a database to read it, also while a gateway runs: what writes fails. The tables have to be this binary's; where
// there are none yet it is [ErrUnused].
func Read(ctx context.Context, url string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	where, err := parse(url, o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{clock: o.Now}
	if where.file != "" {
		s.db, err = readSQLite(where.file, o.Now)
	} else {
		s.db, err = readServer(ctx, where.server)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrUnused
	}
	if err != nil {
		return nil, err
	}
	tables, err := s.tables(ctx)
	known := knownTables()
	switch {
	case err != nil:
	case tables == 0:
		err = ErrUnused
	case tables/generation > known/generation:
		err = &newerError{tables, known}
	case tables < known:
		err = fmt.Errorf("the tables are version %d, and this telgate reads %d: telgate serve brings them up to date", tables, known)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// tables is the version of the tables, 0 where there are none.
func (s *Store) tables(ctx context.Context) (version int64, err error) {
	err = s.db.read(ctx, func(t tx) error {
		used := false
		if _, err := one(ctx, t, []any{&used}, "select "+s.db.words().used); err != nil || !used {
			version = 0
			return err
		}
		_, err := one(ctx, t, []any{&version}, "select coalesce(max(version_id), 0) from migration")
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("look at the tables' version: %w", err)
	}
	return version, nil
}

// backedUp is when a gateway was last asked for a backup.
func (s *Store) backedUp(ctx context.Context) (time.Time, error) {
	var at int64
	err := s.db.read(ctx, func(t tx) error {
		_, err := one(ctx, t, []any{&at}, "select coalesce(max(at), 0) from audit where action = 'backed_up'")
		return err
	})
	return moment(at), err
}

// see fills in what the rows tell.
func (s *Store) see(ctx context.Context, sight *Sight) (err error) {
	if sight.Tables, err = s.tables(ctx); err != nil || sight.Tables == 0 {
		return err
	}
	if sight.Tables/generation > sight.Known/generation {
		return &newerError{sight.Tables, sight.Known}
	}
	sight.Backup, err = s.backedUp(ctx)
	return err
}

// knownTables is the version of the newest migration; both engines have the same numbers.
func knownTables() (newest int64) {
	files, _ := fs.Glob(migrations, "migrations/sqlite/*.sql") // the pattern is right
	for _, name := range files {
		number, _, _ := strings.Cut(path.Base(name), "_")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			newest = max(newest, n)
		}
	}
	return newest
}
