package config

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"telgate"
)

func TestFaultsOfRoomsAreToldWithFileAndLine(t *testing.T) {
	source := "[calls]\ntrunks = [\"nowhere\"]\n"
	err := NewFile("/etc/telgate/config.toml", source).Faulty(Faults{{Path: "calls.trunks[0]", Message: "there is none"}})
	if want := "/etc/telgate/config.toml has faults:\nline 2: calls.trunks[0]: there is none"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 1 {
		t.Error("the faults are lost")
	}
	if err := (File{}).Faulty(Faults{telgate.Fault{Path: "x", Message: "y"}}); err.Error() != "x: y" {
		t.Errorf("without a file: %v", err)
	}
}

func TestRecordingsAreBesideTheFile(t *testing.T) {
	f := NewFile("/etc/telgate/config.toml", "")
	for path, want := range map[string]string{"fire.wav": "/etc/telgate/fire.wav", "/srv/fire.wav": "/srv/fire.wav", "": ""} {
		if got := f.Beside(path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}

func TestWhoBreaksTheGlassMayDoWithoutASecret(t *testing.T) {
	source := "[slack]\nbot_token = \"cred:slack\"\n[trunks.main]\naddresses = [\"192.0.2.1\"]\npassword = \"env:NONE\"\n"
	none := Secrets{Getenv: func(string) string { return "" }}
	if _, err := Load(source, none); err == nil {
		t.Error("missing secrets were taken")
	}
	none.Lenient = true
	cfg, err := Load(source, none)
	if err != nil {
		t.Fatal(err)
	}
	all := cfg.Missing.Error()
	if !strings.Contains(all, "line 2: slack.bot_token: ") || !strings.Contains(all, "line 5: trunks.main.password: the environment has no NONE") {
		t.Errorf("missing: %s", all)
	}
}

func TestASecretsFileIsBesideTheFile(t *testing.T) {
	var read []string
	secrets := Secrets{Dir: "/etc/telgate", ReadFile: func(path string) ([]byte, error) {
		read = append(read, path)
		return []byte("x"), nil
	}}
	if _, err := Load("[trunks.a]\npassword = \"file:a.password\"\n[trunks.b]\npassword = \"file:/run/b.password\"\n", secrets); err != nil {
		t.Fatal(err)
	}
	if want := []string{"/etc/telgate/a.password", "/run/b.password"}; !slices.Equal(read, want) {
		t.Errorf("read %q, want %q", read, want)
	}
}

func TestWhatOnlyFollowsFromAFaultIsNotTold(t *testing.T) {
	fault := func(path, message string) telgate.Fault { return telgate.Fault{Path: path, Message: message} }
	for _, c := range []struct {
		at   telgate.Fault
		then telgate.Fault
		own  bool
	}{
		{fault("people.alice.phones", "a list is needed"), fault("people.alice.phones", "nobody can be called without a number"), false},
		{fault("people.alice.phone", "is written as [[people.alice.phone]]"), fault("people.alice.phones", "nobody can be called without a number"), false},
		{telgate.Fault{Path: "trunks.main.adresses", Nearest: "addresses"}, fault("trunks.main.addresses", "name the trunk's host"), false},
		{telgate.Fault{Path: "trunk", Nearest: "trunks"}, fault("trunks", "no trunk is configured"), false},
		{telgate.Fault{Path: "trunk", Nearest: "trunks"}, fault("people.alice.phones[0]", `"main" is not one of the trunks`), false},
		{fault("trunks.main", "a table is needed"), fault("calls.trunks[0]", "there is no [trunks.main]"), false},
		{fault("trunks.main", "a table is needed"), fault("calls.trunks[1]", "there is no [trunks.backup]"), true},
		{fault("trunks.main.kind", "is not carrier or pbx"), fault("people.a.phones[0]", "trunk main has no extensions"), false},
		{fault("trunks.main.kind", "is not carrier or pbx"), fault("people.a.phones[0]", "trunk mainz has no extensions"), true},
		{fault("calls.region", "a string is needed"), fault("people.a.phones[0]", "is written without +, and calls.region is not set"), false},
		{fault("people.bob", "a table is needed"), fault("groups.ops.members[0]", `nobody is called "bob"`), false},
		{fault("people.bob", "a table is needed"), fault("groups.ops.members[0]", `nobody is called "alice"`), true},
		{fault("people.bob.aliases", "a list is needed"), fault("groups.ops.members[0]", `nobody is called "bobby"`), false},
		{fault("trunks.main.transport", "is not udp or tcp"), fault("trunks.main.srtp", `"required" needs transport = "tls"`), false},
		{fault("prompts.fire", "needs either file or files"), fault("groups.ops.prompt", `there is no recording "fire"`), false},
		{fault("calls.rounds", "99 is not"), fault("calls.prompt", `there is no recording "fire"`), true},
		{fault("calls.ring", "is needed"), fault("calls.ringing", "x"), true},
		{fault("store", "a table is needed"), fault("calls.prompt", "the store is closed"), true},
	} {
		if left := (Faults{c.then}).Without(Faults{c.at}); (len(left) == 1) != c.own {
			t.Errorf("after %v, %v is told: %v", c.at, c.then, len(left) == 1)
		}
	}
}
