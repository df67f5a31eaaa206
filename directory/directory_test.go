package directory

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"telgate"
)

func person(nick string, aliases ...string) Entry {
	return Entry{
		Person: telgate.Person{Nick: nick, Aliases: aliases}, Raw: []string{"+12025550123"}, Phones: make([]telgate.Number, 1),
	}
}

func group(nick string, members ...string) Group {
	return Group{Group: telgate.Group{Nick: nick, Members: members}}
}

func people(t *testing.T) *Directory {
	t.Helper()
	alice := person("alice", "アリス", "al")
	alice.Person.Slack = "U1"
	d, faults := New(Config{
		People: []Entry{alice, person("bob"), person("carol")},
		Groups: []Group{group("ops", "bob", "al")},
	}, Env{})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return d
}

func TestAWordMeansTheSamePersonInEverySpelling(t *testing.T) {
	for word, want := range map[string]string{
		"alice": "alice", "ALICE": "alice", "Ａｌｉｃｅ": "alice", "アリス": "alice", "ｱﾘｽ": "alice", "ありす": "alice", "al": "alice",
		"@alice": "alice", "<@U1>": "alice", "<@U1|somebody>": "alice", "Ops": "ops",
	} {
		m, err := people(t).Resolve(word)
		if err != nil || m.Title != want {
			t.Errorf("%q is %q, %v", word, m.Title, err)
		}
	}
}

func TestAGroupIsItsMembersInOrder(t *testing.T) {
	m, err := people(t).Resolve("ops")
	if err != nil {
		t.Fatal(err)
	}
	var nicks []string
	for _, p := range m.People {
		nicks = append(nicks, p.Nick)
	}
	if !slices.Equal(nicks, []string{"bob", "alice"}) {
		t.Errorf("members %v", nicks)
	}
}

func TestAnUnknownWordIsNeverGuessedButSuggested(t *testing.T) {
	for word, want := range map[string][]string{
		"alcie": {"alice"}, "bbo": {"bob"}, "car": {"carol"}, "アリズ": {"アリス"}, "zzzzzz": nil, "": nil, "<@U9>": nil,
	} {
		_, err := people(t).Resolve(word)
		var r *telgate.Refusal
		if !errors.As(err, &r) || r.Reason != telgate.RefusedUnknownName || !slices.Equal(r.Suggestions, want) {
			t.Errorf("%q: %v, suggestions %v", word, err, r)
		}
	}
	empty, _ := New(Config{}, Env{})
	if _, err := empty.Resolve("alice"); err == nil || !strings.Contains(err.Error(), "[people.NICK]") {
		t.Errorf("an empty directory says %v", err)
	}
}

func TestASentenceAboutAnUnknownWordShowsNoWholeNumber(t *testing.T) {
	d, _ := New(Config{People: []Entry{person("alice", "09012345678")}}, Env{})
	for word, want := range map[string]string{
		"09012345679": `Nobody is called "…79". Did you mean …78?`, "7777777777": `Nobody is called "…77".`,
	} {
		if _, err := d.Resolve(word); err == nil || err.Error() != want {
			t.Errorf("%q: %v", word, err)
		}
	}
}

func TestEveryFaultIsNamedAtOnce(t *testing.T) {
	ext := func(nick, raw string) Entry {
		return Entry{Person: telgate.Person{Nick: nick}, Raw: []string{raw}, Phones: make([]telgate.Number, 1)}
	}
	_, faults := New(Config{
		PBX: map[string]bool{"main": true, "carrier": false},
		People: []Entry{
			person("ありす"), person("ｱﾘｽ"), person("stop"), person("two words"),
			{Person: telgate.Person{Nick: "nobody"}},
			ext("far", "sip:7100@elsewhere"), ext("desk", "sip:7100@carrier"), ext("odd", "sip:a b@main"), ext("short", "0901234"),
			ext("tail", "+12025550123;postd=1"),
		},
		Groups: []Group{group("g", "ghost", "ありす", "ありす"), group("h", "g"), group("e")},
	}, Env{})
	for _, path := range []string{
		"people.ｱﾘｽ", "people.stop", "people.two words", "people.nobody.phones", "people.far.phones[0]", "people.desk.phones[0]",
		"people.odd.phones[0]", "people.short.phones[0]", "people.tail.phones[0]", "groups.g.members[0]", "groups.g.members[2]",
		"groups.e.members",
	} {
		if !slices.ContainsFunc(faults, func(f telgate.Fault) bool { return f.Path == path }) {
			t.Errorf("no fault at %s", path)
		}
	}
	if len(faults) != 12 {
		t.Errorf("%d faults: %v", len(faults), faults)
	}
}

func TestNumbersAreReadAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct{ raw, region, want string }{
		{"+81 90-1234-5678", "", "+819012345678"},
		{"090-1234-5678", "JP", "+819012345678"},
		{"＋８１９０１２３４５６７８", "", "+819012345678"},
		{"+1 (202) 555-0123", "JP", "+12025550123"},
		{"sip:7100@main", "", "sip:7100@main"},
		{"SIP:front.desk@main", "", "sip:front.desk@main"},
		{"090-1234-5678", "", ""},
		{"alice", "JP", ""},
		{"tel:+819012345678", "", ""},
		{"+12025550123 ext. 9", "", ""},
		{"sip:7100", "", ""},
		{"", "JP", ""},
	} {
		n, err := ParseNumber(c.raw, c.region)
		if got := n.Whole(); (err != nil) != (c.want == "") || err == nil && got != c.want {
			t.Errorf("%q in %q is %q, %v", c.raw, c.region, got, err)
		}
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"alice", "<@U1|x>", "ﾞ", "@", "アリス"} {
		f.Add(s)
	}
	d, _ := New(Config{People: []Entry{person("alice")}}, Env{})
	f.Fuzz(func(t *testing.T, word string) {
		if m, err := d.Resolve(word); err == nil && len(m.People) == 0 {
			t.Errorf("%q means nobody without an error", word)
		}
	})
}

func FuzzParseNumber(f *testing.F) {
	f.Add("+81 90-1234-5678")
	f.Add("sip:7100@main")
	f.Fuzz(func(t *testing.T, raw string) {
		if n, err := ParseNumber(raw, "JP"); err == nil && n.Key() == "" {
			t.Errorf("%q is a number without a key", raw)
		}
	})
}

func TestNoFaultOfANumberShowsItWhole(t *testing.T) {
	for _, raw := range []string{
		"+1 202 555 0123 ext 5", "tel:+12025550123", "sip:+12025550123@m", "+12025550123;postd=1", "sip:+12025550123", "+12025550123x",
		"+99912025550123",
	} {
		if _, err := ParseNumber(raw, "US"); err != nil && strings.Contains(strings.NewReplacer(" ", "").Replace(err.Error()), "2025550123") {
			t.Errorf("%q: %v", raw, err)
		}
	}
}
