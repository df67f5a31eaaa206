package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"telgate"
)

// longestExtension is how many digits a peer may name that are taken for an extension of its own: more could be a telephone
// number that nobody looked at.
const longestExtension = 6

// Redirect is the number behind the user part of a 3xx's Contact, held against every rule that holds for the numbers of
// the directory: what it may consist of, emergency, premium and allowed numbers, in the trunk's own notation. The error is
// a [*Forbidden].
func (d Dialer) Redirect(user string, t Trunk) (telgate.Number, error) {
	if err := d.Check(user, t); err != nil {
		return telgate.Number{}, err
	}
	if t.Kind == PBX && (isExtension(user) && !isDigits(user) || isDigits(user) && len(user) <= longestExtension) {
		return telgate.Number{Extension: user, Trunk: t.Name}, nil
	}
	readings := d.readings(user, t, false)
	if len(readings) == 0 {
		return telgate.Number{}, forbid("not a telephone number in the notation of trunk %s", t.Name)
	}
	for _, e164 := range readings { // an exchange may read it in any of these ways
		if err := d.checkPSTN(e164); err != nil {
			return telgate.Number{}, err
		}
	}
	num, err := phonenumbers.Parse(readings[0], "")
	if err != nil { // checkPSTN has just read it
		return telgate.Number{}, forbid("not a telephone number")
	}
	n := telgate.Number{E164: readings[0], Country: fmt.Sprint(num.GetCountryCode())}
	if !t.carries(n) {
		return telgate.Number{}, forbid("not in the prefixes of trunk %s", t.Name)
	}
	return n, nil
}

// Caller names the phones, as [telgate.Number.Key] does, that a caller over this trunk may be: an extension, or a number in
// any notation that carriers use toward us. None where it is withheld or no number.
func (d Dialer) Caller(user string, t Trunk) []string {
	s, err := plain(user)
	if err != nil || s == "" || len(s) > 32 {
		return nil
	}
	var keys []string
	if t.Kind == PBX && isExtension(s) {
		keys = append(keys, telgate.Number{Extension: s, Trunk: t.Name}.Key())
	}
	return append(keys, d.readings(s, t, true)...)
}

// readings are the numbers in E.164 that a string of digits may mean on this trunk, the likeliest first; loose adds a number
// that has lost its plus, as callers' often have.
func (d Dialer) readings(user string, t Trunk, loose bool) []string {
	var all []string
	add := func(e164 string) {
		num, err := phonenumbers.Parse(e164, "")
		if err == nil && len(e164) <= 16 && phonenumbers.IsPossibleNumber(num) && !slices.Contains(all, e164) {
			all = append(all, e164)
		}
	}
	if rest, ok := strings.CutPrefix(user, "+"); ok {
		if isDigits(rest) {
			add(user)
		}
		return all
	}
	if !isDigits(user) {
		return nil
	}
	dialled := t.Format.dialled(user)
	slices.Reverse(dialled) // without the trunk's own prefixes first
	for _, s := range dialled {
		if rest, ok := strings.CutPrefix(s, t.Format.InternationalPrefix); ok && t.Format.InternationalPrefix != "" && rest != "" {
			add("+" + rest)
		}
		if t.Format.Style == E164NoPlus {
			add("+" + s)
		}
		for _, region := range []string{t.Format.Country, d.cfg.Region} {
			if num, err := phonenumbers.Parse(s, region); region != "" && err == nil {
				add(phonenumbers.Format(num, phonenumbers.E164))
			}
		}
		if loose {
			add("+" + s)
		}
	}
	return all
}
