package sip

import (
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// replyLimit is how long the owner of a call may take for the answer to a re-INVITE; it has it at once or not at all.
const replyLimit = 2 * time.Second

// reoffer is a re-INVITE or UPDATE of the peer that asks for an answer, until that was sent; a re-INVITE further on until
// its ACK.
type reoffer struct {
	in     inbound
	dialog *dialog
	offer  []byte        // nil: it asks for ours
	res    *sip.Response // our 2xx to a re-INVITE, sent again until the ACK (RFC 3261 13.3.1.4), because sipgo sends it once
	wait   time.Duration
	until  time.Time
}

// offering: our 2xx carries an offer, and the ACK will carry the answer.
func (r *reoffer) offering() bool { return r != nil && r.res != nil && r.offer == nil }

// reoffered takes a re-INVITE or UPDATE in order.
func (l *Leg) reoffered(in inbound, d *dialog) {
	body, ok := offerIn(in.req)
	reads := in.req.IsInvite() || body != nil // an UPDATE without SDP is no part of offer and answer
	switch {
	case !ok:
		respond(in.req, in.tx, 415, "Unsupported Media Type", sip.NewHeader("Accept", "application/sdp"), sip.NewHeader("Accept-Encoding", "identity"))
	case in.req.IsInvite() && l.state < confirmed, reads && (l.ours != nil && l.ours.IsInvite() || l.re.offering()):
		respond(in.req, in.tx, 491, "Request Pending") // RFC 3261 14.2, RFC 3311 5.2
	case reads && l.re != nil && (l.re.res == nil || in.req.IsInvite()), reads && l.crowded():
		l.tryLater(in)
	case !reads:
		d.refresh(in.req)
		l.admit(d)
		_ = in.tx.Respond(l.agreeTo(in.req, nil))
	default:
		l.offered(&reoffer{in: in, dialog: d, offer: body})
	}
}

// offered asks the owner of the call for an answer.
func (l *Leg) offered(r *reoffer) {
	l.re = r // an UPDATE after our 2xx proves that it came, as an ACK does
	l.due.off(dueResend)
	l.due.in(dueReply, replyLimit, func() { l.replied(r, nil) })
	l.emit(Reoffer{SDP: r.offer, Reply: func(answer []byte) { l.box.tell(func() { l.replied(r, answer) }) }})
}

// replied sends the answer. Only the first counts, and none after the peer took its request back.
func (l *Leg) replied(r *reoffer, answer []byte) {
	if l.re != r || r.res != nil || l.state == over {
		return
	}
	l.due.off(dueReply)
	l.re = nil
	switch {
	case r.in.tx.Err() != nil: // cancelled: sipgo has answered it 487
	case answer == nil:
		respond(r.in.req, r.in.tx, 488, "Not Acceptable Here")
	default:
		l.agreeing(r, answer)
	}
	l.inOrder(r.dialog, false)
}

func (l *Leg) agreeing(r *reoffer, answer []byte) {
	l.local = answer
	r.dialog.refresh(r.in.req)
	l.admit(r.dialog)
	if l.state < confirmed { // an UPDATE while it rings: what a 2xx without SDP stands for
		r.dialog.sdp = r.offer
	}
	res := l.agreeTo(r.in.req, answer)
	_ = r.in.tx.Respond(res)
	if !r.in.req.IsInvite() || l.state != confirmed {
		return
	}
	l.re, r.res, r.wait, r.until = r, res, sip.T1, l.trunk.env.Now().Add(giveUp)
	l.due.in(dueResend, r.wait, l.answerAgain)
}

// agreeTo is the 2xx to a re-INVITE or UPDATE.
func (l *Leg) agreeTo(req *sip.Request, answer []byte) *sip.Response {
	res := sip.NewResponseFromRequest(req, 200, "OK", nil)
	res.AppendHeader(l.trunk.contact(l.path))
	res.AppendHeader(sip.NewHeader("Allow", methods))
	res.AppendHeader(sip.NewHeader("Supported", supported))
	l.agree(req, res)
	if answer != nil {
		contentType := sip.ContentTypeHeader("application/sdp")
		res.AppendHeader(&contentType)
		res.SetBody(answer)
	}
	return res
}

// answerAgain repeats our 2xx. Where no ACK ever comes, the session is over (RFC 3261 13.3.1.4).
func (l *Leg) answerAgain() {
	r := l.re
	if r == nil || r.res == nil {
		return
	}
	if !l.trunk.env.Now().Before(r.until) {
		l.re = nil
		l.lose(EndedByGone, `Q.850;cause=102;text="no ACK"`)
		return
	}
	_ = r.in.tx.Respond(r.res)
	r.wait = min(2*r.wait, sip.T2)
	l.due.in(dueResend, r.wait, l.answerAgain)
}

// acked takes the ACK of a re-INVITE, with the answer where our 2xx carried an offer.
func (l *Leg) acked(req *sip.Request) {
	r := l.re
	if r == nil || r.res == nil || req.CSeq().SeqNo != r.in.req.CSeq().SeqNo {
		return
	}
	l.due.off(dueResend)
	l.re = nil
	if body := sdpOf(req); r.offer == nil && body != nil && l.state == confirmed {
		l.emit(Reanswered{SDP: body})
	}
}

// offerIn is the SDP of a request, nil if it has none; false where its body is something else (RFC 3261 8.2.3).
func offerIn(req *sip.Request) ([]byte, bool) {
	if len(req.Body()) == 0 {
		return nil, true
	}
	if e := strings.TrimSpace(firstHeader(req, "Content-Encoding", "e")); e != "" && !strings.EqualFold(e, "identity") {
		return nil, false
	}
	body := sdpOf(req)
	return body, body != nil
}
