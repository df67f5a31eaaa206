package store

import (
	"context"
	"strings"
	"time"
)

// engine is a database. Both engines run the same statements; what differs is in their words.
type engine interface {
	// write runs one transaction. What do returns ends it: nil commits. What was taken back is done again, so do may run twice.
	write(ctx context.Context, do func(tx) error) error
	// read runs statements that change nothing and see one moment.
	read(ctx context.Context, do func(tx) error) error
	words() *words
	// news tells which pages others have news of, "" for any, until ctx is done.
	news(ctx context.Context, tell func(page string))
	backup(ctx context.Context, path string) error
	// scrub makes what was erased unreadable, as far as the engine lets us.
	scrub(ctx context.Context) error
	close() error
}

// words are the parts of statements in which the engines differ.
type words struct {
	forUpdate  string // lock the rows that a select found
	keyShare   string // keep them from being deleted
	skipLocked string // leave out what others have locked
	among      string // "IN a list" with one argument: see list
	least      string // the smaller of two
	used       string // whether there are tables
	list       func(ids []string) any
	oneClock   bool // the database's is this process's
}

// tx is one transaction.
type tx interface {
	// exec is a statement of which the number of rows matters.
	exec(ctx context.Context, statement string, args ...any) (int64, error)
	// put is a statement of which nothing is asked but that it is done when the transaction is: it may travel with the next.
	put(ctx context.Context, statement string, args ...any)
	// rows calls row for each row that is found.
	rows(ctx context.Context, row func(scan scan) error, statement string, args ...any) error
	// lock waits until no other transaction holds a name; it is held to the end.
	lock(ctx context.Context, names ...string) error
	// tell says to other gateways, when the transaction is done, that there is news of a page, "" for any.
	tell(ctx context.Context, page string)
	// now is the database's clock, as it is now and not at the beginning of the transaction.
	now(ctx context.Context) (int64, error)
}

// scan reads the columns of a row.
type scan func(columns ...any) error

// one reads the only row, and tells whether there was one.
func one(ctx context.Context, t tx, columns []any, statement string, args ...any) (bool, error) {
	found := false
	err := t.rows(ctx, func(scan scan) error {
		found = true
		return scan(columns...)
	}, statement, args...)
	return found, err
}

// micro is a moment as rows have it.
func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is the time of a row.
func moment(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}

// there is the database's time of a moment by this process's clock, given what time it is there: a phone rests as long as it
// should, whatever a gateway takes for the time.
func (s *Store) there(t time.Time, now int64) int64 {
	if t.IsZero() {
		return 0
	}
	if s.db.words().oneClock {
		return micro(t)
	}
	return max(1, now+t.Sub(s.clock()).Microseconds())
}

// here is there the other way round.
func (s *Store) here(micro, now int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	if s.db.words().oneClock {
		return moment(micro)
	}
	return s.clock().Add(micros(micro - now)).Round(0).UTC()
}

// text is a text that both engines can keep: what a peer wrote may be no UTF-8, and PostgreSQL has no NUL.
func text[S ~string](s S) string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(s), "\uFFFD"), "\x00", "\uFFFD")
}
