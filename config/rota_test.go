package config

import (
	"strings"
	"testing"
	"time"
)

func TestARotaIsReadWithItsSource(t *testing.T) {
	cfg := good(t, `
[rotas.duty]
people = ["alice", "bob"]
every = "2 weeks"
hand_over = "Mon 09:00"
time_zone = "Europe/Berlin"
begins = 2026-01-05
only = ["Mon-Fri 09:00-17:00"]
fallback = ["ops"]
[rotas.night]
time_zone = "Asia/Tokyo"
source = "https://example.com/private-x/night.ics"
refresh = "1m"
stale_after = "2d"
[groups.ops]
source = "env:TRUNK_PASSWORD"
source_token = "file:/secret"
`)
	same(t, "warnings", len(cfg.Warnings), 0)
	same(t, "duty", cfg.Rotas[0], Rota{
		Name: "duty", People: []string{"alice", "bob"}, Every: "2 weeks", HandOver: "Mon 09:00", TimeZone: "Europe/Berlin", Begins: "2026-01-05",
		Only: []string{"Mon-Fri 09:00-17:00"}, Fallback: []string{"ops"},
	})
	same(t, "night", cfg.Rotas[1].Source, Source{
		Address: NewSecret("https://example.com/private-x/night.ics"), Refresh: time.Minute, StaleAfter: 48 * time.Hour,
	})
	same(t, "address", cfg.Groups[0].Source.Address.Reveal(), "from-env")
	same(t, "token", cfg.Groups[0].Source.Token.Reveal(), "from-file")
}

func TestATableOfItsOwnIsReadOrItsLineIsTold(t *testing.T) {
	table, err := Table("members = [\"alice\"]\n")
	if err != nil || len(table["members"].([]any)) != 1 {
		t.Errorf("%v, %v", table, err)
	}
	if _, err := Table("\nmembers = [\n"); err == nil || !strings.HasPrefix(err.Error(), "line ") {
		t.Error(err)
	}
}

func TestAFaultOfAGroupIsNotToldAgainByARotaThatNamesIt(t *testing.T) {
	shape := Faults{{Path: "groups.ops"}}
	if rest := (Faults{{Path: "rotas.duty.people[0]", Message: `nobody is called "ops"`}}).Without(shape); len(rest) != 0 {
		t.Errorf("told again: %v", rest)
	}
}

func FuzzTable(f *testing.F) {
	for _, s := range []string{"members = [\"alice\"]", "[[shifts]]\nperson = \"a\"\nfrom = 2026-01-05", "\x01", "a = "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if table, err := Table(text); err == nil && table == nil && strings.Contains(text, "=") && !strings.Contains(text, "#") {
			t.Errorf("%q is no table and no fault", text)
		}
	})
}
