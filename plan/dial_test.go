package plan

import (
	"errors"
	"strings"
	"testing"

	"telgate"
)

func pbx() Trunk {
	return Trunk{Name: "main", Kind: PBX, Format: Format{Style: National, Country: "JP", NationalPrefix: "0", InternationalPrefix: "010", DialPrefix: "0"}}
}

func carrier() Trunk {
	return Trunk{Name: "carrier", Kind: Carrier, Format: Format{Style: E164, Country: "JP"}}
}

func dialer(t *testing.T) Dialer {
	t.Helper()
	d, faults := NewDialer(DialConfig{PrefixesAllowed: []string{"+81", "+1", "+44", "+39", "+33"}, ExtraForbidden: []string{"+81312345678", "+8150*"}, Region: "JP"})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return d
}

func TestNumbersAreDialledAsTheTrunkWantsThem(t *testing.T) {
	with := func(style Style, country, national, international, prefix string) Trunk {
		return Trunk{Name: "t", Kind: Carrier, Format: Format{Style: style, Country: country, NationalPrefix: national, InternationalPrefix: international, DialPrefix: prefix}}
	}
	for _, c := range []struct {
		name, e164 string
		trunk      Trunk
		want       string
	}{
		{"e164 is left alone", "+819012345678", with(E164, "JP", "0", "", ""), "+819012345678"},
		{"as_is too", "+819012345678", with(AsIs, "JP", "", "", ""), "+819012345678"},
		{"no plus", "+819012345678", with(E164NoPlus, "JP", "0", "", ""), "819012345678"},
		{"national drops the own country code", "+819012345678", with(National, "JP", "0", "010", ""), "09012345678"},
		{"and has the outside line first", "+819012345678", with(National, "JP", "0", "010", "9"), "909012345678"},
		{"a foreign number keeps its country code", "+12025550123", with(National, "JP", "0", "010", ""), "01012025550123"},
		{"Italy keeps its 0", "+390612345678", with(National, "IT", "0", "00", ""), "0612345678"},
		{"no national prefix in the US", "+12025550123", with(National, "US", "", "011", ""), "2025550123"},
		{"1101 inside an ordinary number is no emergency", "+819011012345", with(National, "JP", "0", "010", ""), "09011012345"},
		{"nor in E.164", "+819011912345", with(E164, "JP", "0", "", ""), "+819011912345"},
	} {
		got, err := dialer(t).Dial(telgate.Number{E164: c.e164}, c.trunk)
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

func TestForbiddenNumbersAreRefusedByEverySpelling(t *testing.T) {
	for _, user := range []string{
		"110", "119", "118", "112", "911", "999", "000", "15", "17", "117", "190", "111", "104", "177", "188",
		"0110", "00110", "9110", "99911", "8110", "9911", "0119", "184110", "186119", "0184110", "1840110",
		"81110", "+81110", "01081110", "0010110", "0119119", "00081110", "90119", "99119", "9110110",
		"１１０", "%31%31%30", "%2531%2531%2530", "11%30", "１８４１１０", "+１１０",
		"110;phone-context=+81", "110;postd=1", "110;user=phone", "110@evil", "110:5060", "110?x=y", "*67911", "#31#110",
		"110 ", " 110", "1 1 0", "110\r\nX-Evil: 1", "110\x00", "", "+", "110,", "1101",
	} {
		for _, trunk := range []Trunk{pbx(), carrier()} {
			if err := dialer(t).Check(user, trunk); err == nil {
				t.Errorf("%q may be dialled over %s", user, trunk.Name)
			}
		}
	}
}

func TestExtensionsAreAllowedOnAPBXOnly(t *testing.T) {
	for _, c := range []struct {
		ext  string
		want bool
	}{
		{"7100", true},
		{"7110", true},
		{"7119", true},
		{"7199", true},
		{"alice", true},
		{"front-desk", true},
		{"2001", true},
		{"110", false},
		{"9110", false},
		{"0119", false},
		{"al ice", false},
		{"alice;x=y", false},
		{"a*b", false},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	} {
		_, err := dialer(t).Dial(telgate.Number{Extension: c.ext, Trunk: "main"}, pbx())
		if (err == nil) != c.want {
			t.Errorf("%q on a PBX: %v, want allowed %v", c.ext, err, c.want)
		}
		if err := dialer(t).Check(c.ext, carrier()); err == nil {
			t.Errorf("%q may be dialled over a carrier", c.ext)
		}
	}
}

func TestNumbersOutsideTheLimitsAreForbidden(t *testing.T) {
	for name, e164 := range map[string]string{
		"a country that is not allowed": "+861012345678",
		"not a possible number":         "+8190",
		"too long":                      "+8190123456789012",
		"extra_forbidden":               "+81312345678",
		"extra_forbidden by prefix":     "+815012345678",
		"navi dial":                     "+81570123456",
		"dial Q2":                       "+81990123456",
		"telegong":                      "+81180123456",
		"a UK premium number":           "+449011234567",
		"without a plus":                "819012345678",
		"parameters":                    "+819012345678;postd=1",
		"empty":                         "",
	} {
		for _, trunk := range []Trunk{pbx(), carrier()} {
			_, err := dialer(t).Dial(telgate.Number{E164: e164}, trunk)
			if _, ok := errors.AsType[*Forbidden](err); !ok {
				t.Errorf("%s over %s: %v", name, trunk.Name, err)
			}
		}
	}
	none, _ := NewDialer(DialConfig{})
	if _, err := none.Dial(telgate.Number{E164: "+819012345678"}, carrier()); err == nil {
		t.Error("without prefixes_allowed a PSTN number may be dialled")
	}
}

func TestAForeignNumberIsNotDialledWhereTheTrunkHasNoInternationalPrefix(t *testing.T) {
	trunk := pbx()
	trunk.Format.InternationalPrefix = ""
	if user, err := dialer(t).Dial(telgate.Number{E164: "+12025550123"}, trunk); err == nil {
		t.Errorf("dialled as %q", user)
	}
}

func FuzzNothingThatMayBeDialledIsAnEmergencyNumber(f *testing.F) {
	for _, s := range []string{"110", "+819012345678", "7110", "%31", "0119", "١١٠"} {
		f.Add(s)
	}
	d, _ := NewDialer(DialConfig{PrefixesAllowed: []string{"+"}, Region: "JP"})
	f.Fuzz(func(t *testing.T, user string) {
		for _, trunk := range []Trunk{pbx(), carrier()} {
			if d.Check(user, trunk) != nil {
				continue
			}
			rest := user
			for range 4 {
				for _, p := range []string{"+", "0", "9", "8"} {
					if len(rest) > 1 && rest[:1] == p {
						rest = rest[1:]
					}
				}
			}
			for _, e := range []string{"110", "119", "911", "112", "999"} {
				if user == e || rest == e {
					t.Errorf("%q over %s reaches %s", user, trunk.Name, e)
				}
			}
		}
	})
}

func TestAPremiumNumberIsNoExtension(t *testing.T) {
	at := func(country, dialPrefix string) Trunk {
		return Trunk{Name: "m", Kind: PBX, Format: Format{Style: E164, Country: country, NationalPrefix: "0", DialPrefix: dialPrefix}}
	}
	for _, c := range []struct {
		user, country, region, prefix string
	}{
		{"19005550100", "", "", ""},
		{"09005550100", "", "", ""},
		{"0990123456", "", "", ""},
		{"19005550100", "JP", "", ""},
		{"09005550100", "JP", "JP", "0"},
		{"0990123456", "US", "", ""},
		{"990123456", "JP", "", ""},
		{"00990123456", "", "JP", ""},
		{"1840990123456", "JP", "", ""},
		{"81990123456", "JP", "", ""},
		{"01081570123456", "JP", "", ""},
		{"9005550100", "US", "", ""},
		{"99005550100", "US", "", ""},
		{"919005550100", "", "US", ""},
		{"0119005550100", "US", "", "01"},
		{"00499001234567", "FR", "", ""},
		{"499001234567", "", "", ""},
		{"09011234567", "GB", "", ""},
		{"909011234567", "", "GB", ""},
		{"1-900-555-0100", "", "", ""},
		{"+81990123456", "", "", ""},
	} {
		d, _ := NewDialer(DialConfig{Region: c.region})
		if err := d.Check(c.user, at(c.country, c.prefix)); err == nil {
			t.Errorf("%q may be dialled over a PBX in %q, region %q", c.user, c.country, c.region)
		}
	}
}

func TestOrdinaryLongExtensionsMayBeDialled(t *testing.T) {
	for _, user := range []string{
		"7001234", "71010001", "2005550", "5701234", "9001234", "9901234", "20055501", "18005550100", "12025550123",
		"2025550123", "0312345678", "440001", "70000001", "6123456789",
	} {
		for _, country := range []string{"", "US", "JP"} {
			d, _ := NewDialer(DialConfig{Region: country})
			if err := d.Check(user, Trunk{Name: "m", Kind: PBX, Format: Format{Style: E164, Country: country}}); err != nil {
				t.Errorf("%q over a PBX in %q: %v", user, country, err)
			}
		}
	}
}

func TestOrdinaryNumbersThatLookPremiumByChanceAreDialled(t *testing.T) {
	with := func(style Style, country, national, international, prefix string) Trunk {
		return Trunk{Name: "t", Kind: PBX, Format: Format{Style: style, Country: country, NationalPrefix: national, InternationalPrefix: international, DialPrefix: prefix}}
	}
	for _, c := range []struct {
		e164  string
		trunk Trunk
	}{
		{"+919005550100", with(E164NoPlus, "IN", "0", "", "")},
		{"+919005550100", with(National, "JP", "0", "010", "0")},
		{"+8619002345678", with(National, "CN", "0", "00", "")},
		{"+819099012345", with(National, "JP", "0", "010", "0")},
		{"+819012345678", with(E164NoPlus, "", "", "", "9")},
		{"+4989123456", with(National, "DE", "0", "00", "0")},
	} {
		d, _ := NewDialer(DialConfig{PrefixesAllowed: []string{"+"}, Region: c.trunk.Format.Country})
		num, err := d.Dial(telgate.Number{E164: c.e164}, c.trunk)
		if err != nil {
			t.Errorf("%s over %+v: %q, %v", c.e164, c.trunk.Format, num, err)
		}
	}
}

func TestAnEmergencyNumberWrittenAsATelephoneNumberIsCalledSo(t *testing.T) {
	for e164, country := range map[string]string{"+81110": "81", "+44999": "44", "+1911": "1", "+33112": "33", "+8118": "81"} {
		for _, trunk := range []Trunk{pbx(), carrier()} {
			_, err := dialer(t).Dial(telgate.Number{E164: e164, Country: country}, trunk)
			if err == nil || !strings.Contains(err.Error(), "emergency") {
				t.Errorf("%s over %s: %v", e164, trunk.Name, err)
			}
		}
	}
}

func TestAnEmergencyNumberBehindTheServicesOfOneCallIsForbidden(t *testing.T) {
	d, _ := NewDialer(DialConfig{Region: "JP"})
	pbx := Trunk{Name: "m", Kind: PBX, Format: Format{Country: "JP"}}
	for _, user := range []string{"122110", "122119", "0033110", "0077119", "0091xx"[:4] + "20118", "141999", "1470999", "1167911", "1831000", "00220110"} {
		if err := d.Check(user, pbx); err == nil {
			t.Errorf("%s may be dialled", user)
		}
	}
	carrier := Trunk{Name: "c", Kind: Carrier, Format: Format{Style: National, Country: "JP", DialPrefix: "0"}}
	if err := d.Check("00033110", carrier); err == nil {
		t.Error("behind an outside line it may")
	}
}
