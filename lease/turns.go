package lease

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Stand is how a gateway stands to a turn.
type Stand int

// Whose turn it is.
const (
	Others Stand = iota
	Ours
	InDoubt // ours when the register was there last, which is longer ago than the TTL: somebody may have taken it
)

// turns are those that the gateway contends for. Who has one keeps it as long as its row is there, and needs no further beat for it.
type turns struct {
	book   Turns
	holder Holder
	ttl    time.Duration
	now    func() time.Time
	log    *slog.Logger

	unread bool // nobody could tell how they stand; for the lease's goroutine

	mu    sync.Mutex
	names []string
	id    string           // of the gateway
	good  time.Time        // when the last beat that succeeded was sent
	mine  map[string]*mine // by name
	quit  bool             // none is taken any more
}

// mine is a turn of this gateway's.
type mine struct {
	former string // word of who had it before
	signed string // our own that is kept
}

// Share has the lease contend for turns, one gateway at a time having each. It is called before Enter; later [Lease.Contend] names
// others.
func (l *Lease) Share(book Turns, names []string, holder Holder) {
	l.turns = &turns{
		book: book, names: names, holder: holder, ttl: l.cfg.TTL, now: l.env.Now, log: l.env.Log, mine: map[string]*mine{},
	}
}

// Contend has the lease contend for these turns from now on, and gives up those that it has of others. Where the register is down
// those are free with the gateway's row.
func (l *Lease) Contend(ctx context.Context, names []string) error {
	t := l.turns
	if t == nil {
		return nil
	}
	t.mu.Lock()
	t.names = slices.Clone(names)
	id := t.id
	var lost []string
	for name := range t.mine {
		if !slices.Contains(names, name) {
			lost = append(lost, name)
			delete(t.mine, name)
		}
	}
	t.mu.Unlock()
	if len(lost) == 0 {
		return nil
	}
	for _, name := range lost {
		t.holder.TurnChanged(name)
	}
	ctx, cancel := context.WithTimeout(ctx, l.patience())
	defer cancel()
	return t.book.Give(ctx, id, lost...) //nolint:wrapcheck // it says what it did
}

// Stand is how this gateway stands to a turn at this moment. It may be asked by anybody.
func (l *Lease) Stand(name string) Stand {
	t := l.turns
	if t == nil {
		return Others
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.mine[name] == nil:
		return Others
	case t.now().Sub(t.good) >= t.ttl:
		return InDoubt
	}
	return Ours
}

// Former is the word of who had a turn of ours before, "" for none.
func (l *Lease) Former(name string) string {
	t := l.turns
	if t == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := t.mine[name]; m != nil {
		return m.former
	}
	return ""
}

// Resign gives every turn up, and takes none any more: the next beat of another gateway takes them. It may be called while Run
// runs. Where the register is down they are free with the gateway's row.
func (l *Lease) Resign(ctx context.Context) error {
	t := l.turns
	if t == nil {
		return nil
	}
	t.mu.Lock()
	t.quit = true
	id := t.id
	t.mu.Unlock()
	t.drop()
	ctx, cancel := context.WithTimeout(ctx, l.patience())
	defer cancel()
	return t.book.Give(ctx, id) //nolint:wrapcheck // it says what it did
}

// beat is a beat of the gateway with this id that succeeded, sent then.
func (t *turns) beat(id string, sent time.Time) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.id, t.good = id, sent
}

// sure tells the holder that what was in doubt is not any more.
func (t *turns) sure() {
	if t == nil {
		return
	}
	for _, name := range t.held() {
		t.holder.TurnChanged(name)
	}
}

// drop forgets every turn: they are another's, or will be.
func (t *turns) drop() {
	if t == nil {
		return
	}
	t.mu.Lock()
	had := t.mine
	t.mine = map[string]*mine{}
	t.mu.Unlock()
	for name := range had {
		t.holder.TurnChanged(name)
	}
}

func (t *turns) held() (names []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range t.names {
		if t.mine[name] != nil {
			names = append(names, name)
		}
	}
	return names
}

// contend takes the turns that nobody has. Whoever has all of them asks nobody.
func (t *turns) contend(ctx context.Context, id string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	names := t.names
	done := t.quit || len(t.mine) == len(names)
	t.mu.Unlock()
	if !done {
		all, err := t.book.Take(ctx, id, names)
		if err != nil && !t.unread && ctx.Err() == nil {
			t.log.Warn("whose turn it is cannot be asked, trying again", "err", err)
		}
		t.unread = err != nil
		for _, turn := range all {
			if turn.Gateway == id {
				t.win(ctx, id, turn)
			}
		}
	}
	t.sign(ctx, id)
}

// win takes note of a turn that is this gateway's.
func (t *turns) win(ctx context.Context, id string, turn Turn) {
	t.mu.Lock()
	quit := t.quit
	known, wanted := t.mine[turn.Name] != nil, slices.Contains(t.names, turn.Name)
	if !quit && !known && wanted {
		t.mine[turn.Name] = &mine{former: turn.Word}
	}
	t.mu.Unlock()
	switch {
	case quit: // it was given up while it was being taken
		_ = t.book.Give(ctx, id) // else it is free with the gateway's row
	case !wanted: // likewise
		_ = t.book.Give(ctx, id, turn.Name)
	case !known:
		t.holder.TurnChanged(turn.Name)
	}
}

// sign leaves the holder's word for whoever has its turns after it.
func (t *turns) sign(ctx context.Context, id string) {
	for _, name := range t.held() {
		word := t.holder.Word(name)
		t.mu.Lock()
		m := t.mine[name]
		same := m == nil || word == "" || word == m.signed
		t.mu.Unlock()
		if same {
			continue
		}
		if t.book.Sign(ctx, id, name, word) == nil { // else with the next beat
			t.mu.Lock()
			m.signed = word
			t.mu.Unlock()
		}
	}
}
