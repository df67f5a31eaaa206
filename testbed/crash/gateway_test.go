//go:build crash

package crash

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// gateway is one telgate process after another, with one configuration and one place to keep its state.
type gateway struct {
	t       *testing.T
	name    string
	config  string
	web     string
	command []string // before telgate's own arguments
	env     []string

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{}
	said  bytes.Buffer
	kills int
}

// world is what gateways have in common.
type world struct {
	office *office
	farm   *farm
	store  string // store.url
	binary string
	people int
	extra  string // more of the configuration
}

// newGateway writes the configuration of a gateway. Its ports are four apart from the next one's.
func (w *world) newGateway(t *testing.T, n int) *gateway {
	t.Helper()
	dir := t.TempDir()
	port, rtp := freePorts(t, 2), 20000+2000*int(portBlocks.Add(1)-1)
	g := &gateway{t: t, name: fmt.Sprintf("gw%d", n), config: filepath.Join(dir, "config.toml"), web: fmt.Sprintf("127.0.0.1:%d", port+1)}
	g.command = []string{w.binary, "--config", g.config}
	sample := filepath.Join(dir, "alert.wav")
	if err := os.WriteFile(sample, alert(t), 0o600); err != nil {
		t.Fatal(err)
	}
	as := w.office.Config()
	var b strings.Builder
	fmt.Fprintf(&b, "[gateway]\nname = %q\nstate_dir = %q\ndrain = \"2s\"\n[store]\nurl = %q\n", g.name, dir, w.store)
	fmt.Fprintf(&b, "[slack]\nmode = \"socket\"\nbot_token = %q\napp_token = %q\napi_url = %q\nallow_users = [%q]\n", as.BotToken, as.AppToken, w.office.APIURL(), asker)
	fmt.Fprintf(&b, "[calls]\nring = \"3s\"\nsetup = \"3s\"\nrounds = 3\npause = \"1s\"\npage_limit = \"15m\"\nmax_duration = \"12s\"\nbusy_retry = \"2s\"\n")
	fmt.Fprintf(&b, "[limits]\ncalls_per_number_per_hour = 1000\npages_per_asker_per_hour = 1000\n")
	fmt.Fprintf(&b, "[sip]\nbind = \"127.0.0.1:%d\"\n[media]\nports = \"%d-%d\"\n[web]\nlisten = %q\n[log]\nformat = \"json\"\n", port, rtp, rtp+1999, g.web)
	fmt.Fprintf(&b, "[prompts.alert]\nfile = %q\n[trunks.main]\nkind = \"pbx\"\naddresses = [%q]\nprobe = \"off\"\n%s\n", sample, w.farm.phone.Addr(), w.extra)
	for i := range w.people {
		fmt.Fprintf(&b, "[people.%s]\nphones = [\"sip:%s@main\"]\n", nick(i), phone(i))
	}
	if err := os.WriteFile(g.config, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.kill()
		if t.Failed() {
			t.Logf("%s said last:\n%s", g.name, g.last(6000))
		}
	})
	return g
}

func nick(i int) string  { return fmt.Sprintf("p%03d", i) }
func phone(i int) string { return fmt.Sprintf("71%03d", i) }

// start runs telgate; where it runs already nothing happens.
func (g *gateway) start() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cmd != nil {
		return
	}
	args := append(append([]string{}, g.command[1:]...), "serve")
	cmd := exec.Command(g.command[0], args...)
	cmd.Env = append(os.Environ(), g.env...)
	cmd.Stdout, cmd.Stderr = &locked{g}, &locked{g}
	if err := cmd.Start(); err != nil {
		g.t.Errorf("%s does not start: %v", g.name, err)
		return
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	g.cmd, g.ended = cmd, ended
}

// locked writes what a gateway says.
type locked struct{ g *gateway }

func (l *locked) Write(b []byte) (int, error) {
	l.g.mu.Lock()
	defer l.g.mu.Unlock()
	return l.g.said.Write(b)
}

// kill is kill -9: nothing is said, written or hung up any more.
func (g *gateway) kill() { g.end(syscall.SIGKILL) }

// stop asks it to end, and waits.
func (g *gateway) stop() { g.end(syscall.SIGTERM) }

func (g *gateway) end(how syscall.Signal) {
	g.mu.Lock()
	cmd, ended := g.cmd, g.ended
	g.cmd = nil
	g.mu.Unlock()
	if cmd == nil {
		return
	}
	if how == syscall.SIGKILL {
		g.kills++
	}
	_ = cmd.Process.Signal(how)
	<-ended
}

// signal sends SIGSTOP or SIGCONT.
func (g *gateway) signal(s syscall.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cmd != nil {
		_ = g.cmd.Process.Signal(s)
	}
}

// ready waits until pages are taken, for at most so long.
func (g *gateway) ready(limit time.Duration) bool {
	client := http.Client{Timeout: time.Second}
	for end := time.Now().Add(limit); time.Now().Before(end); pass(g.t, 20*time.Millisecond) {
		res, err := client.Get("http://" + g.web + "/healthz")
		if err != nil {
			continue
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return true
		}
	}
	return false
}

// last is the end of what it said.
func (g *gateway) last(n int) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.said.Bytes()
	return string(b[max(0, len(b)-n):])
}
