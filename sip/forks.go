package sip

import (
	"net/netip"
	"strings"
	"sync"

	"github.com/emiago/sipgo/sip"
)

// forks answers 2xx that come again, or from another branch of a forked INVITE. They arrive on sipgo's goroutines, also
// when the leg is long over, so what they need is behind a lock of its own.
type forks struct {
	taken chan struct{} // closed when the leg has taken its first 2xx

	mu    sync.Mutex
	tag   string
	acked []acked // the INVITE, and our newest re-INVITE
}

// acked is an INVITE of ours whose 2xx was acknowledged, and what an ACK of it is made of. There are thousands of calls, and
// few of their ACKs are lost, so none is kept.
type acked struct {
	seq         uint32       // its CSeq, never 0
	branch      string       // of the ACK: it is the same each time (RFC 3261 13.2.2.4)
	credentials []sip.Header // those of the INVITE (22.1)
}

// acknowledged notes an ACK in the dialog that was taken.
func (f *forks) acknowledged(tag string, a acked) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.acked) == 0 {
		f.tag = tag
		close(f.taken)
	}
	f.acked = append(f.acked[:min(1, len(f.acked))], a)
}

// ackOf finds what a repeated 2xx wants acknowledged once more; mine tells whether the dialog is the one that was taken.
func (f *forks) ackOf(res *sip.Response) (a acked, mine bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.acked) == 0 || tagOf(res.To().Params) != f.tag {
		return acked{}, false
	}
	for _, a := range f.acked {
		if res.CSeq() != nil && a.seq == res.CSeq().SeqNo {
			return a, true
		}
	}
	return acked{}, true
}

// repeated takes a 2xx after the first: the same dialog's again means that our ACK was lost; another's is a second phone
// that was picked up, and is told goodbye (RFC 3261 13.2.2.4).
func (l *Leg) repeated(res *sip.Response) {
	if !res.IsSuccess() || res.To() == nil {
		return
	}
	select { // a 200 that comes twice at once: the leg may not have looked at the first yet
	case <-l.forks.taken:
	case <-l.done:
	}
	if !l.acknowledgedAgain(res) {
		l.trunk.dismiss(res)
	}
}

// acknowledgedAgain answers a 2xx of the dialog that was taken. One that comes before its ACK was sent is repeated.
func (l *Leg) acknowledgedAgain(res *sip.Response) bool {
	a, mine := l.forks.ackOf(res)
	if a.seq == 0 {
		return mine
	}
	again := func() { l.trunk.write(l.ack(l.talk, a), l.toward(l.talk)) } // one that is lost is asked for again
	if !l.box.tell(again) {
		<-l.done // nobody else touches the leg any more
		again()
	}
	return true
}

// unhandled takes responses that belong to no transaction: a 2xx long after its INVITE still means that a phone is off
// the hook.
func (t *Trunk) unhandled(res *sip.Response) {
	if !res.IsSuccess() || res.CSeq() == nil || res.CSeq().MethodName != sip.INVITE || res.To() == nil || res.From() == nil || res.CallID() == nil {
		return
	}
	t.mu.Lock()
	l := t.legs[res.CallID().Value()]
	t.mu.Unlock()
	if l != nil && tagOf(l.from.Params) == tagOf(res.From().Params) && l.acknowledgedAgain(res) {
		return // of a call that is up: its transaction is over, the call is not
	}
	t.dismiss(res)
}

// usedSince is more than a leg may have counted on in such a dialog, with retries and PRACKs.
const usedSince = 1000

// dismiss ACKs a 2xx and ends its dialog, from nothing but the response. BYE has the CSeq after any we may have used.
func (t *Trunk) dismiss(res *sip.Response) {
	if res.CSeq() == nil || res.From() == nil || res.CallID() == nil || !t.ours(tagOf(res.From().Params)) {
		return // to an INVITE that never was
	}
	t.mu.Lock()
	p := path{local: t.local, to: t.peer}
	if from, err := netip.ParseAddrPort(res.Source()); err == nil { // where it came from, whatever other calls use by now
		p.to, p.transport = netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), strings.ToLower(res.Transport())
	}
	closing := t.closing
	if !closing {
		t.work.Add(1)
	}
	t.mu.Unlock()
	if closing {
		return
	}
	defer t.work.Done()
	p.advertise = t.advertise(p)
	l := newLeg(t, p)
	defer l.release()
	from := *res.From()
	l.from, l.callID = &from, res.CallID().Value()
	d := dialogOf(res)
	if d.target.Host == "" {
		target := t.uri("", p)
		d.called = &target
	}
	l.admit(d) // or the answer to our BYE is dropped unread
	l.onWay(d, func() { t.write(l.request(d, sip.ACK, res.CSeq().SeqNo), l.toward(d)) })
	l.await()
	ctx, stop := t.limited(giveUp)
	defer stop()
	seq := res.CSeq().SeqNo + usedSince
	bye := l.request(d, sip.BYE, seq)
	addReason(bye, `SIP;cause=200;text="Call completed elsewhere"`)
	_, _ = t.authenticated(ctx, bye, counting(seq))
}

func hostAddr(d *dialog) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(trimBrackets(d.target.Host))
	return addr, err == nil
}

func isSDP(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/sdp")
}
