package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"telgate/media/mediatest"
	"telgate/sip/siptest"
)

// shell is somebody at a shell who calls alice and may press Ctrl-C.
type shell struct {
	signals   chan os.Signal
	out, errs kept
	env       *environment
	status    chan int
}

// rings has alice called over a trunk at addr; the keys are of its table.
func rings(t *testing.T, addr, keys string, more ...string) *shell {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	text := fmt.Sprintf("[gateway]\nstate_dir = %q\n[trunks.main]\nkind = \"pbx\"\naddresses = [%q]\n%s[people.alice]\nphones = [\"sip:7101@main\"]\n", t.TempDir(), addr, keys)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &shell{signals: make(chan os.Signal, 4), env: realEnvironment(), status: make(chan int, 1)}
	s.env.out, s.env.err, s.env.terminal = &s.out, &s.errs, false
	s.env.signals = func() (<-chan os.Signal, func()) { return s.signals, func() {} }
	args := append([]string{"--config", path}, more...)
	go func() { s.status <- run(t.Context(), append(args, "call", "--direct", "alice"), s.env) }()
	return s
}

// until waits for words in what was printed.
func (s *shell) until(t *testing.T, words string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), demoLimit)
	defer cancel()
	if !until(ctx, func() bool { return strings.Contains(string(s.out.bytes()), words) }) {
		t.Fatalf("nothing says %q:\n%s%s", words, s.out.bytes(), s.errs.bytes())
	}
}

func TestAnInterruptedCallIsCancelledFirst(t *testing.T) {
	t.Parallel()
	for signal, want := range map[os.Signal]int{os.Interrupt: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 143} {
		phone, err := siptest.NewPhone()
		if err != nil {
			t.Fatal(err)
		}
		s := rings(t, phone.Addr(), "", "--json")
		ring := soon(t, phone.Calls())
		s.until(t, `"event":"ringing"`)
		s.signals <- signal
		soon(t, ring.Over())
		if ring.Why() != "cancelled" {
			t.Errorf("%s: the phone was %s", signal, ring.Why())
		}
		if got := soon(t, s.status); got != want {
			t.Errorf("%s: exit status %d, want %d", signal, got, want)
		}
		lines := strings.Split(strings.TrimSpace(string(s.out.bytes())), "\n")
		if last := lines[len(lines)-1]; !strings.Contains(last, `"event":"page_ended"`) || !strings.Contains(last, `"result":"cancelled"`) {
			t.Errorf("%s: the last line is %s", signal, last)
		}
		if !strings.Contains(string(s.errs.bytes()), "hanging up, waiting at most 2s for trunk main to confirm it") {
			t.Errorf("%s: nothing says what is waited for: %s", signal, s.errs.bytes())
		}
		phone.Close()
	}
}

func TestAnInterruptAfterTheKeyLeavesThePageConfirmed(t *testing.T) {
	t.Parallel()
	phone, err := siptest.NewPhone()
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	s := rings(t, phone.Addr(), "")
	ring := soon(t, phone.Calls())
	if err := ring.Answer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ring.Ear().WaitSound(t.Context(), 3*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := ring.Mouth().Press(t.Context(), "1", mediatest.Press{}); err != nil {
		t.Fatal(err)
	}
	s.until(t, "playing confirmed")
	s.signals <- os.Interrupt
	if got := soon(t, s.status); got != 0 {
		t.Errorf("exit status %d\n%s", got, s.out.bytes())
	}
}

func TestATrunkThatDoesNotConfirmTheEndIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	for signals, told := range map[int]bool{1: true, 2: false} { // the second one waits for nothing
		s := rings(t, silent(t), "", "--json")
		s.until(t, `"event":"dialing"`)
		for range signals {
			s.signals <- os.Interrupt
		}
		if got := soon(t, s.status); got != 130 {
			t.Errorf("exit status %d", got)
		}
		lines := strings.Split(strings.TrimSpace(string(s.out.bytes())), "\n")
		if last := lines[len(lines)-1]; !strings.Contains(last, `"event":"page_ended"`) {
			t.Errorf("the last line is %s", last)
		}
		if strings.Contains(string(s.errs.bytes()), "trunk main has not confirmed it: the phone may still ring") != told {
			t.Errorf("after %d signals: %s", signals, s.errs.bytes())
		}
	}
}

func TestSignalsAreCaughtBeforeAnythingCanRing(t *testing.T) {
	t.Parallel()
	var caught, early atomic.Bool
	env := realEnvironment()
	env.out, env.err = io.Discard, io.Discard
	signals := make(chan os.Signal, 1)
	env.signals = func() (<-chan os.Signal, func()) {
		caught.Store(true)
		signals <- syscall.SIGTERM
		return signals, func() {}
	}
	listen := env.listenPacket
	env.listenPacket = func(ctx context.Context, network, address string) (net.PacketConn, error) {
		early.Store(early.Load() || !caught.Load())
		return listen(ctx, network, address)
	}
	phone, err := siptest.NewPhone()
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	path := filepath.Join(t.TempDir(), "config.toml")
	text := fmt.Sprintf("[gateway]\nstate_dir = %q\n[trunks.main]\nkind = \"pbx\"\naddresses = [%q]\n[people.alice]\nphones = [\"sip:7101@main\"]\n", t.TempDir(), phone.Addr())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := run(t.Context(), []string{"--config", path, "call", "--direct", "alice"}, env); got != 143 {
		t.Errorf("exit status %d", got)
	}
	if early.Load() || len(phone.Calls()) > 0 {
		t.Error("the trunk was opened, or the phone rang, before a signal could stop it")
	}
}

// soon takes what comes, and does not wait for ever.
func soon[V any](t *testing.T, from <-chan V) (v V) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v = <-from:
	case <-timer.C:
		t.Fatalf("no %T came", v)
	}
	return v
}
