//go:build interop

package interop

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// sipp is a running scenario.
type sipp struct {
	address string
	done    chan error
	dir     string
	out     bytes.Buffer
}

// play starts a scenario and waits until it listens.
func play(t *testing.T, scenario string) *sipp {
	t.Helper()
	s := &sipp{address: fmt.Sprintf("127.0.0.1:%d", freePort(t)), done: make(chan error, 1), dir: t.TempDir()}
	file, err := filepath.Abs(filepath.Join("sipp", scenario+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{
		"-sf", file, "-i", "127.0.0.1", "-p", s.address[len("127.0.0.1:"):], "-mi", "127.0.0.1", "-mp", fmt.Sprint(freePort(t) &^ 1),
		"-m", "1", "-nostdin", "-timeout", "60s", "-timeout_error", "-trace_msg", "-message_file", filepath.Join(s.dir, "messages"),
		"-trace_err", "-error_file", filepath.Join(s.dir, "errors"),
	}
	cmd := exec.CommandContext(t.Context(), "sipp", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &s.out, &s.out
	if err := cmd.Start(); err != nil {
		t.Skipf("no SIPp here (Debian: sip-tester): %v", err)
	}
	go func() { s.done <- cmd.Wait() }()
	listening(t, "udp", s.address, s.out.String)
	return s
}

// finished waits until the scenario has seen everything it wants to see.
func (s *sipp) finished(t *testing.T) {
	t.Helper()
	timer := time.NewTimer(65 * time.Second)
	defer timer.Stop()
	select {
	case err := <-s.done:
		if err != nil {
			messages, _ := os.ReadFile(filepath.Join(s.dir, "messages"))
			faults, _ := os.ReadFile(filepath.Join(s.dir, "errors"))
			t.Errorf("the peer did not see what it must see: %v\n%s\n%s", err, faults, messages)
		}
	case <-timer.C:
		t.Error("the peer still waits")
	}
}

// race is one row: what SIPp plays, and what telgate must say.
type race struct {
	scenario string
	outcome  string
	exit     int
}

func TestTheRacesThatNoPBXMakesOnCommand(t *testing.T) {
	for _, r := range []race{
		{"presses-1", "confirmed/", 0},
		{"cancel-487", "no_answer/ring_limit", 3},
		{"cancel-crosses-200", "answered/late_answer", 3},
		{"cancel-then-200", "answered/late_answer", 3},
		{"two-200s", "answered/hung_up_early", 3},
		{"lost-ack", "answered/hung_up_early", 3},
		{"hangs-up", "answered/hung_up_early", 3},
		{"challenged-for-ever", "trunk_failed/credentials", 4},
		{"stale", "busy/status", 3},
		{"bye-crosses-bye", "answered/no_audio", 3},
		{"storm-of-180s", "busy/status", 3},
		{"503-after-180", "no_answer/ended_by_network", 3},
		{"200-without-sdp", "trunk_failed/unusable_answer", 4},
		{"200-without-sdp-after-183", "answered/hung_up_early", 3},
		{"407-on-bye", "answered/no_audio", 3},
		{"100-on-bye", "answered/no_audio", 3},
		{"481-on-bye", "answered/no_audio", 3},
		{"prack", "answered/hung_up_early", 3},
		{"refresh", "answered/no_audio", 3},
		{"answer-in-ack", "confirmed/", 0},
	} {
		t.Run(r.scenario, func(t *testing.T) {
			t.Parallel()
			peer := play(t, r.scenario)
			calls, exit := call(t, settings+trunk("sipp", peer.address)+person("alice", "sip:7101@sipp"), "alice")
			if len(calls) != 1 || calls[0].String() != r.outcome || exit != r.exit {
				t.Errorf("%v, exit %d; want one call, %s, %d", calls, exit, r.outcome, r.exit)
			}
			peer.finished(t)
		})
	}
}

// listening waits until somebody has the port: /proc tells, without a packet.
func listening(t *testing.T, network, address string, said func() string) {
	t.Helper()
	var port int
	if _, err := fmt.Sscanf(address[len("127.0.0.1:"):], "%d", &port); err != nil {
		t.Fatal(err)
	}
	entry := []byte(fmt.Sprintf(":%04X ", port))
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		if table, err := os.ReadFile("/proc/net/" + network); err == nil && bytes.Contains(table, entry) {
			return
		}
		<-tick.C
	}
	t.Fatalf("nobody listens on %s: %s", address, said())
}

func TestALateAnswerOnATrunkThatWasLeftIsHungUpAndIsNoOtherCall(t *testing.T) {
	t.Parallel()
	deaf, rings := play(t, "late-200"), play(t, "cancel-487")
	calls, exit := call(t, settings+"first_response = \"2s\"\ntrunks = [\"deaf\", \"rings\"]\n"+
		trunk("deaf", deaf.address)+trunk("rings", rings.address)+
		"[limits]\nprefixes_allowed = [\"+1202555\"]\n"+person("alice", "+12025550123"), "alice")
	if len(calls) != 2 || calls[0].String() != "trunk_failed/no_response" || calls[1].String() != "no_answer/ring_limit" || exit != 3 {
		t.Errorf("%v, exit %d; want trunk_failed/no_response, then no_answer/ring_limit, 3", calls, exit)
	}
	rings.finished(t)
	deaf.finished(t)
}
