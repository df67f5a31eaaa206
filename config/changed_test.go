package config

import (
	"strings"
	"testing"
)

func TestTheKeysInWhichTwoFilesDifferAreNamedWithoutTheirValues(t *testing.T) {
	before := NewFile("a", `
[sip]
bind = "192.0.2.1"
[trunks.main]
addresses = ["pbx"]
password = "secret"
[people.alice]
phones = ["sip:7101@main"]
[people.bob]
[[people.bob.phone]]
number = "sip:7102@main"
`)
	after := NewFile("a", `
[trunks.main]
addresses = ["pbx"]
password = "other"
[people.alice]
phones = ["sip:7101@main", "sip:7109@main"]
[people.bob]
[[people.bob.phone]]
number = "sip:7102@main"
[people.carol]
[limits]
prefixes_allowed = ["+1"]
`)
	got := strings.Join(Changed(before, after), " ")
	if want := "limits.prefixes_allowed people.alice.phones people.carol sip.bind trunks.main.password"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if same := Changed(before, before); len(same) != 0 {
		t.Errorf("a file differs from itself: %v", same)
	}
}
