//go:build crash

package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// A disk that is full takes no page, and nobody is told otherwise. What goes on is written when there is room again.
func TestOneGatewayOnSQLiteHasAFullDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	g := w.newGateway(t)
	g.onSmallDisk(t)
	w.begin(t, g)
	for range 2 {
		stop := w.asking(t, 300*time.Millisecond)
		pass(t, 6*time.Second)
		refusedBefore := len(w.office.answered(refused))
		room := g.fill(t)
		full := time.Now()
		if !within(t, 15*time.Second, func() bool { return len(w.office.answered(refused)) > refusedBefore+3 }) {
			t.Error("pages are accepted though the disk is full")
		}
		pass(t, 5*time.Second)
		stop()
		if w.keysAfter(full) == 0 {
			t.Error("no call went on while the disk was full")
		}
		room()
		within(t, 30*time.Second, func() bool { return g.ready(time.Second) })
	}
	stop := w.asking(t, 300*time.Millisecond)
	pass(t, 5*time.Second)
	stop()
	w.settles(t, "SQLite, one gateway: disk full", 3*time.Minute)
	w.answersInTime(t)
}

// onSmallDisk gives a gateway a disk of a few megabytes, which it alone sees: a file system in memory, in a name space of its own.
func (g *gateway) onSmallDisk(t *testing.T) {
	t.Helper()
	unshare := []string{"unshare", "--mount"}
	if os.Geteuid() != 0 {
		unshare = append(unshare, "--map-root-user")
	}
	mount := append(slices.Clip(unshare), "sh", "-c", `mount -t tmpfs -o size=6m tmpfs "$0"`)
	if out, err := exec.Command(mount[0], append(mount[1:], g.state)...).CombinedOutput(); err != nil {
		if os.Getenv("TELGATE_REQUIRE_DISK") != "" {
			t.Fatalf("no disk can be made: %v: %s", err, out)
		}
		t.Skipf("no disk can be made here: %v: %s", err, out)
	}
	g.serve = append(slices.Clip(unshare), "sh", "-c", `mount -t tmpfs -o size=6m tmpfs "$0" && exec "$@"`, g.state)
}

// inside is what runs a command where the gateway's disk is seen.
func (g *gateway) inside() []string {
	if g.serve == nil {
		return nil
	}
	enter := []string{"nsenter", "--mount", "--target", strconv.Itoa(g.pid())}
	if os.Geteuid() != 0 {
		enter = append(enter, "--user", "--preserve-credentials")
	}
	return enter
}

// fill leaves no room on the gateway's disk; room makes it again.
func (g *gateway) fill(t *testing.T) (room func()) {
	t.Helper()
	path := filepath.Join(fmt.Sprintf("/proc/%d/root", g.pid()), g.state, "filler")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for block := 1 << 16; block > 0; { // then smaller ones
		if _, err = f.Write(make([]byte, block)); err != nil {
			block /= 4
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the disk is not full: %v", err)
	}
	_ = f.Close() // what it holds stays
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}
