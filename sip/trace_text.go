package sip

import (
	"bytes"
	"strings"
)

// mask overwrites what is not shown. It may stand in a user part (RFC 3261 25.1), so that what was redacted is still SIP,
// of the same length: Content-Length stays true.
const mask = '*'

// kind is how much of a header's value is kept.
type kind int

const (
	secret     kind = iota // nothing: every header that is not listed here
	plain                  // all of it
	phrase                 // all but long numbers: text that people or networks write
	addressed              // all but user parts
	challenge              // scheme, realm, algorithm, qop and stale
	credential             // the scheme
)

// kinds lists the headers that are known to hold no secret (RFC 3261 20 and the RFCs that added to it). It is an
// allow-list: what nobody thought of is overwritten.
//
//nolint:gochecknoglobals // a table, never written
var kinds = map[string]kind{
	"via": plain, "v": plain, "cseq": plain, "call-id": plain, "i": plain, "max-forwards": plain, "expires": plain,
	"min-expires": plain, "session-expires": plain, "x": plain, "min-se": plain, "allow": plain, "supported": plain, "k": plain,
	"require": plain, "proxy-require": plain, "unsupported": plain, "content-type": plain, "c": plain, "content-length": plain,
	"l": plain, "content-disposition": plain, "accept": plain, "accept-encoding": plain, "accept-language": plain,
	"allow-events": plain, "u": plain, "event": plain, "o": plain, "date": plain, "timestamp": plain, "rseq": plain, "rack": plain,
	"retry-after": plain, "privacy": plain, "user-agent": phrase, "server": phrase, "reason": phrase, "warning": phrase,
	"from": addressed, "f": addressed, "to": addressed, "t": addressed, "contact": addressed, "m": addressed, "route": addressed,
	"record-route": addressed, "path": addressed, "service-route": addressed, "p-asserted-identity": addressed,
	"p-preferred-identity": addressed, "remote-party-id": addressed, "diversion": addressed, "history-info": addressed,
	"refer-to": addressed, "r": addressed, "referred-by": addressed, "b": addressed, "p-associated-uri": addressed,
	"www-authenticate": challenge, "proxy-authenticate": challenge, "authorization": credential, "proxy-authorization": credential,
}

// redacted is a message with everything overwritten that is not known to be harmless.
func redacted(raw []byte, numbers bool) string {
	out := bytes.Clone(raw)
	rest, line := nextLine(out)
	redactValue(addressed, line, numbers)
	how := plain
	for {
		if rest, line = nextLine(rest); len(line) == 0 {
			break
		}
		value := line
		if line[0] != ' ' && line[0] != '\t' { // else it continues the one above (RFC 3261 7.3.1)
			name, after, ok := bytes.Cut(line, []byte(":"))
			if !ok {
				overwrite(line)
				continue
			}
			how, value = kinds[strings.ToLower(string(bytes.TrimSpace(name)))], after
		}
		redactValue(how, value, numbers)
	}
	redactBody(rest, isSDP(contentType(raw)), numbers)
	return string(out)
}

// nextLine splits off the first line, without its end.
func nextLine(b []byte) (rest, line []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return rest, bytes.TrimSuffix(line, []byte("\r"))
}

func redactValue(how kind, value []byte, numbers bool) {
	switch how {
	case plain:
	case phrase:
		if !numbers {
			maskDigits(value)
		}
	case addressed:
		if !numbers {
			overwriteUsers(value)
			maskRest(value)
		}
	case challenge:
		redactChallenge(value)
	case credential:
		redactCredential(value)
	case secret:
		overwrite(value)
	}
}

// overwrite leaves nothing but the length, and leading space.
func overwrite(b []byte) {
	begun := false
	for i, c := range b {
		begun = begun || c != ' ' && c != '\t'
		if begun && c != '\r' && c != '\n' {
			b[i] = mask
		}
	}
}

// redactCredential keeps the scheme where it is the one that is known here: decoders stumble over a header without.
func redactCredential(value []byte) {
	scheme, rest, ok := bytes.Cut(bytes.TrimLeft(value, " \t"), []byte(" "))
	if !ok || !strings.EqualFold(string(scheme), "Digest") {
		rest = value
	}
	overwrite(rest)
}

// redactChallenge keeps what tells why a challenge was not answered; nonce and opaque go.
func redactChallenge(value []byte) {
	for _, part := range splitOutsideQuotes(string(value), ',') {
		piece := value[:len(part)]
		value = value[min(len(value), len(part)+1):]
		name, after, ok := bytes.Cut(piece, []byte("="))
		fields := strings.Fields(strings.ToLower(string(name)))
		if len(fields) > 0 && isOneValue(after) {
			switch fields[len(fields)-1] {
			case "realm", "algorithm", "qop", "stale":
				continue
			}
		}
		if ok {
			overwrite(after)
		} else {
			overwrite(piece)
		}
	}
}

// isOneValue: a quoted string or a token, and nothing that follows it without a comma.
func isOneValue(b []byte) bool {
	b = bytes.TrimSpace(b)
	if len(b) > 1 && b[0] == '"' {
		return bytes.IndexByte(b[1:], '"') == len(b)-2
	}
	return !bytes.ContainsAny(b, " \t=\"")
}

// overwriteUsers overwrites numbers in the user part of every SIP and tel URI but their last two characters, and passwords.
// Fewer than longUser digits are an extension, or a name, which says nothing about a person.
func overwriteUsers(b []byte) []byte {
	lower := asciiLower(b)
	none := 0 // no user part of a SIP URI begins before it: a line of schemes is not read again for each of them
	for at, tel := nextScheme(lower, 0); at >= 0; at, tel = nextScheme(lower, at) {
		if !tel && at < none {
			continue
		}
		end, found := endOfUser(b, at, tel)
		if !found {
			none = end
			continue
		}
		user, password, _ := bytes.Cut(b[at:end], []byte(":"))
		if user, _, _ = bytes.Cut(user, []byte(";")); digitsIn(user) >= longUser {
			overwriteAll(user[:len(user)-2])
		}
		overwriteAll(password)
		at = end
	}
	return b
}

// longUser is from how many digits on a user part is a number.
const longUser = 5

func digitsIn(b []byte) int {
	n := 0
	for _, c := range b {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

// asciiLower is of the same length, which bytes.ToLower is not.
func asciiLower(b []byte) []byte {
	lower := bytes.Clone(b)
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] += 'a' - 'A'
		}
	}
	return lower
}

// nextScheme is where the user part of the next URI begins that begins at from or behind it, -1 if there is none.
func nextScheme(lower []byte, from int) (at int, tel bool) {
	for at = from; ; {
		colon := bytes.IndexByte(lower[at:], ':')
		if colon < 0 {
			return -1, false
		}
		at += colon + 1
		tel = bytes.HasSuffix(lower[from:at], []byte("tel:"))
		if tel || bytes.HasSuffix(lower[from:at], []byte("sip:")) || bytes.HasSuffix(lower[from:at], []byte("sips:")) {
			return at, tel
		}
	}
}

// endOfUser is where the user part ends that begins at at. A SIP URI may have none: then end is up to where that is known. A
// tel URI is nothing else.
func endOfUser(b []byte, at int, tel bool) (end int, found bool) {
	for i, c := range b[at:] {
		switch c {
		case '@':
			return at + i, true
		case '>', '<', '"', ' ', '\t', ',', '\r', '\n':
			return at + i, tel
		case ';', '?':
			if tel {
				return at + i, true
			}
		}
	}
	return len(b), tel
}

// maskRest overwrites long numbers that stand elsewhere in a header: in display names, in parameters. Tags are ours or
// the peer's dice.
func maskRest(b []byte) {
	for piece := range bytes.SplitSeq(b, []byte(";")) {
		if !bytes.HasPrefix(asciiLower(bytes.TrimSpace(piece)), []byte("tag=")) {
			maskDigits(piece)
		}
	}
}

// longNumber is from how many digits on a number may be somebody's.
const longNumber = 6

// maskDigits overwrites long numbers but for their last two digits.
func maskDigits(b []byte) {
	run := 0
	for i := 0; i <= len(b); i++ {
		if i < len(b) && b[i] >= '0' && b[i] <= '9' {
			run++
			continue
		}
		if run >= longNumber {
			overwriteAll(b[i-run : i-2])
		}
		run = 0
	}
}

func overwriteAll(b []byte) {
	for i := range b {
		b[i] = mask
	}
}

// redactBody keeps the lines of SDP that are known to hold no secret; of any other body, which may be a PIN, nothing.
func redactBody(body []byte, description, numbers bool) {
	for len(body) > 0 {
		var line []byte
		body, line = nextLine(body)
		if !description || len(line) < 2 || line[1] != '=' {
			overwrite(line)
			continue
		}
		redactSDP(line, numbers)
	}
}

// redactSDP takes one line of SDP (RFC 8866). Of a=crypto the tag and the suite stay (RFC 4568 4).
func redactSDP(line []byte, numbers bool) {
	value := line[2:]
	switch line[0] {
	case 'v', 'c', 'b', 't', 'm':
	case 'o', 's':
		if !numbers {
			user, _, _ := bytes.Cut(value, []byte(" ")) // the session id that follows is no number of anybody's
			maskDigits(user)
		}
	case 'a':
		name, rest, _ := bytes.Cut(value, []byte(":"))
		switch strings.ToLower(string(bytes.TrimSpace(name))) {
		case "rtpmap", "fmtp", "ptime", "maxptime", "sendrecv", "sendonly", "recvonly", "inactive", "rtcp", "rtcp-mux", "mid", "ssrc", "setup":
		case "crypto":
			if _, key, ok := bytes.Cut(rest, []byte("inline:")); ok {
				overwrite(key)
			} else {
				overwrite(rest)
			}
		default:
			overwrite(rest)
		}
	default:
		overwrite(value)
	}
}
