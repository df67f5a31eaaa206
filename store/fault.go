package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// mendable is why a database cannot be used that telgate cannot help: it says what to do.
type mendable struct {
	what string
	err  error // nil where nothing is behind it
}

func (m *mendable) Error() string {
	if m.err == nil {
		return m.what
	}
	return m.what + ": " + strings.Join(strings.Fields(m.err.Error()), " ") // pgx has a line for each address
}

func (m *mendable) Unwrap() error { return m.err }

func mend(err error, format string, args ...any) error {
	return &mendable{fmt.Sprintf(format, args...), err}
}

// ToMend tells whether an error says what the operator has to mend, such as a full disk or what store.url names. What else goes
// wrong is a fault of telgate's.
func ToMend(err error) bool {
	var m *mendable
	return errors.As(err, &m) || Newer(err) || errors.Is(err, errURL)
}

// corruptError says what a check of the file found.
type corruptError struct{ found string }

func (c *corruptError) Error() string { return strings.Join(strings.Fields(c.found), " ") }

// explainFile puts what is wrong with a file, and what to do, before an error of SQLite's or the file system's. Other errors
// stay as they are.
func explainFile(path string, err error) error {
	var corrupt *corruptError
	code := -1
	if of, ok := errors.AsType[*driver.Error](err); ok {
		code = of.Code() & 0xff // the kind; above are details
	}
	switch {
	case err == nil:
		return nil
	case code == sqlite3.SQLITE_FULL, errors.Is(err, syscall.ENOSPC):
		return mend(err, "the disk of %s is full: make room", path)
	case code == sqlite3.SQLITE_READONLY, errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return mend(err, "%s cannot be written: give it and its folder to the gateway's user, on a disk that is not read-only", path)
	case code == sqlite3.SQLITE_CANTOPEN, errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return mend(err, "%s cannot be opened: name a file in a folder of the gateway's user", path)
	case code == sqlite3.SQLITE_BUSY, code == sqlite3.SQLITE_LOCKED:
		return mend(err, "another process has %s: stop it, or give this one a store.url of its own", path)
	case code == sqlite3.SQLITE_NOTADB:
		return mend(err, "%s is no database of telgate: name another file in store.url, or restore a backup", path)
	case code == sqlite3.SQLITE_CORRUPT, errors.As(err, &corrupt):
		return mend(err, "%s is damaged: stop the gateway and restore a backup, or move the file away to begin anew", path)
	case code == sqlite3.SQLITE_IOERR:
		return mend(err, "%s cannot be read or written: look at its disk", path)
	default:
		return err
	}
}
