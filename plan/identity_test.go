package plan

import (
	"errors"
	"testing"

	"telgate"
)

func TestOurOwnNumberIsWrittenAsTheTrunkWantsIt(t *testing.T) {
	japan := Format{Style: National, Country: "JP", NationalPrefix: "0", DialPrefix: "0", CallerPrefix: "186"}
	for _, c := range []struct {
		id     string
		style  Style
		format Format
		want   string // "" = a fault
	}{
		{"+81312345678", AsIs, japan, "+81312345678"},
		{"+81312345678", "", japan, "+81312345678"},
		{"+81312345678", E164, japan, "+81312345678"},
		{"+81312345678", E164NoPlus, japan, "81312345678"},
		{"+81312345678", National, japan, "0312345678"},
		{"+390612345678", National, Format{Country: "IT", NationalPrefix: "0"}, "0612345678"},
		{"+12025550100", National, Format{Country: "US"}, "2025550100"},
		{"reception", AsIs, japan, "reception"},
		{"7000", AsIs, japan, "7000"},
		{"7000", E164, japan, ""},
		{"0312345678", E164NoPlus, japan, ""},
		{"+12025550100", National, japan, ""},
		{"+81312345678", National, Format{}, ""},
		{"+81312345678\r\nX: y", E164, japan, ""},
	} {
		got, err := c.format.CallerID(c.id, c.style)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q as %q: %q, %v; want %q", c.id, c.style, got, err, c.want)
		}
	}
}

func TestACallersPrefixStandsBetweenTheOutsideLineAndTheNumber(t *testing.T) {
	with := func(prefix string) Trunk {
		trunk := pbx()
		trunk.Format.CallerPrefix = prefix
		return trunk
	}
	for _, c := range []struct {
		e164, prefix, want string
	}{
		{"+819012345678", "186", "018609012345678"},
		{"+819012345678", "184", "018409012345678"},
		{"+12025550123", "186", "018601012025550123"},
		{"+819011012345", "186", "018609011012345"},
	} {
		got, err := dialer(t).Dial(telgate.Number{E164: c.e164}, with(c.prefix))
		if err != nil || got != c.want {
			t.Errorf("%s with %s: %q, %v; want %q", c.e164, c.prefix, got, err, c.want)
		}
	}
	for _, user := range []string{
		"186110", "184119", "0186110", "0184118", "00186110", "186186110", "1861101234", "018611912345", "0110", "01101234", "1860110",
		"186１１０", "18%36110",
	} {
		if err := dialer(t).Check(user, with("186")); err == nil {
			t.Errorf("%q may be dialled", user)
		}
	}
	for _, style := range []Style{E164, E164NoPlus, AsIs} {
		if (Format{Style: style, CallerPrefix: "186"}).CheckCaller() == nil {
			t.Errorf("186 before a number in %s is no fault", style)
		}
	}
	if err := with("184").Format.CheckCaller(); err != nil {
		t.Error(err)
	}
}

func TestATrunkThatCannotWriteANumberIsNotAForbiddenNumber(t *testing.T) {
	trunk := pbx()
	trunk.Format.InternationalPrefix = ""
	_, err := dialer(t).Dial(telgate.Number{E164: "+12025550123"}, trunk)
	if _, ok := errors.AsType[*Ineligible](err); !ok {
		t.Errorf("%T: %v", err, err)
	}
	_, ok, err := dialer(t).Route(telgate.Number{E164: "+12025550123"}, []Trunk{trunk, carrier()}, nil, nil, testTime())
	if !ok || err != nil {
		t.Errorf("the other trunk is not taken: %v", err)
	}
	_, _, err = dialer(t).Route(telgate.Number{E164: "+81570123456"}, []Trunk{carrier(), trunk}, nil, nil, testTime())
	if _, ok := errors.AsType[*Forbidden](err); !ok {
		t.Errorf("%T: %v", err, err)
	}
}
