package pager

import (
	"context"

	"telgate"
)

// Caller makes one call and blocks until it is over; room voice is one. Cancelling ctx with a [telgate.StopCause] hangs
// up. The order is read only. emit is called in order and does not block. The Call returned is the pager's; nobody changes
// it any more.
type Caller interface {
	Call(ctx context.Context, o *telgate.Order, emit func(telgate.Event)) *telgate.Call
}

// Directory knows who a word means; the error is a [*telgate.Refusal].
type Directory interface {
	Resolve(word string) (telgate.Match, error)
}

// Journal keeps pages. Save is called before the first INVITE of a page and with everything that changes it; a page that
// cannot be saved at first is not accepted. Save keeps nothing of the page it was given: its owner goes on to change it.
type Journal interface {
	Save(ctx context.Context, p telgate.Page) error
	Load(id telgate.PageID) (telgate.Page, bool)
	All() []telgate.Page // newest first
}
