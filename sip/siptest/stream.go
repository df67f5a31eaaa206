package siptest

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Stream is a scripted peer over TCP: it takes one connection after another and frames messages by Content-Length
// (RFC 3261 18.3).
type Stream struct {
	t        T
	listener net.Listener
	conn     net.Conn
	reader   *bufio.Reader
}

// NewStream listens on loopback; it is closed with the test.
func NewStream(t T) *Stream {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Stream{t: t, listener: l}
	t.Cleanup(func() {
		s.Cut()
		_ = l.Close()
	})
	return s
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

func (s *Stream) accept() {
	s.t.Helper()
	if l, ok := s.listener.(*net.TCPListener); ok {
		_ = l.SetDeadline(time.Now().Add(Patience))
	}
	conn, err := s.listener.Accept()
	if err != nil {
		s.t.Fatalf("no connection came: %v", err)
	}
	s.conn, s.reader = conn, bufio.NewReader(conn)
}

// Answer sends a response to a request, as [Peer.Answer] does.
func (s *Stream) Answer(req Message, status, tag, body string, more ...string) {
	s.t.Helper()
	s.send(strings.ReplaceAll(req.response(status, tag, s.Addr(), body, more...), "<sip:peer@"+s.Addr()+">", "<sip:peer@"+s.Addr()+";transport=tcp>"))
}

// Bye hangs up from the peer's side.
func (s *Stream) Bye(invite Message, tag string) {
	s.t.Helper()
	contact := strings.Trim(invite.Get("Contact"), "<>")
	s.send(fmt.Sprintf("BYE %s SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bKbye;alias\r\nMax-Forwards: 70\r\nFrom: %s;tag=%s\r\nTo: %s\r\n"+
		"Call-ID: %s\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
		contact, s.Addr(), invite.Get("To"), tag, invite.Get("From"), invite.Get("Call-ID")))
}

// Cut ends the connection without a word; the next request opens another.
func (s *Stream) Cut() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}

func (s *Stream) send(text string) {
	s.t.Helper()
	if _, err := s.conn.Write([]byte(text)); err != nil {
		s.t.Fatal(err)
	}
}
