package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errReading is what a store that was opened to be read says to whoever writes.
var errReading = errors.New("the store is open for reading only")

// sqliteReader is a file that is read only, of which another process may be the owner.
type sqliteReader struct {
	*sqlite
}

func (sqliteReader) write(context.Context, func(tx) error) error { return errReading }

func (s sqliteReader) close() error { return s.reader.Close() }

// readSQLite opens a file that is there. No file is made beside it that is not there already, as that would be ours and not
// the gateway's: where there is no journal nobody writes, and SQLite need not look at locks.
func readSQLite(path string, clock func() time.Time) (engine, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		err = syscall.EISDIR
	}
	if err != nil {
		return nil, explainFile(path, err)
	}
	name := url.URL{Path: path}
	source := "file:" + name.EscapedPath() + "?mode=ro&_pragma=busy_timeout(1000)&_pragma=query_only(1)"
	if info, err := os.Stat(path + "-wal"); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		source += "&immutable=1"
	}
	db, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, explainFile(path, err)
	}
	return sqliteReader{&sqlite{path: path, clock: clock, reader: db}}, nil
}

func lookFile(ctx context.Context, path string) (Sight, error) {
	sight := Sight{Kind: "sqlite", At: path, Known: knownTables()}
	there, err := existing(path)
	if err != nil {
		return sight, explainFile(path, err)
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(there, &disk); err == nil {
		sight.Free = int64(disk.Bavail) * disk.Bsize
	}
	if err := unix.Access(there, unix.W_OK); err != nil {
		return sight, explainFile(path, err)
	}
	if there != path {
		return sight, nil
	}
	db, err := readSQLite(path, time.Now)
	if err != nil {
		return sight, err
	}
	s := &Store{db: db, clock: time.Now}
	return sight, errors.Join(lookInside(ctx, s, path, &sight), s.Close())
}

// lookInside looks for damage first: what a damaged file says is not worth much.
func lookInside(ctx context.Context, s *Store, path string, sight *Sight) error {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return explainFile(path, err)
	}
	sound, theirs := "", false
	err := s.db.read(ctx, func(t tx) error {
		_, err := one(ctx, t, []any{&sound}, "pragma quick_check(1)")
		if err == nil && sound == "ok" {
			_, err = one(ctx, t, []any{&theirs}, othersTables)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case sound != "ok":
		return explainFile(path, &corruptError{sound})
	case theirs:
		return notOurs(path)
	default:
		return s.see(ctx, sight)
	}
}

// existing is the nearest of a path that is there.
func existing(path string) (string, error) {
	for at := path; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && at != path && !info.IsDir():
			return at, syscall.ENOTDIR
		case err == nil || filepath.Dir(at) == at:
			return at, nil
		}
	}
}
