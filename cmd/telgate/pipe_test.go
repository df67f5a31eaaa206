package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The kernel sends the signal for a connection to Slack or a database that breaks, too.
func TestABrokenConnectionDoesNotEndTheGateway(t *testing.T) {
	ignoreBrokenPipes()
	ctx, cancel := context.WithTimeout(t.Context(), demoLimit)
	defer cancel()
	dir, env, port := t.TempDir(), realEnvironment(), 15060
	for !free(port) {
		port++
	}
	path := filepath.Join(dir, "config.toml")
	text := "[gateway]\nstate_dir = \"" + dir + "\"\n[trunks.main]\nkind = \"pbx\"\naddresses = [\"127.0.0.1:9\"]\nprobe = \"off\"\n" +
		"[sip]\nbind = \"127.0.0.1:" + strconv.Itoa(port) + "\"\n[people.alice]\nphones = [\"sip:7101@main\"]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs kept
	signals := make(chan os.Signal, 1)
	env.out, env.err, env.terminal = &out, &errs, false
	env.signals = func() (<-chan os.Signal, func()) { return signals, func() {} }
	status := make(chan int, 1)
	go func() { status <- run(ctx, []string{"--config", path, "serve"}, env) }()
	says := func(words string) bool { return strings.Contains(string(errs.bytes()), words) }
	if !until(ctx, func() bool { return says("gateway serves") }) {
		t.Fatalf("it does not serve:\n%s", errs.bytes())
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGPIPE); err != nil {
		t.Fatal(err)
	}
	signals <- syscall.SIGHUP // is answered by who serves
	if !until(ctx, func() bool { return says("configuration") }) {
		t.Errorf("it does not serve any more:\n%s", errs.bytes())
	}
	signals <- syscall.SIGTERM
	if s := <-status; s != exitReached || !says("gateway drains") {
		t.Errorf("it ended with %d:\n%s", s, errs.bytes())
	}
}
