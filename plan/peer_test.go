package plan

import (
	"errors"
	"slices"
	"testing"

	"telgate"
)

func TestARedirectIsHeldAgainstEveryRuleForNumbers(t *testing.T) {
	japan, plain := pbx(), carrier()
	noPlus := Trunk{Name: "np", Kind: Carrier, Format: Format{Style: E164NoPlus, Country: "JP"}}
	bare := Trunk{Name: "bare", Kind: Carrier, Format: Format{Style: E164}}
	us := Trunk{Name: "us", Kind: Carrier, Prefixes: []string{"+1"}, Format: Format{Style: E164}}
	for _, c := range []struct {
		name, user string
		trunk      Trunk
		want       string // the key, "" = refused
	}{
		{"E.164", "+819012345678", plain, "+819012345678"},
		{"in the prefixes of the trunk", "+12025550123", us, "+12025550123"},
		{"not in them", "+819012345678", us, ""},
		{"without its plus", "819012345678", noPlus, "+819012345678"},
		{"national, with the outside line", "009012345678", japan, "+819012345678"},
		{"national, without it", "09012345678", japan, "+819012345678"},
		{"foreign, by the international prefix", "001012025550123", japan, "+12025550123"},
		{"an extension", "7102", japan, "7102@main"},
		{"an extension with letters", "front-desk", japan, "front-desk@main"},
		{"an extension on a carrier", "7102", plain, ""},
		{"emergency", "110", japan, ""},
		{"emergency behind the outside line", "0110", japan, ""},
		{"emergency in overlap", "01101234", japan, ""},
		{"withheld, then emergency", "0184110", japan, ""},
		{"premium", "00570123456", japan, ""},
		{"premium in E.164", "+81570123456", plain, ""},
		{"not in prefixes_allowed", "+861012345678", plain, ""},
		{"extra_forbidden", "+81312345678", plain, ""},
		{"extra_forbidden in national form", "0312345678", japan, ""},
		{"national, by the gateway's region", "09012345678", bare, "+819012345678"},
		{"parameters", "+819012345678;postd=1", plain, ""},
		{"encoded", "%2B819012345678", bare, ""},
		{"a second header", "7102\r\nX: y", japan, ""},
		{"long digits that are no number", "71027102710271", japan, ""},
		{"nothing", "", japan, ""},
	} {
		n, err := dialer(t).Redirect(c.user, c.trunk)
		if got := n.Key(); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
		if _, forbidden := errors.AsType[*Forbidden](err); err != nil && !forbidden {
			t.Errorf("%s: the error is a %T", c.name, err)
		}
	}
}

func TestACallerIsKnownInEveryNotation(t *testing.T) {
	us := Trunk{Name: "us", Kind: Carrier, Format: Format{Style: National, Country: "US"}}
	bare := Trunk{Name: "bare", Kind: PBX, Format: Format{Style: E164}}
	for _, c := range []struct {
		user  string
		trunk Trunk
		want  string // among the keys
	}{
		{"+819012345678", pbx(), "+819012345678"},
		{"09012345678", pbx(), "+819012345678"},
		{"009012345678", pbx(), "+819012345678"},
		{"819012345678", pbx(), "+819012345678"},
		{"７１０１", pbx(), "7101@main"},
		{"7101", bare, "7101@bare"},
		{"2025550123", us, "+12025550123"},
		{"12025550123", us, "+12025550123"},
		{"12025550123", bare, "+12025550123"},
	} {
		if got := dialer(t).Caller(c.user, c.trunk); !slices.Contains(got, c.want) {
			t.Errorf("%q over %s may be %q, want %q among them", c.user, c.trunk.Name, got, c.want)
		}
	}
	for _, user := range []string{"", "anonymous;x=y", "a b", "\r\n", "%%%", "7101"} {
		if got := dialer(t).Caller(user, us); len(got) > 0 {
			t.Errorf("%q may be %q", user, got)
		}
	}
}

func FuzzNoRedirectLeadsToAForbiddenNumber(f *testing.F) {
	for _, s := range []string{"110", "0110", "184110", "+819012345678", "7102", "a.1-1-0", "%31", "001012025550123"} {
		f.Add(s)
	}
	d, _ := NewDialer(DialConfig{PrefixesAllowed: []string{"+81"}, Region: "JP"})
	f.Fuzz(func(t *testing.T, user string) {
		for _, trunk := range []Trunk{pbx(), carrier()} {
			n, err := d.Redirect(user, trunk)
			if err != nil {
				continue
			}
			if d.Check(user, trunk) != nil || n.E164 == "" && n.Extension == "" || n.E164 != "" && n.Extension != "" {
				t.Errorf("%q over %s is followed to %s", user, trunk.Name, n)
			}
			if n.E164 != "" {
				if err := d.checkPSTN(n.E164); err != nil {
					t.Errorf("%q over %s is followed to %s: %v", user, trunk.Name, n, err)
				}
			}
			for _, key := range d.Caller(user, trunk) {
				_ = telgate.Number{E164: key}.String()
			}
		}
	})
}
