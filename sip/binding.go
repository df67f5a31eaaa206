package sip

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// binding is a contact of ours that a registrar keeps.
type binding struct {
	contact sip.Uri
	path    path
	granted time.Duration
	until   time.Time
	listed  bool   // the registrar told it among its contacts
	as      string // host:port that it told for it, which may be where it saw us
	seen    string // our address as the registrar saw it, "" if it did not say
	foreign []string
}

// grantedBy reads the 200 to a REGISTER (RFC 3261 10.2.4): for how long our contact is kept, and which others there are. A
// registrar may have rewritten ours to the address it saw.
func grantedBy(res *sip.Response, contact sip.Uri, asked time.Duration) binding {
	b := binding{contact: contact, granted: asked, seen: seenFrom(res)}
	if s, ok := seconds(firstHeader(res, "Expires")); ok {
		b.granted = s
	}
	for _, h := range res.GetHeaders("Contact") {
		c, ok := h.(*sip.ContactHeader)
		if !ok || c.Address.Wildcard {
			continue
		}
		if !b.listed && sameContact(c.Address, contact, b.seen) {
			b.listed, b.as = true, hostPort(c.Address)
			if v, has := param(c.Params, "expires"); has {
				if s, ok := seconds(v); ok {
					b.granted = s
				}
			}
			continue
		}
		b.foreign = append(b.foreign, c.Address.String())
	}
	return b
}

// rewrittenTo tells whether the registrar keeps that contact in place of ours.
func (b binding) rewrittenTo(contact sip.Uri) bool { return b.as != "" && b.as == hostPort(contact) }

// sameContact compares what decides where requests go: user, host and port (RFC 3261 19.1.4).
func sameContact(theirs, ours sip.Uri, seen string) bool {
	if theirs.User != ours.User {
		return false
	}
	at := hostPort(theirs)
	return at == hostPort(ours) || seen != "" && at == seen
}

func hostPort(u sip.Uri) string {
	port := u.Port
	if port == 0 {
		port = 5060
	}
	return strings.ToLower(trimBrackets(u.Host)) + ":" + strconv.Itoa(port)
}

// seenFrom is our address as the top Via tells it back (RFC 3581 4), "" if it does not.
func seenFrom(res *sip.Response) string {
	via := res.Via()
	if via == nil {
		return ""
	}
	received, _ := via.Params.Get("received")
	port, _ := via.Params.Get("rport")
	if received == "" {
		received = via.Host
	}
	if port == "" {
		return ""
	}
	return strings.ToLower(trimBrackets(received)) + ":" + port
}

// param finds a parameter whatever its case (RFC 3261 7.3.1).
func param(params sip.HeaderParams, name string) (string, bool) {
	for _, p := range params {
		if strings.EqualFold(p.K, name) {
			return p.V, true
		}
	}
	return "", false
}

// seconds reads delta-seconds, quoted or not.
func seconds(s string) (time.Duration, bool) {
	n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(s), `"`), 10, 32)
	if err != nil {
		return 0, false
	}
	return time.Duration(n) * time.Second, true
}

// serviceRoutes reads the Service-Route headers of a 200 to REGISTER (RFC 3608 5), in order; what is no SIP URI is left out.
func serviceRoutes(res *sip.Response) []sip.Uri {
	var routes []sip.Uri
	for _, v := range headerValues(res, "Service-Route") {
		for _, element := range splitOutsideQuotes(v, ',') {
			var u sip.Uri
			var params sip.HeaderParams
			if _, err := sip.ParseAddressValue(strings.TrimSpace(element), &u, &params); err == nil && u.Host != "" && (u.Scheme == "sip" || u.Scheme == "sips") {
				routes = append(routes, u)
			}
		}
	}
	return routes
}
