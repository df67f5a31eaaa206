package sip

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxHeaders     = 16
	maxHeaderName  = 64
	maxHeaderValue = 256 // an INVITE must stay below the MTU
)

// check tells why a header may not be sent: it would end the line, or it governs what SIP or this package governs.
func (h Header) check() error {
	const token = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~" // RFC 3261 25.1
	switch {
	case h.Name == "" || len(h.Name) > maxHeaderName || strings.Trim(h.Name, token) != "":
		return errors.New("is not the name of a header")
	case len(h.Name) == 1 || governed(h.Name): // one letter is the compact form of a header that is (RFC 3261 7.3.3)
		return errors.New("is governed by SIP or by another key")
	case h.Value == "" || strings.TrimSpace(h.Value) != h.Value:
		return errors.New("has an empty value, or one with spaces around it")
	case len(h.Value) > maxHeaderValue:
		return fmt.Errorf("has a value of more than %d bytes", maxHeaderValue)
	case control(h.Value) || !utf8.ValidString(h.Value):
		return errors.New("has a value with control characters, or that is not UTF-8")
	}
	return nil
}

// control tells whether a text holds characters that could end a header, or hide.
func control(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == utf8.RuneError
	})
}

// governed are the headers that make a message SIP, open or authenticate a dialog, describe a body, or say who calls.
func governed(name string) bool {
	name = strings.ToLower(name)
	for _, begin := range []string{"content-", "proxy-", "sec-", "security-", "accept", "allow", "min-"} {
		if strings.HasPrefix(name, begin) && name != "accept-contact" {
			return true
		}
	}
	return slices.Contains([]string{
		"via", "from", "to", "contact", "route", "record-route", "call-id", "cseq", "max-forwards", "path", "service-route",
		"authorization", "www-authenticate", "authentication-info", "identity", "identity-info",
		"require", "supported", "unsupported", "expires", "session-expires", "rseq", "rack", "replaces", "join", "target-dialog",
		"refer-to", "referred-by", "refer-sub", "event", "subscription-state", "suppress-if-match", "sip-etag", "sip-if-match",
		"mime-version", "date", "timestamp", "encryption", "hide", "warning", "retry-after", "reason", "server", "user-agent",
		"privacy", "p-asserted-identity", "p-preferred-identity", "remote-party-id",
	}, name)
}
