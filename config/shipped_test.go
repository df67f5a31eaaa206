package config

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shipped is the config.toml that comes with the program; uncommented, with every key that is commented out.
func shipped(t *testing.T) (source, uncommented string) {
	t.Helper()
	b, err := os.ReadFile("../config.toml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b), regexp.MustCompile(`(?m)^# ?(([a-z_]+ = |\[).*)$`).ReplaceAllString(string(b), "$1")
}

func TestTheShippedFileHasNoFaultsAndHoldsTheDefaults(t *testing.T) {
	source, _ := shipped(t)
	got, want := good(t, source), Default()
	same(t, "warnings", len(got.Warnings), 0)
	got.Calls.Trunks, got.Limits.PrefixesAllowed = nil, nil // the two that name what is in the file
	for _, empty := range []*[]string{&got.Limits.ExtraForbidden, &got.SIP.LocalNets} {
		same(t, "empty lists", len(*empty), 0)
		*empty = nil
	}
	same(t, "calls", got.Calls, want.Calls)
	same(t, "limits", got.Limits, want.Limits)
	same(t, "sip", got.SIP, want.SIP)
	same(t, "media", got.Media, want.Media)
	same(t, "log", got.Log, want.Log)
	same(t, "gateway", got.Gateway, want.Gateway)
}

func TestTheShippedFileRingsNobody(t *testing.T) {
	source, uncommented := shipped(t)
	harmless := regexp.MustCompile(`^(sip:71\d\d@\w+|\+120255501\d\d|\+442079460\d\d\d)$`)
	for _, text := range []string{source, uncommented} {
		for n := range numbers(text) {
			if !harmless.MatchString(n) {
				t.Errorf("%s could be somebody's", n)
			}
		}
	}
	for _, trunk := range good(t, source).Trunks {
		for _, address := range trunk.Addresses {
			if !strings.HasPrefix(address, "192.0.2.") && !strings.Contains(address, ".invalid") {
				t.Errorf("trunk %s points at %s", trunk.Name, address)
			}
		}
	}
}

// numbers are all strings of a text that could be dialled, comments included.
func numbers(text string) map[string]bool {
	found := map[string]bool{}
	for _, n := range regexp.MustCompile(`"(sip:[^"]+|\+[0-9 ()-]{7,})"`).FindAllStringSubmatch(text, -1) {
		found[strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(n[1])] = true
	}
	return found
}

func TestTheShippedFileNamesEveryKey(t *testing.T) {
	_, text := shipped(t)
	var all []string
	for _, k := range []keys{
		new(Gateway).keys(), new(Calls).keys(), new(Limits).keys(), new(SIP).keys(), new(Media).keys(), new(Log).keys(),
		new(Trunk).keys(Secrets{}), new(Person).keys(new([]string)), new(Phone).keys(), new(Group).keys(Secrets{}), new(Rota).keys(Secrets{}),
		{"files": nil},
	} {
		all = append(all, slices.Sorted(maps.Keys(k))...)
	}
	if len(all) < 60 {
		t.Fatalf("only %d keys", len(all))
	}
	for _, name := range all {
		if !regexp.MustCompile(`(?m)(^|[{ ])` + name + ` = `).MatchString(text) {
			t.Errorf("%s is not in the file", name)
		}
	}
}

func TestTheShippedFileShowsHowARecordingForAllLanguagesIsNamed(t *testing.T) {
	if _, text := shipped(t); !strings.Contains(text, "file = ") {
		t.Error("file is not in the file")
	}
}

func TestTheShippedFileWorksWithEveryKeyUncommented(t *testing.T) {
	_, text := shipped(t)
	inside := surroundings()
	inside.Getenv = func(string) string { return "x" }
	cfg, err := Load(regexp.MustCompile(`(?m)^api_url.*$`).ReplaceAllString(text, ""), inside)
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, text)
	}
	same(t, "password", cfg.Trunks[0].Account.Password.Reveal(), "x")
	same(t, "recordings", len(cfg.Prompts[0].Files), 2)
}

func TestTheShippedFileWritesACountryAsItIsRead(t *testing.T) {
	_, text := shipped(t)
	country := regexp.MustCompile(`(?m)^country = "([^"]*)"`).FindStringSubmatch(text)
	if len(country) != 2 || !regexp.MustCompile(`^[A-Z]{2}$`).MatchString(country[1]) {
		t.Errorf("country is shown as %q", country)
	}
}

func TestTheShippedFileShowsAnAddressOfSlackThatIsAccepted(t *testing.T) {
	_, text := shipped(t)
	inside := surroundings()
	inside.Getenv = func(string) string { return "x" }
	if _, err := Load(text, inside); err != nil {
		t.Error(err)
	}
}
