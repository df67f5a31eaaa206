package siptest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// Wire is a UDP network in memory, for tests that are about time and run in a bubble of testing/synctest: real sockets
// would keep its clock from moving. It loses nothing and keeps the order.
type Wire struct {
	mu    sync.Mutex
	ends  map[string]*wireEnd
	ports int
	nat   *NAT
}

// NewWire is a network nobody is on.
func NewWire() *Wire { return &Wire{ends: map[string]*wireEnd{}, ports: 40000} }

// Listen binds a socket to host:port; port 0 is any.
func (w *Wire) Listen(_ context.Context, _, address string) (net.PacketConn, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	addr := net.UDPAddrFromAddrPort(at) // in its short form, as a socket says it
	w.mu.Lock()
	defer w.mu.Unlock()
	if addr.Port == 0 {
		w.ports++
		addr.Port = w.ports
	}
	if w.ends[addr.String()] != nil {
		return nil, fmt.Errorf("%s is taken", addr)
	}
	e := &wireEnd{wire: w, addr: addr, in: make(chan packet, 256), closed: make(chan struct{})}
	w.ends[addr.String()] = e
	return e, nil
}

// Peer is a scripted peer on this network.
func (w *Wire) Peer(t T) *Peer {
	t.Helper()
	return w.PeerAt(t, "127.0.0.1:0")
}

// PeerAt is one at an address.
func (w *Wire) PeerAt(t T, address string) *Peer {
	t.Helper()
	conn, err := w.Listen(context.Background(), "udp", address) //nolint:forbidigo // there is nothing to cancel
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &Peer{t: t, conn: conn, patience: Patience}
}

type packet struct {
	from *net.UDPAddr
	data []byte
}

type wireEnd struct {
	wire   *Wire
	addr   *net.UDPAddr
	in     chan packet
	once   sync.Once
	closed chan struct{}

	mu       sync.Mutex
	deadline time.Time // of reads that begin from now on
}

func (e *wireEnd) ReadFrom(b []byte) (int, net.Addr, error) {
	e.mu.Lock()
	deadline := e.deadline
	e.mu.Unlock()
	var late <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case p := <-e.in:
		return copy(b, p.data), p.from, nil
	case <-late:
		return 0, nil, os.ErrDeadlineExceeded
	case <-e.closed:
		return 0, nil, net.ErrClosed
	}
}

func (e *wireEnd) WriteTo(b []byte, to net.Addr) (int, error) {
	other, from := e.wire.route(e.addr, to)
	if other != nil {
		select {
		case other.in <- packet{from, slices.Clone(b)}:
		default: // full: lost, as in life
		}
	}
	return len(b), nil
}

// route finds whom a packet reaches, nil for nobody, and where it seems to come from.
func (w *Wire) route(from *net.UDPAddr, to net.Addr) (*wireEnd, *net.UDPAddr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, ok := to.(*net.UDPAddr)
	if !ok {
		return nil, from
	}
	seen := w.nat.out(from)
	if at = w.nat.in(at); at == nil {
		return nil, seen
	}
	return w.ends[at.String()], seen
}

func (e *wireEnd) Close() error {
	e.once.Do(func() {
		e.wire.mu.Lock()
		delete(e.wire.ends, e.addr.String())
		e.wire.mu.Unlock()
		close(e.closed)
	})
	return nil
}

func (e *wireEnd) SetReadDeadline(t time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.deadline = t
	return nil
}

func (e *wireEnd) LocalAddr() net.Addr              { return e.addr }
func (e *wireEnd) SetDeadline(t time.Time) error    { return e.SetReadDeadline(t) }
func (e *wireEnd) SetWriteDeadline(time.Time) error { return nil }
