package plan

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// shortestCostly is the length from which a dial string can be a premium number; shorter ones are short numbers or
// ordinary extensions.
const shortestCostly = 7

// shortestForeign is the length from which digits without any prefix are also read as a number with its country code.
const shortestForeign = 10

// costlyDialled tells whether a peer may take a dial string for a premium or special number. An extension is the PBX's own
// number plan and no limit of prefixes holds it, but a PBX that finds none hands the digits to its carrier. So they are
// read as the trunk would write a number; where that is an ordinary one it stands. Else every reading counts: behind an
// outside line, as a number of the trunk's country or of the region, after an international prefix.
func (d Dialer) costlyDialled(s string, t Trunk) bool {
	digits, plus := strings.CutPrefix(s, "+")
	switch {
	case len(digits) < shortestCostly:
		return false
	case plus:
		_, costly := reading("+"+digits, "")
		return costly
	}
	if valid, costly := t.Format.read(digits); valid {
		return costly
	}
	if slices.ContainsFunc(d.regions(t), func(region string) bool { valid, costly := reading(digits, region); return valid && !costly }) {
		return false
	}
	if _, costly := reading("+"+digits, ""); costly && len(digits) >= shortestForeign {
		return true
	}
	for _, begun := range t.Format.dialled(digits) {
		for _, line := range []string{"", "0", "8", "9", "99", "184", "186"} {
			if rest, ok := strings.CutPrefix(begun, line); ok && len(rest) >= shortestCostly && d.costlyRest(rest, t) {
				return true
			}
		}
	}
	return false
}

// regions are those whose numbers a dial string may be.
func (d Dialer) regions(t Trunk) []string {
	return slices.DeleteFunc([]string{t.Format.Country, d.cfg.Region}, func(r string) bool { return r == "" })
}

// costlyRest reads what is left behind an outside line.
func (d Dialer) costlyRest(rest string, t Trunk) bool {
	if costlyShape(rest) {
		return true
	}
	for _, region := range d.regions(t) {
		if _, costly := reading(rest, region); costly {
			return true
		}
	}
	for _, international := range []string{t.Format.InternationalPrefix, "00", "010", "011", "001", "0011"} {
		if number, ok := strings.CutPrefix(rest, international); ok && international != "" {
			if _, costly := reading("+"+number, ""); costly {
				return true
			}
		}
	}
	return false
}

// read is what the trunk would have written as this dial string; false where it would have written no such.
func (f Format) read(digits string) (valid, costly bool) {
	rest, ok := strings.CutPrefix(digits, f.DialPrefix)
	switch {
	case !ok:
		return false, false
	case f.Style == E164NoPlus:
		return reading("+"+rest, "")
	case f.Style == National:
		if rest, ok = strings.CutPrefix(rest, f.CallerPrefix); !ok {
			return false, false
		}
		if foreign, ok := strings.CutPrefix(rest, f.InternationalPrefix); ok && f.InternationalPrefix != "" {
			return reading("+"+foreign, "")
		}
		return reading(rest, f.Country)
	}
	return false, false
}

// reading takes s for a number of region, or for an international one where it begins with +.
func reading(s, region string) (valid, isCostly bool) {
	num, err := phonenumbers.Parse(s, region)
	if err != nil {
		return false, false
	}
	e164 := phonenumbers.Format(num, phonenumbers.E164)
	valid = phonenumbers.IsValidNumber(num)
	if num.GetCountryCode() == japan { // whose special ranges are not all in the library, and none is shorter or longer
		return valid, costly(e164, num) && (valid || len(e164) == len("+81")+japanSpecial)
	}
	return valid, valid && costly(e164, num)
}

const (
	japan        = 81
	japanSpecial = 9 // digits of a number such as 0570-xxxxxx, without its 0
)

// costlyShape recognises premium numbers by their national form in every country at once, for trunks whose country nobody
// told: 0900 in much of Europe, 1-900 in North America, 0570, 0990 and 0180 in Japan.
func costlyShape(s string) bool {
	for _, shape := range []struct {
		begin     string
		low, high int // digits after begin
	}{{"0900", 6, 8}, {"1900", 7, 7}, {"0570", 6, 6}, {"0990", 6, 6}, {"0180", 6, 6}} {
		if rest, ok := strings.CutPrefix(s, shape.begin); ok && len(rest) >= shape.low && len(rest) <= shape.high {
			return true
		}
	}
	return false
}
