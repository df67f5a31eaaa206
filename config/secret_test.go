package config

import (
	"strings"
	"testing"
)

func TestTheAddressOfTheStoreIsASecretWhereItHasAPassword(t *testing.T) {
	s := Secrets{Dir: "/etc/telgate", Getenv: func(name string) string {
		return map[string]string{"DATABASE_URL": "postgres://telgate:geheim@db/telgate", "OTHER": "mysql://db"}[name]
	}}
	for value, want := range map[string]string{
		"sqlite:telgate.db":               "",
		"sqlite:/var/lib/telgate.db":      "",
		"sqlite:~/telgate.db":             "~",
		"sqlite:":                         "needs \"sqlite:FILE\"",
		"sqlite://telgate.db":             "needs \"sqlite:FILE\"",
		"postgres://db/telgate":           "",
		"postgresql://telgate@db/telgate": "",
		"postgres://telgate:geheim@db/x":  "stands in the file",
		"postgres://telgate:ge%heim@db/x": "not the address of a database",
		"env:DATABASE_URL":                "",
		"env:OTHER":                       "needs \"sqlite:FILE\"",
		"env:NONE":                        "the environment has no NONE",
		"mysql://db/telgate":              "needs \"sqlite:FILE\"",
		"":                                "needs \"sqlite:FILE\"",
	} {
		var at Secret
		err := storeURL(&at, s)(value)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", value, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "geheim") || strings.Contains(at.String(), "geheim") {
			t.Errorf("%q shows the password: %v, %s", value, err, at)
		}
	}
}
