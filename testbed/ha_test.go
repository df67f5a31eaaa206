//go:build e2e

package testbed

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"telgate/slack/slacktest"
)

const (
	nightLog  = "/recordings/night.log"
	nightDesk = "C0NIGHT"
	nightUser = "U0NIGHT"
)

func TestTheGatewayThatRingsIsKilledAndTheOtherFinishesThePageAndTheCard(t *testing.T) {
	t.Parallel()
	w, err := slacktest.New(slacktest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.AddUser(slacktest.User{ID: nightUser, Name: "on duty"})
	w.AddChannel(slacktest.Channel{ID: nightDesk, Name: "night", BotIn: true})
	pair := []*member{newMember(t, w, "gateway-a", 5070, 8091), newMember(t, w, "gateway-b", 5080, 8092)}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	began := time.Now()
	if answer, err := w.Type(ctx, nightUser, nightDesk, "/tel night-watch the disk is full"); err != nil || answer != "" {
		t.Fatalf("answer %q, %v", answer, err)
	}
	first := rings(ctx, t, 1)[0]
	dead := pair[slices.IndexFunc(pair, func(m *member) bool { return m.address == first.from })]
	alive := pair[slices.IndexFunc(pair, func(m *member) bool { return m != dead })]
	dead.end(t, syscall.SIGKILL)
	killed := time.Now()
	t.Logf("%s rings the phone after %.1f s, and is killed", dead.name, time.Since(began).Seconds())

	if err := w.Wait(ctx, func() bool {
		return strings.Contains(card(w), "Confirmed") && strings.Contains(card(w), "[Call again]")
	}); err != nil {
		t.Fatalf("no end: %v; the card says:\n%s\nthe phone says:\n%s\n%s said:\n%s", err, card(w), night(t), alive.name, alive.said())
	}
	if rang := quiet(t) - first.at; rang > 30 { // by itself it would ring for 45 s
		t.Errorf("the first call rang for %d s: nobody told Asterisk to stop", rang)
	} else {
		t.Logf("the first call rang for %d s: Asterisk took the CANCEL of %s for that of %s", rang, alive.name, dead.name)
	}
	all := rings(ctx, t, 2)
	second := all[1]
	t.Logf("the page is %s's %.1f s after that, which rings the phone %d s after the first ring and is confirmed after %.0f s",
		alive.name, alive.tookOver(t).Sub(killed).Seconds(), second.at-first.at, time.Since(began).Seconds())
	if second.from != alive.address || len(all) != 2 {
		t.Errorf("the phone was rung %v, want once more, from %s", all, alive.address)
	}
	for _, r := range all {
		if r.atOnce != 1 {
			t.Errorf("%d calls rang the phone at once", r.atOnce)
		}
	}
	alive.end(t, syscall.SIGTERM)
	for _, r := range w.Refused() {
		t.Errorf("Slack refused %+v", r)
	}
	t.Logf("the phone says:\n%sand the card:\n%s", night(t), card(w))
}

// card is the only one, as it is now.
func card(w *slacktest.Workspace) string {
	for _, m := range w.Messages(nightDesk) {
		if m.ThreadTS == "" && strings.Contains(m.Plain(), "disk is full") && m.User != nightUser {
			return m.Plain()
		}
	}
	return "no card"
}

// ring is what the phone says of a call: see extension 7150.
type ring struct {
	at     int // s since 1970
	atOnce int
	from   string
}

// rings are the calls that reached the phone, as soon as there are so many.
func rings(ctx context.Context, t *testing.T, many int) (all []ring) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		all = nil
		for line := range strings.Lines(night(t)) {
			var r ring
			if n, _ := fmt.Sscanf(line, "ring %d %d %s", &r.at, &r.atOnce, &r.from); n == 3 {
				all = append(all, r)
			}
		}
		if len(all) >= many {
			return all
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the phone was not rung %d times:\n%s", many, night(t))
		}
	}
}

// quiet is when the phone fell silent first.
func quiet(t *testing.T) (at int) {
	t.Helper()
	for line := range strings.Lines(night(t)) {
		if n, _ := fmt.Sscanf(line, "quiet %d", &at); n == 1 {
			return at
		}
	}
	t.Errorf("the phone was never quiet:\n%s", night(t))
	return 0
}

func night(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(nightLog)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(b)
}

// member is one of several gateways, a process with its own ports.
type member struct {
	name    string
	address string // of SIP
	process *exec.Cmd

	mu   sync.Mutex
	log  bytes.Buffer
	over time.Time // a page was taken over
}

func newMember(t *testing.T, w *slacktest.Workspace, name string, port, web int) *member {
	t.Helper()
	host := ourAddress(t)
	m := &member{name: name, address: fmt.Sprintf("%s:%d", host, port)}
	common, err := os.ReadFile("/etc/telgate/ha.toml")
	if err != nil {
		t.Fatal(err)
	}
	dir, as := t.TempDir(), w.Config()
	var b strings.Builder
	b.Write(common)
	fmt.Fprintf(&b, "\n[gateway]\nname = %q\nstate_dir = %q\n", name, dir)
	fmt.Fprintf(&b, "[slack]\nmode = \"socket\"\nbot_token = %q\napp_token = %q\napi_url = %q\nallow_users = [%q]\n", as.BotToken, as.AppToken, w.APIURL(), nightUser)
	fmt.Fprintf(&b, "[sip]\nbind = %q\n[media]\nports = \"%d-%d\"\n[web]\nlisten = \"127.0.0.1:%d\"\n[log]\nformat = \"json\"\n", m.address, port+20000, port+20009, web)
	path := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	m.process = exec.Command("telgate", "--config", path, "serve")
	stderr, err := m.process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.process.Process.Kill() }) // it has ended by then, unless the story failed
	go m.read(stderr)
	if !healthy(t, fmt.Sprintf("http://127.0.0.1:%d/healthz", web)) {
		t.Fatalf("%s is not ready:\n%s", name, m.said())
	}
	return m
}

// ourAddress is the one that Asterisk sees.
func ourAddress(t *testing.T) string {
	t.Helper()
	c, err := net.Dial("udp", "asterisk:5060")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	return c.LocalAddr().(*net.UDPAddr).IP.String()
}

func healthy(t *testing.T, url string) bool {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); <-tick.C {
		if res, err := http.Get(url); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return true
			}
		}
	}
	return false
}

func (m *member) read(log io.Reader) {
	for lines := bufio.NewScanner(log); lines.Scan(); {
		m.mu.Lock()
		m.log.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), `"msg":"page taken over"`) {
			m.over = time.Now()
		}
		m.mu.Unlock()
	}
}

func (m *member) said() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log.String()
}

func (m *member) tookOver(t *testing.T) time.Time {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over.IsZero() {
		t.Errorf("%s took nothing over:\n%s", m.name, m.log.String())
	}
	return m.over
}

// end ends the process. Only SIGTERM is answered well.
func (m *member) end(t *testing.T, how syscall.Signal) {
	t.Helper()
	if err := m.process.Process.Signal(how); err != nil {
		t.Fatal(err)
	}
	if err := m.process.Wait(); err != nil && how != syscall.SIGKILL {
		t.Errorf("%s ended: %v\n%s", m.name, err, m.said())
	}
}
