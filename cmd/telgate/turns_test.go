package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telgate/sip/siptest"
	"telgate/store/pgtest"
)

// oneContact is a registrar that keeps one contact of an account, and refuses a second one.
func oneContact(t *testing.T) *siptest.Registrar {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	r := siptest.NewRegistrar(conn, siptest.Rules{Password: "right", Grant: 300, Most: 1})
	t.Cleanup(r.Close)
	return r
}

// member is a gateway that shares the account of others, and its site.
func member(t *testing.T, r *siptest.Registrar, name, store string) *site {
	t.Helper()
	s := newSite(t)
	s.dir = shortDir(t)
	s.vars["TELGATE_CONFIG"], s.vars["PASSWORD"] = filepath.Join(s.dir, "config.toml"), "right"
	text := strings.Replace(mainTrunk, "[gateway]\n", fmt.Sprintf("[store]\nurl = %q\n[gateway]\nname = %q\n", store, name), 1)
	text = strings.Replace(text, "$DIR/state", filepath.Join(s.dir, "state"), 1)
	s.file("config.toml", strings.Replace(text, "addresses = [\"$PBX\"]", fmt.Sprintf(
		"addresses = [%q]\nregister = true\nregister_by = \"lease\"\nuser = \"telgate\"\npassword = \"env:PASSWORD\"\nprobe = \"register\"", r.Addr()), 1)+alicesPhone)
	return s
}

// tells wants the words in what a command prints.
func (s *site) tells(words string, args ...string) {
	s.t.Helper()
	if _, out, errs := s.runs(args...); !strings.Contains(out, words) {
		s.t.Errorf("%v does not say %q:\n%s%s", args, words, out, errs)
	}
}

// bound waits until so many contacts are registered, other than the one given, and returns the last.
func bound(t *testing.T, r *siptest.Registrar, want int, other string) string {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		all := r.Bindings()
		if len(all) == 0 && want == 0 {
			return ""
		}
		if len(all) == want && all[0] != other {
			return all[0]
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("registered are %v", all)
		}
	}
}

func TestOfTwoGatewaysThatShareAnAccountOneRegistersAndTheOtherWhenThatStops(t *testing.T) {
	t.Parallel()
	r, store := oneContact(t), pgtest.Start(t).Database(t)
	a, b, idle := member(t, r, "gw1", store), member(t, r, "gw2", store), member(t, r, "gw3", store)
	idle.tells("tables yet", "check")
	stopA := a.gateway()
	first := bound(t, r, 1, "")
	stopB := b.gateway()
	for _, s := range []*site{a, b} {
		s.tells("0 calls, registered by gateway gw1", "status")
		s.tells("registered by gateway gw1: the registrar has "+first, "check", "--show-numbers")
		s.tells(", registered by gateway gw1\n", "trunks")
		s.tells(`"by":"gw1"`, "trunks", "--json")
	}
	before := len(r.Seen("REGISTER"))
	idle.tells("registered by gateway gw1", "check")
	for _, m := range r.Seen("REGISTER")[before:] {
		if m.Get("Contact") != "" {
			t.Errorf("a check beside registers: %v", m)
		}
	}
	stopA()
	bound(t, r, 1, first)
	b.tells("0 calls, registered by gateway gw2", "status")
	stopB()
	bound(t, r, 0, "")
	idle.tells("registered for 300 s", "check")
	bound(t, r, 0, "")
}

func TestAGatewayThatIsAloneWithItsFileRegisters(t *testing.T) {
	t.Parallel()
	r := oneContact(t)
	s := member(t, r, "gw1", "sqlite:telgate.db")
	s.tells("registered for 300 s", "check")
	bound(t, r, 0, "")
	stop := s.gateway()
	contact := bound(t, r, 1, "")
	s.tells("registered by gateway gw1", "status")
	s.tells("registered by gateway gw1: the registrar has "+contact, "check", "--show-numbers")
	stop()
	bound(t, r, 0, "")
	s.tells("registered for 300 s", "trunks")
}

func TestATurnIsKeptThroughAReloadAndGivenUpWithTheRegistration(t *testing.T) {
	t.Parallel()
	r := oneContact(t)
	s := member(t, r, "gw1", "sqlite:telgate.db")
	file := filepath.Join(s.dir, "config.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(old, with string) {
		text = []byte(strings.Replace(string(text), old, with, 1))
		s.file("config.toml", string(text))
	}
	stop := s.gateway()
	contact := bound(t, r, 1, "")
	asked := len(r.Seen("REGISTER"))
	s.tells("reloaded; nothing differs", "reload")
	if now := r.Seen("REGISTER")[asked:]; len(now) > 0 && now[0].Get("Call-ID") != r.Seen("REGISTER")[0].Get("Call-ID") {
		t.Error("a trunk that is as it was was made anew")
	}
	changed("user = \"telgate\"\n", "user = \"telgate\"\ndisplay_name = \"Duty\"\n")
	s.tells("reloaded: trunks.main.display_name", "reload")
	s.tells("registered by gateway gw1", "status")
	if again := bound(t, r, 1, ""); again != contact {
		t.Errorf("%s is registered after %s", again, contact)
	}
	changed("register_by = \"lease\"\n", "")
	changed("register = true\n", "")
	changed("probe = \"register\"\n", "")
	s.tells("reloaded: trunks.main.probe, trunks.main.register, trunks.main.register_by", "reload")
	bound(t, r, 0, "")
	if _, out, _ := s.runs("status"); strings.Contains(out, "registered by") {
		t.Errorf("the turn is kept:\n%s", out)
	}
	stop()
}
