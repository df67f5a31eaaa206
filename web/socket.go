package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
)

// SocketName is the gateway's socket, in its state directory.
const SocketName = "telgate.sock"

// socketMode keeps everybody out but the gateway's own user, and root.
const socketMode = 0o600

// Socket serves the API to the users of this machine.
type Socket struct {
	path   string
	api    *API
	http   *http.Server
	opened chan struct{}
}

// NewSocket returns the socket of a state directory. users names a user of this machine, "" where it has no name.
func NewSocket(dir string, api *API, users func(uid uint32) string, log *slog.Logger) *Socket {
	return &Socket{
		path: filepath.Join(dir, SocketName), api: api, opened: make(chan struct{}),
		http: &http.Server{
			Handler: api, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
			IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
			ConnContext: func(ctx context.Context, c net.Conn) context.Context { return peer(ctx, c, users) },
		},
	}
}

// Listening is closed when requests are taken.
func (s *Socket) Listening() <-chan struct{} { return s.opened }

// Run serves until ctx is done; then streams end, and requests in progress. The caller holds the gateway's lock: a socket
// that is there already belongs to a gateway that died.
func (s *Socket) Run(ctx context.Context) error {
	if err := CheckSocket(s.path); err != nil {
		return err
	}
	if err := removeStale(s.path); err != nil {
		return err
	}
	l, err := (&net.ListenConfig{Control: private}).Listen(ctx, "unix", s.path)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.path, err)
	}
	if err := os.Chmod(s.path, socketMode); err != nil { // where private has done nothing
		return errors.Join(fmt.Errorf("keep %s private: %w", s.path, err), l.Close())
	}
	close(s.opened)
	defer context.AfterFunc(ctx, s.api.EndStreams)()
	return serve(ctx, s.http, l)
}

// CheckSocket says why a socket cannot be at this path, nil if it can.
func CheckSocket(path string) error {
	if len(path) > socketBytes {
		return fmt.Errorf("the path of the gateway's socket is %d bytes long, and the system takes %d (%s): choose a shorter gateway.state_dir",
			len(path), socketBytes, path)
	}
	return nil
}

// private gives the socket its mode before it has a name: nobody else connects in between (Linux takes the mode of the file
// from the socket's own).
func private(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), socketMode) }) // Run looks after the mode once more
}

func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look for the gateway's socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is in the way of the gateway's socket, and is no socket: move it away", path)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove the socket of a gateway that died: %w", err)
	}
	return nil
}
