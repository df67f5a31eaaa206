package sip

import (
	"github.com/emiago/sipgo/sip"
)

// inbound is a request of the peer, on its way to the leg it belongs to.
type inbound struct {
	req *sip.Request
	tx  *sip.ServerTx // nil for ACK
}

// serve answers everything the peer sends that is not a response. sipgo calls it on a goroutine per request.
func (t *Trunk) serve(req *sip.Request, tx *sip.ServerTx) {
	if !wellFormed(req) {
		respond(req, tx, 400, "Bad Request")
		return
	}
	if req.IsAck() && tx != nil {
		tx.Terminate() // sipgo makes a transaction for it and would keep that for ever
		tx = nil
	}
	if badExtension(req, tx) {
		return
	}
	toTag := tagOf(req.To().Params)
	if toTag == "" {
		t.serveOutside(req, tx)
		return
	}
	t.mu.Lock()
	l := t.legs[req.CallID().Value()]
	t.mu.Unlock()
	if l == nil || tagOf(l.from.Params) != toTag {
		if !req.IsAck() {
			respond(req, tx, 481, "Call/Transaction Does Not Exist")
		}
		return
	}
	switch taken, full := l.box.ask(inbound{req, tx}); {
	case full: // a flood inside one dialog; the peer repeats what matters
		respond(req, tx, 500, "Server Internal Error", sip.NewHeader("Retry-After", "1"))
	case !taken:
		respond(req, tx, 481, "Call/Transaction Does Not Exist")
	}
}

// wellFormed: sipgo hands on requests without the headers every answer needs.
func wellFormed(req *sip.Request) bool {
	return req.From() != nil && req.To() != nil && req.CallID() != nil && req.CSeq() != nil && req.Via() != nil &&
		req.CSeq().MethodName == req.Method
}

// serveOutside answers requests outside any dialog. Calls are not taken here: 480 leaves other phones of the caller's
// alone, where a 6xx would stop them.
func (t *Trunk) serveOutside(req *sip.Request, tx *sip.ServerTx) {
	switch req.Method {
	case sip.ACK:
	case sip.OPTIONS:
		able(req, tx)
	case sip.INVITE:
		t.env.Log.Info("incoming call refused: this gateway only calls out")
		respond(req, tx, 480, "Temporarily Unavailable")
		if t.cfg.RungBy != nil {
			t.cfg.RungBy(callerOf(req))
		}
	case sip.CANCEL, sip.BYE, sip.PRACK, sip.UPDATE, sip.INFO:
		respond(req, tx, 481, "Call/Transaction Does Not Exist")
	case sip.REFER:
		respond(req, tx, 603, "Decline")
	default:
		respond(req, tx, 405, "Method Not Allowed", sip.NewHeader("Allow", methods))
	}
}

// able answers OPTIONS (RFC 3261 11.2).
func able(req *sip.Request, tx *sip.ServerTx) {
	respond(req, tx, 200, "OK", sip.NewHeader("Allow", methods), sip.NewHeader("Accept", "application/sdp"),
		sip.NewHeader("Supported", supported))
}

// asked takes one request of the peer inside a dialog of the leg, in order.
func (l *Leg) asked(in inbound, d *dialog) {
	req := in.req
	if l.talk != nil && d != l.talk || l.state == over || l.state == byeing && req.Method != sip.BYE {
		respond(req, in.tx, 481, "Call/Transaction Does Not Exist")
		return
	}
	switch req.Method {
	case sip.BYE:
		l.peerBye(in, d)
	case sip.INVITE, sip.UPDATE:
		l.reoffered(in, d)
	case sip.INFO:
		l.informed(in, d)
	case sip.OPTIONS:
		able(req, in.tx)
	case sip.REFER: // whom we call is not for the callee to say
		respond(req, in.tx, 603, "Decline")
	default:
		respond(req, in.tx, 405, "Method Not Allowed", sip.NewHeader("Allow", methods))
	}
}

// peerBye: the callee hung up. Where our own BYE crosses it, both are answered and ours decides; where it overtook its
// own 200, the dialog is gone as soon as that comes.
func (l *Leg) peerBye(in inbound, d *dialog) {
	respond(in.req, in.tx, 200, "OK")
	d.byed = true
	if l.state == byeing {
		return
	}
	if r := parseReason(headerValues(in.req, "Reason")); len(r.Values) > 0 {
		l.end.Reason = r
	}
	if l.state == confirmed {
		l.finish(EndedByPeerBye, nil)
	}
}

// respond answers a request; an ACK has no answer.
func respond(req *sip.Request, tx *sip.ServerTx, status int, phrase string, headers ...sip.Header) {
	if req.IsAck() || tx == nil {
		return
	}
	res := sip.NewResponseFromRequest(req, status, phrase, nil)
	for _, h := range headers {
		res.AppendHeader(h)
	}
	_ = tx.Respond(res) // a lost answer is asked for again
}
