package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the driver "sqlite", without cgo
)

const (
	readers    = 4        // connections that read beside the one that writes
	lookedOver = 64 << 20 // bytes: a larger file is not looked through at a start, which would take seconds; [Look] does it
)

// sqlite is one file, of one process. One connection writes, so that nothing waits for a lock of SQLite's.
type sqlite struct {
	path  string
	clock func() time.Time
	lock  *flock.Flock
	told  hub

	db       *sql.DB // of the writer
	reader   *sql.DB
	waiting  waiting
	turn     chan struct{} // whoever has it has the writer
	writer   *sql.Conn
	prepared map[string]*sql.Stmt // of the writer
}

func openSQLite(ctx context.Context, path string, clock func() time.Time) (*sqlite, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, explainFile(path, err)
	}
	lock := flock.New(path + ".lock")
	waits, cancel := context.WithTimeout(ctx, time.Second) // a process that was told to end may take a moment
	defer cancel()
	held, err := lock.TryLockContext(waits, 20*time.Millisecond)
	switch {
	case errors.Is(err, context.DeadlineExceeded), err == nil && !held:
		return nil, mend(nil, "another process has %s: stop it, or give this one a store.url of its own", path)
	case err != nil:
		return nil, explainFile(path, err)
	}
	if foreign(ctx, path) {
		return nil, errors.Join(notOurs(path), lock.Unlock())
	}
	s := &sqlite{path: path, clock: clock, lock: lock, turn: make(chan struct{}, 1), prepared: map[string]*sql.Stmt{}}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(explainFile(path, err), s.close())
	}
	return s, nil
}

func (s *sqlite) open(ctx context.Context) error {
	// The file has names and numbers in it: nobody else reads it. SQLite gives its journal the same permissions.
	file, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if s.db, err = sql.Open("sqlite", sqliteName(s.path, "_pragma=synchronous(FULL)&_pragma=secure_delete(1)&_pragma=temp_store(memory)")); err != nil {
		return err
	}
	if s.writer, err = s.db.Conn(ctx); err != nil { // it makes the file one that others can read meanwhile
		return err
	}
	if s.reader, err = sql.Open("sqlite", sqliteName(s.path, "_pragma=query_only(1)")); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(readers)
	s.reader.SetMaxIdleConns(readers)
	info, err := os.Stat(s.path)
	if err != nil || info.Size() > lookedOver {
		return err
	}
	var sound string
	if err := s.writer.QueryRowContext(ctx, "pragma quick_check(1)").Scan(&sound); err != nil {
		return err
	}
	if sound != "ok" {
		return &corruptError{sound}
	}
	return nil
}

func notOurs(path string) error {
	return mend(nil, "%s is another program's database: name another file in store.url", path)
}

// othersTables asks whether there are tables, and not ours.
const othersTables = `select not exists (select 1 from sqlite_schema where name = 'migration')
	and exists (select 1 from sqlite_schema where type = 'table' and name not like 'sqlite\_%' escape '\')`

// foreign tells whether a file has tables, and none of them is ours. The file is left as it is. What cannot be read is told by
// whoever opens it.
func foreign(ctx context.Context, path string) bool {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return false
	}
	name := url.URL{Path: path}
	db, err := sql.Open("sqlite", "file:"+name.EscapedPath()+"?mode=ro&_pragma=busy_timeout(1000)&_pragma=query_only(1)")
	if err != nil {
		return false
	}
	defer func() { _ = db.Close() }() // nothing was written
	var theirs bool
	err = db.QueryRowContext(ctx, othersTables).Scan(&theirs)
	return err == nil && theirs
}

// sqliteName is the name of a file for the driver.
func sqliteName(path, more string) string {
	name := url.URL{Path: path}
	return "file:" + name.EscapedPath() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&" + more
}

func (s *sqlite) close() error {
	var errs []error
	for _, stmt := range s.prepared {
		errs = append(errs, stmt.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	for _, db := range []*sql.DB{s.reader, s.db} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, s.lock.Unlock())...)
}

func (*sqlite) words() *words { return &sqliteWords }

//nolint:gochecknoglobals // a table of facts
var sqliteWords = words{
	among: "in (select value from json_each($1))", least: "min", oneClock: true,
	used: "exists (select 1 from sqlite_schema where name = 'migration')",
	list: func(ids []string) any {
		b, err := json.Marshal(ids)
		if err != nil { // strings always marshal
			panic("store: a list of ids does not marshal: " + err.Error())
		}
		return string(b)
	},
}

// whole begins or ends a transaction or a savepoint, and is not cancelled: whoever asks wants to know how it ended.
func (s *sqlite) whole(ctx context.Context, word string) error {
	ctx = context.WithoutCancel(ctx)
	stmt, err := s.statement(ctx, word)
	if err == nil {
		_, err = stmt.ExecContext(ctx)
	}
	return err
}

// rollback ends a transaction that SQLite did not end by itself, as it does where the disk is full.
func (s *sqlite) rollback(ctx context.Context) error {
	if err := s.whole(ctx, "rollback"); err != nil && !strings.Contains(err.Error(), "no transaction is active") {
		return err
	}
	return nil
}

func (s *sqlite) read(ctx context.Context, do func(tx) error) error {
	inner, err := s.reader.BeginTx(ctx, nil)
	if err != nil {
		return explainFile(s.path, err)
	}
	t := &sqliteTx{clock: s.clock, run: func(ctx context.Context, statement string) (*sql.Stmt, error) {
		return inner.PrepareContext(ctx, statement)
	}}
	return errors.Join(explainFile(s.path, do(t)), rolledBack(inner.Rollback()))
}

// rolledBack forgives that a transaction is over already, as one whose context is done.
func rolledBack(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// statement is what the writer runs, prepared once.
func (s *sqlite) statement(ctx context.Context, statement string) (*sql.Stmt, error) {
	if known := s.prepared[statement]; known != nil {
		return known, nil
	}
	stmt, err := s.writer.PrepareContext(ctx, statement)
	if err == nil {
		s.prepared[statement] = stmt
	}
	return stmt, err
}

func (s *sqlite) news(ctx context.Context, tell func(page string)) { s.told.listen(ctx, tell) }

func (s *sqlite) backup(ctx context.Context, path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: name a new file", path)
	}
	if _, err := s.db.ExecContext(ctx, "vacuum into $1", path); err != nil {
		return errors.Join(explainFile(path, err), remove(path))
	}
	return os.Chmod(path, 0o600)
}

// scrub empties the journal, which has rows as they were. Pages that come in wait meanwhile, so it waits for readers shortly
// only; if they do not let it, the next that empties the journal does it.
func (s *sqlite) scrub(ctx context.Context) (err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return explainFile(s.path, err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	for _, statement := range []string{"pragma busy_timeout = 100", "pragma wal_checkpoint(truncate)"} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return explainFile(s.path, err)
		}
	}
	return nil
}

// remove takes a half-written file away.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
