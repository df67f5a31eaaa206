package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"telgate/config"
)

// otherwise finds a file in which a key has a value that is not the default.
func otherwise(t *testing.T, section, key string) config.Config {
	t.Helper()
	for _, value := range []string{
		`"x"`, `"ja"`, `"/x"`, `"127.0.0.1:9"`, `"127.0.0.1"`, `"30000-31001"`, `"37s"`, `"37d"`, `"postgres://x@y/z"`, `"http"`, `"http://127.0.0.1:9"`,
		`"off"`, `"debug"`, `"json"`, `37`, `["x"]`, `true`,
	} {
		cfg, err := config.Load(fmt.Sprintf("[%s]\n%s = %s\n", section, key, value), config.Secrets{})
		if plain := config.Default(); err == nil && !reflect.DeepEqual(bare(cfg), bare(plain)) {
			return cfg
		}
	}
	t.Fatalf("%s.%s: no value is known that is not the default: add one", section, key)
	return config.Config{}
}

// bare is a configuration without what is said about it.
func bare(cfg config.Config) config.Config {
	cfg.File, cfg.Warnings = config.File{}, nil
	return cfg
}

func TestEveryKeyIsReloadedOrNamed(t *testing.T) {
	live := func(section, key string) bool {
		switch section {
		case "trunks", "people", "groups", "rotas", "prompts":
			return reloads(section + ".name." + key)
		case "phone": // a list of a person's
			return reloads("people.name.phone")
		}
		return reloads(section + "." + key)
	}
	old := config.Default()
	all := config.Keys()
	for _, section := range slices.Sorted(maps.Keys(all)) {
		var counts []string
		for _, key := range all[section] {
			if live(section, key) {
				counts = append(counts, key)
			}
		}
		if len(counts) == len(all[section]) { // none is kept as it was: see below
			continue
		}
		for _, key := range all[section] {
			changed := otherwise(t, section, key)
			got, want := withFixed(changed, old), old
			if live(section, key) {
				want = changed
			}
			if !reflect.DeepEqual(bare(got), bare(want)) {
				t.Errorf("%s.%s: said to count at once: %v; what counts is not so", section, key, live(section, key))
			}
		}
	}
}

func TestSectionsOfWhichEveryKeyIsReloadedAreTakenWhole(t *testing.T) {
	whole := config.Config{
		Calls: config.Calls{Region: "x"}, Limits: config.Limits{PerPerson: 37}, SIP: config.SIP{Bind: "x"}, Trunks: []config.Trunk{{}},
		People: []config.Person{{}}, Groups: []config.Group{{}}, Rotas: []config.Rota{{}}, Prompts: []config.Prompt{{}},
	}
	got := reflect.ValueOf(withFixed(whole, config.Config{}))
	all := reflect.ValueOf(whole)
	for i := range all.NumField() {
		if name := all.Type().Field(i).Name; !all.Field(i).IsZero() && !reflect.DeepEqual(all.Field(i).Interface(), got.Field(i).Interface()) {
			t.Errorf("%s is kept as it was", name)
		}
	}
	for _, section := range []string{"calls", "limits", "sip", "trunks", "people", "groups", "rotas", "prompts"} {
		for _, key := range config.Keys()[section] {
			if !reloads(strings.Join([]string{section, "name", key}, ".")) {
				t.Errorf("%s.%s is said to need a restart", section, key)
			}
		}
	}
}
