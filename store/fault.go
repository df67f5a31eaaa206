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
		return fmt.Errorf("the disk of %s is full: make room: %w", path, err)
	case code == sqlite3.SQLITE_READONLY, errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s cannot be written: give it and its folder to the gateway's user, on a disk that is not read-only: %w", path, err)
	case code == sqlite3.SQLITE_CANTOPEN, errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return fmt.Errorf("%s cannot be opened: name a file in a folder of the gateway's user: %w", path, err)
	case code == sqlite3.SQLITE_BUSY, code == sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("another process has %s: stop it, or give this one a store.url of its own: %w", path, err)
	case code == sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%s is no database of telgate: name another file in store.url, or restore a backup: %w", path, err)
	case code == sqlite3.SQLITE_CORRUPT, errors.As(err, &corrupt):
		return fmt.Errorf("%s is damaged: stop the gateway and restore a backup, or move the file away to begin anew: %w", path, err)
	case code == sqlite3.SQLITE_IOERR:
		return fmt.Errorf("%s cannot be read or written: look at its disk: %w", path, err)
	default:
		return err
	}
}
