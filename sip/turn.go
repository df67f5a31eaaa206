package sip

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/emiago/sipgo/sip"
)

// Turn says whether a trunk may register at this moment, where several gateways share its account and the registrar keeps one
// contact.
type Turn int

// Whose turn it is.
const (
	// TurnOther is another gateway's: no REGISTER leaves, and calls go without one.
	TurnOther Turn = iota
	// TurnOurs is this gateway's.
	TurnOurs
	// TurnDoubt was ours when that could be asked last. The registration is kept as long as the registrar has nobody's new
	// contact, which it is asked before each REGISTER.
	TurnDoubt
)

// Sharing is how an account is shared: one gateway registers at a time.
type Sharing struct {
	Turn   func() Turn   // asked before REGISTER leaves; [Trunk.TurnChanged] says that it is another one
	Former func() string // contact of who had the turn last and is gone, "" for none: it is taken away if the registrar has it
}

// errUsurped is a registrar that has somebody's new contact, where whose turn it is cannot be asked.
var errUsurped = errors.New("another contact is registered, and whether that is right cannot be asked now")

// turns is when a registration may be made. One that is not shared has one turn, from its beginning to its end.
type turns struct {
	sharing *Sharing // nil = not shared

	resigned chan struct{} // closed when the registration is given up for good
	over     chan struct{} // closed after its last packet

	mu    sync.Mutex
	begun bool
	quit  bool
	end   context.CancelFunc // of the turn that lasts; nil = none
}

func newTurns(s *Sharing) *turns {
	return &turns{sharing: s, resigned: make(chan struct{}), over: make(chan struct{})}
}

// now is whose turn it is.
func (u *turns) now() Turn {
	if u.sharing == nil {
		return TurnOurs
	}
	return u.sharing.Turn()
}

// away tells whether somebody else registers, or nobody will here.
func (u *turns) away() bool {
	u.mu.Lock()
	quit := u.quit
	u.mu.Unlock()
	return u.sharing != nil && (quit || u.sharing.Turn() == TurnOther)
}

// begin is called once, before the first turn; done after the last packet. The context ends when the registration is given up, too.
func (u *turns) begin(ctx context.Context) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancel(ctx)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.begun = true
	if u.quit { // before it began: not even the first REGISTER leaves
		cancel()
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-u.resigned:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); <-watched; close(u.over) }
}

// take begins a turn, which lasts until it is another's.
func (u *turns) take(ctx context.Context) (context.Context, context.CancelFunc) {
	turn, end := context.WithCancel(ctx)
	u.mu.Lock()
	u.end = end
	u.mu.Unlock()
	if u.now() == TurnOther { // while it was being taken
		end()
	}
	return turn, end
}

// stop ends the turn that lasts, at once: what is on its way is not waited for.
func (u *turns) stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.end != nil {
		u.end()
	}
}

// TurnChanged has a trunk that shares its account look whose turn it is to register.
func (t *Trunk) TurnChanged() {
	r := t.registration
	if r == nil {
		return
	}
	if r.turns.now() == TurnOther {
		r.turns.stop()
	}
	r.wake()
}

// Unregister takes our contact away, if it is our turn, and registers no more; what it leaves for is another gateway's turn. It
// returns after the last packet, or when ctx is done.
func (t *Trunk) Unregister(ctx context.Context) {
	r := t.registration
	if r == nil {
		return
	}
	r.turns.mu.Lock()
	begun := r.turns.begun
	if !r.turns.quit {
		r.turns.quit = true
		close(r.turns.resigned)
	}
	r.turns.mu.Unlock()
	if !begun {
		return
	}
	select {
	case <-r.turns.over:
	case <-ctx.Done():
	}
}

// await waits until it is our turn; false: ctx is done. A trunk that is asked by its registration is asked by OPTIONS meanwhile:
// every REGISTER is another's.
func (r *registration) await(ctx context.Context) bool {
	if r.turns.now() != TurnOther {
		return ctx.Err() == nil
	}
	r.attempted()
	r.trunk.vitals.elsewhere()
	asking, stop := context.WithCancel(ctx)
	defer stop()
	if r.trunk.cfg.Probe.Mode == ProbeRegister {
		r.trunk.work.Go(func() { r.trunk.probeUntil(asking) })
	}
	for {
		select {
		case <-r.kick:
			if r.turns.now() != TurnOther {
				return ctx.Err() == nil
			}
		case <-ctx.Done():
			return false
		}
	}
}

// drop forgets our contact without a word: what the registrar has is another gateway's business now.
func (r *registration) drop() {
	r.hold(nil)
	r.doubt = nil
	r.trunk.env.Log.Info("it is another gateway's turn to register")
}

// usurped is why no REGISTER may leave: it is in doubt whose turn it is, and somebody's contact has come since we registered.
func (r *registration) usurped(ctx context.Context, p path) error {
	if r.turns.now() != TurnDoubt {
		return nil
	}
	res, err := r.send(ctx, r.query(p))
	if err != nil {
		return err
	}
	if !res.IsSuccess() {
		return nil // it does not let itself be asked
	}
	ours, known := r.trunk.contact(p).Address, []string(nil)
	if r.bound != nil {
		ours, known = r.bound.contact, r.bound.foreign
	}
	for _, contact := range grantedBy(res, ours, 0).foreign {
		if !slices.Contains(known, contact) {
			return errUsurped
		}
	}
	return nil
}

// refrain notes that somebody else seems to be registered.
func (r *registration) refrain(err error) {
	r.hold(nil)
	r.doubt = nil
	r.trunk.env.Log.Warn("not registered", "err", err)
	r.trunk.vitals.elsewhere()
}

// inherited is the contact of who had the turn before and is gone, where the registrar still has it beside ours, or refuses ours
// because of it; nil for none.
func (r *registration) inherited(res *sip.Response, ours sip.Uri) *sip.ContactHeader {
	var former sip.Uri
	if r.turns.sharing == nil || r.turns.sharing.Former == nil || r.bound != nil {
		return nil
	}
	if err := sip.ParseUri(r.turns.sharing.Former(), &former); err != nil || former.Host == "" || sameContact(former, ours, "") {
		return nil
	}
	if !res.IsSuccess() {
		return removal(former) // one contact too many is a 403 of Asterisk's and a 503 of Kamailio's
	}
	for _, h := range res.GetHeaders("Contact") {
		if c, ok := h.(*sip.ContactHeader); ok && sameContact(c.Address, former, "") {
			return removal(former)
		}
	}
	return nil
}
