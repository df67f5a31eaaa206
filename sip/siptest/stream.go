package siptest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Stream is a scripted peer over TCP: it takes one connection after another and frames messages by Content-Length
// (RFC 3261 18.3).
type Stream struct {
	t        T
	secure   *tls.Config // nil = plain TCP
	listener net.Listener
	came     chan accepted
	conn     net.Conn
	reader   *bufio.Reader
}

// accepted is a connection, or what its TLS handshake failed of.
type accepted struct {
	conn net.Conn
	err  error
}

// NewStream listens on loopback; it is closed with the test.
func NewStream(t T) *Stream {
	t.Helper()
	return NewStreamAt(t, "127.0.0.1:0", nil)
}

// NewStreamAt listens at an address of this machine, with TLS where a configuration is given.
func NewStreamAt(t T, address string, secure *tls.Config) *Stream {
	t.Helper()
	s := &Stream{t: t, secure: secure}
	s.Start(address)
	t.Cleanup(s.Stop)
	return s
}

// Start listens, again after [Stream.Stop].
func (s *Stream) Start(address string) {
	s.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.listener, s.came = l, make(chan accepted, 64)
	go accept(l, s.secure, s.came)
}

// accept takes connections, and secures them while whoever dialled waits for that.
func accept(l net.Listener, secure *tls.Config, came chan<- accepted) {
	defer close(came)
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		a := accepted{conn: conn}
		if secure != nil {
			server := tls.Server(conn, secure)
			_ = conn.SetDeadline(time.Now().Add(Patience))
			a.conn, a.err = server, server.Handshake()
			_ = conn.SetDeadline(time.Time{})
		}
		came <- a
	}
}

// Stop cuts the connection and listens no more, as a PBX that is restarted.
func (s *Stream) Stop() {
	s.Cut()
	_ = s.listener.Close()
	for a := range s.came {
		_ = a.conn.Close()
	}
}

// Port is the port of the address.
func (s *Stream) Port() string {
	_, port, _ := net.SplitHostPort(s.Addr())
	return port
}

// Handshake takes the next connection and reports how its TLS handshake went.
func (s *Stream) Handshake() error {
	s.t.Helper()
	a := s.take()
	_ = a.conn.Close()
	return a.err
}

// ServerName is the name the client asked for (SNI), after a handshake.
func (s *Stream) ServerName() string {
	s.t.Helper()
	secure, ok := s.conn.(*tls.Conn)
	if !ok {
		s.t.Fatal("no TLS connection")
	}
	return secure.ConnectionState().ServerName
}

// ExpectKeepAlive waits for CRLFCRLF and answers it, where pong says so (RFC 5626 4.4.1).
func (s *Stream) ExpectKeepAlive(pong bool) {
	s.t.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(Patience))
	ping := make([]byte, 4)
	if _, err := io.ReadFull(s.reader, ping); err != nil || string(ping) != "\r\n\r\n" {
		s.t.Fatalf("%q came (%v), want a keep-alive", ping, err)
	}
	if pong {
		s.send("\r\n")
	}
}

// ExpectEnd waits for the end of the connection.
func (s *Stream) ExpectEnd() {
	s.t.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(4 * Patience))
	if n, err := io.Copy(io.Discard, s.reader); err != nil && isTimeout(err) {
		s.t.Fatalf("the connection is still open, after %d bytes", n)
	}
	s.Cut()
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error) //nolint:errorlint // as the reader returns it
	return ok && timeout.Timeout()
}

// Addr is the peer's host and port.
func (s *Stream) Addr() string { return s.listener.Addr().String() }

// Expect waits for the next request of this method, on a new connection if there is none; others fail the test.
func (s *Stream) Expect(method string) Message {
	s.t.Helper()
	m := s.read()
	if m.Method() != method {
		s.t.Fatalf("%q came, want %s", m.Start, method)
	}
	return m
}

// ExpectResponse waits for a response with this status.
func (s *Stream) ExpectResponse(status int) {
	s.t.Helper()
	if m := s.read(); !strings.HasPrefix(m.Start, "SIP/2.0 "+strconv.Itoa(status)+" ") {
		s.t.Fatalf("%q came, want %d", m.Start, status)
	}
}

func (s *Stream) read() Message {
	s.t.Helper()
	if s.conn == nil {
		s.accept()
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(Patience))
	var head strings.Builder
	length := 0
	for {
		line, err := s.reader.ReadString('\n')
		if err != nil {
			s.t.Fatalf("nothing more came: %v after %q", err, head.String())
		}
		if head.Len() == 0 && strings.TrimSpace(line) == "" {
			continue // keep-alive (RFC 5626 4.4.1)
		}
		head.WriteString(line)
		if name, value, found := strings.Cut(line, ":"); found && strings.EqualFold(name, "Content-Length") {
			length, _ = strconv.Atoi(strings.TrimSpace(value)) // parse checks it
		}
		if strings.TrimSpace(line) == "" {
			break
		}
	}
	body := make([]byte, length)
	for read := 0; read < length; {
		n, err := s.reader.Read(body[read:])
		if err != nil {
			s.t.Fatal(err)
		}
		read += n
	}
	m, err := parse(head.String() + string(body))
	if err != nil {
		s.t.Fatalf("not SIP: %v\n%s", err, head.String())
	}
	return m
}

// take waits for the next connection.
func (s *Stream) take() accepted {
	s.t.Helper()
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	select {
	case a, ok := <-s.came:
		if !ok {
			s.t.Fatal("the peer is stopped")
		}
		return a
	case <-timer.C:
		s.t.Fatal("no connection came")
		return accepted{}
	}
}

func (s *Stream) accept() {
	s.t.Helper()
	a := s.take()
	if a.err != nil {
		s.t.Fatalf("the handshake failed: %v", a.err)
	}
	s.conn, s.reader = a.conn, bufio.NewReader(a.conn)
}

// Answer sends a response to a request, as [Peer.Answer] does.
func (s *Stream) Answer(req Message, status, tag, body string, more ...string) {
	s.t.Helper()
	s.send(strings.ReplaceAll(req.response(status, tag, s.Addr(), body, more...), "<sip:peer@"+s.Addr()+">", "<sip:peer@"+s.Addr()+";transport="+s.transport()+">"))
}

// Bye hangs up from the peer's side.
func (s *Stream) Bye(invite Message, tag string) {
	s.t.Helper()
	contact := strings.Trim(invite.Get("Contact"), "<>")
	s.send(fmt.Sprintf("BYE %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKbye;alias\r\nMax-Forwards: 70\r\nFrom: %s;tag=%s\r\nTo: %s\r\n"+
		"Call-ID: %s\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
		contact, strings.ToUpper(s.transport()), s.Addr(), invite.Get("To"), tag, invite.Get("From"), invite.Get("Call-ID")))
}

// Cut ends the connection without a word; the next request opens another.
func (s *Stream) Cut() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}

func (s *Stream) transport() string {
	if s.secure != nil {
		return "tls"
	}
	return "tcp"
}

func (s *Stream) send(text string) {
	s.t.Helper()
	if _, err := s.conn.Write([]byte(text)); err != nil {
		s.t.Fatal(err)
	}
}
