package sip

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// supported is what every INVITE of ours says it understands.
const supported = "timer"

// amend sends the INVITE again as a refusal wants it, once for each of these: 421 names extensions to be listed, 422 a
// longer session (RFC 4028 7.3), and 488 may be content with PCMU alone, where no phone can ring by now. It tells whether
// it did.
func (l *Leg) amend(res *sip.Response) bool {
	if l.why != nil || l.rang || slices.Contains(l.amends, res.StatusCode) {
		return false
	}
	next := l.first.Clone()
	switch res.StatusCode {
	case 421:
		if !addExtensions(next, listed(res, "Require")) {
			return false
		}
	case 422:
		shortest := lifetime(firstHeader(res, "Min-SE"))
		if shortest <= 0 {
			return false
		}
		expires := strconv.Itoa(int(shortest / time.Second))
		setHeader(next, "Session-Expires", expires)
		setHeader(next, "Min-SE", expires)
	case 488:
		if l.fallback == nil || l.begun {
			return false
		}
		next.SetBody(l.fallback)
		l.local = l.fallback
	default:
		return false
	}
	l.amends = append(l.amends, res.StatusCode)
	l.first = next
	l.seq++
	again := l.trunk.repeat(next, l.seq)
	l.auth = l.trunk.auth.begin(again) // another request: the peer may challenge it anew
	l.inviteAgain(res, again, Amended{Status: res.StatusCode})
	return true
}

// addExtensions lists what a 421 requires; false where something of it is unknown here.
func addExtensions(req *sip.Request, required []string) bool {
	all := []string{supported}
	for _, tag := range required {
		switch tag {
		case "100rel":
			all = append(all, tag)
		case supported: // it was listed, so a session that expires is wanted
			setHeader(req, "Session-Expires", "1800")
		default:
			return false
		}
	}
	setHeader(req, "Supported", strings.Join(all, ", "))
	return len(required) > 0
}

func setHeader(req *sip.Request, name, value string) {
	req.RemoveHeader(name)
	req.AppendHeader(sip.NewHeader(name, value))
}

// inviteAgain hands the INVITE to the network once more, after this refusal.
func (l *Leg) inviteAgain(res *sip.Response, again *sip.Request, told Event) {
	ctx, stop := l.trunk.limited(giveUp)
	defer stop()
	l.state = calling
	if err := l.send(ctx, l.fitted(ctx, again)); err != nil {
		l.facts(res)
		if l.why != nil {
			l.finish(EndedByCancelled, nil)
			return
		}
		l.finish(EndedByTransport, err)
		return
	}
	l.emit(told)
}
