package media

import (
	"net/netip"

	"github.com/pion/rtp"
)

// probation is how many packets in sequence a source needs before it is taken for the callee's.
const probation = 4

// latch decides whose packets are the callee's. Keys confirm pages, so a stranger's packet must never pass: neither one
// from a port nearby nor one with a forged source address, which would have to guess the SSRC as well.
type latch struct {
	rule   Latch
	peer   netip.Addr     // of signalling
	named  netip.AddrPort // by SDP
	locked source
	trial  source
	next   uint16 // the number that would go on with the trial
	passed int
	spent  uint64 // packets the locked source spent on trial
}

// source is one stream from one address.
type source struct {
	addr netip.AddrPort
	ssrc uint32
}

// verdict is what becomes of a packet.
type verdict int

const (
	stranger verdict = iota
	onTrial          // may be the callee's, if it goes on like this
	theirs
	theirsNow // from this packet on: a new source
)

// expect forgets whom it was locked to: signalling has named an address.
func (l *latch) expect(named netip.AddrPort) {
	*l = latch{rule: l.rule, peer: l.peer, named: named}
}

// judge looks at one packet. agreed says that its payload type was negotiated; no other can win trust.
func (l *latch) judge(from netip.AddrPort, h *rtp.Header, agreed bool) verdict {
	s := source{from, h.SSRC}
	switch {
	case s == l.locked:
		return theirs
	case !l.hears(from, h, agreed):
		return stranger
	case !l.locked.addr.IsValid() && from == l.named:
		l.lock(s, 0)
		return theirsNow
	}
	if s != l.trial || h.SequenceNumber != l.next {
		l.trial, l.passed = s, 0
	}
	l.next = h.SequenceNumber + 1
	if l.passed++; l.passed < probation {
		return onTrial
	}
	l.lock(s, probation-1)
	return theirsNow
}

// hears says whether judge would call a packet more than a stranger's; it changes nothing.
func (l *latch) hears(from netip.AddrPort, h *rtp.Header, agreed bool) bool {
	return source{from, h.SSRC} == l.locked || agreed && l.admits(from)
}

func (l *latch) lock(s source, spent uint64) {
	l.locked, l.spent, l.trial, l.passed = s, spent, source{}, 0
}

// admits says who may be on trial. Once locked, that is the locked address itself, where a transfer may begin a new
// stream, and the named one, which beats any guess.
func (l *latch) admits(from netip.AddrPort) bool {
	if from == l.named || from == l.locked.addr {
		return true
	}
	if l.locked.addr.IsValid() {
		return false
	}
	switch l.rule {
	case LatchAny:
		return true
	case LatchSameIP:
		return from.Addr() == l.named.Addr() || from.Addr() == l.peer
	case LatchOff:
	}
	return false
}
