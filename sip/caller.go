package sip

import (
	"net/url"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// callerOf is the user part by which the peer names who rings us: its own assertion (RFC 3325), else From. "" where it is
// withheld, or is nothing that could be called.
func callerOf(req *sip.Request) string {
	for _, v := range headerValues(req, "P-Asserted-Identity") {
		for _, element := range splitOutsideQuotes(v, ',') {
			if user := plainUser(element); user != "" {
				return user
			}
		}
	}
	return soundUser(userOf(&req.From().Address))
}

// plainUser reads the user out of a name-addr or addr-spec.
func plainUser(s string) string {
	if len(s) > maxHeaderValue {
		return ""
	}
	parts := splitOutsideQuotes(s, '<')
	s, _, _ = strings.Cut(strings.TrimSpace(parts[len(parts)-1]), ">")
	var uri sip.Uri
	if err := sip.ParseUri(s, &uri); err != nil {
		return ""
	}
	return soundUser(userOf(&uri))
}

func soundUser(user string) string {
	user, _, _ = strings.Cut(user, ";") // parameters of a telephone-subscriber
	user, err := url.PathUnescape(user)
	if err != nil {
		return ""
	}
	if user = separated(user); !isUser(user) || strings.EqualFold(user, anonymous) {
		return ""
	}
	return user
}
