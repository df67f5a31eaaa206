package plan

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"

	"telgate"
)

// Forbidden says why a number is not dialled. Nothing switches these rules off.
type Forbidden struct {
	Reason string // one clause for people, with what to do where something can be done
}

// Error is the reason.
func (f *Forbidden) Error() string { return f.Reason }

func forbid(format string, args ...any) error { return &Forbidden{fmt.Sprintf(format, args...)} }

// Ineligible says why a trunk cannot carry a number that may well be dialled: another one might.
type Ineligible struct {
	Reason string // one clause for people
}

// Error is the reason.
func (i *Ineligible) Error() string { return i.Reason }

// DialConfig is what the operator may add to the built-in rules.
type DialConfig struct {
	PrefixesAllowed []string // E.164 prefixes that may be dialled; none = no PSTN number at all
	ExtraForbidden  []string // further numbers, E.164 or as dialled; a trailing * forbids everything beginning so
	Region          string   // ISO 3166 region of the gateway, its emergency numbers count on every trunk
}

// Dialer turns numbers into dial strings and refuses those that must never be called. It is a value without state.
type Dialer struct {
	cfg DialConfig
}

// NewDialer checks the configuration's meaning and returns its faults.
func NewDialer(cfg DialConfig) (Dialer, []telgate.Fault) {
	var faults []telgate.Fault
	for _, p := range cfg.PrefixesAllowed {
		if !strings.HasPrefix(p, "+") || !isDigits(p[1:]) {
			faults = append(faults, telgate.Fault{Path: "limits.prefixes_allowed", Message: fmt.Sprintf("%q is not an E.164 prefix such as +81", telgate.Masked(p))})
		}
	}
	for _, p := range cfg.ExtraForbidden {
		if !isDigits(strings.TrimSuffix(strings.TrimPrefix(p, "+"), "*")) {
			faults = append(faults, telgate.Fault{Path: "limits.extra_forbidden", Message: fmt.Sprintf("%q is not a number, with a * at its end at most", telgate.Masked(p))})
		}
	}
	if cfg.Region != "" && phonenumbers.GetCountryCodeForRegion(cfg.Region) == 0 {
		faults = append(faults, telgate.Fault{Path: "calls.region", Message: fmt.Sprintf("%q is not a region such as JP", cfg.Region)})
	}
	return Dialer{cfg}, faults
}

// Dial returns the user part that rings number over trunk, or a [*Forbidden] or [*Ineligible].
func (d Dialer) Dial(n telgate.Number, t Trunk) (string, error) {
	if !t.carries(n) {
		return "", &Ineligible{fmt.Sprintf("trunk %s does not carry %s", t.Name, n)}
	}
	if n.Extension != "" {
		return n.Extension, d.Check(n.Extension, t)
	}
	if err := d.checkShort(n, t); err != nil {
		return "", err
	}
	if err := d.checkPSTN(n.E164); err != nil {
		return "", err
	}
	user, err := t.Format.write(n.E164)
	if err != nil {
		return "", err
	}
	return user, d.Check(user, t)
}

// shortestPSTN is the least length of "+" and digits that can be a telephone number.
const shortestPSTN = 8

// checkShort names the emergency or short number that somebody wrote as a telephone number: "110" in region JP is read as
// +81110, which is no number, and its reason shall say more than that.
func (d Dialer) checkShort(n telgate.Number, t Trunk) error {
	if len(n.E164) >= shortestPSTN || !isDigits(strings.TrimPrefix(n.E164, "+")) {
		return nil
	}
	for _, s := range []string{n.E164[1:], strings.TrimPrefix(n.E164[1:], n.Country)} {
		for _, rest := range d.residues(s, t) {
			if d.emergency(rest, t, false) {
				return forbid("reaches the emergency or short number %s", rest)
			}
		}
	}
	return nil
}

// checkPSTN holds the rules about the number itself, however it is dialled.
func (d Dialer) checkPSTN(e164 string) error {
	if !strings.HasPrefix(e164, "+") || !isDigits(e164[1:]) || len(e164) < shortestPSTN || len(e164) > 16 {
		return forbid("not + and 7 to 15 digits")
	}
	if err := d.extra(e164); err != nil {
		return err
	}
	num, err := phonenumbers.Parse(e164, "")
	if err != nil || !phonenumbers.IsPossibleNumber(num) {
		return forbid("not a possible telephone number")
	}
	if costly(e164, num) {
		return forbid("a premium or special number")
	}
	if !slices.ContainsFunc(d.cfg.PrefixesAllowed, func(p string) bool { return strings.HasPrefix(e164, p) }) {
		return forbid("not in limits.prefixes_allowed; add its prefix, for example \"+%d\"", num.GetCountryCode())
	}
	return nil
}

// costly recognises numbers that bill the caller or reach a service instead of a person. Japan's are named, since the
// library classes some of them as ordinary.
func costly(e164 string, num *phonenumbers.PhoneNumber) bool {
	for _, p := range []string{"+81570", "+81990", "+81180"} {
		if strings.HasPrefix(e164, p) {
			return true
		}
	}
	switch phonenumbers.GetNumberType(num) {
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST:
		return true
	default:
		return false
	}
}

// write builds the dial string of an E.164 number.
func (f Format) write(e164 string) (string, error) {
	switch f.Style {
	case E164NoPlus:
		return f.DialPrefix + e164[1:], nil
	case National:
		cc := f.countryCode()
		if own, ok := strings.CutPrefix(e164[1:], cc); ok && cc != "" {
			return f.DialPrefix + f.CallerPrefix + f.nationalPrefix() + own, nil
		}
		if f.InternationalPrefix == "" {
			return "", &Ineligible{"a foreign number, and the trunk has no international_prefix"}
		}
		return f.DialPrefix + f.CallerPrefix + f.InternationalPrefix + e164[1:], nil
	case E164, AsIs:
	}
	return f.DialPrefix + e164, nil
}

// nationalPrefix is what goes before a number of the own country. Italy's numbers carry their 0 themselves.
func (f Format) nationalPrefix() string {
	if f.Country == "IT" {
		return ""
	}
	return f.NationalPrefix
}

func (f Format) countryCode() string {
	if cc := phonenumbers.GetCountryCodeForRegion(f.Country); cc != 0 {
		return fmt.Sprint(cc)
	}
	return ""
}

// Check holds the rules about a final dial string: what it may consist of, and that it reaches no emergency or short
// number by any spelling. It runs again on every INVITE that is about to leave.
func (d Dialer) Check(user string, t Trunk) error {
	s, err := plain(user)
	if err != nil {
		return err
	}
	digits := strings.TrimPrefix(s, "+")
	switch {
	case isDigits(digits) && (len(digits) >= 7 || t.Kind == PBX) && len(digits) <= t.Format.longest():
	case t.Kind == PBX && isExtension(s):
		// Exchanges ignore visual separators (RFC 3966 5.1.1): 1-1-0 is 110.
		if bare := strings.NewReplacer("-", "", ".", "", "_", "").Replace(s); bare != s && isDigits(bare) {
			if err := d.Check(bare, t); err != nil {
				return err
			}
		}
		return d.extra(s)
	default:
		return forbid("not a number that trunk %s can dial", t.Name)
	}
	if err := d.extra(s); err != nil {
		return err
	}
	dialled := t.Format.dialled(digits)
	for _, rest := range d.residues(digits, t) {
		if d.emergency(rest, t, slices.Contains(dialled, rest) && !strings.HasPrefix(s, "+")) {
			return forbid("reaches the emergency or short number %s", rest)
		}
	}
	if d.costlyDialled(s, t) {
		return forbid("reaches a premium or special number")
	}
	return nil
}

// plain folds a user part to what a peer may make of it: compatibility forms (full-width digits) and one
// percent-decoding. What would still change by a second one is refused, and so is everything but a bare user.
func plain(user string) (string, error) {
	s, err := url.PathUnescape(norm.NFKC.String(user))
	if err != nil || strings.Contains(s, "%") {
		return "", forbid("percent-encoded more than once")
	}
	s = norm.NFKC.String(s)
	if strings.ContainsAny(s, ";=?@:*#&,/ \t\r\n\x00") {
		return "", forbid("contains more than a number")
	}
	return s, nil
}

// extra holds limits.extra_forbidden.
func (d Dialer) extra(s string) error {
	bare := strings.TrimPrefix(s, "+")
	for _, x := range d.cfg.ExtraForbidden {
		x = strings.TrimPrefix(x, "+")
		if begin, open := strings.CutSuffix(x, "*"); bare == x || open && strings.HasPrefix(bare, begin) {
			return forbid("in limits.extra_forbidden")
		}
	}
	return nil
}

// residues is the string and everything that is left of it when prefixes that exchanges swallow are taken away, in any
// order, until nothing changes.
func (d Dialer) residues(digits string, t Trunk) []string {
	prefixes := []string{
		t.Format.DialPrefix, "0", "00", "8", "9", "99", t.Format.InternationalPrefix, t.Format.countryCode(),
		Format{Country: d.cfg.Region}.countryCode(), t.Format.CallerPrefix, "184", "186",
		"010", "011", "001", "0011", // the usual international prefixes, whatever the trunk's is
	}
	all := append([]string{digits}, t.Format.behindServices(digits)...)
	for i := 0; i < len(all); i++ {
		for _, p := range prefixes {
			rest, ok := strings.CutPrefix(all[i], p)
			if ok && p != "" && rest != "" && !slices.Contains(all, rest) {
				all = append(all, rest)
			}
		}
	}
	return all
}

// behindServices is what is left of a string as an exchange reads it behind the prefixes of one call: a carrier chosen (00XY,
// 002YZ, 0091XY) or passed over (122), our number shown or withheld.
func (f Format) behindServices(digits string) (rests []string) {
	for _, s := range f.dialled(digits) {
		prefixes := []string{"122", "141", "1470", "1167", "1182", "1831", "1832"}
		if len(s) > 6 && strings.HasPrefix(s, "00") {
			prefixes = append(prefixes, s[:4], s[:5], s[:6])
		}
		for _, p := range prefixes {
			if rest, ok := strings.CutPrefix(s, p); ok && rest != "" {
				rests = append(rests, rest)
			}
		}
	}
	return rests
}

// dialled is the string, and what is left of it where the trunk's own prefixes were taken off: after an outside line and a
// caller's prefix an exchange reads the first digits that follow just as it reads the first ones of a bare string.
func (f Format) dialled(digits string) []string {
	all := []string{digits}
	for _, p := range []string{f.DialPrefix, f.CallerPrefix} {
		if rest, ok := strings.CutPrefix(all[len(all)-1], p); ok && p != "" && rest != "" {
			all = append(all, rest)
		}
	}
	return all
}

// longest is how many digits a dial string may have.
func (f Format) longest() int {
	return 15 + len(f.DialPrefix) + len(f.CallerPrefix) + len(f.InternationalPrefix)
}

// longestShort is the length up to which what is left can be a short number; longer residues of ordinary numbers begin
// with the digits of an emergency number by chance.
const longestShort = 6

// emergency tells whether an exchange would take s for an emergency or short number. Only what is read as dialled is also
// held against prefixes (overlap dialling): 1101 may ring 110 before its last digit is read.
func (d Dialer) emergency(s string, t Trunk, asDialled bool) bool {
	if len(s) > longestShort && !asDialled {
		return false
	}
	if slices.Contains(shortNumbers(), s) {
		return true
	}
	for _, region := range []string{t.Format.Country, d.cfg.Region} {
		if region != "" && phonenumbers.ConnectsToEmergencyNumber(s, region) {
			return true
		}
	}
	return false
}

// shortNumbers is the built-in list, of every country at once: a number that is ordinary in one and an emergency in
// another is not worth the risk. Japan's information services bill the caller.
func shortNumbers() []string {
	return []string{
		"110", "118", "119", "112", "911", "999", "000", "108", "100", "101", "102", "103", "105", "106", "107", "111",
		"113", "114", "115", "116", "117", "120", "122", "123", "133", "143", "144", "15", "17", "18", "150", "155", "158",
		"166", "171", "177", "180", "188", "189", "190", "191", "192", "193", "194", "195", "196", "197", "198", "199",
		"104", "116000", "116111", "116123", "211", "311", "411", "511", "611", "711", "811", "933", "988", "995", "997", "998",
	}
}
