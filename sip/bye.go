package sip

import (
	"cmp"

	"github.com/emiago/sipgo/sip"
)

// normalClearing is the Reason of a BYE that was given none (RFC 3326, Q.850).
const normalClearing = "Q.850;cause=16"

// bye ends a confirmed dialog. The leg goes on answering the peer until the BYE has its final response; 481, 408 and
// silence end the dialog just as well (RFC 3261 12.2.1.2).
func (l *Leg) bye(d *dialog, by EndedBy) {
	l.state = byeing
	l.due.off(dueRefresh)
	l.due.off(dueExpiry)
	l.due.off(dueResend)
	l.onWay(d, func() {
		l.seq++
		req := l.request(d, sip.BYE, l.seq)
		addReason(req, cmp.Or(l.why.Reason, normalClearing))
		l.ask(req, func(_ *sip.Response, err error) { l.finish(by, err) })
	})
}

// lose ends a dialog that cannot go on, from our side.
func (l *Leg) lose(by EndedBy, reason string) {
	if l.state != confirmed {
		return
	}
	l.why = &Hangup{Reason: reason}
	l.bye(l.talk, by)
}
