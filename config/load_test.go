package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
)

// surroundings are a machine with a few secrets.
func surroundings() Secrets {
	env := map[string]string{"TRUNK_PASSWORD": "from-env", "CREDENTIALS_DIRECTORY": "/run/credentials"}
	files := map[string]string{"/secret": "from-file\r\n", "/run/credentials/trunk": "from-cred\n", "/empty": "\n"}
	return Secrets{
		Getenv: func(name string) string { return env[name] },
		ReadFile: func(path string) ([]byte, error) {
			if text, ok := files[filepath.ToSlash(path)]; ok {
				return []byte(text), nil
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		},
	}
}

// good loads a file that has no faults.
func good(t *testing.T, source string) Config {
	t.Helper()
	cfg, err := Load(source, surroundings())
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, source)
	}
	return cfg
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Secret{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestEveryFaultOfAFileIsToldAtOnce compares what is printed with testdata/*.faults. With TELGATE_UPDATE_GOLDEN set it
// writes them instead: read the difference before it is committed.
func TestEveryFaultOfAFileIsToldAtOnce(t *testing.T) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	update := os.Getenv("TELGATE_UPDATE_GOLDEN") != ""
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".toml"), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := Load(string(source), surroundings())
			if err == nil {
				t.Fatal("no faults")
			}
			if _, ok := errors.AsType[Faults](err); !ok {
				t.Errorf("the error is a %T", err)
			}
			if syntax := strings.Contains(err.Error(), "syntax: "); syntax != reflect.ValueOf(cfg).IsZero() {
				t.Errorf("beside its faults comes %+v", cfg)
			}
			got, golden := err.Error()+"\n", strings.TrimSuffix(file, ".toml")+".faults"
			if strings.Contains(got, "hunter2") || strings.Contains(got, "correcthorse") {
				t.Errorf("a secret is shown:\n%s", got)
			}
			if update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnEmptyFileIsTheDefaults(t *testing.T) {
	want := Config{
		Gateway: Gateway{Name: "telgate", Language: "en"},
		Calls: Calls{
			Ring: 25 * time.Second, Setup: 20 * time.Second, FirstResponse: 4 * time.Second, Rounds: 3, Pause: 20 * time.Second,
			PageLimit: 30 * time.Minute, MaxDuration: 60 * time.Second, Prompt: "alert", BusyRetry: 20 * time.Second, BusyMax: 2,
			Key: Key{Confirm: "key", ConfirmKey: "1", RepeatKey: "2", ConfirmAfter: 1500 * time.Millisecond, AnswerMin: 5 * time.Second},
		},
		Limits: Limits{PerNumberPerHour: 10, PerAskerPerHour: 20, PerPerson: 5},
		SIP:    SIP{Keepalive: 25 * time.Second, UserAgent: "telgate", DSCP: 26},
		Media:  Media{PortMin: 20000, PortMax: 29999, Latch: "same_ip", DSCP: 46},
		Log:    Log{Level: "info", Format: "auto"},
	}
	for _, source := range []string{"", "# nothing\n", "[calls]\n[sip]\n"} {
		got := good(t, source)
		// Sections that come with later versions are not looked at.
		same(t, "calls", got.Calls, want.Calls)
		same(t, "limits", got.Limits, want.Limits)
		same(t, "sip", got.SIP, want.SIP)
		same(t, "media", got.Media, want.Media)
		same(t, "log", got.Log, want.Log)
		same(t, "name", got.Gateway.Name+" "+got.Gateway.Language, "telgate en")
		same(t, "tables", len(got.Trunks)+len(got.People)+len(got.Groups)+len(got.Prompts)+len(got.Warnings), 0)
		same(t, "Default", got.Calls, Default().Calls)
	}
}

func TestEveryKeyOfTheFileReachesItsField(t *testing.T) {
	cfg := good(t, `
[gateway]
name = "tokyo"
language = "ja"
state_dir = "/var/lib/telgate"
announce_prompt = "who"

[calls]
trunks = ["main"]
ring = "30s"
setup = "15s"
first_response = "5s"
rounds = 2
pause = "1m"
page_limit = "1h30m"
max_duration = "90s"
confirm = "answer"
confirm_key = "*"
repeat_key = ""
confirm_after = "2s"
answer_min = "6s"
accept_unknown = true
prompt = "fire"
busy_retry = "10s"
busy_max = 1
region = "JP"

[limits]
calls_per_number_per_hour = 5
pages_per_asker_per_hour = 6
pages_per_person = 7
prefixes_allowed = ["+81"]
extra_forbidden = ["+8150*"]

[sip]
bind = "192.0.2.7"
public_address = "198.51.100.7"
local_nets = ["192.0.2.0/24"]
keepalive = "0s"
user_agent = "x"
dscp = 0

[media]
ports = " 30000 - 30001 "
address = "198.51.100.8"
latch = "off"
dscp = 63

[log]
level = "debug"
format = "json"

[trunks.main]
kind = "pbx"
addresses = ["192.0.2.1", "192.0.2.2"]
transport = "tcp"
bind = "192.0.2.8"
peers = ["192.0.2.0/28"]
nat = "on"
codecs = ["PCMA"]
prefixes = ["+81"]
user = "u"
auth_user = "a"
password = "env:TRUNK_PASSWORD"
domain = "example.com"
caller_id = "+81312345678"
display_name = "Ops"
number_format = "national"
country = "JP"
national_prefix = ""
international_prefix = "010"
dial_prefix = "0"
register = true
registrar = "registrar.example.com:5062"
register_by = "lease"
register_expires = 600
register_retry = "1m"
contact_user = "0003"
probe = "off"
caller_id_format = "e164_no_plus"
identity = "pai"
from_user = "acct"
privacy = "id"
headers = { "X-B" = "2", "X-A" = "1" }
caller_prefix = "186"
uri = "tel"
user_phone = true
max_calls = 30
calls_per_second = 0.5
redirect = "same_trunk"
dtmf = "info"
answer_supervision = "none"

[[people.alice.phone]]
number = "sip:7100@main"
label = "desk"
trunk = "main"
ring = "10s"

[people.bob]
name = "Bob"
aliases = ["ボブ"]
phones = ["+12025550101", "+12025550102"]
slack = "U1"
language = "ja"
tz = "UTC"
confirm = "key"

[groups.ops]
members = ["alice", "bob"]
strategy = "hunt"
prompt = "fire"

[prompts.fire]
files = { en = "fire.wav", ja = "kaji.wav" }

[prompts.flood]
file = "flood.wav"
`)
	same(t, "state_dir", cfg.Gateway.StateDir, "/var/lib/telgate")
	same(t, "announce_prompt", cfg.Gateway.AnnouncePrompt, "who")
	same(t, "name", cfg.Gateway.Name+" "+cfg.Gateway.Language, "tokyo ja")
	same(t, "calls", cfg.Calls, Calls{
		Trunks: []string{"main"}, Ring: 30 * time.Second, Setup: 15 * time.Second, FirstResponse: 5 * time.Second, Rounds: 2,
		Pause: time.Minute, PageLimit: 90 * time.Minute, MaxDuration: 90 * time.Second, Prompt: "fire",
		BusyRetry: 10 * time.Second, BusyMax: 1, Region: "JP",
		Key: Key{Confirm: "answer", ConfirmKey: "*", ConfirmAfter: 2 * time.Second, AnswerMin: 6 * time.Second, AcceptUnknown: true},
	})
	same(t, "limits", cfg.Limits, Limits{PerNumberPerHour: 5, PerAskerPerHour: 6, PerPerson: 7, PrefixesAllowed: []string{"+81"}, ExtraForbidden: []string{"+8150*"}})
	same(t, "sip", cfg.SIP, SIP{Bind: "192.0.2.7", PublicAddress: "198.51.100.7", LocalNets: []string{"192.0.2.0/24"}, UserAgent: "x"})
	same(t, "media", cfg.Media, Media{PortMin: 30000, PortMax: 30001, Address: "198.51.100.8", Latch: "off", DSCP: 63})
	same(t, "log", cfg.Log, Log{Level: "debug", Format: "json"})
	same(t, "trunks", cfg.Trunks, []Trunk{{
		Name: "main", Kind: "pbx", Addresses: []string{"192.0.2.1", "192.0.2.2"}, Transport: "tcp", TLS: TLS{Min: "1.2"}, Bind: "192.0.2.8",
		Peers: []string{"192.0.2.0/28"}, NAT: "on", Codecs: []string{"PCMA"}, SRTP: "off", Prefixes: []string{"+81"}, DTMF: "info",
		Account:  Account{User: "u", AuthUser: "a", Password: Secret{"from-env"}, Domain: "example.com", CallerID: "+81312345678", DisplayName: "Ops"},
		Register: Register{On: true, By: "lease", Registrar: "registrar.example.com:5062", Expires: 600, Retry: time.Minute, ContactUser: "0003"}, Probe: "off",
		Format: Format{Style: "national", Country: "JP", InternationalPrefix: "010", DialPrefix: "0"},
		Identity: Identity{
			Format: "e164_no_plus", Assert: "pai", Privacy: "id", FromUser: "acct", Headers: []Header{{"X-A", "1"}, {"X-B", "2"}},
		},
		Target: Target{URI: "tel", UserPhone: true, CallerPrefix: "186"},
		Lines:  Lines{MaxCalls: 30, PerSecond: 0.5, Redirect: "same_trunk"}, AnswerSupervision: "none",
	}})
	same(t, "people", cfg.People, []Person{
		{Nick: "alice", Phones: []Phone{{Number: "sip:7100@main", Label: "desk", Trunk: "main", Ring: 10 * time.Second}}},
		{
			Nick: "bob", Name: "Bob", Aliases: []string{"ボブ"}, Slack: "U1", Language: "ja", TimeZone: "UTC", Confirm: "key",
			Phones: []Phone{{Number: "+12025550101"}, {Number: "+12025550102"}},
		},
	})
	same(t, "groups", cfg.Groups, []Group{{Name: "ops", Members: []string{"alice", "bob"}, Strategy: "hunt", Confirmations: "first", Prompt: "fire"}})
	same(t, "prompts", cfg.Prompts, []Prompt{
		{Name: "fire", Files: map[string]string{"en": "fire.wav", "ja": "kaji.wav"}},
		{Name: "flood", Files: map[string]string{"": "flood.wav"}},
	})
	same(t, "warnings", len(cfg.Warnings), 0)
}

func TestATrunkSaysHowItsConnectionsAreMade(t *testing.T) {
	trunks := good(t, `
[trunks.a]
transport = "tls"
tls_ca = "ca.pem"
tls_cert = "/etc/telgate/cert.pem"
tls_key = "key.pem"
tls_server_name = "pbx.example.com"
tls_min = "1.3"
outbound_proxy = "sbc.example.com:5062"
[trunks.b]
transport = ["udp", "tcp"]
tls_key = "cred:trunk"
`).Trunks
	same(t, "TLS", trunks[0].TLS, TLS{CA: "ca.pem", Cert: "/etc/telgate/cert.pem", Key: "key.pem", ServerName: "pbx.example.com", Min: "1.3"})
	same(t, "TLS by a credential", trunks[1].TLS, TLS{KeyText: Secret{"from-cred"}, Min: "1.2"})
	if a, b := trunks[0], trunks[1]; a.Transport != "tls" || a.LargeByTCP || a.OutboundProxy != "sbc.example.com:5062" || b.Transport != "udp" || !b.LargeByTCP {
		t.Errorf("%+v", trunks)
	}
}

func TestATrunkHasDefaultsOfItsOwn(t *testing.T) {
	same(t, "trunks", good(t, "[trunks.main]\n").Trunks, []Trunk{{
		Name: "main", Kind: "carrier", Transport: "udp", TLS: TLS{Min: "1.2"}, NAT: "auto", Codecs: []string{"PCMU", "PCMA"}, SRTP: "off", DTMF: "auto", Format: Format{Style: "e164", NationalPrefix: "0"},
		Register: Register{By: "each", Expires: 3600, Retry: 30 * time.Second},
		Identity: Identity{Format: "as_is", Assert: "from", Privacy: "none"}, Target: Target{URI: "sip"}, Lines: Lines{Redirect: "never"}, AnswerSupervision: "real",
	}})
	same(t, "groups", good(t, "[groups.ops]\n").Groups, []Group{{Name: "ops", Strategy: "hunt", Confirmations: "first"}})
}

func TestTablesKeepTheOrderOfTheFile(t *testing.T) {
	cfg := good(t, `
[trunks.zulu]
[trunks.alpha]
[people.zoe]
phones = ["1"]
[groups.z]
[people]
mike = { phones = ["2"] }
"ありす".phones = ["3"]
[people.adam]
[[people.yan.phone]]
number = "4"
[prompts.z]
file = "z"
[prompts.a]
file = "a"
[groups.a]
[trunks.mike]
`)
	var names []string
	for _, x := range cfg.Trunks {
		names = append(names, x.Name)
	}
	for _, x := range cfg.People {
		names = append(names, x.Nick)
	}
	for _, x := range cfg.Groups {
		names = append(names, x.Name)
	}
	for _, x := range cfg.Prompts {
		names = append(names, x.Name)
	}
	same(t, "names", names, []string{"zulu", "alpha", "mike", "zoe", "mike", "ありす", "adam", "yan", "z", "a", "z", "a"})
}

func TestDurationsMayBeDays(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1d": 24 * time.Hour, "0d": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "1500ms": 1500 * time.Millisecond, "0": 0,
	} {
		same(t, text, good(t, "[calls]\npause = \""+text+"\"\n").Calls.Pause, want)
	}
}

func TestTheEndsOfARangeAreInIt(t *testing.T) {
	for _, line := range []string{
		"[calls]\nring = \"1s\"", "[calls]\nring = \"5m\"", "[calls]\nrounds = 1", "[calls]\nrounds = 20", "[calls]\nbusy_max = 0",
		"[calls]\npage_limit = \"10s\"", "[calls]\npage_limit = \"1d\"", "[sip]\ndscp = 63", "[media]\nports = \"1024-65535\"",
		"[limits]\ncalls_per_number_per_hour = 1000",
	} {
		good(t, line)
	}
}

func TestSecretsComeFromOutsideTheFile(t *testing.T) {
	for text, want := range map[string]string{
		"env:TRUNK_PASSWORD": "from-env", "file:/secret": "from-file", "cred:trunk": "from-cred", "": "",
	} {
		cfg := good(t, "[trunks.main]\npassword = \""+text+"\"\n")
		same(t, text, cfg.Trunks[0].Account.Password.Reveal(), want)
		same(t, "warnings for "+text, len(cfg.Warnings), 0)
	}
}

func TestASecretInTheFileWorksWithAWarningThatDoesNotShowIt(t *testing.T) {
	for _, literal := range []string{"hunter2", "with:hunter2", "https://hunter2"} {
		cfg := good(t, "[trunks.main]\npassword = \""+literal+"\"\n")
		same(t, "secret", cfg.Trunks[0].Account.Password.Reveal(), literal)
		if len(cfg.Warnings) != 1 || !strings.HasPrefix(cfg.Warnings[0], "trunks.main.password: ") || strings.Contains(cfg.Warnings[0], "hunter2") {
			t.Errorf("warnings %q", cfg.Warnings)
		}
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	cfg := good(t, "[trunks.main]\npassword = \"hunter2\"\n")
	s := cfg.Trunks[0].Account.Password
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "account", cfg.Trunks[0].Account)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "account", cfg.Trunks[0].Account)
	text, err := s.MarshalText()
	if err != nil {
		t.Error(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %q %x %v %+v %#v %s %s", s, s, s, s, s, s, cfg, cfg, cfg, text, log.String())
	if strings.Contains(printed, "hunter2") || strings.Contains(printed, fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("shown in %s", printed)
	}
	same(t, "as text", s.String(), "[secret]")
	same(t, "no secret", Secret{}.String(), "")
}

func TestAFaultOfSyntaxComesAloneWithItsLine(t *testing.T) {
	_, err := Load("[gateway]\nnme = 1\nrounds = \n", surroundings())
	faults, ok := errors.AsType[Faults](err)
	if !ok || len(faults) != 1 || faults[0].Path != "syntax" || faults[0].Line != 3 || faults[0].Message == "" {
		t.Errorf("%+v", faults)
	}
}

func TestPlacesAreWhereTheFileIsLookedFor(t *testing.T) {
	for _, c := range []struct {
		name string
		flag string
		env  map[string]string
		want []string
	}{
		{"a named file is the only place", "x.toml", map[string]string{"TELGATE_CONFIG": "y.toml"}, []string{"x.toml"}},
		{"so is the variable's", "", map[string]string{"TELGATE_CONFIG": "y.toml", "XDG_CONFIG_HOME": "/xdg"}, []string{"y.toml"}},
		{
			"here, the user's, the machine's", "",
			map[string]string{"XDG_CONFIG_HOME": "/xdg", "HOME": "/home/a"},
			[]string{"config.toml", filepath.FromSlash("/xdg/telgate/config.toml"), "/etc/telgate/config.toml"},
		},
		{
			"the user's without XDG", "",
			map[string]string{"HOME": "/home/a"},
			[]string{"config.toml", filepath.FromSlash("/home/a/.config/telgate/config.toml"), "/etc/telgate/config.toml"},
		},
		{"no user", "", nil, []string{"config.toml", "/etc/telgate/config.toml"}},
	} {
		same(t, c.name, Places(c.flag, func(name string) string { return c.env[name] }), c.want)
	}
}

// FuzzLoad holds what is promised of any file: no panic, and either a configuration within its ranges or faults that say
// where and what.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(source))
	}
	f.Add("[prompts.x]\nfiles = { en = \"a\", ja = \"b\" }\n[[people.a.phone]]\nnumber = \"1\"\n[trunks.a]\npassword = \"x\"\n")
	f.Add("\x10") // whose place the parser gives as -1
	f.Fuzz(func(t *testing.T, source string) {
		cfg, err := Load(source, surroundings())
		again, errAgain := Load(source, surroundings())
		if fmt.Sprint(err) != fmt.Sprint(errAgain) || !reflect.DeepEqual(cfg, again) {
			t.Errorf("read twice, it differs: %v, %v", err, errAgain)
		}
		if !reflect.DeepEqual(cfg, Config{}) { // beside faults, too, what could be read is within its range
			c := cfg.Calls
			if c.Rounds < 1 || c.Rounds > 20 || c.Ring < time.Second || c.PageLimit > 24*time.Hour || cfg.Media.PortMin < 1024 || cfg.Media.PortMax <= cfg.Media.PortMin {
				t.Errorf("out of range: %+v", cfg)
			}
		}
		if err == nil {
			return
		}
		faults, ok := errors.AsType[Faults](err)
		if !ok || len(faults) == 0 {
			t.Fatalf("%T without a fault", err)
		}
		lines := strings.Count(source, "\n") + 1
		for _, fault := range faults {
			if fault.Message == "" || fault.Line < 0 || fault.Line > lines {
				t.Errorf("%+v in %d lines", fault, lines)
			}
		}
	})
}

func TestFaultsPrintOneALine(t *testing.T) {
	faults := Faults{{Path: "a.b", Line: 3, Message: "is wrong"}, telgate.Fault{Path: "c", Message: "is not a key of this file", Nearest: "d"}}
	same(t, "text", faults.Error(), "line 3: a.b: is wrong\nc: is not a key of this file (did you mean \"d\"?)")
}
