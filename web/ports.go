package web

import (
	"context"
	"time"

	"telgate"
)

// Pages takes requests. Errors that are a [*telgate.Refusal] carry a sentence for the asker.
type Pages interface {
	Submit(ctx context.Context, r telgate.Request) (telgate.Receipt, error)
	Stop(ctx context.Context, id telgate.PageID, by telgate.Actor) error
	Confirm(ctx context.Context, id telgate.PageID, by telgate.Actor) error
}

// Feed tells how pages stand.
type Feed interface {
	// Page is nil where there is none.
	Page(ctx context.Context, id telgate.PageID) (*telgate.Page, error)
	// Running are the pages that have not ended, newest first.
	Running(ctx context.Context) ([]telgate.Page, error)
	// Follow gives the events of a page from the first that is known, whichever gateway has it, and is closed after page_ended or
	// when ctx is done. It may be closed at once for a page that ended long ago.
	Follow(ctx context.Context, id telgate.PageID) <-chan telgate.Event
}

// History finds pages that were, newest first.
type History interface {
	History(ctx context.Context, q HistoryQuery) ([]telgate.Page, error)
	// Summaries are the same pages in short.
	Summaries(ctx context.Context, q HistoryQuery) ([]telgate.Summary, error)
}

// HistoryQuery says which pages; a zero field asks for nothing.
type HistoryQuery struct {
	Since, Until time.Time // of acceptance; until is not included
	Person       string    // nickname of a target
	Result       telgate.Result
	Limit        int // at most so many, the newest
}

// Switch is the kill switch: while it is thrown nothing new is dialled.
type Switch interface {
	// Pause throws it; hangUp ends what is in progress, too. It tells how many pages that stopped.
	Pause(ctx context.Context, by telgate.Actor, why string, hangUp bool) (stopped int, err error)
	Resume(ctx context.Context, by telgate.Actor) error
}

// Gateway is the process itself.
type Gateway interface {
	Status(ctx context.Context) Status
	// Reload takes the configuration anew. An error means that nothing changed; its text says why.
	Reload(ctx context.Context, by telgate.Actor) (Reloaded, error)
}

// Keeper looks after what is stored.
type Keeper interface {
	// Backup writes everything stored to a file that must not exist yet.
	Backup(ctx context.Context, by telgate.Actor, file string) error
	// Forget erases the numbers of a person from everything stored, and tells from how many pages.
	Forget(ctx context.Context, by telgate.Actor, nick string) (pages int, err error)
}

// Covers knows and changes who stands in for whom in rotas.
type Covers interface {
	Covers() []telgate.Cover
	Cover(ctx context.Context, o telgate.CoverOrder) (telgate.Cover, error)
	Uncover(ctx context.Context, o telgate.CoverOrder) ([]telgate.Cover, error)
}

// Mutes knows and changes who is not called.
type Mutes interface {
	Mutes() []telgate.Mute
	Mute(ctx context.Context, o telgate.MuteOrder) (telgate.Mute, error)
}

// Audit tells who did what, newest first.
type Audit interface {
	Audit(ctx context.Context, since, until time.Time, limit int) ([]telgate.AuditEntry, error)
}
