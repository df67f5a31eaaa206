package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

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
	p, err := t.path(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.admit(ctx, p); err != nil {
		return nil, err
	}
	l := newLeg(t, p)
	l.first = t.inviteRequest(in, p)
	l.auth = t.auth.begin(l.first)
	l.callID, l.fromTag = l.first.CallID().Value(), tagOf(l.first.From().Params)
	l.seq, l.local, l.fallback = 1, in.Offer, in.Fallback
	if err := t.adopt(l); err != nil {
		return nil, err
	}
	if err := l.send(ctx, l.first); err != nil {
		t.drop(l)
		t.work.Done()
		return nil, err
	}
	t.count.invites.Add(1)
	go l.run() //nolint:contextcheck // ctx limits connecting only; the leg lives until its dialog ends
	return l, nil
}

// path resolves the trunk and, for connections, opens or finds the one that will be used, since Contact names its port.
func (t *Trunk) path(ctx context.Context) (path, error) {
	if t.closed() {
		return path{}, &SendError{"closed", errClosed}
	}
	peer, err := t.resolve(ctx)
	if err != nil {
		return path{}, &SendError{"resolve", err}
	}
	return t.pathTo(ctx, peer)
}

// pathTo is the path to one address.
func (t *Trunk) pathTo(ctx context.Context, peer netip.AddrPort) (path, error) {
	if t.closed() {
		return path{}, &SendError{"closed", errClosed}
	}
	t.mu.Lock()
	ua, local := t.ua, t.local
	t.mu.Unlock()
	if t.cfg.Transport == "tcp" {
		probe := sip.NewRequest(sip.OPTIONS, sip.Uri{Scheme: "sip", Host: hostOf(peer.Addr())})
		probe.AppendHeader(t.newVia(path{advertise: local}))
		t.address(probe, path{to: peer})
		conn, err := ua.TransportLayer().ClientRequestConnection(ctx, probe)
		if err != nil {
			return path{}, &SendError{"connect", err}
		}
		own, err := netip.ParseAddrPort(conn.LocalAddr().String())
		if err != nil {
			return path{}, &SendError{"connect", err}
		}
		local = own
	}
	t.mu.Lock()
	advertise := netip.AddrPortFrom(t.advertisedLocked().Addr(), local.Port())
	t.mu.Unlock()
	return path{local: local, advertise: advertise, to: peer}, nil
}

func (t *Trunk) closed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ua == nil || t.closing
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

// send starts the INVITE's transaction. Order matters: what may come the moment the request left is hooked up before.
func (l *Leg) send(ctx context.Context, req *sip.Request) error {
	if check := l.trunk.cfg.Dialable; check != nil {
		if err := check(userOf(&req.Recipient)); err != nil {
			return &SendError{"forbidden", err}
		}
	}
	tx, err := l.trunk.ua.TransactionLayer().NewClientTransaction(ctx, req)
	if err != nil {
		return &SendError{"connect", unnumbered(err, req)}
	}
	tx.OnRetransmission(l.repeated)
	if err := tx.Init(); err != nil {
		tx.Terminate()
		return &SendError{"send", unnumbered(err, req)}
	}
	l.tx, l.invite = tx, req
	return nil
}
