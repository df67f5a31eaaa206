package sip

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"
)

// errClosed says that the trunk is not open, or stops.
var errClosed = errors.New("the trunk is not open")

// Invite sends an INVITE and returns its leg as soon as it was handed to the network; ctx limits resolving and
// connecting only. The error is a [*SendError], and nothing was sent then.
func (t *Trunk) Invite(ctx context.Context, in Invite) (*Leg, error) {
	if !isUser(in.User) {
		return nil, &SendError{"forbidden", fmt.Errorf("%q cannot be the user of a SIP address", in.User)}
	}
	if err := errors.Join(t.cfg.writable(in), t.cfg.Identity.sound()); err != nil { // once more: it is what goes on the wire that counts
		return nil, &SendError{"forbidden", err}
	}
	if !t.begin() {
		return nil, &SendError{"closed", errClosed}
	}
	defer t.work.Done()
	targets, err := t.targets(ctx, t.firstHops(), t.cfg.Transport)
	if err != nil {
		return nil, err
	}
	var failed []error
	for i, target := range targets {
		l, err := t.inviteAt(ctx, in, target, targets[i+1:])
		if err == nil {
			return l, nil
		}
		if failed = append(failed, err); !definite(err) || ctx.Err() != nil {
			break
		}
	}
	return nil, first(failed)
}

// first is the error of the target that was wanted most, with those of the others in its text.
func first(failed []error) error {
	if len(failed) == 1 {
		return failed[0]
	}
	s, ok := errors.AsType[*SendError](failed[0])
	if !ok {
		return failed[0]
	}
	return &SendError{s.Op, errors.Join(append([]error{s.Err}, failed[1:]...)...)}
}

// inviteAt sends the INVITE to one target; next are those it may still go to.
func (t *Trunk) inviteAt(ctx context.Context, in Invite, target Target, next []Target) (*Leg, error) {
	p, err := t.reach(ctx, target, len(next)+1)
	if err != nil {
		return nil, err
	}
	if len(next) > 0 {
		if err := t.awake(ctx, p); err != nil {
			return nil, err
		}
	}
	p = t.oriented(ctx, p)
	if err := t.admit(ctx, p); err != nil {
		return nil, err
	}
	req := t.inviteRequest(in, p)
	auth := t.auth.begin(req)
	req, p = t.fit(ctx, req, p)
	l := newLeg(t, p)
	l.next, l.first, l.auth, l.trace = next, req, auth, in.Trace
	l.callID, l.from, l.user = l.first.CallID().Value(), l.first.From(), userOf(&l.first.Recipient)
	l.seq, l.local, l.fallback = 1, in.Offer, in.Fallback
	if err := t.adopt(l); err != nil {
		l.release()
		return nil, err
	}
	if err := l.send(ctx, l.first); err != nil {
		t.drop(l)
		l.release()
		t.work.Done()
		return nil, err
	}
	t.count.invites.Add(1)
	go l.run() //nolint:contextcheck // ctx limits connecting only; the leg lives until its dialog ends
	return l, nil
}

// awakeLimit is how long a target on UDP may take to show that it is there, where there is another.
const awakeLimit = time.Second

// awake asks a target on UDP whether it is there before it gets an INVITE. On UDP the dead say nothing, and an INVITE that
// may have arrived must not be sent to the next one, because two phones could ring; OPTIONS rings nobody. Who was heard
// from lately is not asked, which is everybody that [Trunk.patrol] found alive. The error is a [*SendError] that lets the next one have the INVITE.
func (t *Trunk) awake(ctx context.Context, p path) error {
	at := t.endpoint(p)
	if at.transport != "udp" || t.up.health.fresh(at) || t.up.health.resting(at) {
		return nil // one that rests is here because all others do: it gets its chance
	}
	limit, cancel := context.WithTimeout(ctx, t.waits.awake)
	defer cancel()
	res, err := t.transact(limit, t.request(sip.OPTIONS, "", p))
	switch {
	case ctx.Err() != nil:
		return nil
	case err == nil && res.StatusCode == 503:
		t.up.health.failed(at, retryAfter(res))
		err = fmt.Errorf("%s answers OPTIONS with %s", p.to, statusLine(res))
	case err == nil:
		return nil
	}
	return &SendError{"connect", fmt.Errorf("%w, and there is another address", err)}
}

// adopt registers a leg for the peer's requests; Run waits for it from then on.
func (t *Trunk) adopt(l *Leg) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing {
		return &SendError{"closed", errClosed}
	}
	t.legs[l.callID] = l
	t.work.Add(1)
	return nil
}

func (t *Trunk) drop(l *Leg) {
	t.mu.Lock()
	delete(t.legs, l.callID)
	t.mu.Unlock()
}

// errHungUp says that an INVITE was not sent again, because nobody wants the call any more.
var errHungUp = errors.New("hung up meanwhile")

// wanted looks whether the call was hung up while its owner was busy with something else.
func (l *Leg) wanted() bool {
	if h := l.box.hanging(); h != nil {
		l.why = h
	}
	return l.why == nil
}

// send starts the INVITE's transaction. Order matters: what may come the moment the request left is hooked up before.
func (l *Leg) send(ctx context.Context, req *sip.Request) error {
	if check := l.trunk.cfg.Dialable; check != nil {
		if err := check(userOf(&req.Recipient)); err != nil {
			return &SendError{"forbidden", err}
		}
	}
	to := destination(req)
	if err := l.trunk.connect(ctx, req); err != nil {
		return err
	}
	if !l.wanted() { // hung up while we were connecting
		return &SendError{"closed", errHungUp}
	}
	tx, err := l.trunk.ua.transactions.NewClientTransaction(ctx, req)
	if err != nil {
		return &SendError{"connect", unnumbered(l.trunk.up.flows.because(to, err), userOf(&req.Recipient))}
	}
	tx.OnRetransmission(l.repeated)
	l.arrivals.expect(req)
	if err := tx.Init(); err != nil {
		tx.Terminate()
		return &SendError{"send", unnumbered(l.trunk.up.flows.because(to, err), userOf(&req.Recipient))}
	}
	l.tx, l.invite = tx, req
	l.endsBy(l.trunk.cancelRequest(req, "", l.path), l.path)
	return nil
}
