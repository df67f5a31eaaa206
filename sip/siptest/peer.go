// Package siptest plays the other side of a trunk on loopback: a scripted [Peer] that speaks raw SIP over UDP, and a
// [Phone] that rings, and is answered and keyed by a person or a program.
//
// It shares no code with package sip and uses no SIP library, so that it can do what no stack would do: answer twice,
// out of order, with two tags, or not at all. It is strict: a request without the headers RFC 3261 8.1.1 demands, or with
// a wrong Content-Length, fails the test.
package siptest

import (
	"net"
	"strconv"
	"strings"
	"time"
)

// Patience is how long a peer waits for a request before the test fails.
const Patience = 20 * time.Second

// T is what a peer takes of a [testing.T].
type T interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Peer is a UDP socket with a script around it.
type Peer struct {
	t        T
	conn     net.PacketConn
	seen     []Message
	patience time.Duration
}

// NewPeer binds a peer to loopback; it is closed with the test.
func NewPeer(t T) *Peer {
	t.Helper()
	return NewPeerAt(t, "127.0.0.1:0")
}

// NewPeerAt binds a peer to an address of this machine, such as "[::1]:0".
func NewPeerAt(t T, address string) *Peer {
	t.Helper()
	at, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &Peer{t: t, conn: conn, patience: Patience}
}

// Addr is the peer's host and port.
func (p *Peer) Addr() string { return p.conn.LocalAddr().String() }

// Patient changes how long the peer waits, from now on; for a [Wire], whose time is not the clock's.
func (p *Peer) Patient(d time.Duration) { p.patience = d }

// Expect waits for the next request of this method. Others fail the test, but repeats of requests already seen and
// keep-alives do not.
func (p *Peer) Expect(method string) Message {
	p.t.Helper()
	deadline := time.Now().Add(p.patience)
	for {
		m, ok := p.read(deadline)
		if !ok {
			p.t.Fatalf("no %s came", method)
		}
		if p.repeated(m) {
			continue
		}
		p.seen = append(p.seen, m)
		if m.Method() != method {
			p.t.Fatalf("%q came, want %s", m.Start, method)
		}
		return m
	}
}

// ExpectResponse waits for a response with this status.
func (p *Peer) ExpectResponse(status int) Message {
	p.t.Helper()
	deadline := time.Now().Add(p.patience)
	for {
		m, ok := p.read(deadline)
		if !ok {
			p.t.Fatalf("no %d came", status)
		}
		if m.Method() == "" && strings.HasPrefix(m.Start, "SIP/2.0 "+strconv.Itoa(status)+" ") {
			return m
		}
	}
}

// Quiet fails the test where anything but a repeat comes within the time.
func (p *Peer) Quiet(d time.Duration) {
	p.t.Helper()
	if m, ok := p.read(time.Now().Add(d)); ok && !p.repeated(m) {
		p.t.Fatalf("%q came, want nothing", m.Start)
	}
}

func (p *Peer) repeated(m Message) bool {
	for _, old := range p.seen {
		if old.Start == m.Start && old.Get("Via") == m.Get("Via") {
			return true
		}
	}
	return false
}

func (p *Peer) read(deadline time.Time) (Message, bool) {
	p.t.Helper()
	buf := make([]byte, 65536)
	for {
		_ = p.conn.SetReadDeadline(deadline)
		n, from, err := p.conn.ReadFrom(buf)
		if err != nil {
			return Message{}, false
		}
		if strings.TrimSpace(string(buf[:n])) == "" {
			continue // keep-alive
		}
		m, err := parse(string(buf[:n]))
		if err != nil {
			p.t.Fatalf("not SIP: %v\n%s", err, buf[:n])
		}
		m.From, _ = from.(*net.UDPAddr)
		return m, true
	}
}

// Answer sends a response to a request. tag becomes the To tag; more are whole header lines; a body is SDP.
func (p *Peer) Answer(req Message, status, tag, body string, more ...string) {
	p.t.Helper()
	p.Send(req.From, req.response(status, tag, p.Addr(), body, more...))
}

// Request sends a request inside the dialog that invite and tag made, toward the gateway.
func (p *Peer) Request(invite Message, method, tag string, seq int, body string, more ...string) {
	p.t.Helper()
	p.Send(invite.From, invite.request(method, tag, p.Addr(), seq, body, more...))
}

// Hop sends the CANCEL of a re-INVITE of ours, or the ACK of its refusal: what is part of its transaction (RFC 3261 9.1,
// 17.1.1.3).
func (p *Peer) Hop(invite Message, method, tag string, seq int) {
	p.t.Helper()
	p.Request(invite, method, tag, seq, "", via("INVITE", tag, p.Addr(), seq))
}

// Send puts any bytes on the wire.
func (p *Peer) Send(to *net.UDPAddr, datagram string) {
	p.t.Helper()
	if _, err := p.conn.WriteTo([]byte(datagram), to); err != nil {
		p.t.Fatal(err)
	}
}

// ExpectAgain waits for a request that was seen before, as it was.
func (p *Peer) ExpectAgain(method string) Message {
	p.t.Helper()
	m, ok := p.read(time.Now().Add(p.patience))
	if !ok || m.Method() != method || !p.repeated(m) {
		p.t.Fatalf("%q came, want %s again", m.Start, method)
	}
	return m
}
