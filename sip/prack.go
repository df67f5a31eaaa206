package sip

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// takeReliable acknowledges a reliable provisional response with PRACK (RFC 3262 4), and tells whether it is to be looked
// at: one that came before is not, and neither is one ahead of its turn, which its sender repeats.
//
// Our INVITE does not list 100rel: a gateway that has to hear of a 180 sends it as often as it likes, and each PRACK is
// one more thing to go wrong before a phone rings. Peers that send reliable responses all the same (many carriers do) get
// their PRACK, and those that insist say so with 421, whereupon it is listed (amend.go). A PRACK that is refused changes
// nothing: the INVITE's own final response decides. We always offer in the INVITE, so no PRACK carries SDP.
func (l *Leg) takeReliable(res *sip.Response, d *dialog) bool {
	if d == nil || !lists(res, "Require", "100rel") {
		return true
	}
	rseq, err := strconv.ParseUint(strings.TrimSpace(firstHeader(res, "RSeq")), 10, 32)
	if err != nil || rseq == 0 {
		return true // not reliable after all
	}
	if d.rseq != 0 && uint32(rseq) != d.rseq+1 {
		return false
	}
	d.rseq = uint32(rseq)
	l.onWay(d, func() {
		l.seq++
		req := l.request(d, sip.PRACK, l.seq)
		req.AppendHeader(sip.NewHeader("RAck", fmt.Sprintf("%d %d INVITE", rseq, res.CSeq().SeqNo)))
		l.ask(req, func(*sip.Response, error) {})
	})
	return true
}
