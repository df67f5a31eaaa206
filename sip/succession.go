package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// LateLimit is how long after its calls a trunk is still wanted: an answer to an INVITE that was given up may come so late
// (64*T1, RFC 3261 17.1.1.2), and whoever picked up has to be told goodbye.
const LateLimit = giveUp + time.Second

// succession is which trunks a trunk takes the place of, and which one takes its.
type succession struct {
	before  []*Trunk // whose ports it may have; forgotten once it is open
	heir    *Trunk
	retired chan struct{} // closed when it is out of service
	once    sync.Once
}

// Succeed lets the trunk take the place of others beside it, which are about to leave. It is to be called before [Trunk.Run].
// It gets the UDP port of the one of its name where they are bound alike, else that of another one where it wants the
// same. What that one sent is still answered to it.
func (t *Trunk) Succeed(before ...*Trunk) { t.succession.before = before }

// Retire takes the trunk out of service: it registers and asks no more. Calls that are up, and those that begin all the same,
// go on until Run's context is done. It unregisters, unless the heir (nil = none) is registered in its place.
func (t *Trunk) Retire(heir *Trunk) {
	t.succession.once.Do(func() {
		t.mu.Lock()
		t.succession.heir = heir
		t.mu.Unlock()
		close(t.succession.retired)
	})
}

// inService is ctx until the trunk retires.
func (t *Trunk) inService(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	t.work.Go(func() {
		select {
		case <-t.succession.retired:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, cancel
}

// inherited is the port of a trunk that leaves, nil if none can be had.
func (t *Trunk) inherited(local, preferred netip.AddrPort) *share {
	alike := func(old *Trunk) bool {
		return old.cfg.Name == t.cfg.Name && old.cfg.Local.Bind == t.cfg.Local.Bind && old.cfg.Local.Port == t.cfg.Local.Port
	}
	for _, old := range t.succession.before {
		if p, at := old.bound(); p != nil && at.Addr() == local.Addr() && alike(old) {
			if s := p.join(t, t.succession.before); s != nil {
				return s
			}
		}
	}
	for _, old := range t.succession.before {
		if p, at := old.bound(); p != nil && at == preferred {
			if s := p.join(t, t.succession.before); s != nil {
				return s
			}
		}
	}
	return nil
}

// bound is the port of a trunk and its address; nil where it has none.
func (t *Trunk) bound() (*port, netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn == nil {
		return nil, netip.AddrPort{}
	}
	return t.conn.port, t.local
}

// bindingStays tells whether a contact of ours is the heir's too: taking it away would take the heir's. Where the heir has not
// registered one yet it is.
func (t *Trunk) bindingStays(contact sip.Uri) bool {
	t.mu.Lock()
	heir := t.succession.heir
	t.mu.Unlock()
	if heir == nil || heir.registration == nil {
		return false
	}
	ours, _ := t.bound()
	theirs, _ := heir.bound()
	if ours == nil || ours != theirs {
		return false
	}
	registered := heir.vitals.contact()
	return (registered == "" || registered == hostPort(contact)) &&
		t.contactUser() == heir.contactUser() && t.cfg.Credentials.User == heir.cfg.Credentials.User &&
		t.cfg.Identity.Domain == heir.cfg.Identity.Domain && slices.Equal(t.registration.hops(), heir.registration.hops())
}

// Try finds out whether the trunk works, as far as that can be known without ringing anybody: that it opens, and is
// registered where it registers, or answers OPTIONS where it is asked with that, or can be connected to. Run must be at
// work. An [*AuthError] says that user or password were refused.
func (t *Trunk) Try(ctx context.Context) error {
	if err := t.Ready(ctx); err != nil {
		return err
	}
	switch r := t.registration; {
	case r != nil && !t.cfg.Register.Ask:
		select {
		case <-r.tried:
			return r.firstErr
		case <-ctx.Done():
			return noAnswer("REGISTER", ctx.Err())
		}
	case t.cfg.Probe.Mode == ProbeOptions:
		ctx, stop := context.WithTimeout(ctx, probeLimit)
		defer stop()
		p, err := t.Probe(ctx)
		switch {
		case err != nil:
			return err
		case !p.Alive():
			return &statusError{p.Status, fmt.Sprintf("%d %s", p.Status, p.Phrase)}
		case !t.auth.restsUntil().IsZero():
			return &AuthError{Status: fmt.Sprintf("%d %s", p.Status, p.Phrase), Refused: true, Err: errRefused}
		}
		return nil
	default:
		_, err := t.path(ctx)
		return err
	}
}

// errStopped says that a trunk was not tried to the end.
var errStopped = errors.New("stopped meanwhile")
