package pager

import (
	"context"

	"telgate"
)

// Caller makes one call and blocks until it is over; room voice is one. Cancelling ctx with a [telgate.StopCause] hangs
// up. The order is read only. emit is called in order and does not block; a key that confirms has reached somebody, whatever
// becomes of the call after it. The Call returned is the pager's; nobody changes it any more.
type Caller interface {
	Call(ctx context.Context, o *telgate.Order, emit func(telgate.Event)) *telgate.Call
}

// Reaper ends a call that a gateway left behind when it died; room voice does. The status is that of the answer.
type Reaper interface {
	End(ctx context.Context, c *telgate.Call) (status int, err error)
}

// Directory knows who a word means; the error is a [*telgate.Refusal].
type Directory interface {
	Resolve(word string) (telgate.Match, error)
}
