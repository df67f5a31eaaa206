package main

import "telgate"

// Exit statuses; they are documented in the README and part of the command line's contract.
const (
	exitReached     = 0   // confirmed, or answered where the policy says so; for other commands: done
	exitInternal    = 1   // something went wrong here; check: something is broken
	exitUsage       = 2   // usage or configuration
	exitNotReached  = 3   // nobody, or not everybody, was reached
	exitFailed      = 4   // no call got beyond our trunks
	exitRefused     = 5   // limit, permission, unknown name: nothing was dialled
	exitCancelled   = 6   // stopped by somebody else
	exitInterrupted = 130 // SIGINT here; the call was cancelled first
	exitTerminated  = 143 // SIGTERM here, likewise
)

// statusError ends a command with a status; err may be nil where everything was said already.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string {
	if e.err == nil {
		return "exit status set"
	}
	return e.err.Error()
}

func (e *statusError) Unwrap() error { return e.err }

// withStatus gives an error its exit status.
func withStatus(status int, err error) error { return &statusError{status: status, err: err} }

// resultStatus maps a page's end to the exit status.
func resultStatus(r telgate.Result) int {
	switch r {
	case telgate.Confirmed, telgate.Answered:
		return exitReached
	case telgate.Failed:
		return exitFailed
	case telgate.Cancelled:
		return exitCancelled
	case telgate.NotReached, telgate.Partial:
		return exitNotReached
	}
	return exitInternal
}
