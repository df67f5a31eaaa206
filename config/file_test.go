package config

import (
	"errors"
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
	all := strings.Join(cfg.Warnings, "\n")
	if !strings.Contains(all, "slack.bot_token: ") || !strings.Contains(all, "trunks.main.password: the environment has no NONE") {
		t.Errorf("warnings: %s", all)
	}
}
