package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"telgate/config"
)

// errLocked says that a gateway runs on this state directory.
var errLocked = errors.New("a gateway runs here")

// stateError says that a state directory is of no use.
type stateError struct {
	dir string
	err error
}

// stateFix is what to do about it.
const stateFix = "set gateway.state_dir to a directory that this user can make, write to and lock"

// Error names the key.
func (e *stateError) Error() string { return e.what() + ": " + stateFix }

func (e *stateError) what() string {
	return fmt.Sprintf("gateway.state_dir: %s cannot be used: %v", absolute(e.dir), withoutPath(e.err))
}

// absolute is a path as it is told: whoever reads it may be somewhere else.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// Unwrap is the cause.
func (e *stateError) Unwrap() error { return e.err }

// stateDir is the state directory of a configuration.
func (a *app) stateDir(cfg config.Config) string {
	return stateDir(cfg.File.Beside(cfg.Gateway.StateDir), a.env.getenv)
}

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
		return nil, &stateError{dir, err}
	}
	lock := flock.New(filepath.Join(dir, "telgate.lock"))
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // somebody may be looking at it for a moment
	defer cancel()
	ok, err := lock.TryLockContext(ctx, 20*time.Millisecond)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, &stateError{dir, err}
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
		return false, withStatus(exitUsage, fmt.Errorf("%w; or break the glass with --direct", &stateError{dir, err}))
	}
	if !free {
		return true, nil
	}
	return false, lock.Unlock()
}
