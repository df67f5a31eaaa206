package sip

import (
	"bytes"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// port is a UDP socket of ours, and the trunks that use it. A trunk that takes another one's place ([Trunk.Succeed]) takes
// its port, so that firewalls, NATs and the registrar go on seeing the same address; as long as calls of the one before are
// up, both use it. What arrives is for the trunk whose From tag it carries, which answers and the peer's requests inside a
// dialog do (RFC 3261 8.2.6.2, 12.2.1.1), else for the newest.
type port struct {
	conn net.PacketConn
	turn chan struct{} // full while somebody reads

	mu     sync.Mutex
	shares []*share // oldest first
}

// share is a port as one trunk uses it. Whoever has the turn reads, and hands on what is for others.
type share struct {
	net.PacketConn // the port's

	port   *port
	trunk  *Trunk
	came   chan datagram
	closed chan struct{}
	once   sync.Once
}

type datagram struct {
	data []byte
	from net.Addr
}

// shareRoom is how many datagrams may wait for a trunk while another one reads; more are lost, as in a socket that is full.
const shareRoom = 1024

func newPort(conn net.PacketConn) *port { return &port{conn: conn, turn: make(chan struct{}, 1)} }

// join has a trunk use the port too; nil where that is not free: the newest trunk on it is none of those that leave.
func (p *port) join(t *Trunk, leaving []*Trunk) *share {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.shares); leaving != nil && (n == 0 || !slices.Contains(leaving, p.shares[n-1].trunk)) {
		return nil
	}
	s := &share{PacketConn: p.conn, port: p, trunk: t, came: make(chan datagram, shareRoom), closed: make(chan struct{})}
	p.shares = append(p.shares, s)
	return s
}

// whose is the share that a datagram is for.
func (p *port) whose(raw []byte) *share {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.shares) - 1
	if last < 0 {
		return nil
	}
	if last > 0 {
		from, to := rawTag(headerOf(raw, "from", "f")), rawTag(headerOf(raw, "to", "t"))
		for _, s := range p.shares[:last] {
			if s.trunk.ours(from) || s.trunk.ours(to) {
				return s
			}
		}
	}
	return p.shares[last]
}

// rawTag is the tag of a From or To as it stands in a message, "" if it has none.
func rawTag(header []byte) string {
	if end := bytes.LastIndexByte(header, '>'); end >= 0 {
		header = header[end:]
	}
	for param := range bytes.SplitSeq(header, []byte(";")) {
		name, value, _ := bytes.Cut(param, []byte("="))
		if name = bytes.TrimSpace(name); len(name) == len("tag") && equalFold(name, "tag") {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

// ReadFrom reads the trunk's next datagram.
func (s *share) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		select {
		case d := <-s.came:
			return copy(b, d.data), d.from, nil
		case <-s.closed:
			return 0, nil, net.ErrClosed
		case s.port.turn <- struct{}{}:
		}
		n, from, mine, err := s.read(b)
		<-s.port.turn
		if mine || err != nil {
			return n, from, err
		}
	}
}

// read reads one datagram, whose ever it is. What others have read for us before came before it.
func (s *share) read(b []byte) (n int, from net.Addr, mine bool, err error) {
	select {
	case <-s.closed:
		return 0, nil, true, net.ErrClosed
	case d := <-s.came:
		return copy(b, d.data), d.from, true, nil
	default:
	}
	n, from, err = s.port.conn.ReadFrom(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded): // somebody left, and it may be us
		return 0, nil, false, s.port.conn.SetReadDeadline(time.Time{})
	case err != nil:
		return n, from, false, err
	}
	to := s.port.whose(b[:n])
	if to == s || to == nil {
		return n, from, true, nil
	}
	select {
	case to.came <- datagram{bytes.Clone(b[:n]), from}:
	default:
	}
	return 0, nil, false, nil
}

// Close leaves the port; the last one closes it.
func (s *share) Close() (err error) {
	s.once.Do(func() {
		close(s.closed)
		p := s.port
		p.mu.Lock()
		p.shares = slices.DeleteFunc(p.shares, func(x *share) bool { return x == s })
		var newest *share
		if left := len(p.shares); left > 0 {
			newest = p.shares[left-1]
		}
		p.mu.Unlock()
		if newest == nil {
			err = p.conn.Close()
			return
		}
		if c, ok := p.conn.(syscall.Conn); ok {
			setDSCP(c, newest.trunk.cfg.Local.DSCP) // the one that leaves may have been tried only
		}
		err = p.conn.SetReadDeadline(time.Unix(1, 0)) // wakes whoever reads
	})
	return err
}
