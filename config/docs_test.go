package config

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// kind is the table that a header such as "trunks.main" or "people.bob.phone" opens.
func kind(header string) string {
	parts := strings.Split(header, ".")
	if parts[0] == "people" && parts[len(parts)-1] == "phone" {
		return "phone"
	}
	return parts[0]
}

// found collects what key finds under each header; a header's first group is the table's name.
func found(text string, header, key *regexp.Regexp) map[string][]string {
	all, at := map[string][]string{}, ""
	for line := range strings.Lines(text) {
		if m := header.FindStringSubmatch(line); m != nil {
			at = kind(m[1])
			continue
		}
		for _, m := range key.FindAllStringSubmatch(line, -1) {
			all[at] = append(all[at], m[1])
		}
	}
	return all
}

// described are the keys in the tables of docs/configuration.md, by section.
func described(t *testing.T) (text string, keys map[string][]string) {
	t.Helper()
	b, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b), found(string(b), regexp.MustCompile("^## `\\[+([a-zA-Z.]+)\\]+`"), regexp.MustCompile("^\\| `([a-z_]+)` \\|"))
}

func TestTheDocumentationDescribesEveryKeyInItsTableAndNoOther(t *testing.T) {
	_, docs := described(t)
	for name, want := range tables() {
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if !slices.Contains(docs[name], key) {
				t.Errorf("docs/configuration.md does not describe %s.%s", name, key)
			}
		}
		for _, key := range docs[name] {
			if _, known := want[key]; !known {
				t.Errorf("docs/configuration.md describes %s.%s, which is not a key", name, key)
			}
		}
	}
}

func TestTheDocumentationNamesEveryTableOnlyOnce(t *testing.T) {
	text, _ := described(t)
	seen := map[string]int{}
	for _, m := range regexp.MustCompile("(?m)^## `\\[+([a-zA-Z.]+)\\]+`").FindAllStringSubmatch(text, -1) {
		seen[kind(m[1])]++
	}
	for name := range tables() {
		if seen[name] != 1 {
			t.Errorf("docs/configuration.md has %d sections for %s", seen[name], name)
		}
	}
}

func TestTheDocumentationNamesEveryKeyThatIsNotInThisVersion(t *testing.T) {
	text, _ := described(t)
	_, text, ok := strings.Cut(text, "\n## Not in this version\n")
	if !ok {
		t.Fatal("docs/configuration.md has no section \"Not in this version\"")
	}
	for _, section := range append(slices.Sorted(maps.Keys(tables())), "") {
		for _, key := range later(section) {
			if !strings.Contains(text, "`"+key+"`") {
				t.Errorf("docs/configuration.md does not say that %s.%s is not in this version", section, key)
			}
		}
	}
}

func TestTheShippedFileShowsEveryKeyInItsTable(t *testing.T) {
	_, text := shipped(t)
	file := found(text, regexp.MustCompile(`^\[+([^\]]+)\]+`), regexp.MustCompile(`(?:^|[{,] ?)([a-z_]+) = `))
	for name, want := range tables() {
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if !slices.Contains(file[name], key) {
				t.Errorf("config.toml does not show %s.%s", name, key)
			}
		}
	}
}
