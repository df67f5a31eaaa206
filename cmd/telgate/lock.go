package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// errLocked says that a gateway runs on this state directory.
var errLocked = errors.New("a gateway runs here")

// stateDir is where the gateway keeps its lock and notes: state_dir of the configuration, else what systemd gives, else
// the user's own.
func stateDir(configured string, getenv func(string) string) string {
	switch {
	case configured != "":
		return configured
	case getenv("STATE_DIRECTORY") != "":
		return getenv("STATE_DIRECTORY")
	case getenv("XDG_STATE_HOME") != "":
		return filepath.Join(getenv("XDG_STATE_HOME"), "telgate")
	}
	return filepath.Join(getenv("HOME"), ".local", "state", "telgate")
}

// lockState takes the gateway's lock for the life of the process, or returns errLocked. The kernel frees it however the
// process ends.
func lockState(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	lock := flock.New(filepath.Join(dir, "telgate.lock"))
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // somebody may be looking at it for a moment
	defer cancel()
	ok, err := lock.TryLockContext(ctx, 20*time.Millisecond)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	if !ok {
		return nil, errLocked
	}
	return lock, nil
}

// gatewayRuns tells whether a gateway holds the lock, without keeping it.
func gatewayRuns(dir string) (bool, error) {
	if _, err := os.Stat(filepath.Join(dir, "telgate.lock")); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	lock := flock.New(filepath.Join(dir, "telgate.lock"))
	free, err := lock.TryRLock() // shared: two that look at once do not take each other for a gateway
	if errors.Is(err, os.ErrPermission) {
		return false, withStatus(exitRefused, fmt.Errorf("%s belongs to another user, whose gateway may run: call as that user, or break the glass with --direct", dir))
	}
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", lock.Path(), err)
	}
	if !free {
		return true, nil
	}
	return false, lock.Unlock()
}
