package pager

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"telgate"
)

// How a page is written. A ledger that does not answer is tried again for as long as it takes: the call goes on meanwhile.
const (
	writeLimit = 2 * time.Second // for one try
	retryFirst = 50 * time.Millisecond
	retryMost  = time.Second
)

// writer keeps one page in the ledger, the newest state only, and never makes its owner wait. It has a goroutine while there
// is something to write. What is to be told of a change is told after the change was written, or could not be at once.
type writer struct {
	ledger  Ledger
	publish func(*telgate.Event)
	fenced  func() // the page has another owner
	work    *sync.WaitGroup
	log     *slog.Logger
	ctx     context.Context //nolint:containedctx // until it is done is written, whoever stopped asking
	giveUp  context.CancelFunc

	mu      sync.Mutex
	now     *entry        // being written
	next    *entry        // to be written
	idle    chan struct{} // closed when all is written; nil where it is
	failing bool          // the last try failed: nobody waits for the next one
	mute    bool          // nothing is told any more
}

// entry is a state of the page to be written.
type entry struct {
	change *Change // nil: only a call begins
	begin  *Beginning
	answer chan<- begun
	notes  []note
}

// note is what follows a write: an event that is told, or something that is done.
type note struct {
	event *telgate.Event
	do    func()
}

// begun is the ledger's answer to a Beginning.
type begun struct {
	Grant

	err error
}

// keep has a change written, and then an event told.
func (w *writer) keep(c *Change, ev *telgate.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.pending()
	if e.change != nil {
		c.over(e.change)
	}
	e.change = c
	if ev != nil {
		w.note(e, note{event: ev})
	}
}

// after does something as soon as all that was to be kept until now is written, or could not be at once.
func (w *writer) after(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.next != nil:
		w.note(w.next, note{do: do})
	case w.now != nil:
		w.note(w.now, note{do: do})
	default:
		do()
	}
}

// begin asks the ledger whether a call may begin, with all that was to be kept until now. An error is an outage, or
// ErrFenced; what is known of the call then is nothing.
func (w *writer) begin(b *Beginning) (Grant, error) {
	answer := make(chan begun, 1)
	w.mu.Lock()
	e := w.pending()
	e.begin, e.answer = b, answer
	w.mu.Unlock()
	a := <-answer // no longer than a write that is under way, a pause, and its own limit
	return a.Grant, a.err
}

// pending is the entry that is written next. The lock is held.
func (w *writer) pending() *entry {
	if w.next == nil {
		w.next = &entry{}
	}
	if w.idle == nil {
		w.idle = make(chan struct{})
		w.work.Go(w.run)
	}
	return w.next
}

// note leaves a note with an entry; in an outage nobody waits. The lock is held.
func (w *writer) note(e *entry, n note) {
	if w.failing {
		w.tell([]note{n})
		return
	}
	e.notes = append(e.notes, n)
}

func (w *writer) tell(notes []note) {
	for _, n := range notes {
		switch {
		case n.do != nil:
			n.do()
		case !w.mute:
			w.publish(n.event)
		}
	}
}

// silence: no event is told any more.
func (w *writer) silence() {
	w.mu.Lock()
	w.mute = true
	w.mu.Unlock()
}

// settled is closed when all is written.
func (w *writer) settled() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.idle != nil {
		return w.idle
	}
	c := make(chan struct{})
	close(c)
	return c
}

// run writes until nothing is left.
func (w *writer) run() {
	for retry := retryFirst; w.take(); {
		err := w.write()
		if w.done(err) {
			retry = retryFirst
			continue
		}
		timer := time.NewTimer(retry)
		select {
		case <-timer.C:
		case <-w.ctx.Done():
		}
		timer.Stop()
		retry = min(2*retry, retryMost)
	}
}

// take takes the newest state; false where there is nothing, or no use in going on.
func (w *writer) take() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next != nil && w.ctx.Err() == nil {
		w.now, w.next = w.next, nil
		return true
	}
	if e := w.next; e != nil {
		w.log.Error("what happened last is not written", "err", context.Cause(w.ctx))
		w.tell(e.notes)
		if e.begin != nil {
			e.answer <- begun{err: context.Cause(w.ctx)}
		}
	}
	w.next = nil
	close(w.idle)
	w.idle = nil
	return false
}

// write makes one try. The change that a call begins with stands in for the one before it only where the call may begin.
func (w *writer) write() error {
	e := w.now
	ctx, cancel := context.WithTimeout(w.ctx, writeLimit)
	defer cancel()
	if e.begin != nil {
		b := *e.begin
		if e.change != nil {
			b.over(e.change)
		}
		g, err := w.ledger.Begin(ctx, &b)
		if err == nil && g.Verdict == Granted {
			e.change = nil
		}
		e.answer <- begun{g, err}
		e.begin = nil
		if err != nil {
			return err //nolint:wrapcheck // logged by done
		}
	}
	if e.change == nil {
		return nil
	}
	return w.ledger.Save(ctx, e.change) //nolint:wrapcheck // logged by done
}

// done takes the result of a try; false: try again later.
func (w *writer) done(err error) bool {
	if errors.Is(err, ErrFenced) {
		w.fenced() // before anybody is told anything
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.now
	w.now = nil
	if err == nil || errors.Is(err, ErrFenced) {
		if w.failing {
			w.log.Info("the ledger answers again")
		}
		w.failing = false
		w.tell(e.notes)
		return true
	}
	if !w.failing {
		w.log.Error("a page is not written yet: the ledger does not answer", "err", err)
	}
	w.failing = true
	w.tell(e.notes)
	e.notes = nil
	if w.next != nil {
		w.tell(w.next.notes)
		w.next.notes = nil
	}
	switch {
	case e.change == nil:
	case w.next == nil:
		w.next = e
	case w.next.change == nil:
		w.next.change = e.change
	default:
		w.next.change.over(e.change)
	}
	return false
}

// over takes from an older change of the same page what this one has to say too.
func (c *Change) over(older *Change) {
	c.From = min(c.From, older.From)
	c.Freed = append(slices.Clip(older.Freed), c.Freed...)
	c.Taken = append(slices.Clip(older.Taken), c.Taken...)
	if c.Progress == nil {
		c.Progress = older.Progress
	}
}

// lastWrites is how long a gateway that stops goes on to write what happened last.
const lastWrites = 3 * time.Second

// settle waits until all is written; a gateway that stops does not wait long.
func (p *Pager) settle(w *writer) {
	select {
	case <-w.settled():
		return
	case <-p.ctx.Done():
	}
	enough := time.NewTimer(lastWrites)
	defer enough.Stop()
	select {
	case <-w.settled():
	case <-enough.C:
		w.giveUp()
		<-w.settled()
	}
}
