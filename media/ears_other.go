//go:build !linux

package media

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// ears read every session's socket, each on a goroutine of its own.
type ears struct {
	cfg Config

	mu  sync.Mutex
	all map[socket]chan struct{} // closed when the reader has ended
}

func newEars(cfg Config) (*ears, error) {
	return &ears{cfg: cfg, all: make(map[socket]chan struct{})}, nil
}

// add begins to listen at a socket.
func (e *ears) add(s socket, r *receiver) error {
	ended := make(chan struct{})
	e.mu.Lock()
	e.all[s] = ended
	e.mu.Unlock()
	go func() {
		defer close(ended)
		e.read(s, r)
	}()
	return nil
}

// remove ends it. When it returns, the socket is not read any more.
func (e *ears) remove(s socket) {
	e.mu.Lock()
	ended := e.all[s]
	delete(e.all, s)
	_ = s.conn.SetReadDeadline(time.Unix(1, 0))
	e.mu.Unlock()
	if ended != nil {
		<-ended
	}
}

func (e *ears) run(ctx context.Context) { <-ctx.Done() }

func (e *ears) wake() {}

// read is a session's reader. A read deadline stands for the silence of a phone that sends nothing after speech.
func (e *ears) read(s socket, r *receiver) {
	buf := make([]byte, datagram)
	var quiet time.Time
	for e.arm(s, quiet) {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil:
			quiet = r.take(buf[:n], from, e.cfg.Now())
		case errors.Is(err, os.ErrDeadlineExceeded):
			quiet = r.silence(e.cfg.Now())
		case errors.Is(err, net.ErrClosed):
			return
		default: // an ICMP error about a packet of ours says nothing about the call, which goes on
			r.refuse()
		}
	}
}

// arm sets the read deadline, unless the socket was removed.
func (e *ears) arm(s socket, quiet time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.all[s] == nil {
		return false
	}
	_ = s.conn.SetReadDeadline(quiet)
	return true
}
