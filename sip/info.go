package sip

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	longestInfo = 256 // bytes of a body that is looked at
	longestKey  = 5 * time.Second
)

// informed takes an INFO. Two bodies are known, both older than any RFC: application/dtmf-relay with Signal= and
// Duration= (Cisco's), and application/dtmf with the bare key. A key is told where the request belongs to the confirmed
// dialog and came from the trunk, its peers, or the dialog's own next hop.
func (l *Leg) informed(in inbound, d *dialog) {
	req := in.req
	kind := ""
	if ct := req.ContentType(); ct != nil {
		kind = ct.Value()
	}
	switch {
	case !l.fromPeer(req, d):
		respond(req, in.tx, 481, "Call/Transaction Does Not Exist")
	case firstHeader(req, "Info-Package") != "": // RFC 6086 4.2.2
		respond(req, in.tx, 469, "Bad Info Package", sip.NewHeader("Recv-Info", ""))
	case len(req.Body()) > 0 && !isKeyBody(kind):
		respond(req, in.tx, 415, "Unsupported Media Type", sip.NewHeader("Accept", "application/dtmf-relay, application/dtmf"))
	case l.state != confirmed:
		respond(req, in.tx, 200, "OK")
	case l.crowded(): // a key is never dropped: it is asked for again
		l.tryLater(in)
	default:
		if digit, lasted, ok := readKey(req.Body()); ok {
			l.emit(Digit{Digit: digit, At: l.trunk.env.Now().Add(-lasted)})
		}
		respond(req, in.tx, 200, "OK")
	}
}

// fromPeer tells whether a request came from where this dialog's may come from. The socket reads other dialogs' peers too.
func (l *Leg) fromPeer(req *sip.Request, d *dialog) bool {
	source, err := netip.ParseAddrPort(req.Source())
	if err != nil {
		return false
	}
	host := source.Addr().Unmap()
	if host == l.path.to.Addr().Unmap() || host == l.toward(d).to.Addr().Unmap() {
		return true
	}
	for _, p := range l.trunk.cfg.Peers {
		if p.Contains(host) {
			return true
		}
	}
	contact, ok := hostAddr(d)
	return ok && host == contact.Unmap()
}

func isKeyBody(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "application/dtmf-relay" || kind == "application/dtmf"
}

// readKey finds the key in a body, and how long it was held: as lines of name=value, or bare.
func readKey(body []byte) (digit byte, lasted time.Duration, ok bool) {
	if len(body) > longestInfo {
		return 0, 0, false
	}
	for line := range strings.FieldsFuncSeq(string(body), func(r rune) bool { return r == '\r' || r == '\n' }) {
		name, value, pair := strings.Cut(line, "=")
		switch name = strings.TrimSpace(name); {
		case !pair && !ok:
			digit, ok = keyOf(name)
		case strings.EqualFold(name, "signal") && !ok:
			digit, ok = keyOf(strings.TrimSpace(value))
		case strings.EqualFold(name, "duration"):
			ms, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
			if err == nil {
				lasted = min(time.Duration(ms)*time.Millisecond, longestKey)
			}
		}
	}
	return digit, lasted, ok
}

// keyOf reads a key as its character, or as its event number of RFC 4733 where that has two digits.
func keyOf(s string) (byte, bool) {
	const keys = "0123456789*#ABCD"
	s = strings.ToUpper(s)
	if len(s) == 2 {
		n, err := strconv.Atoi(s)
		if err != nil || n < 10 || n >= len(keys) {
			return 0, false
		}
		return keys[n], true
	}
	if len(s) != 1 || !strings.Contains(keys, s) {
		return 0, false
	}
	return s[0], true
}
