//go:build e2e || interop

// Package baresip is a phone for the stories: baresip of Debian's packages, told what to do over its control socket. It
// holds, resumes, transfers and sends audio as telephones do, because it is one; it does nothing by itself.
package baresip

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Patience is how long a phone is waited for: until it listens, and until what it is expected to do.
const Patience = 40 * time.Second

// Config is what a phone is made of.
type Config struct {
	Account string   // as in baresip's accounts: "<sip:7101@host>;regint=0"; "" = none yet
	Listen  string   // address and port for SIP
	Control string   // address and port of the control socket
	More    []string // further lines of baresip's config
}

// Phone is a running baresip.
type Phone struct {
	Address string // where it listens for SIP

	t       *testing.T
	dir     string
	control net.Conn
	events  chan event
	out     bytes.Buffer
}

// event is what baresip says happened.
type event struct {
	Event bool   `json:"event"`
	Type  string `json:"type"`
	Param string `json:"param"`
}

// New starts a phone; it ends with the test. Where baresip is not installed the test is skipped.
func New(t *testing.T, c Config) *Phone {
	t.Helper()
	p := &Phone{Address: c.Listen, t: t, dir: t.TempDir(), events: make(chan event, 256)}
	p.configure(c)
	cmd := exec.CommandContext(t.Context(), "baresip", "-f", p.dir) //nolint:gosec // a folder of this test
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	stdin, err := cmd.StdinPipe() // baresip ends with its input
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("no baresip here: %v", err)
	}
	p.control = p.dial(c.Control)
	go p.listen()
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = p.control.Close()
		if t.Failed() {
			t.Logf("baresip said:\n%s", p.out.String())
		}
	})
	return p
}

// configure writes baresip's folder.
func (p *Phone) configure(c Config) {
	p.t.Helper()
	modules := "/usr/lib/baresip/modules"
	p.write("config", append([]string{
		"poll_method epoll", "sip_listen " + c.Listen, "ctrl_tcp_listen " + c.Control, "rtp_ports 32000-32999",
		"audio_player aubridge,ear", "audio_source aufile," + p.path("says.wav"), "audio_alert aubridge,bell",
		"ring_aufile none", "ausrc_srate 8000", "auplay_srate 8000", "ausrc_channels 1", "auplay_channels 1",
		"module_path " + modules, "module g711.so", "module aufile.so", "module aubridge.so",
	}, append(c.More, "module_app account.so", "module_app menu.so", "module_app ctrl_tcp.so")...)...)
	if c.Account != "" {
		c.Account += ";answermode=manual"
	}
	p.write("accounts", c.Account)
	p.write("contacts", "")
	if err := os.WriteFile(p.path("says.wav"), quiet(time.Minute), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *Phone) path(name string) string { return filepath.Join(p.dir, name) }

func (p *Phone) write(name string, lines ...string) {
	p.t.Helper()
	if err := os.WriteFile(p.path(name), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// dial connects to the control socket, which comes last when baresip starts.
func (p *Phone) dial(address string) net.Conn {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(Patience); ; <-tick.C {
		conn, err := (&net.Dialer{}).DialContext(p.t.Context(), "tcp", address)
		if err == nil {
			return conn
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("baresip does not listen: %v", err)
		}
	}
}

// listen reads netstrings of JSON from the control socket.
func (p *Phone) listen() {
	defer close(p.events)
	in := bufio.NewReader(p.control)
	for {
		length, err := in.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
		if err != nil || n > 1<<16 {
			return
		}
		text := make([]byte, n+1) // and a comma
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		var e event
		if json.Unmarshal(text[:n], &e) == nil && e.Event {
			p.events <- e
		}
	}
}

// Do gives baresip a command of its menu.
func (p *Phone) Do(command, params string) {
	p.t.Helper()
	text, err := json.Marshal(map[string]string{"command": command, "params": params})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.control, "%d:%s,", len(text), text); err != nil {
		p.t.Fatal(err)
	}
}

// Until waits for an event, such as CALL_INCOMING; what comes before it is passed over.
func (p *Phone) Until(kind string) {
	p.t.Helper()
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	for {
		select {
		case e, open := <-p.events:
			if !open {
				p.t.Fatalf("baresip has gone while %s was waited for", kind)
			}
			if e.Type == kind {
				return
			}
		case <-timer.C:
			p.t.Fatalf("baresip never said %s", kind)
		}
	}
}

// Register gives the phone an account that registers, and waits until it has.
func (p *Phone) Register(account string) {
	p.t.Helper()
	p.Do("uanew", account+";regint=600;answermode=manual")
	p.Until("REGISTER_OK")
}

// Accept waits until it rings, and picks up.
func (p *Phone) Accept() {
	p.t.Helper()
	p.Until("CALL_INCOMING")
	p.Do("accept", "")
	p.Until("CALL_ESTABLISHED")
}

// Press sends a key as a telephone-event.
func (p *Phone) Press(key string) { p.Do("sndcode", key) }

// Pass lets a phone's owner listen: the recording must have been heard for a while before a key counts.
func (p *Phone) Pass(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.t.Context().Done():
	}
}
