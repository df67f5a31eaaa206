package sip

import (
	"slices"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	// orderWait is how long a request is kept back for one with a lower CSeq, and a re-INVITE for the ACK before it. What
	// reorders them is our own goroutines, which is a matter of milliseconds; what the network lost is repeated only after
	// T1, and nobody is kept waiting for that.
	orderWait = 60 * time.Millisecond
	orderRoom = 8 // requests kept back; more are a flood
)

// sequence puts a dialog's requests in order: each message has a goroutine of its own on its way here, so that a BYE can
// arrive before the key press that was sent before it.
type sequence struct {
	last uint32    // the highest CSeq taken, 0 before the first
	kept []inbound // by CSeq
}

// arrived takes one request of the peer inside the leg, from the inbox.
func (l *Leg) arrived(in inbound) {
	tag := tagOf(in.req.From().Params)
	d := l.talk
	if d == nil {
		d = l.dialog(tag)
	}
	if d == nil || tag != d.toTag || d.gone {
		respond(in.req, in.tx, 481, "Call/Transaction Does Not Exist")
		return
	}
	switch in.req.Method {
	case sip.ACK:
		l.acked(in.req)
		l.inOrder(d, false)
	case sip.CANCEL: // sipgo answers those that have something to cancel
		respond(in.req, in.tx, 481, "Call/Transaction Does Not Exist")
	default:
		if !d.order.keep(in) {
			l.tryLater(in)
			return
		}
		l.inOrder(d, false)
	}
}

// keep takes a request in, in its place; false where it was overtaken, and where there are too many. A BYE ends the call
// in any case.
func (s *sequence) keep(in inbound) bool {
	seq := in.req.CSeq().SeqNo
	if (s.last != 0 && seq <= s.last || len(s.kept) >= orderRoom) && in.req.Method != sip.BYE {
		return false
	}
	at := slices.IndexFunc(s.kept, func(k inbound) bool { return k.req.CSeq().SeqNo > seq })
	if at < 0 {
		at = len(s.kept)
	}
	s.kept = slices.Insert(s.kept, at, in)
	return true
}

// tryLater refuses a request that came too late to be in order, or before something else was over (RFC 3261 12.2.2, 14.2).
func (l *Leg) tryLater(in inbound) {
	respond(in.req, in.tx, 500, "Server Internal Error", sip.NewHeader("Retry-After", strconv.Itoa(l.trunk.draw(11))))
}

// inOrder takes what is in order by now. late says that the first was waited for long enough.
func (l *Leg) inOrder(d *dialog, late bool) {
	s := &d.order
	for len(s.kept) > 0 {
		in := s.kept[0]
		seq := in.req.CSeq().SeqNo
		if !late && (seq > s.last+1 || l.unacked(in.req)) { // a peer that counts from 1 is not kept waiting with its first
			l.due.once(dueOrder, l.trunk.waits.order, l.waitedEnough)
			return
		}
		late = false
		s.kept = slices.Delete(s.kept, 0, 1)
		s.last = max(s.last, seq)
		l.asked(in, d)
	}
	s.kept = nil
}

// waitedEnough: what is missing does not come.
func (l *Leg) waitedEnough() {
	for _, d := range l.early {
		l.inOrder(d, true)
	}
}

// unacked: this re-INVITE overtook the ACK of the one before, which its sender had to send first (RFC 3261 14.1).
func (l *Leg) unacked(req *sip.Request) bool {
	return req.IsInvite() && l.re != nil && l.re.res != nil
}
