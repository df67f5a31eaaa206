package directory

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"

	"telgate"
)

// ParseNumber reads a number as people write it: "+81 90-1234-5678", a national number of the region, full-width digits,
// or "sip:EXTENSION@TRUNK". It does not decide whether the number may be called. No error shows
// a whole number.
func ParseNumber(raw, region string) (telgate.Number, error) {
	s := strings.TrimSpace(norm.NFKC.String(raw))
	if rest, ok := strings.CutPrefix(strings.ToLower(s), "sip:"); ok {
		ext, trunk, found := strings.Cut(s[len(s)-len(rest):], "@")
		if !found || trunk == "" || !isExtension(ext) {
			return telgate.Number{}, fmt.Errorf("%q is not sip:EXTENSION@TRUNK", telgate.Masked(raw))
		}
		return telgate.Number{Extension: ext, Trunk: trunk}, nil
	}
	if strings.ContainsAny(s, "@;:,=%*#") {
		return telgate.Number{}, fmt.Errorf("%q is neither a telephone number nor sip:EXTENSION@TRUNK", telgate.Masked(raw))
	}
	if !strings.HasPrefix(s, "+") && region == "" {
		return telgate.Number{}, errors.New("is written without + and country code, and calls.region is not set")
	}
	n, err := phonenumbers.Parse(s, region)
	if err != nil {
		return telgate.Number{}, fmt.Errorf("%q is not a telephone number", telgate.Masked(raw))
	}
	if n.GetExtension() != "" {
		return telgate.Number{}, fmt.Errorf("%q has an extension behind it, which cannot be dialled", telgate.Masked(raw))
	}
	return telgate.Number{
		E164: phonenumbers.Format(n, phonenumbers.E164), Country: strconv.Itoa(int(n.GetCountryCode())),
	}, nil
}

func isExtension(s string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
	return s != "" && len(s) <= 32 && strings.Trim(s, allowed) == ""
}
