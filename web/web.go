// Package web is the gateway's HTTP side: the mux, /healthz, Slack's handler where Slack delivers by HTTP, and the API on the
// gateway's own socket.
//
// It runs no page and no call: what it serves is behind the ports of ports.go, or handed in as an [http.Handler]. It listens
// only where it has been told to, and speaks plain HTTP: TLS towards the world belongs to the proxy in front of it.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of the server: a slow or greedy client costs little.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 10 * time.Second
	idleTimeout   = 60 * time.Second
	headerBytes   = 16 << 10
	closeTimeout  = 3 * time.Second
)

// Health is what /healthz says: whether the gateway can take a page, and one word per part.
type Health struct {
	Ready bool              `json:"ready"`
	Parts map[string]string `json:"parts"`
}

// Server serves the mux on one address.
type Server struct {
	http   *http.Server
	listen func(ctx context.Context, network, address string) (net.Listener, error)
	addr   string
	opened chan struct{} // closed when it listens
}

// New returns a server for this address. slack is mounted under /slack/ and may be nil.
func New(
	addr string, health func() Health, slack http.Handler, log *slog.Logger,
	listen func(ctx context.Context, network, address string) (net.Listener, error),
) *Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeHealth(w, health()) })
	if slack != nil {
		mux.Handle("/slack/", slack)
	}
	return &Server{
		addr: addr, listen: listen, opened: make(chan struct{}),
		http: &http.Server{
			Handler: mux, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
			IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}
}

// Handler is the mux, for tests.
func (s *Server) Handler() http.Handler { return s.http.Handler }

// Listening is closed when requests are taken.
func (s *Server) Listening() <-chan struct{} { return s.opened }

// Run listens and serves until ctx is done, then lets requests in progress end.
func (s *Server) Run(ctx context.Context) error {
	l, err := s.listen(ctx, "tcp", s.addr)
	if err != nil {
		return fmt.Errorf("listen for HTTP on %s: %w", s.addr, err)
	}
	close(s.opened)
	return serve(ctx, s.http, l)
}

// serve answers requests until ctx is done, then lets those in progress end.
func serve(ctx context.Context, s *http.Server, l net.Listener) error {
	at := l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve HTTP on %s: %w", at, err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := s.Shutdown(stop); err != nil {
		_ = s.Close() // what did not end in time is cut off
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP on %s: %w", at, err)
	}
	return nil
}

func writeHealth(w http.ResponseWriter, h Health) {
	w.Header().Set("Content-Type", "application/json")
	if !h.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(h) // a client that left is no fault of ours
}
