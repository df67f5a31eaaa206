package sip

import (
	"time"

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
	toTag := tagOf(req.To().Params)
	if toTag == "" {
		t.serveOutside(req, tx)
		return
	}
	t.mu.Lock()
	l := t.legs[req.CallID().Value()]
	t.mu.Unlock()
	if l == nil || l.fromTag != toTag {
		if !req.IsAck() {
			respond(req, tx, 481, "Call/Transaction Does Not Exist")
		}
		return
	}
	select {
	case l.inbox <- inbound{req, tx}:
	case <-l.done:
		respond(req, tx, 481, "Call/Transaction Does Not Exist")
	default: // a flood inside one dialog; the peer repeats what matters
		respond(req, tx, 500, "Server Internal Error", sip.NewHeader("Retry-After", "1"))
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
		respond(req, tx, 200, "OK", sip.NewHeader("Allow", methods), sip.NewHeader("Accept", "application/sdp"),
			sip.NewHeader("Supported", ""))
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

// asked takes one request of the peer inside the leg's dialog. A CSeq below one already seen was overtaken.
func (l *Leg) asked(in inbound) {
	req := in.req
	d := l.talk
	if d == nil {
		d = l.early[tagOf(req.From().Params)]
	}
	if d == nil || tagOf(req.From().Params) != d.toTag {
		respond(req, in.tx, 481, "Call/Transaction Does Not Exist")
		return
	}
	if req.IsAck() {
		l.acked(req)
		return
	}
	seq := req.CSeq().SeqNo
	if seq <= d.theirs && req.Method != sip.BYE {
		respond(req, in.tx, 500, "Server Internal Error")
		return
	}
	d.theirs = max(d.theirs, seq)
	switch req.Method {
	case sip.BYE:
		l.peerBye(in)
	case sip.INVITE, sip.UPDATE:
		l.reoffered(in, d)
	case sip.INFO, sip.OPTIONS:
		respond(req, in.tx, 200, "OK", sip.NewHeader("Allow", methods))
	case sip.REFER:
		respond(req, in.tx, 603, "Decline")
	default:
		respond(req, in.tx, 405, "Method Not Allowed", sip.NewHeader("Allow", methods))
	}
}

// peerBye: the callee hung up. Where our own BYE crosses it, both are answered and ours decides.
func (l *Leg) peerBye(in inbound) {
	respond(in.req, in.tx, 200, "OK")
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

// reinvite is the 2xx to a re-INVITE that waits for its ACK: sent again until then (RFC 3261 13.3.1.4), because sipgo
// sends it once.
type reinvite struct {
	seq   uint32
	res   *sip.Response
	wait  time.Duration
	timer *time.Timer
	until time.Time
}

// reoffered asks the owner of the call for an answer, and sends it.
func (l *Leg) reoffered(in inbound, d *dialog) {
	if in.req.IsInvite() && (l.state != confirmed || l.re != nil) {
		respond(in.req, in.tx, 491, "Request Pending")
		return
	}
	body := sdpOf(in.req)
	if !in.req.IsInvite() && body == nil { // an UPDATE may only refresh
		d.refresh(in.req)
		respond(in.req, in.tx, 200, "OK", l.trunk.contact(l.path))
		return
	}
	answered := make(chan []byte, 1)
	l.emit(Reoffer{SDP: body, Reply: func(answer []byte) {
		select {
		case answered <- answer:
		default: // only the first counts
		}
	}})
	timer := time.NewTimer(replyLimit)
	defer timer.Stop()
	var answer []byte
	select {
	case answer = <-answered:
	case <-timer.C:
	case <-l.trunk.abandon:
	}
	if answer == nil {
		respond(in.req, in.tx, 488, "Not Acceptable Here")
		return
	}
	d.refresh(in.req)
	res := sip.NewSDPResponseFromRequest(in.req, answer)
	res.AppendHeader(l.trunk.contact(l.path))
	_ = in.tx.Respond(res)
	if in.req.IsInvite() {
		l.re = &reinvite{seq: in.req.CSeq().SeqNo, res: res, wait: sip.T1, timer: time.NewTimer(sip.T1), until: l.trunk.env.Now().Add(giveUp)}
	}
}

// replyLimit is how long the owner of a call may take for the answer to a re-INVITE; it has it at once or not at all.
const replyLimit = 2 * time.Second

func (l *Leg) resendDue() <-chan time.Time {
	if l.re == nil {
		return nil
	}
	return l.re.timer.C
}

func (l *Leg) resendAnswer() {
	if l.trunk.env.Now().After(l.re.until) {
		l.re = nil
		return
	}
	_ = l.trunk.ua.TransportLayer().WriteMsg(l.re.res)
	l.re.wait = min(2*l.re.wait, sip.T2)
	l.re.timer.Reset(l.re.wait)
}

func (l *Leg) acked(req *sip.Request) {
	if l.re != nil && req.CSeq().SeqNo == l.re.seq {
		l.re.timer.Stop()
		l.re = nil
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
