package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gofrs/flock"
)

// checkState sees that serve can make, write to and lock its state directory. It leaves nothing there: a directory made by
// root would not be the service's.
func checkState(dir string, r *report) {
	running, err := gatewayRuns(dir)
	if err == nil && !running {
		err = tryState(dir)
	}
	trouble, useless := errors.AsType[*stateError](err)
	switch {
	case useless:
		r.add("host", "state", "fail", trouble.what(), stateFix)
	case err != nil: // it is another user's
		r.add("host", "state", "warn", dir+" is not for this user to look at", "run check as the user that the gateway runs as")
	case running:
		r.add("host", "state", "ok", "a gateway runs on "+dir, "")
	default:
		r.add("host", "state", "ok", dir+" can be written and locked", "")
	}
}

// tryState writes and locks a file in dir, or in what is there of its path.
func tryState(dir string) error {
	there := dir
	info, err := os.Stat(there)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(there) != there {
		there = filepath.Dir(there)
		info, err = os.Stat(there)
	}
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err == nil {
		err = tryFile(there)
	}
	if err != nil {
		return &stateError{dir, err}
	}
	return nil
}

func tryFile(dir string) error {
	f, err := os.CreateTemp(dir, ".telgate-check-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString("\n")
	err = errors.Join(err, f.Sync(), f.Close())
	lock := flock.New(f.Name())
	_, failed := lock.TryLock()
	return errors.Join(err, failed, lock.Close())
}
