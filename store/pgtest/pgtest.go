// Package pgtest starts a PostgreSQL for tests: unprivileged, with its own directory, port and socket, gone when the tests
// are over. It uses the programs of a package of the system's, and skips where there are none.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Require makes it a failure that there is no PostgreSQL.
const Require = "TELGATE_REQUIRE_POSTGRES"

// Password is that of the superuser, which is named telgate.
const Password = "not-secret"

// patience is how long a server may take to start or to stop.
const patience = time.Minute

// Server is a PostgreSQL that a test started.
type Server struct {
	Port int

	bin, dir string
	settings []string
	as       *syscall.Credential // who runs it, nil = we
	mu       sync.Mutex
	process  *exec.Cmd
	log      bytes.Buffer
	last     int // databases and schemas that were made
}

// Start starts a server, and stops it at the end of the test. Where the system has none the test is skipped. It does not wait
// for the disk, which a crash of the machine alone would show; settings such as "fsync=on" are the server's.
func Start(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	bin := programs()
	if bin == "" {
		if os.Getenv(Require) != "" {
			tb.Fatal("PostgreSQL is not installed, and " + Require + " is set: install the package postgresql")
		}
		tb.Skip("PostgreSQL is not installed: these tests are about it")
	}
	s := &Server{bin: bin, settings: append([]string{"fsync=off"}, settings...)}
	if err := s.make(); err != nil {
		tb.Fatalf("make a PostgreSQL: %v", err)
	}
	tb.Cleanup(func() {
		if err := errors.Join(s.Stop("immediate"), os.RemoveAll(s.dir)); err != nil {
			tb.Errorf("stop PostgreSQL: %v", err)
		}
	})
	if err := s.Run(); err != nil {
		tb.Fatalf("start PostgreSQL: %v\n%s", err, s.log.String())
	}
	return s
}

// programs is the folder of the newest PostgreSQL that is installed.
func programs() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is right
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if len(found) > 0 {
		return filepath.Dir(found[0])
	}
	if initdb, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(initdb)
	}
	return ""
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 where it is no number
	return n
}

// make makes an empty cluster.
func (s *Server) make() error {
	var err error
	// Not the test's own folder: that belongs to who runs the test, and a path of it is too long for a socket.
	if s.dir, err = os.MkdirTemp("", "telgate-pg"); err != nil {
		return err
	}
	password := filepath.Join(s.dir, "password")
	if err := os.WriteFile(password, []byte(Password), 0o600); err != nil {
		return err
	}
	if err := s.disown(password); err != nil {
		return err
	}
	if s.Port, err = freePort(); err != nil {
		return err
	}
	out, err := s.command("initdb", "-D", s.data(), "-U", "telgate", "--pwfile", password, "-A", "scram-sha-256", "-E", "UTF8", "--locale", "C", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// disown gives everything to a user without rights where the tests run as root, as which PostgreSQL refuses to run.
func (s *Server) disown(files ...string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid) // they are numbers on every system that has PostgreSQL's socket
		gid, _ := strconv.Atoi(u.Gid)
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		for _, path := range append(files, s.dir) {
			if err := os.Chown(path, uid, gid); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New("there is no user postgres or nobody to run it as")
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(program string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, program), args...) //nolint:noctx // it ends with the test, by Stop
	c.Dir = s.dir
	c.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
	if s.as != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	}
	return c
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed at once
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// Run starts the server again after Stop, and waits until it answers.
func (s *Server) Run() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	args := []string{
		"-D", s.data(), "-p", strconv.Itoa(s.Port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + s.dir,
		"-c", "max_connections=200",
	}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	s.process = s.command("postgres", args...)
	s.process.Stdout, s.process.Stderr = &s.log, &s.log
	if err := s.process.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

// Stop stops the server as pg_ctl's modes do: "fast" ends its connections, "immediate" is a crash.
func (s *Server) Stop(mode string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	signal := syscall.SIGINT
	if mode == "immediate" {
		signal = syscall.SIGQUIT
	}
	err := s.process.Process.Signal(signal)
	var exit *exec.ExitError
	if waited := s.process.Wait(); !errors.As(waited, &exit) { // how it ended is what was asked for
		err = errors.Join(err, waited)
	}
	s.process = nil
	return err
}

// URL is that of a database of the server's.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://telgate:%s@127.0.0.1:%d/%s?sslmode=disable", Password, s.Port, database)
}

// Database makes an empty database, and returns its URL.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	name := s.name()
	s.Exec(tb, "postgres", "create database "+name)
	return s.URL(name)
}

// Schema makes an empty schema, and returns its URL. It is faster than a database, and news is shared with the others.
func (s *Server) Schema(tb testing.TB) string {
	tb.Helper()
	name := s.name()
	s.Exec(tb, "postgres", "create schema "+name)
	return s.URL("postgres") + "&search_path=" + name
}

func (s *Server) name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return "t" + strconv.Itoa(s.last)
}

// Exec runs statements in a database, as the superuser.
func (s *Server) Exec(tb testing.TB, database string, statements ...string) {
	tb.Helper()
	ctx := context.Background() // also after the test's own is done
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() {
		if err := conn.Close(ctx); err != nil {
			tb.Error(err)
		}
	}()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			tb.Fatalf("%s: %v", strings.TrimSpace(statement), err)
		}
	}
}
