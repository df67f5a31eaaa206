//go:build interop

// Package interop holds the stories that are told against peers from Debian's packages on loopback: SIPp for what no PBX
// does on command, Kamailio as a proxy, baresip as a phone. Each runs the real telgate binary and looks at what it said,
// how it exited, and whether the peer saw what it must see.
package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv("TELGATE") == "" {
		fmt.Println("make interop builds what this needs") //nolint:forbidigo // there is no test yet to say it
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// ended is what the stories read of call_ended.
type ended struct {
	Event    string   `json:"event"`
	Outcome  string   `json:"outcome"`
	Detail   string   `json:"detail"`
	Status   int      `json:"sip_status"`
	Q850     int      `json:"q850"`
	Alerting string   `json:"alerting"`
	Codec    string   `json:"codec"`
	Media    string   `json:"media"`
	Trunk    string   `json:"trunk"`
	Reasons  []string `json:"reasons"`
	ToTags   int      `json:"to_tags"`
}

// String is the outcome as the tables write it.
func (e ended) String() string { return e.Outcome + "/" + e.Detail }

// call runs the binary as an operator would, with a configuration of its own, and returns how each call ended.
func call(t *testing.T, config, who string) (calls []ended, exit int) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, []byte(fmt.Sprintf("[gateway]\nstate_dir = %q\n", dir)+config), 0o600); err != nil {
		t.Error(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Getenv("TELGATE"), "--config", file, "--json", "--log-level", "debug", "call", "--direct", who)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		t.Error(err)
		return nil, -1
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("telgate said:\n%s%s", stdout.String(), stderr.String())
		}
	})
	last := ""
	for lines := bufio.NewScanner(&stdout); lines.Scan(); {
		var e ended
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Errorf("%q is no event: %v", lines.Text(), err)
		}
		if last = e.Event; e.Event == "call_ended" {
			calls = append(calls, e)
		}
	}
	if last != "page_ended" && last != "refused" {
		t.Errorf("the last event is %q", last)
	}
	return calls, cmd.ProcessState.ExitCode()
}

// told is a call that runs while the test plays the other side.
type told struct {
	done  chan struct{}
	calls []ended
	exit  int
}

func telling(t *testing.T, config, who string) *told {
	t.Helper()
	s := &told{done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.calls, s.exit = call(t, config, who)
	}()
	t.Cleanup(func() { <-s.done })
	return s
}

// ends waits for the end: one call, with this outcome.
func (s *told) ends(t *testing.T, outcome string, exit int) ended {
	t.Helper()
	<-s.done
	if len(s.calls) != 1 || s.calls[0].String() != outcome || s.exit != exit {
		t.Errorf("%v, exit %d; want one call, %s, %d", s.calls, s.exit, outcome, exit)
		return ended{}
	}
	return s.calls[0]
}

// settings are those of every story: nobody waits longer than it takes.
const settings = `[calls]
ring = "5s"
setup = "8s"
rounds = 1
busy_max = 0
max_duration = "28s"
`

// trunk is a trunk's table.
func trunk(name, address string, more ...string) string {
	return fmt.Sprintf("[trunks.%s]\nkind = \"pbx\"\naddresses = [%q]\nuser = \"telgate\"\npassword = \"secret\"\n%s\n", name, address, strings.Join(more, "\n"))
}

// person is somebody with one phone.
func person(nick, phone string) string {
	return fmt.Sprintf("[people.%s]\nphones = [%q]\n", nick, phone)
}

// ports are given out once in a run, below those that systems hand out by themselves and telgate's own for RTP.
var ports atomic.Int32 //nolint:gochecknoglobals // of this run

// freePort is the first of four ports of loopback in a row that nobody has.
func freePort(t *testing.T) int {
	t.Helper()
	for range 2000 {
		first := 10000 + int(ports.Add(4)-4+int32(os.Getpid()%500)*8)%9000
		free := 0
		for ; free < 4; free++ {
			conn, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", first+free))
			if err != nil {
				break
			}
			_ = conn.Close()
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+free))
			if err != nil {
				break
			}
			_ = l.Close()
		}
		if free == 4 {
			return first
		}
	}
	t.Fatal("no ports are free")
	return 0
}
