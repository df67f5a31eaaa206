package sip

import (
	"github.com/emiago/sipgo/sip"
)

// response takes one response to the INVITE.
func (l *Leg) response(res *sip.Response) {
	l.end.Responses++
	if s := firstHeader(res, "Server", "User-Agent"); s != "" {
		l.end.Server = s
	}
	if !res.IsProvisional() && res.StatusCode != 401 && res.StatusCode != 407 {
		l.auth.settled(l.first)
	}
	switch {
	case res.StatusCode == 100:
		l.provisional()
		l.emit(Trying{})
	case res.IsProvisional():
		l.provisional()
		l.progress(res)
	case res.IsSuccess():
		l.success(res)
	case (res.StatusCode == 401 || res.StatusCode == 407) && l.why == nil:
		l.challenged(res)
	default:
		l.refused(res)
	}
}

// provisional: from the first response on a CANCEL may be sent.
func (l *Leg) provisional() {
	if l.state != calling {
		return
	}
	l.state = proceeding
	if l.why != nil {
		l.cancel()
	}
}

// progress keeps early dialogs and their SDP by To tag; a 2xx may come without its own.
func (l *Leg) progress(res *sip.Response) {
	tag := ""
	if to := res.To(); to != nil {
		tag = tagOf(to.Params)
	}
	body := sdpOf(res)
	if tag != "" {
		d := l.early[tag]
		if d == nil {
			d = dialogOf(res)
			l.early[tag] = d
		}
		if body != nil {
			d.sdp = body
		}
	}
	l.emit(Progress{Status: res.StatusCode, Phrase: res.Reason, SDP: body, ToTag: tag})
}

// success is the first 2xx: ACK at once, and the dialog is up; or, after our CANCEL, ACK and BYE.
func (l *Leg) success(res *sip.Response) {
	d := dialogOf(res)
	body := sdpOf(res)
	if e := l.early[d.toTag]; body == nil && e != nil {
		body = e.sdp
	}
	l.early[d.toTag] = d
	l.talk = d
	l.patient()
	l.end.Status, l.end.Phrase = res.StatusCode, res.Reason
	l.trunk.count.answered.Add(1)
	if addr, ok := hostAddr(d); ok {
		l.free = append(l.free, l.trunk.guard.allow(addr))
	}
	l.free = append(l.free, l.trunk.guard.allow(l.nextHop(d).Addr())) // a Record-Route may name another host than Contact
	l.acknowledge(d)
	if l.why != nil {
		l.bye(d, EndedByLateAnswer)
		return
	}
	l.state = confirmed
	l.emit(Answered{SDP: body, ToTag: d.toTag})
}

// acknowledge sends the ACK and keeps it for repeated 2xx (RFC 3261 13.2.2.4). Its CSeq is the INVITE's, always.
func (l *Leg) acknowledge(d *dialog) {
	d.ack = l.request(d, sip.ACK, l.invite.CSeq().SeqNo)
	for _, name := range []string{"Authorization", "Proxy-Authorization"} { // RFC 3261 22.1
		sip.CopyHeaders(name, l.invite, d.ack)
	}
	_ = l.trunk.ua.TransportLayer().WriteMsg(d.ack) // a lost one is asked for again by the repeated 2xx
	l.forks.won(d)                                  // after it: sending fills in what repeats copy
}

// challenged sends the INVITE again with credentials.
func (l *Leg) challenged(res *sip.Response) {
	if err := l.auth.challenged(res, l.invite); err != nil {
		l.facts(res)
		l.trunk.vitals.unanswered(err)
		l.finish(EndedByAuth, err)
		return
	}
	l.seq++
	ctx, stop := l.trunk.limited(giveUp)
	defer stop()
	l.state = calling
	again := l.trunk.repeat(l.first, l.seq)
	l.auth.sign(again)
	if err := l.send(ctx, again); err != nil {
		l.facts(res)
		l.finish(EndedByTransport, err)
		return
	}
	l.emit(Challenged{})
}

// refused is a final 3xx–6xx; its ACK has been sent by the transaction.
func (l *Leg) refused(res *sip.Response) {
	l.facts(res)
	if l.why != nil {
		l.finish(EndedByCancelled, nil)
		return
	}
	l.finish(EndedByRefused, nil)
}

// facts keeps what a final response says.
func (l *Leg) facts(res *sip.Response) {
	e := &l.end
	e.Status, e.Phrase = res.StatusCode, res.Reason
	e.Reason = parseReason(headerValues(res, "Reason"))
	e.RetryAfter, e.Warning = retryAfter(res), firstHeader(res, "Warning")
	if res.IsRedirection() {
		e.Contact = redirectUser(res)
	}
}

// sdpOf is the body where it is SDP.
func sdpOf(m interface {
	Body() []byte
	ContentType() *sip.ContentTypeHeader
},
) []byte {
	if len(m.Body()) == 0 {
		return nil
	}
	if ct := m.ContentType(); ct != nil && !isSDP(ct.Value()) {
		return nil
	}
	return m.Body()
}
