package plan

import (
	"errors"
	"fmt"
	"strings"

	"telgate"
)

// Kind is what stands behind a trunk.
type Kind string

// Kinds of trunks. Only a PBX has extensions.
const (
	Carrier Kind = "carrier"
	PBX     Kind = "pbx"
)

// Style is how a trunk wants numbers written.
type Style string

// Number formats.
const (
	E164       Style = "e164"         // +819012345678
	E164NoPlus Style = "e164_no_plus" // 819012345678
	National   Style = "national"     // 09012345678, foreign ones after the international prefix
	AsIs       Style = "as_is"        // +819012345678, never rewritten
)

// Format is how a trunk's dial strings are built.
type Format struct {
	Style               Style
	Country             string // ISO 3166 region of the trunk, "JP"
	NationalPrefix      string // before a number of the country in National, "0"
	InternationalPrefix string // before a foreign one in National, "010"; "" = foreign numbers cannot be dialled
	DialPrefix          string // before everything but extensions, "0" for an outside line
	CallerPrefix        string // after DialPrefix in National: "186" shows our number for this call in Japan, "184" withholds it
}

// Check tells what is wrong with the country, nil if nothing: a wrong one would dial wrong numbers and know no emergency
// numbers.
func (f Format) Check() error {
	switch {
	case f.Country == "" && f.Style == National:
		return errors.New("number_format = \"national\" needs the trunk's country, such as \"JP\"")
	case f.Country != "" && f.countryCode() == "":
		return fmt.Errorf("%q is not a country such as \"JP\" (ISO 3166)", f.Country)
	}
	return nil
}

// Trunk is a trunk as far as routing and dialling need it.
type Trunk struct {
	Name     string
	Kind     Kind
	Prefixes []string // E.164 prefixes it carries; none = all
	Format   Format
	CallerID string // who is seen to call; two trunks that show the same are refused for the same reason
	Limit    Limit
	Redirect bool // a 301 or 302 is followed over this trunk, once a call
}

// carries tells whether the trunk may carry the number at all; what may be dialled over it is for [Dialer.Dial].
func (t Trunk) carries(n telgate.Number) bool {
	if n.Trunk != "" && n.Trunk != t.Name {
		return false
	}
	if n.Extension != "" {
		return t.Kind == PBX
	}
	if len(t.Prefixes) == 0 {
		return true
	}
	for _, p := range t.Prefixes {
		if strings.HasPrefix(n.E164, p) {
			return true
		}
	}
	return false
}

func isExtension(s string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
	return s != "" && len(s) <= 32 && strings.Trim(s, allowed) == ""
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
