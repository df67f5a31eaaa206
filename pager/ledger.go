package pager

import (
	"context"
	"errors"
	"time"

	"telgate"
	"telgate/plan"
)

// ErrFenced is what a change meets whose page belongs to somebody else by now: stop ringing, write nothing more.
var ErrFenced = errors.New("the page has another owner")

// Ledger keeps pages for every gateway of an installation, and is asked before a page or a call begins: what one gateway
// holds another does not get. Each method is one transaction. Nothing of what is handed in is kept or changed.
type Ledger interface {
	// Accept keeps a page that is owned already, or says why there is none: see [Accepted]. An error means that it is not
	// known to be kept: the asker is told that it was NOT accepted. A gateway that others took for dead gets ErrFenced, here
	// and from Claim.
	Accept(ctx context.Context, a *Acceptance) (Accepted, error)
	// Begin enters a call before its INVITE leaves, and takes the phone and a line of the trunk for it: all of that, or
	// nothing, as the [Grant] says. A page that is not held any more is ErrFenced, and kept is what Save keeps then. After an error it is asked again with the
	// same call: what the call has already is granted again. The second INVITE of a call, which follows a redirect, takes
	// another phone, and a line as the first one did, which is Freed with it.
	Begin(ctx context.Context, b *Beginning) (Grant, error)
	// Save keeps what changed. Where the page is not held any more it is ErrFenced, and what is kept all the same is the
	// outcome of calls that this hold began; where one of them was confirmed the present owner is left a [Message].
	Save(ctx context.Context, c *Change) error
}

// Handover is how pages change hands.
type Handover interface {
	// Claim makes at most so many pages the gateway's that nobody owns and that are due, the longest due first. One that has
	// ended is among them where a message came too late for its owner.
	Claim(ctx context.Context, gateway string, most int) ([]Record, error)
	// Leave puts a message down for whoever owns its page, now or later. False: there is no such page, or it has ended.
	Leave(ctx context.Context, m *Message) (bool, error)
	// Inbox are the messages for pages that the gateway owns, oldest first, also for one that ended before they were read.
	// They stay until a [Change] names them as taken.
	Inbox(ctx context.Context, gateway string) ([]Message, error)
}

// Archive has pages by their names, whoever owns them.
type Archive interface {
	// Page is nil where there is none.
	Page(ctx context.Context, id telgate.PageID) (*telgate.Page, error)
	// Amend changes a page that has ended, such as by a late confirmation, if it still has the version it was read with;
	// else ErrFenced: read it again. Its Version is the new one.
	Amend(ctx context.Context, p *telgate.Page, was int) error
}

// Finder finds pages that nobody names, whoever owns them. What it costs does not grow with the pages that have ended.
type Finder interface {
	// Running are the pages that have not ended, newest first.
	Running(ctx context.Context) ([]telgate.Page, error)
	// Ended are those that have, the newest first, at most so many.
	Ended(ctx context.Context, most int) ([]telgate.Page, error)
	// Rang is the call that began last, at most so long ago, to a phone with one of these keys, the first of them that was
	// called at all; nil where none was. It is remembered for [CallbackLife].
	Rang(ctx context.Context, numbers []string, within time.Duration) (*Rung, error)
}

// Mutes keeps who is not to be called.
type Mutes interface {
	// PutMute keeps a mute in place of the one of the same person; one that is over ends it.
	PutMute(ctx context.Context, m *telgate.Mute) error
	// Mutes are those that end after a moment, the soonest over first.
	Mutes(ctx context.Context, after time.Time) ([]telgate.Mute, error)
}

// Books are all of them together: they are one thing, and its callers differ.
type Books interface {
	Ledger
	Handover
	Archive
	Finder
	Mutes
}

// Hold is the right to change a page. Every change names it, and is refused where it is not the newest.
type Hold struct {
	Page    telgate.PageID
	Gateway string // one process of a gateway, from its start to its end
	Token   int64  // from 1; one more with each change of hands
}

// Acceptance is a page to be kept.
type Acceptance struct {
	Hold
	Key     string // idempotency: the answer to the first request with this key is repeated; "" = none
	Page    telgate.Page
	Course  []byte   // the plan and what else the owner needs to go on, opaque; written once
	Numbers []string // keys of the phones that it may ring, for PerNumber
	Join    bool     // a page that runs for all of these people is joined; else only in a storm

	PerNumber int // calls to a number within an hour; the page is refused where all its Numbers have had them; 0 = no limit
	PerAsker  int // pages by the first asker within an hour; 0 = no limit
	Storm     int // pages for one person within Within, after which a running one for all of these people is joined; 0 = never
	Within    time.Duration
}

// Accepted is the answer to an Acceptance.
type Accepted struct {
	Verdict AcceptVerdict
	Receipt telgate.Receipt // of the page that is kept, was before, or was joined
}

// AcceptVerdict tells what became of a request.
type AcceptVerdict int

// What can become of a request. A join leaves the owner of the page a Message with the asker.
const (
	AcceptNew AcceptVerdict = iota
	AcceptRepeated
	AcceptJoined
	AcceptNumbersOver
	AcceptAskerOver
)

// Change is a page as it is now.
type Change struct {
	Hold
	Page     telgate.Page // Steps before From are kept as they are, and need not be right here
	From     int          // index of the first step that is new or differs
	Progress []byte       // how far the plan is, opaque; nil = as it was
	Freed    []Freed      // what calls that ended held
	Taken    []int64      // messages that are done with
	Due      time.Time    // with HandOver: when it goes on
	HandOver bool         // nobody owns the page from now on: it can be claimed
}

// Freed is what a call held that is over.
type Freed struct {
	Call   telgate.CallID
	Number string    // key of the phone
	Rest   time.Time // it may ring by itself until then: nobody rings it before; zero = it is quiet
}

// Beginning is a call that is about to begin.
type Beginning struct {
	Change

	Call      telgate.CallID
	Number    string // key of the phone; a page that holds it already goes on to
	Trunk     string
	Lines     plan.Limit
	PerNumber int       // calls to the number within an hour; 0 = no limit, or it is counted already
	Counts    bool      // it is the first call of its step: it counts for PerNumber
	Nicks     []string  // whose phone it is
	RingUntil time.Time // the phone may ring until then, even if this gateway dies
}

// Grant is the answer to a Beginning.
type Grant struct {
	Verdict GrantVerdict
	Until   time.Time // GrantPhoneBusy, GrantPhoneRests: at most until then; GrantLineLater: when to ask again
}

// GrantVerdict tells whether a call may begin.
type GrantVerdict int

// Whether a call may begin, and what is in its way.
const (
	Granted         GrantVerdict = iota
	GrantPhoneBusy               // another page rings it
	GrantPhoneRests              // it may still ring from a call that was cut off
	GrantPhoneOver               // it was rung too often within an hour
	GrantNoLine                  // every line of the trunk is in use
	GrantLineLater               // calls_per_second
)

// Record is a page that somebody goes on with.
type Record struct {
	Hold
	Page     telgate.Page // calls that were in progress are lost
	Course   []byte
	Progress []byte // nil where it had not begun
}

// Message is something for the owner of a page, from wherever it came in. Exactly one of the pointers is set.
type Message struct {
	ID      int64 // given by the ledger
	Page    telgate.PageID
	At      time.Time
	Stop    *telgate.Actor
	Confirm *telgate.Target // "I've got it" by this target
	Join    *telgate.Asker
	Next    *telgate.Actor // go on to the next step
	Back    *CalledBack
	Late    *telgate.Call // a call of an owner before, with the outcome that came too late for it
}

// Rung is a phone that was rung for a page.
type Rung struct {
	Page   telgate.PageID
	Nicks  []string       // whose it is
	Number telgate.Number // of the person, also where it forwarded us
}

// CalledBack is somebody of the page who rang us.
type CalledBack struct {
	Nicks  []string
	Number telgate.Number
	Trunk  string
}
