package sip

import (
	"context"

	"github.com/emiago/sipgo/sip"
)

// conclusion takes the final response to a request of ours inside a dialog, on the leg's goroutine; err is set where none
// came.
type conclusion func(res *sip.Response, err error)

// ask sends a request inside a dialog, any but ACK, and again where it is challenged. CSeq numbers are the leg's: whatever
// is sent, the ACK and the CANCEL keep the INVITE's (RFC 3261 9.1, 13.2.2.4).
func (l *Leg) ask(req *sip.Request, then conclusion) {
	x := l.trunk.auth.begin(req)
	l.askAs(&x, req, then)
}

// askAs sends it with what its challenges were answered so far.
func (l *Leg) askAs(x *exchange, req *sip.Request, then conclusion) {
	l.put(req, func(res *sip.Response, err error) {
		if err != nil || l.state == over {
			then(res, err)
			return
		}
		if res.StatusCode != 401 && res.StatusCode != 407 {
			x.settled(req, res)
			then(res, nil)
			return
		}
		if err := x.challenged(res, req); err != nil {
			l.trunk.vitals.unanswered(err)
			then(res, nil) // refused like by any other response
			return
		}
		l.seq++
		again := l.trunk.repeat(req, l.seq)
		x.sign(again)
		if l.ours == req {
			l.ours = again
		}
		l.askAs(x, again, then)
	})
}

// put hands one request to the network, by TCP where it is too large for UDP, and sees to its response. Where its next hop is
// gone, it goes as the INVITE did.
func (l *Leg) put(req *sip.Request, then conclusion) {
	leg, p, to := l.path, l.path, destination(req)
	p.to, p.transport = to.addr, to.transport
	l.trunk.work.Go(func() {
		ctx, stop := l.trunk.limited(giveUp)
		defer stop()
		send := l.trunk.transact
		if req.IsInvite() {
			send = l.transactInvite
		}
		sent, _ := l.trunk.fit(ctx, req, p)
		res, err := send(ctx, sent)
		if to != l.trunk.endpoint(leg) && l.trunk.mayGoAround(req, leg, err) {
			sent, _ = l.trunk.fit(ctx, l.trunk.moved(req, leg), leg)
			res, err = send(ctx, sent)
		}
		l.box.tell(func() { then(res, err) })
	})
}

// transactInvite sends a re-INVITE, and returns its final response. After a 2xx the transaction is kept, for its repeats.
func (l *Leg) transactInvite(ctx context.Context, req *sip.Request) (*sip.Response, error) {
	if err := l.trunk.connect(ctx, req); err != nil {
		return nil, err
	}
	tx, err := l.trunk.ua.transactions.NewClientTransaction(ctx, req)
	if err != nil {
		return nil, &SendError{"connect", unnumbered(err, userOf(&req.Recipient))}
	}
	tx.OnRetransmission(l.repeated)
	if err := tx.Init(); err != nil {
		tx.Terminate()
		return nil, &SendError{"send", unnumbered(err, userOf(&req.Recipient))}
	}
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() { // a refusal was acknowledged by the transaction
				return res, nil
			}
		case <-tx.Done():
			return nil, tx.Err()
		case <-ctx.Done():
			tx.Terminate()
			return nil, ctx.Err()
		}
	}
}
