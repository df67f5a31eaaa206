//go:build interop

package interop

import (
	"bufio"
	"bytes"
	"encoding/binary"
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

// phone is a running baresip, told what to do over its control socket.
type phone struct {
	t       *testing.T
	address string
	dir     string
	control net.Conn
	events  chan phoneEvent
	out     bytes.Buffer
}

// phoneEvent is what baresip says happened.
type phoneEvent struct {
	Event bool   `json:"event"`
	Type  string `json:"type"`
	Param string `json:"param"`
}

// newPhone starts baresip with an account of this user. more are further lines of its configuration, account its
// account's parameters.
func newPhone(t *testing.T, user, account string, more ...string) *phone {
	t.Helper()
	p := &phone{t: t, dir: t.TempDir(), address: fmt.Sprintf("127.0.0.1:%d", freePort(t)), events: make(chan phoneEvent, 256)}
	control := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	p.write("config", append([]string{
		"poll_method epoll", "sip_listen " + p.address, "ctrl_tcp_listen " + control, "rtp_ports 32000-32999",
		"audio_player aufile," + p.path("heard.wav"), "audio_source aufile," + p.path("says.wav"), "audio_alert aufile," + p.path("rings.wav"),
		"ausrc_srate 8000", "auplay_srate 8000", "ausrc_channels 1", "auplay_channels 1",
		"module_path /usr/lib/baresip/modules", "module g711.so", "module aufile.so",
	}, append(more, "module_app account.so", "module_app menu.so", "module_app ctrl_tcp.so")...)...)
	p.write("accounts", fmt.Sprintf("<sip:%s@127.0.0.1>;regint=0;answermode=manual%s", user, account))
	p.write("contacts", "")
	p.quiet("says.wav", time.Minute)
	cmd := exec.CommandContext(t.Context(), "baresip", "-f", p.dir)
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	stdin, err := cmd.StdinPipe() // baresip ends with its input
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("no baresip here: %v", err)
	}
	said := func() string { return "" }
	listening(t, "tcp", control, said)
	listening(t, "udp", p.address, said)
	if p.control, err = net.Dial("tcp", control); err != nil {
		t.Fatal(err)
	}
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

func (p *phone) path(name string) string { return filepath.Join(p.dir, name) }

func (p *phone) write(name string, lines ...string) {
	p.t.Helper()
	if err := os.WriteFile(p.path(name), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// quiet makes a recording of silence: what the phone says.
func (p *phone) quiet(name string, long time.Duration) {
	p.t.Helper()
	data := make([]byte, 2*8*long.Milliseconds())
	var b bytes.Buffer
	for _, v := range []any{
		[]byte("RIFF"), uint32(36 + len(data)), []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(8000), uint32(16000), uint16(2), uint16(16),
		[]byte("data"), uint32(len(data)), data,
	} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := os.WriteFile(p.path(name), b.Bytes(), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// listen reads netstrings of JSON from the control socket.
func (p *phone) listen() {
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
		var e phoneEvent
		if json.Unmarshal(text[:n], &e) == nil && e.Event {
			p.events <- e
		}
	}
}

// do gives baresip a command of its menu.
func (p *phone) do(command, params string) {
	p.t.Helper()
	text, err := json.Marshal(map[string]string{"command": command, "params": params})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.control, "%d:%s,", len(text), text); err != nil {
		p.t.Fatal(err)
	}
}

// until waits for an event.
func (p *phone) until(kind string) {
	p.t.Helper()
	timer := time.NewTimer(40 * time.Second)
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

// pass lets a phone's owner listen: the recording must have been heard for a while before a key counts.
func (p *phone) pass(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.t.Context().Done():
	}
}

// answer picks up, listens, and presses 1.
func (p *phone) answer() {
	p.until("CALL_INCOMING")
	p.do("accept", "")
	p.until("CALL_ESTABLISHED")
	p.pass(6 * time.Second)
	p.do("sndcode", "1")
}

func TestAPersonAtBaresipIsReached(t *testing.T) {
	for _, s := range []struct {
		name      string
		transport string
		person    func(*phone)
		outcome   string
		exit      int
	}{
		{"presses 1", "udp", (*phone).answer, "confirmed/", 0},
		{"presses 1, over TCP", "tcp", (*phone).answer, "confirmed/", 0},
		{"holds, comes back, and presses 1", "udp", func(p *phone) {
			p.until("CALL_INCOMING")
			p.do("accept", "")
			p.until("CALL_ESTABLISHED")
			p.pass(3 * time.Second)
			p.do("hold", "")
			p.pass(2 * time.Second)
			p.do("resume", "")
			p.pass(6 * time.Second)
			p.do("sndcode", "1")
		}, "confirmed/", 0},
		{"rejects", "udp", func(p *phone) {
			p.until("CALL_INCOMING")
			p.do("hangup", "")
		}, "busy/status", 3}, // baresip says 486 for it
		{"hangs up at once", "udp", func(p *phone) {
			p.until("CALL_INCOMING")
			p.do("accept", "")
			p.until("CALL_ESTABLISHED")
			p.do("hangup", "")
		}, "answered/hung_up_early", 3},
		{"lets it ring", "udp", func(p *phone) { p.until("CALL_INCOMING") }, "no_answer/ring_limit", 3},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			p := newPhone(t, "7101", "")
			story := telling(t, settings+trunk("desk", p.address, fmt.Sprintf("transport = %q", s.transport))+person("alice", "sip:7101@desk"), "alice")
			s.person(p)
			story.ends(t, s.outcome, s.exit)
			p.until("CALL_CLOSED") // nothing is left up at the phone
		})
	}
}
