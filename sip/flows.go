package sip

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// dialFunc opens a connection from a local address, any where that is not valid.
type dialFunc = func(ctx context.Context, network string, local netip.Addr, address string) (net.Conn, error)

// dialLimit is for connecting, TLS included, whoever waits for it; a call waits for its own first_response.
const dialLimit = 4 * time.Second

// flows are a trunk's connections. We dial them, since sipgo would verify the wrong name, wait a minute and ask nobody;
// sipgo gets them like accepted ones, and finds them by the address they lead to.
type flows struct {
	trunk *Trunk

	mu      sync.Mutex
	open    map[endpoint]*flow
	calls   map[endpoint]*dialing
	lost    map[endpoint]error // why the last connection there ended
	inlets  map[string]*inlet
	closed  bool
	serving sync.WaitGroup
	work    sync.WaitGroup // connections on their way; added to under mu, never after close
}

// dialing is a connection on its way; whoever wants the same one waits for it.
type dialing struct {
	began    time.Time
	securing atomic.Bool // it is connected, and TLS is on its way
	done     chan struct{}
	flow     *flow
	err      error
}

// failed says how far it came, and why no further.
func (d *dialing) failed(target Target, now time.Time, err error) error {
	if d.securing.Load() {
		return notSecured(target, now.Sub(d.began), err)
	}
	return notConnected(target, now.Sub(d.began), err)
}

func newFlows(t *Trunk) *flows {
	return &flows{
		trunk: t, open: make(map[endpoint]*flow), calls: make(map[endpoint]*dialing), lost: make(map[endpoint]error),
		inlets: map[string]*inlet{"tcp": newInlet(), "tls": newInlet()},
	}
}

// serve has sipgo take what is dialled, until close.
func (s *flows) serve(ua *userAgent) {
	s.serving.Go(func() { _ = ua.transport.ServeTCP(s.inlets["tcp"]) })
	s.serving.Go(func() { _ = ua.transport.ServeTLS(s.inlets["tls"]) })
}

// close ends every connection; nothing is dialled any more.
func (s *flows) close() {
	s.mu.Lock()
	s.closed = true
	open := make([]*flow, 0, len(s.open))
	for _, f := range s.open {
		open = append(open, f)
	}
	s.mu.Unlock()
	for _, f := range open {
		f.end(net.ErrClosed)
	}
	for _, i := range s.inlets {
		_ = i.Close()
	}
	s.work.Wait()
	s.serving.Wait()
}

// at is the connection that leads somewhere, nil if there is none.
func (s *flows) at(p endpoint) *flow {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.open[p]; f != nil && f.alive() {
		return f
	}
	return nil
}

// connect returns the connection to a target, and opens it if there is none.
func (s *flows) connect(ctx context.Context, target Target) (*flow, error) {
	p := target.endpoint()
	s.mu.Lock()
	if f := s.open[p]; f != nil && f.alive() {
		s.mu.Unlock()
		return f, nil
	}
	d := s.calls[p]
	if d == nil {
		if s.closed {
			s.mu.Unlock()
			return nil, errClosed
		}
		d = &dialing{began: s.trunk.env.Now(), done: make(chan struct{})}
		s.calls[p] = d
		s.work.Go(func() { s.dial(d, target) }) //nolint:contextcheck // others wait for the same connection: it has a limit of its own
	}
	s.mu.Unlock()
	select {
	case <-d.done:
		return d.flow, d.err
	case <-ctx.Done():
		return nil, d.failed(target, s.trunk.env.Now(), ctx.Err())
	}
}

// dial makes the connection and hands it to sipgo.
func (s *flows) dial(d *dialing, target Target) {
	ctx, stop := s.trunk.limited(dialLimit)
	defer stop()
	f, err := s.reach(ctx, d, target)
	if err != nil {
		err = d.failed(target, s.trunk.env.Now(), err)
	}
	s.mu.Lock()
	delete(s.calls, target.endpoint())
	if err == nil && !s.closed {
		s.open[target.endpoint()] = f
		delete(s.lost, target.endpoint())
	}
	closed := s.closed
	s.mu.Unlock()
	if err == nil && (closed || !s.inlets[target.Transport].take(f)) {
		f.end(net.ErrClosed)
		err = errClosed
	}
	d.flow, d.err = f, err
	close(d.done)
}

// reach connects, and secures the connection where the target asks for it.
func (s *flows) reach(ctx context.Context, d *dialing, target Target) (*flow, error) {
	t := s.trunk
	bound, _, _ := bindHost(t.cfg.Local.Bind) // validated
	if bound.IsValid() && bound.Is4() != target.Addr.Addr().Is4() {
		bound = netip.Addr{}
	}
	conn, err := t.env.Dial(ctx, "tcp", bound, target.Addr.String())
	if err != nil {
		return nil, err
	}
	if c, ok := conn.(syscall.Conn); ok {
		setDSCP(c, t.cfg.Local.DSCP)
		setUserTimeout(c, userTimeout)
	}
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3})
	}
	if target.Transport != "tls" {
		return s.tapped(newFlow(conn, target, nil, s.ended)), nil
	}
	d.securing.Store(true)
	secure, early, err := t.handshake(ctx, conn, target)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s.tapped(newFlow(secure, target, early, s.ended)), nil
}

// tapped shows what passes over a connection to the traces of calls.
func (s *flows) tapped(f *flow) *flow {
	f.tap = &flowTap{trunk: s.trunk, flow: f}
	return f
}

// userTimeout ends a connection whose peer acknowledges nothing for so long (RFC 5482), where the system can.
const userTimeout = 20 * time.Second

// ended forgets a connection. sipgo tells its transactions.
func (s *flows) ended(f *flow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[f.target.endpoint()] == f {
		delete(s.open, f.target.endpoint())
	}
	if s.closed {
		return
	}
	for len(s.lost) >= maxTargets {
		for old := range s.lost {
			delete(s.lost, old)
			break
		}
	}
	err := f.failure()
	if errors.Is(err, net.ErrClosed) {
		return
	}
	s.lost[f.target.endpoint()] = err
	s.trunk.env.Log.Info("connection to the trunk ended", "target", f.target.String(), "err", err)
}

// because is why the connection to a place ended, else err.
func (s *flows) because(p endpoint, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why := s.lost[p]; why != nil && s.open[p] == nil {
		return why
	}
	return err
}

// closing is how long a connection may take to be closed after sipgo told the transactions that it ended.
const closing = 100 * time.Millisecond

// broke is why the connection of a transaction ended, else err. sipgo tells transactions before it closes a connection on which
// it finds no SIP, so that the reason may not be here yet.
func (s *flows) broke(p endpoint, err error) error {
	s.mu.Lock()
	f := s.open[p]
	s.mu.Unlock()
	if f == nil {
		return s.because(p, err)
	}
	wait := time.NewTimer(closing)
	defer wait.Stop()
	select {
	case <-f.gone:
		if why := f.failure(); !errors.Is(why, net.ErrClosed) {
			return why
		}
		return err
	case <-wait.C: // it is another one already
		return err
	}
}

// inlet is a listener whose connections we dialled.
type inlet struct {
	flows  chan *flow
	closed chan struct{}
	once   sync.Once
}

func newInlet() *inlet { return &inlet{flows: make(chan *flow), closed: make(chan struct{})} }

// take hands a connection over, and returns when sipgo knows it.
func (i *inlet) take(f *flow) bool {
	select {
	case i.flows <- f:
	case <-i.closed:
		return false
	}
	select {
	case <-f.reading:
		return true
	case <-i.closed:
		return false
	}
}

// Accept waits for the next connection.
func (i *inlet) Accept() (net.Conn, error) {
	select {
	case f := <-i.flows:
		return f, nil
	case <-i.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (i *inlet) Close() error {
	i.once.Do(func() { close(i.closed) })
	return nil
}

// Addr is no address: nobody can connect.
func (i *inlet) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero} }
