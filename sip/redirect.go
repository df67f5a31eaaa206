package sip

import (
	"net/url"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// redirectUser is the user part of the first Contact of a 3xx that can be called: sip:, sips: or tel:, a plain user, and
// nothing that would ask for more than a number. Where it points to is not looked at.
func redirectUser(res *sip.Response) string {
	for _, h := range res.GetHeaders("Contact") {
		c, ok := h.(*sip.ContactHeader)
		if !ok || c.Address.Wildcard {
			continue
		}
		switch strings.ToLower(c.Address.Scheme) {
		case "sip", "sips", "tel", "":
		default:
			continue
		}
		user, err := url.PathUnescape(userOf(&c.Address))
		if err == nil && isUser(separated(user)) {
			return separated(user)
		}
	}
	return ""
}

// separated takes the visual separators out of a telephone number (RFC 3966 5.1.1); anything else stays.
func separated(user string) string {
	bare := strings.NewReplacer("-", "", ".", "", "(", "", ")", "").Replace(user)
	if strings.HasPrefix(bare, "+") && strings.Trim(bare[1:], "0123456789") == "" {
		return bare
	}
	return user
}
