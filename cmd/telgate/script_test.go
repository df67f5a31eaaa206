package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"telgate/media/mediatest"
	"telgate/sip/siptest"
	"telgate/web"
	"telgate/web/client"
)

// The scripts of testdata/script run the real program; its PBX is a phone on loopback whose extensions behave as those
// of the test bed do.
func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"telgate": main}) }

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			phone, err := siptest.NewPhone()
			if err != nil {
				return err
			}
			phone.Silence(func(user string) bool { return user == "7115" || user == "7120" })
			ctx, stop := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() { defer close(done); attend(ctx, phone) }()
			e.Defer(func() { stop(); phone.Close(); <-done })
			e.Setenv("PBX", phone.Addr())
			e.Setenv("XDG_STATE_HOME", e.WorkDir+"/state")
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"fill": fill, "status": status, "waitready": waitReady, "waitsocket": waitSocket},
	})
}

// fill replaces $NAME in a file by the script's variables: fill FILE.
func fill(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := strings.ReplaceAll(ts.ReadFile(name), "$PBX", ts.Getenv("PBX"))
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// status runs a command and sees how it exits: status CODE COMMAND….
func status(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if failed, ok := errors.AsType[*exec.ExitError](ts.Exec(args[1], args[2:]...)); ok {
		got = failed.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// waitReady waits until a gateway holds the lock.
func waitReady(ts *testscript.TestScript, _ bool, _ []string) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(10 * time.Second); time.Now().Before(limit); <-tick.C {
		if running, err := gatewayRuns(ts.Getenv("XDG_STATE_HOME") + "/telgate"); running && err == nil {
			return
		}
	}
	ts.Fatalf("no gateway runs")
}

// waitSocket waits until a gateway answers on its socket.
func waitSocket(ts *testscript.TestScript, _ bool, _ []string) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	gateway := client.Socket(ts.Getenv("XDG_STATE_HOME") + "/telgate/" + web.SocketName)
	for limit := time.Now().Add(patience); time.Now().Before(limit); <-tick.C {
		if _, err := gateway.Status(context.Background()); err == nil {
			return
		}
	}
	ts.Fatalf("no gateway answers")
}

// attend answers every call by what was dialled.
func attend(ctx context.Context, phone *siptest.Phone) {
	for ring := range phone.Calls() {
		go func() {
			timer := time.NewTimer(300 * time.Millisecond) // nobody is that fast
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
			switch ring.User() {
			case "7101": // picks up, listens for three seconds, presses 1
				if ring.Answer(ctx) == nil && ring.Ear().WaitSound(ctx, 3*time.Second) == nil {
					_ = ring.Mouth().Press(ctx, "1", mediatest.Press{})
				}
			case "7105": // picks up and hangs up after a while
				if ring.Answer(ctx) == nil && ring.Ear().WaitSound(ctx, 3*time.Second) == nil {
					ring.Hangup()
				}
			case "7113":
				ring.Reject("486 Busy Here")
			case "7114":
				ring.Decline()
			case "7115":
				ring.Reject("404 Not Found")
			case "7120":
				ring.Reject("503 Service Unavailable")
			} // others ring
		}()
	}
}
