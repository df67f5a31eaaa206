package sip

import (
	"slices"
	"sync"

	"github.com/emiago/sipgo/sip"
)

// arrivalRoom is how many responses may wait for their leg; more are a flood, and come as sipgo brings them.
const arrivalRoom = 64

// arrivals are the responses to a leg's INVITE in the order in which they came. sipgo gives each a goroutine of its own: a
// 503 may reach the leg before the 180 that came first, and that one never, because its transaction is over. Then nobody
// would know that a phone rings, and another trunk would ring it again. So the reader notes each here, before sipgo has it,
// and whatever reaches the leg brings along what came before it.
type arrivals struct {
	mu     sync.Mutex
	branch string // of the INVITE that is being answered; "" = none
	kept   []*sip.Response
	flood  bool // some were not noted
}

// expect begins anew, with the INVITE that is about to be sent.
func (a *arrivals) expect(invite *sip.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.branch, a.kept, a.flood = branchOf(invite.Via()), nil, false
}

// note is called by whoever reads the socket, so in the order of arrival.
func (a *arrivals) note(res *sip.Response) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.branch == "" || a.branch != branchOf(res.Via()):
	case len(a.kept) >= arrivalRoom:
		a.flood = true
	default:
		a.kept = append(a.kept, res)
	}
}

// until takes a response that has reached the leg, and the provisional ones that came before it. It is nothing where a later
// one had brought it along. Of two final ones the transaction chooses, and has the other told by [Leg.repeated].
func (a *arrivals) until(res *sip.Response) []*sip.Response {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := slices.Index(a.kept, res)
	if at < 0 && res.IsProvisional() && !a.flood {
		return nil
	}
	before := a.kept
	if at >= 0 {
		before = a.kept[:at]
	}
	taken := make([]*sip.Response, 0, len(before)+1)
	for _, k := range before {
		if k.IsProvisional() {
			taken = append(taken, k)
		}
	}
	a.kept = a.kept[len(before):]
	if at >= 0 {
		a.kept = a.kept[1:]
	}
	if !res.IsProvisional() { // what comes after it belongs to nothing
		a.branch, a.kept = "", nil
	}
	return append(taken, res)
}

// rest takes what came and did not reach the leg, because the transaction has ended; nothing counts after a final one.
func (a *arrivals) rest() []*sip.Response {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.kept
	if final := slices.IndexFunc(taken, func(k *sip.Response) bool { return !k.IsProvisional() }); final >= 0 {
		taken = taken[:final+1]
	}
	a.branch, a.kept = "", nil
	return taken
}

func branchOf(via *sip.ViaHeader) string {
	if via == nil {
		return ""
	}
	branch, _ := via.Params.Get("branch")
	return branch
}

// came notes a message in the order of arrival.
func (t *Trunk) came(m sip.Message) {
	res, ok := m.(*sip.Response)
	if !ok || res.CallID() == nil || res.CSeq() == nil || res.CSeq().MethodName != sip.INVITE {
		return
	}
	t.mu.Lock()
	l := t.legs[res.CallID().Value()]
	t.mu.Unlock()
	if l != nil {
		l.arrivals.note(res)
	}
}

// responses takes responses to the INVITE, one after another; false where none of them was final.
func (l *Leg) responses(all []*sip.Response) (final bool) {
	for _, res := range all {
		if l.state == over {
			return true
		}
		l.response(res)
		final = final || !res.IsProvisional()
	}
	return final
}
