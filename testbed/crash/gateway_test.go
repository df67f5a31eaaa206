//go:build crash

package crash

import (
	"bytes"
	"fmt"
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

	"telgate/media/mediatest"
)

// rtpPorts is how many ports a gateway has for sound.
const rtpPorts = 500

// gateway is one telgate process after another, with one configuration and one place to keep its state.
type gateway struct {
	t       *testing.T
	name    string
	config  string
	state   string
	web     string
	sip     int      // port
	rtp     int      // the first port
	command []string // telgate, before the words of a command
	serve   []string // what runs telgate when it serves, as env does; nil = nothing
	env     []string

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{}
	said  bytes.Buffer
	kills int
}

// newGateway is one of the world's, not started yet.
func (w *world) newGateway(t *testing.T) *gateway {
	t.Helper()
	dir, port := t.TempDir(), freePorts(t, 2)
	g := &gateway{
		t: t, name: fmt.Sprintf("gw%d", len(w.gateways)+1), config: filepath.Join(dir, "config.toml"), state: filepath.Join(dir, "state"),
		web: fmt.Sprintf("127.0.0.1:%d", port+1), sip: port, rtp: 20000 + rtpPorts*int(portBlocks.Add(1)-1),
	}
	g.command = []string{w.binary, "--config", g.config}
	if err := os.Mkdir(g.state, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, b := range map[string][]byte{
		filepath.Join(dir, "alert.wav"): recording(t, mediatest.Speech(4*time.Second, 7)), filepath.Join(dir, "thanks.wav"): recording(t, farewell()),
		g.config: []byte(w.configuration(g)),
	} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.gateways = append(w.gateways, g)
	t.Cleanup(func() {
		g.end(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("%s said last:\n%s", g.name, g.last(6000))
		}
		if dir := os.Getenv("TELGATE_LOGS"); dir != "" {
			name := strings.NewReplacer("/", "-").Replace(t.Name()) + "-" + g.name + ".log"
			_ = os.WriteFile(filepath.Join(dir, name), []byte(g.last(1<<30)), 0o600) // for whoever looks for a cause
		}
	})
	return g
}

// runs has it run this binary from its next start on.
func (g *gateway) runs(binary string) { g.command[0] = binary }

// recording is a WAV, short enough for many calls.
func recording(t *testing.T, pcm []int16) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := mediatest.WriteWAV(&b, pcm); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// start runs telgate; where it runs already nothing happens.
func (g *gateway) start() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cmd != nil {
		return
	}
	words := slices.Concat(g.serve, g.command, []string{"serve"})
	cmd := exec.Command(words[0], words[1:]...)
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

// ask runs another command of telgate's with the gateway's configuration, and returns what it printed.
func (g *gateway) ask(args ...string) (string, error) {
	words := slices.Concat(g.inside(), g.command, args)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), g.env...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("telgate %s: %w: %s", args, err, complaint.String())
	}
	return string(out), err
}

// locked writes what a gateway says.
type locked struct{ g *gateway }

func (l *locked) Write(b []byte) (int, error) {
	l.g.mu.Lock()
	defer l.g.mu.Unlock()
	return l.g.said.Write(b)
}

// kill is kill -9: nothing is said, written or hung up any more.
func (g *gateway) kill() {
	if g.end(syscall.SIGKILL) {
		g.kills++
	}
}

// stop asks it to end, and waits.
func (g *gateway) stop() { g.end(syscall.SIGTERM) }

func (g *gateway) end(how syscall.Signal) bool {
	g.mu.Lock()
	cmd, ended := g.cmd, g.ended
	g.cmd = nil
	g.mu.Unlock()
	if cmd == nil {
		return false
	}
	_ = cmd.Process.Signal(how)
	<-ended
	return true
}

// signal sends SIGSTOP or SIGCONT.
func (g *gateway) signal(s syscall.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cmd != nil {
		_ = g.cmd.Process.Signal(s)
	}
}

// pid is that of the process.
func (g *gateway) pid() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cmd == nil {
		return 0
	}
	return g.cmd.Process.Pid
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

// said tells how often a gateway has logged this.
func (g *gateway) logged(message string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return bytes.Count(g.said.Bytes(), []byte(`"msg":"`+message))
}

// last is the end of what it said.
func (g *gateway) last(n int) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.said.Bytes()
	return string(b[max(0, len(b)-n):])
}
