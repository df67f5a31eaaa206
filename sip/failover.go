package sip

import (
	"context"

	"github.com/emiago/sipgo/sip"
)

// elsewhere sends an INVITE that was answered 503 to the trunk's next target (RFC 3263 4.3). It is the same call: nothing
// rang yet, or may have. A Q.850 cause that speaks of the callee (17–21) is final wherever it comes from.
func (l *Leg) elsewhere(res *sip.Response) bool {
	if res.StatusCode != 503 {
		return false
	}
	t := l.trunk
	t.up.health.failed(t.endpoint(l.path), retryAfter(res))
	if len(l.next) == 0 || l.why != nil || l.begun {
		return false
	}
	if q := parseReason(headerValues(res, "Reason")).Q850; q >= 17 && q <= 21 {
		return false
	}
	ctx, stop := t.limited(dialLimit)
	defer stop()
	for len(l.next) > 0 {
		target := l.next[0]
		l.next = l.next[1:]
		if err := l.moveTo(ctx, target); err == nil {
			l.emit(Retargeted{})
			return true
		} else if !definite(err) {
			return false
		}
	}
	return false
}

// moveTo sends the INVITE to another target, as a new request of the same call: the CSeq is new, so that a peer behind
// both targets does not take it for a loop (RFC 3261 8.2.2.2).
func (l *Leg) moveTo(ctx context.Context, target Target) error {
	t := l.trunk
	p, err := t.reach(ctx, target, len(l.next)+1)
	if err != nil {
		return err
	}
	if len(l.next) > 0 {
		if err := t.awake(ctx, p); err != nil {
			return err
		}
	}
	p = t.oriented(ctx, p)
	l.seq++
	req := t.moved(l.first, p)
	req.ReplaceHeader(&sip.CSeqHeader{SeqNo: l.seq, MethodName: sip.INVITE})
	if req.Recipient.Scheme == "sip" {
		there := t.uri("", p)
		req.Recipient.Host, req.Recipient.Port = there.Host, there.Port
		req.To().Address.Host = there.Host // inviteRequest made it
	}
	for _, h := range challengeHeaders() {
		req.RemoveHeader(answerHeader(h))
	}
	auth := t.auth.begin(req)
	req, p = t.fit(ctx, req, p)
	l.auth, l.state = auth, calling
	l.take(p)
	if err := l.send(ctx, req); err != nil {
		return err
	}
	l.first = req
	return nil
}

// take has the leg's requests go by another path: where it leads is let in, and kept open. Others read the path under the
// trunk's lock.
func (l *Leg) take(p path) {
	l.trunk.mu.Lock()
	l.path = p
	l.trunk.mu.Unlock()
	l.letIn(p.to.Addr())
	l.keepOpen(p)
}

// fitted is the INVITE of a retry, by TCP where it has become too large for UDP.
func (l *Leg) fitted(ctx context.Context, again *sip.Request) *sip.Request {
	again, p := l.trunk.fit(ctx, again, l.path)
	if l.trunk.over(p) != l.trunk.over(l.path) {
		l.take(p)
		l.first = l.trunk.moved(l.first, p)
	}
	return again
}
