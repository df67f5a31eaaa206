package sip

import (
	"strings"

	"github.com/icholy/digest"
)

// digestChallenges reads the digest challenges of headers as they are in the wild: other schemes beside them, several in
// one header (which RFC 3261 20.44 forbids), tabs, spaces in lists, tokens with characters the library's parser refuses.
func digestChallenges(headers []string) []digest.Challenge {
	var out []digest.Challenge
	for _, h := range headers {
		var now *digest.Challenge
		for _, part := range splitOutsideQuotes(h, ',') {
			part = strings.TrimSpace(part)
			if scheme, rest, ok := cutScheme(part); ok {
				now = nil
				if strings.EqualFold(scheme, "Digest") {
					out = append(out, digest.Challenge{})
					now = &out[len(out)-1]
				}
				part = rest
			}
			if now != nil {
				name, value, _ := strings.Cut(part, "=")
				setChallenge(now, strings.ToLower(strings.TrimSpace(name)), unquote(strings.TrimSpace(value)))
			}
		}
	}
	return out
}

// cutScheme recognises the begin of a challenge: a word, white space, and a parameter.
func cutScheme(s string) (scheme, rest string, ok bool) {
	at := strings.IndexAny(s, " \t=\"")
	if at <= 0 || s[at] == '=' || s[at] == '"' {
		return "", s, false
	}
	rest = strings.TrimLeft(s[at:], " \t")
	if strings.HasPrefix(rest, "=") { // "nonce = x"
		return "", s, false
	}
	return s[:at], rest, true
}

func setChallenge(c *digest.Challenge, name, value string) {
	switch name {
	case "realm":
		c.Realm = value
	case "nonce":
		c.Nonce = value
	case "opaque":
		c.Opaque = value
	case "algorithm":
		c.Algorithm = value
	case "stale":
		c.Stale = strings.EqualFold(value, "true")
	case "userhash":
		c.Userhash = strings.EqualFold(value, "true")
	case "qop":
		for q := range strings.SplitSeq(value, ",") {
			if q = strings.ToLower(strings.TrimSpace(q)); q != "" {
				c.QOP = append(c.QOP, q)
			}
		}
	}
}

// unquote reads a quoted string, or a token as it is (RFC 3261 25.1).
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return strings.Trim(s, `"`)
	}
	if !strings.Contains(s, `\`) {
		return s[1 : len(s)-1]
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && i < len(s)-2 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
