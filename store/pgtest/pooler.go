package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Pooler starts a PgBouncer before the server until the end of the test, in its mode "session" or "transaction". What it returns
// makes of a database's URL the one through the pooler. Where the system has no PgBouncer the test is skipped.
func (s *Server) Pooler(tb testing.TB, mode string) func(url string) string {
	tb.Helper()
	program := pooler()
	if program == "" {
		if os.Getenv(Require) != "" {
			tb.Fatal("PgBouncer is not installed, and " + Require + " is set: install the package pgbouncer")
		}
		tb.Skip("PgBouncer is not installed: this test is about it")
	}
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	users, config := filepath.Join(s.dir, mode+".users"), filepath.Join(s.dir, mode+".ini")
	for path, text := range map[string]string{
		users: fmt.Sprintf("%q %q\n", "telgate", Password),
		config: fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%d\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\n"+
			"auth_type = plain\nauth_file = %s\npool_mode = %s\nmax_client_conn = 500\ndefault_pool_size = 40\nserver_idle_timeout = 1\n", s.Port, port, users, mode),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
		if err := s.disown(path); err != nil {
			tb.Fatal(err)
		}
	}
	c := exec.Command(program, "-q", config) //nolint:noctx // it ends with the test
	c.Dir = s.dir
	if s.as != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	}
	if err := c.Start(); err != nil {
		tb.Fatalf("start PgBouncer: %v", err)
	}
	tb.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait() // it was killed
	})
	answers(tb, port)
	return func(url string) string {
		return strings.Replace(url, ":"+strconv.Itoa(s.Port)+"/", ":"+strconv.Itoa(port)+"/", 1)
	}
}

func pooler() string {
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		return path
	}
	path, err := exec.LookPath("/usr/sbin/pgbouncer")
	if err != nil {
		return ""
	}
	return path
}

// answers waits until somebody listens at a port.
func answers(tb testing.TB, port int) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			tb.Fatalf("nothing listens at port %d: %v", port, err)
		}
	}
}
