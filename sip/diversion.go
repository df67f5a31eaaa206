package sip

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Diversion says that a call went on to somebody else, as far as a response tells: by History-Info (RFC 7044), by
// Diversion (RFC 5806), or by the URI parameters of RFC 4458 there and in Contact.
type Diversion struct {
	To      string // user part of where it went on to; "" = not said
	Reason  string // "no-answer", "user-busy", "unconditional", … (RFC 5806); "" = not said
	Cause   int    // why, as a SIP status: 302, 404, 408, 480, 486, 487, 503 (RFC 4458); 0 = not said
	Mailbox bool   // to a mailbox, by their own word
}

// What is read of a header and kept of it is limited: a peer may write anything.
const (
	mostHops     = 16
	longestHop   = 1024
	longestUser  = 32
	longestToken = 24
)

// diversionOf reads a response; nil if it tells of none.
func diversionOf(res *sip.Response) *Diversion {
	return diversion(headerValues(res, "History-Info"), headerValues(res, "Diversion"), headerValues(res, "Contact"))
}

func diversion(history, diverted, contacts []string) *Diversion {
	var d Diversion
	said := d.fromHistory(diversionEntries(history))
	for _, h := range diversionEntries(diverted) { // who diverted it; the newest comes first
		said = true
		if reason := token(h.params["reason"]); d.Reason == "" && reason != "unknown" {
			d.Reason = reason
		}
		d.Mailbox = d.Mailbox || strings.Contains(d.Reason, "voicemail") || h.mailbox(true)
	}
	for _, h := range diversionEntries(contacts) {
		if h.mailbox(false) {
			said = true
			d.Mailbox, d.Cause = true, h.cause()
			d.To = h.user
		}
	}
	if !said {
		return nil
	}
	return &d
}

// fromHistory takes the newest entry that says that it is a diversion: a cause of its own, the mark of a mapped target,
// or a Reason at the entry before. A registered contact of the same person is none.
func (d *Diversion) fromHistory(hops []diversionHop) (said bool) {
	for i := 1; i < len(hops); i++ {
		h, before := hops[i], hops[i-1]
		_, contact := h.params["rc"]
		_, same := h.params["np"]
		_, mapped := h.params["mp"]
		reason := before.reason()
		if contact || same || h.cause() == 0 && reason == 0 && !mapped || h.user == hops[0].user && !h.mailbox(false) {
			continue
		}
		said = true
		d.To, d.Cause, d.Mailbox = h.user, h.cause(), h.mailbox(reason != 0)
		if d.Cause == 0 {
			d.Cause = reason
		}
	}
	return said
}

// diversionHop is one name-addr with what follows it.
type diversionHop struct {
	user    string
	uri     map[string]string // parameters of the URI
	headers string            // of the URI, escaped
	params  map[string]string // of the header
}

// diversionEntries reads the values of all headers of one name.
func diversionEntries(values []string) (hops []diversionHop) {
	for _, v := range values {
		for _, element := range splitOutsideQuotes(v, ',') {
			if len(hops) == mostHops {
				return hops
			}
			if h, ok := diversionEntry(element); ok && len(element) <= longestHop {
				hops = append(hops, h)
			}
		}
	}
	return hops
}

func diversionEntry(element string) (h diversionHop, ok bool) {
	_, uri, bracketed := strings.Cut(element, "<")
	uri, rest, ok := strings.Cut(uri, ">")
	switch {
	case !bracketed:
		uri, rest, _ = strings.Cut(strings.TrimSpace(element), ";")
	case !ok:
		return h, false
	}
	scheme, address, ok := strings.Cut(uri, ":")
	if scheme = strings.ToLower(strings.TrimSpace(scheme)); !ok || scheme != "sip" && scheme != "sips" && scheme != "tel" {
		return h, false
	}
	address, h.headers, _ = strings.Cut(address, "?")
	parts := strings.Split(address, ";")
	if user, _, found := strings.Cut(parts[0], "@"); found || scheme == "tel" {
		h.user = divertedUser(user)
	} else if at := strings.LastIndexByte(address, '@'); at >= 0 { // parameters in the user part: sip:100;phone-context=x@host
		h.user = divertedUser(parts[0])
		parts = strings.Split(address[at+1:], ";")
	}
	h.uri, h.params = reasonParams(parts[1:]), reasonParams(splitOutsideQuotes(rest, ';'))
	return h, true
}

// cause is the URI parameter of RFC 4458.
func (h diversionHop) cause() int {
	n, err := strconv.Atoi(h.uri["cause"])
	if err != nil || !slices.Contains([]int{302, 404, 408, 480, 486, 487, 503}, n) {
		return 0
	}
	return n
}

// reason is the SIP cause of a Reason among the URI's headers: why the call did not stay here (RFC 7044 5.2).
func (h diversionHop) reason() int {
	for field := range strings.SplitSeq(h.headers, "&") {
		name, value, _ := strings.Cut(field, "=")
		if !strings.EqualFold(name, "Reason") {
			continue
		}
		if text, err := url.QueryUnescape(value); err == nil {
			if r := parseReason([]string{text}); r.SIPCause >= 300 && r.SIPCause < 700 {
				return r.SIPCause
			}
		}
	}
	return 0
}

// mailbox tells whether the address says that it is a mailbox: a target together with a cause (RFC 4458), or a name for
// it where something says that the call was diverted at all.
func (h diversionHop) mailbox(diverted bool) bool {
	if _, target := h.uri["target"]; target && h.cause() != 0 {
		return true
	}
	if !diverted && h.cause() == 0 {
		return false
	}
	if named(h.user) {
		return true
	}
	for name, value := range h.uri {
		if named(name) || named(value) {
			return true
		}
	}
	return false
}

func named(s string) bool {
	return slices.Contains([]string{"voicemail", "voice-mail", "vmail", "mailbox"}, strings.ToLower(s))
}

// divertedUser keeps what a user part may hold here; whatever else a peer writes is left out.
func divertedUser(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		s = u
	}
	s, _, _ = strings.Cut(s, ":") // a password
	s = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("+._-*#", r) {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), longestUser)]
}

// token keeps a word of RFC 3261 25.1, in lower case.
func token(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r == '-' {
			return r
		}
		return -1
	}, strings.ToLower(s))
	return s[:min(len(s), longestToken)]
}
