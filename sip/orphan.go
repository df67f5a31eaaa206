package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/emiago/sipgo/sip"
)

// Ending is the request that ends a call whoever sends it: a CANCEL of the INVITE that was sent last, and a BYE once there is
// an answer. A call whose gateway has died is ended by it, by [Trunk.End] of another. The zero Ending ends nothing.
type Ending struct {
	Transport string // "udp", "tcp" or "tls"
	Peer      string // the address and port that it goes to
	Request   string // the message
}

// seqAhead is how far the CSeq of a BYE that is made ahead lies before the leg's own: whatever the leg sends in the dialog
// after it, a refresh for instance, is lower (RFC 3261 12.2.2 lets numbers be left out).
const seqAhead = 1000

// Ending is how the leg is ended by somebody else, as of now. Who repeats the INVITE, or answers, is told of by
// [Challenged], [Amended], [Retargeted] and [Answered] after the Ending has changed.
func (l *Leg) Ending() Ending {
	if e := l.ending.Load(); e != nil {
		return *e
	}
	return Ending{}
}

// endsBy makes a request the leg's Ending.
func (l *Leg) endsBy(req *sip.Request, p path) {
	l.ending.Store(&Ending{Transport: l.trunk.over(p), Peer: p.to.String(), Request: req.String()})
}

// endsByBye: there is a dialog, which a CANCEL does not end any more.
func (l *Leg) endsByBye(d *dialog) {
	req := l.request(d, sip.BYE, l.seq+seqAhead)
	addReason(req, normalClearing)
	l.endsBy(req, l.toward(d))
}

// End sends what ends a call that another process began, once, and returns the status of the answer. A CANCEL goes out with
// the Via of its INVITE, branch and sent-by, by which the peer knows it (RFC 3261 9.1, 17.2.3): a peer that sends answers to
// where requests came from (rport, RFC 3581) answers to us. The peer repeats its 487 to where the INVITE came from, and
// gives up after 32 s.
func (t *Trunk) End(ctx context.Context, e Ending) (status int, err error) {
	peer, err := netip.ParseAddrPort(e.Peer)
	if err != nil {
		return 0, fmt.Errorf("end a call: %w", err)
	}
	m, err := sip.ParseMessage([]byte(e.Request))
	if err != nil {
		return 0, fmt.Errorf("end a call: %w", err)
	}
	req, ok := m.(*sip.Request)
	if !ok || req.Method != sip.CANCEL && req.Method != sip.BYE || req.Via() == nil || req.CSeq() == nil {
		return 0, errors.New("end a call: what was kept for that is no CANCEL and no BYE")
	}
	if err := t.Ready(ctx); err != nil { // who takes a page over may be faster than its own trunks
		return 0, fmt.Errorf("end a call: %w", err)
	}
	if !t.begin() {
		return 0, &SendError{"closed", errClosed}
	}
	defer t.work.Done()
	defer t.guard.allow(peer.Addr())()
	p, err := t.reach(ctx, t.called(req, Target{Transport: e.Transport, Addr: peer}), 1)
	if err != nil {
		return 0, err
	}
	t.address(req, p)
	if req.Method == sip.CANCEL {
		res, err := t.transact(ctx, req)
		if err != nil {
			return 0, err
		}
		return res.StatusCode, nil
	}
	req.RemoveHeader("Via")
	req.PrependHeader(t.newVia(p))
	req.ReplaceHeader(t.contact(p))
	res, err := t.authenticated(ctx, req, counting(req.CSeq().SeqNo))
	if res == nil {
		return 0, err
	}
	return res.StatusCode, err
}

// called is a target by the name that its certificate is checked for: one that is none of ours is a dialog's next hop, and its
// name is in the request.
func (t *Trunk) called(req *sip.Request, target Target) Target {
	target = t.known(target)
	if target.Host != "" || req.Method != sip.BYE {
		return target
	}
	hop := nextHopOf(&req.Recipient)
	if r := req.Route(); r != nil {
		hop = nextHopOf(&r.Address)
	}
	if _, numeric := hop.addr(); !numeric {
		target.Host, target.Port = hop.host, hop.port
	}
	return target
}
