package sip

import (
	"github.com/emiago/sipgo/sip"
)

// byeResult is how our BYE went, and what to report then.
type byeResult struct {
	by  EndedBy
	err error
}

// bye ends a confirmed dialog. The leg goes on answering the peer until the BYE has its final response.
func (l *Leg) bye(d *dialog, by EndedBy) {
	l.state, l.byed = byeing, make(chan byeResult, 1)
	l.seq++
	req := l.request(d, sip.BYE, l.seq)
	addReason(req, l.why.Reason)
	next := counting(l.seq)
	l.seq += maxRetries // kept for repetitions with credentials
	l.trunk.work.Go(func() {
		ctx, stop := l.trunk.limited(giveUp)
		defer stop()
		res, err := l.trunk.authenticated(ctx, req, next)
		if res != nil { // a challenge that cannot be answered ends it like any other response
			err = nil
		}
		l.byed <- byeResult{by, err} // 481, 408 and silence end the dialog just as well (RFC 3261 12.2.1.2)
	})
}

func (l *Leg) byeOver(b byeResult) { l.finish(b.by, b.err) }
