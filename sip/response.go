package sip

import (
	"net/netip"
	"slices"

	"github.com/emiago/sipgo/sip"
)

// response takes one response to the INVITE.
func (l *Leg) response(res *sip.Response) {
	l.end.Responses++
	l.trunk.up.health.spoke(l.trunk.endpoint(l.path))
	l.trunk.learn(l.invite, res)
	l.reoriented()
	if s := firstHeader(res, "Server", "User-Agent"); s != "" {
		l.end.Server = s
	}
	if res.StatusCode > 100 && res.StatusCode != 401 && res.StatusCode != 407 {
		l.auth.settled(l.first, res)
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
	case (res.StatusCode == 401 || res.StatusCode == 407) && l.why == nil && !l.rang:
		l.challenged(res)
	default:
		if !l.amend(res) {
			l.refused(res)
		}
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
	l.begun, l.fallback = true, nil          // no 488 is answered from here on
	l.rang = l.rang || res.StatusCode == 180 // and nothing is: it would ring twice
	d := l.earlyDialog(res)
	if !l.takeReliable(res, d) {
		return
	}
	told := Progress{Status: res.StatusCode, Phrase: res.Reason, SDP: sdpOf(res), Diverted: diversionOf(res)}
	if d != nil {
		told.ToTag = d.toTag
		switch {
		case res.StatusCode == 199: // RFC 6228: this branch of a fork has ended, the call has not
			d.gone, d.sdp = true, nil
		case told.SDP != nil:
			d.sdp = told.SDP
		}
	}
	l.emit(told)
}

// mostForks is how many early dialogs are kept; more are a loop or an attack, and are still told.
const mostForks = 32

// earlyDialog is the dialog of a 1xx, made by the first of its To tag; nil if it has none.
func (l *Leg) earlyDialog(res *sip.Response) *dialog {
	if res.To() == nil {
		return nil
	}
	tag := tagOf(res.To().Params)
	if d := l.dialog(tag); d != nil || tag == "" || len(l.early) >= mostForks {
		return d
	}
	d := dialogOf(res)
	l.early = append(l.early, d)
	l.admit(d)
	return d
}

// mostHosts a leg may open the socket to; a call that moves further than that forgets the oldest.
const mostHosts = 16

// admit finds out where a dialog's requests go, and lets in what comes from there. A Record-Route may name another host than Contact.
func (l *Leg) admit(d *dialog) {
	l.head(d)
	l.hold()
	hosts := []netip.Addr{l.toward(d).to.Addr()}
	if contact, ok := hostAddr(d); ok && contact != hosts[0] {
		hosts = append(hosts, contact)
	}
	for _, h := range hosts {
		l.letIn(h)
	}
}

// letIn opens the socket to a host for as long as the leg lasts.
func (l *Leg) letIn(h netip.Addr) {
	if slices.Contains(l.hosts, h) {
		return
	}
	if len(l.hosts) == mostHosts { // the first is the trunk
		l.trunk.guard.leave(l.hosts[1])
		l.hosts = slices.Delete(l.hosts, 1, 2)
	}
	l.trunk.guard.enter(h)
	l.hosts = append(l.hosts, h)
}

// dialog finds a dialog by its To tag, nil if there is none.
func (l *Leg) dialog(toTag string) *dialog {
	for _, d := range l.early {
		if d.toTag == toTag {
			return d
		}
	}
	return nil
}

// success is the first 2xx: ACK at once, and the dialog is up; or, after our CANCEL, ACK and BYE.
func (l *Leg) success(res *sip.Response) {
	d := dialogOf(res)
	body := sdpOf(res)
	if e := l.dialog(d.toTag); e != nil {
		d.order, d.byed, d.way = e.order, e.byed, e.way
		if body == nil {
			body = e.sdp
		}
	}
	l.early = append(slices.DeleteFunc(l.early, func(e *dialog) bool { return e.toTag == d.toTag }), d)
	l.talk = d
	l.due.off(dueFinal)
	l.end.Status, l.end.Phrase = res.StatusCode, res.Reason
	l.trunk.count.answered.Add(1)
	l.admit(d)
	l.acknowledge(d, l.invite)
	l.answered(d)
	if l.why != nil {
		l.bye(d, EndedByLateAnswer)
		return
	}
	l.state = confirmed
	l.endsByBye(d)
	l.emit(Answered{SDP: body, ToTag: d.toTag, Diverted: diversionOf(res)})
	if d.byed {
		l.finish(EndedByPeerBye, nil)
		return
	}
	l.agreed(res)
	l.inOrder(d, false)
}

// answered lets go of the INVITE. The call may wait for long, and there may be thousands.
func (l *Leg) answered(d *dialog) {
	if d.target.Host == "" {
		called := l.invite.Recipient
		d.called = &called
	}
	l.invitation = nil
}

// acknowledge sends the ACK of a 2xx, and notes it for repeats (RFC 3261 13.2.2.4). Its CSeq is the INVITE's, always.
func (l *Leg) acknowledge(d *dialog, invite *sip.Request) {
	a := acked{seq: invite.CSeq().SeqNo}
	for _, h := range challengeHeaders() {
		a.credentials = append(a.credentials, invite.GetHeaders(answerHeader(h))...)
	}
	l.onWay(d, func() {
		ack := l.ack(d, a)
		a.branch = branchOf(ack.Via())
		l.trunk.write(ack, l.toward(d)) // a lost one is asked for again by the repeated 2xx
		l.forks.acknowledged(d.toTag, a)
	})
}

func (l *Leg) ack(d *dialog, a acked) *sip.Request {
	ack := l.request(d, sip.ACK, a.seq)
	if a.branch != "" {
		ack.Via().Params.Add("branch", a.branch)
	}
	for _, h := range a.credentials {
		ack.AppendHeader(sip.HeaderClone(h))
	}
	return ack
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
	again := l.trunk.repeat(l.first, l.seq)
	l.auth.sign(again)
	l.inviteAgain(res, again, Challenged{})
}

// refused is a final 3xx–6xx; its ACK has been sent by the transaction.
func (l *Leg) refused(res *sip.Response) {
	if l.elsewhere(res) {
		return
	}
	l.facts(res)
	if l.why != nil {
		l.finish(EndedByCancelled, nil)
		return
	}
	var doubt error
	if l.auth.doubts(res) {
		doubt = errEither
	}
	l.finish(EndedByRefused, doubt)
}

// facts keeps what a final response says.
func (l *Leg) facts(res *sip.Response) {
	e := &l.end
	e.Status, e.Phrase = res.StatusCode, res.Reason
	e.Reason, e.Diverted = parseReason(headerValues(res, "Reason")), diversionOf(res)
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
