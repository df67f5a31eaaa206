//go:build interop

package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"telgate/store"
	"telgate/store/pgtest"
)

// member is a gateway that shares an account with others.
type member struct {
	t      *testing.T
	name   string
	config string
	at     string // its contact
	cmd    *exec.Cmd
	said   bytes.Buffer
}

func newMember(t *testing.T, name, store, registrar string) *member {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	m := &member{t: t, name: name, config: filepath.Join(dir, "config.toml"), at: fmt.Sprintf("sip:telgate@127.0.0.1:%d", port)}
	text := fmt.Sprintf("[gateway]\nname = %q\nstate_dir = %q\n[store]\nurl = %q\n[web]\nlisten = \"\"\n[sip]\nbind = \"127.0.0.1:%d\"\n", name, dir, store, port)
	text += trunk("pbx", registrar, "register = true", `register_by = "lease"`) + person("alice", "sip:7101@pbx")
	if err := os.WriteFile(m.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

// serves starts it; it ends with the test at the latest.
func (m *member) serves() {
	m.cmd = exec.CommandContext(m.t.Context(), os.Getenv("TELGATE"), "--config", m.config, "serve")
	m.cmd.Stdout, m.cmd.Stderr = &m.said, &m.said
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		m.ends(syscall.SIGKILL)
		if m.t.Failed() {
			m.t.Logf("%s said:\n%s", m.name, m.said.String())
		}
	})
}

func (m *member) ends(how syscall.Signal) {
	if m.cmd.ProcessState == nil {
		_ = m.cmd.Process.Signal(how)
		_ = m.cmd.Wait() // its status is that of the signal
	}
}

// registered is what telgate trunks says on the machine of a gateway that does not run: whose turn it is, and what the registrar has.
func (m *member) registered() (by string, contacts []string) {
	out, _ := exec.CommandContext(m.t.Context(), os.Getenv("TELGATE"), "--config", m.config, "--json", "--show-numbers", "trunks").Output()
	for line := range strings.Lines(string(out)) {
		var l struct {
			Trunk        string
			Registration struct {
				By      string
				Foreign []string
			}
		}
		if json.Unmarshal([]byte(line), &l) == nil && l.Trunk != "" {
			return l.Registration.By, l.Registration.Foreign
		}
	}
	return "", nil
}

// sees waits until a gateway is registered, and nobody else.
func (m *member) sees(want *member) {
	m.t.Helper()
	var by string
	var contacts []string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		if by, contacts = m.registered(); by == want.name && slices.Equal(contacts, []string{want.at}) {
			return
		}
	}
	m.t.Fatalf("it is the turn of %q, and the registrar has %v, not %s", by, contacts, want.at)
}

// signs waits until a gateway has left its contact for whoever comes after it, as it does with its next beat.
func (m *member) signs(url string) {
	m.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-tick.C {
		if m.signed(url) {
			return
		}
	}
	m.t.Fatal("no contact is left")
}

func (m *member) signed(url string) bool {
	s, err := store.Read(m.t.Context(), url, store.Options{})
	if err != nil {
		return false // it has no tables yet
	}
	defer func() { _ = s.Close() }()
	turns, err := s.Gateways().Turns(m.t.Context(), []string{"pbx"})
	return err == nil && len(turns) == 1 && turns[0].Word == m.at
}

func TestOneGatewayAtATimeRegistersWithKamailio(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	for _, s := range []struct{ name, registrar string }{
		{"that keeps one contact, and refuses a second one", strings.Replace(registrarConfig, `modparam("registrar", "min_expires", 60)`,
			"modparam(\"registrar\", \"min_expires\", 60)\nmodparam(\"registrar\", \"max_contacts\", 1)", 1)},
		{"that keeps one contact, the newest", strings.Replace(registrarConfig, `save("location")`, `save("location", "0x04")`, 1)},
		{"that keeps all contacts", registrarConfig},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
			runKamailio(t, fmt.Sprintf(s.registrar, address), "udp:"+address)
			url := server.Database(t)
			a, b, idle := newMember(t, "gw1", url, address), newMember(t, "gw2", url, address), newMember(t, "gw3", url, address)
			a.serves()
			a.signs(url) // before that, telgate trunks would register by itself
			idle.sees(a)
			b.serves()
			a.ends(syscall.SIGKILL)
			idle.sees(b)
			a.serves()
			idle.sees(b)
			b.ends(syscall.SIGTERM)
			idle.sees(a)
		})
	}
}
