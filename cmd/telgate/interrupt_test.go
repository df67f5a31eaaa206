package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"telgate/sip/siptest"
)

func TestAnInterruptedCallIsCancelledFirst(t *testing.T) {
	t.Parallel()
	for signal, want := range map[os.Signal]int{os.Interrupt: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 143} {
		phone, err := siptest.NewPhone()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "config.toml")
		text := fmt.Sprintf("[gateway]\nstate_dir = %q\n[trunks.main]\nkind = \"pbx\"\naddresses = [%q]\n[people.alice]\nphones = [\"sip:7101@main\"]\n", t.TempDir(), phone.Addr())
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		signals := make(chan os.Signal, 2)
		var out bytes.Buffer
		env := realEnvironment()
		env.out, env.err = &out, io.Discard
		env.signals = func() (<-chan os.Signal, func()) { return signals, func() {} }
		status := make(chan int, 1)
		go func() {
			status <- run(t.Context(), []string{"--config", path, "--json", "call", "--direct", "alice"}, env)
		}()
		ring := soon(t, phone.Calls())
		signals <- signal
		soon(t, ring.Over())
		if ring.Why() != "cancelled" {
			t.Errorf("%s: the phone was %s", signal, ring.Why())
		}
		if got := soon(t, status); got != want {
			t.Errorf("%s: exit status %d, want %d", signal, got, want)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if last := lines[len(lines)-1]; !strings.Contains(last, `"event":"page_ended"`) || !strings.Contains(last, `"result":"cancelled"`) {
			t.Errorf("%s: the last line is %s", signal, last)
		}
		phone.Close()
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
