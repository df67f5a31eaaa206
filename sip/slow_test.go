package sip_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

// switchboard takes a trunk's connections in memory, so that time is a bubble's.
type switchboard struct {
	t      *testing.T
	secure *tls.Config // nil = plain TCP
	came   chan net.Conn
	ports  uint16
}

// plugged is one end of a pipe that has addresses.
type plugged struct {
	net.Conn
	local, remote netip.AddrPort
}

func (c plugged) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c plugged) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

func (s *switchboard) dial(_ context.Context, _ string, _ netip.Addr, address string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	s.ports++
	local, remote := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.10"), 40000+s.ports), netip.MustParseAddrPort(address)
	s.came <- theirs
	return plugged{ours, local, remote}, nil
}

// slowPeer is the peer's end of a connection.
type slowPeer struct {
	t *testing.T
	net.Conn
	reader *bufio.Reader
}

func (s *switchboard) take() *slowPeer {
	conn := <-s.came
	if s.secure != nil {
		conn = tls.Server(conn, s.secure)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return &slowPeer{s.t, conn, bufio.NewReader(conn)}
}

// read takes the next message, of this method.
func (p *slowPeer) read(method string) (m siptest.Message) {
	p.t.Helper()
	length := 0
	for {
		line, err := p.reader.ReadString('\n')
		if err != nil {
			p.t.Fatalf("no %s came: %v", method, err)
		}
		line = strings.TrimSpace(line)
		name, value, found := strings.Cut(line, ": ")
		switch {
		case m.Start == "":
			m.Start = line
			continue
		case name == "Content-Length":
			length, _ = strconv.Atoi(value)
		case line == "":
			if _, err := io.CopyN(io.Discard, p.reader, int64(length)); err != nil || m.Method() != method {
				p.t.Fatalf("%q came (%v), want %s", m.Start, err, method)
			}
			return m
		}
		if found {
			m.Headers = append(m.Headers, [2]string{name, value})
		}
	}
}

func (p *slowPeer) answer(in siptest.Message) {
	if _, err := p.Write([]byte(answerText(in, "198.51.100.1:5060"))); err != nil {
		p.t.Error(err)
	}
}

// stalled plays a call that is up and one that waits for its answer on the connection that a peer spoils, over TCP and
// TLS. Spoiling ends when the connection does.
func stalled(t *testing.T, spoil func(*testing.T, *slowPeer)) {
	t.Helper()
	for _, over := range []string{"tcp", "tls"} {
		synctest.Test(t, func(t *testing.T) {
			board := &switchboard{t: t, came: make(chan net.Conn, 8)}
			ca := siptest.NewAuthority(t, "our CA")
			env := environment()
			env.Dial = board.dial
			trunk := ready(t, run(t, env, func(c *sip.TrunkConfig) {
				if c.Transport, c.Local.Bind = over, "192.0.2.10"; over == "tls" {
					board.secure, c.TLS = ca.Issue(time.Hour, "198.51.100.1").Config(t), sip.TLS{CA: ca.PEM()}
				}
			}, "198.51.100.1"))
			up := invited(t, trunk)
			peer := board.take()
			peer.answer(peer.read("INVITE"))
			talking := <-up
			peer.read("ACK") // a pipe holds nothing: what is written waits until it is read
			next[sip.Answered](t, talking)
			waits := invited(t, trunk)
			peer.read("INVITE")
			spoil(t, peer)
			if e := ends(t, <-waits, sip.EndedByTransport); sip.FailureOf(e.Err) != sip.FailureLost {
				t.Errorf("%s: %v", over, e.Err)
			}
			talking.Hangup(sip.Hangup{}) // it goes on over a connection of its own
			again := board.take()
			bye := again.read("BYE")
			again.answer(bye)
			if e := ends(t, talking, sip.EndedByLocalBye); e.Err != nil {
				t.Errorf("%s: the BYE was not answered: %v", over, e.Err)
			}
			afresh := invited(t, trunk)
			in := again.read("INVITE")
			if _, err := again.Write([]byte(strings.Replace(answerText(in, "198.51.100.1:5060"), "200 OK", "486 Busy Here", 1))); err != nil {
				t.Error(err)
			}
			again.read("ACK")
			if e := ends(t, <-afresh, sip.EndedByRefused); e.Status != 486 {
				t.Errorf("%s: %+v", over, e)
			}
		})
	}
}

func TestAMessageThatTricklesInForEverCostsItsConnectionAndNoCallThatIsUp(t *testing.T) {
	stalled(t, func(t *testing.T, peer *slowPeer) {
		t.Helper()
		began := time.Now()
		_, err := peer.Write([]byte("SIP/2.0 200 OK\r\nSubject: "))
		for err == nil {
			if pass(time.Second); time.Since(began) > time.Minute {
				t.Fatal("the connection is still open")
			}
			_, err = peer.Write([]byte("s"))
		}
		if took := time.Since(began); took < 5*time.Second || took > 12*time.Second {
			t.Errorf("its connection ended after %v", took)
		}
	})
}

func TestABodyThatTricklesInForEverCostsItsConnectionAndNoCallThatIsUp(t *testing.T) {
	stalled(t, func(t *testing.T, peer *slowPeer) {
		t.Helper()
		_, err := peer.Write([]byte("MESSAGE sip:telgate@192.0.2.10 SIP/2.0\r\nContent-Length: 60000\r\n\r\n"))
		for began := time.Now(); err == nil; _, err = peer.Write([]byte("b")) {
			if pass(time.Second); time.Since(began) > time.Minute {
				t.Fatal("the connection is still open")
			}
		}
	})
}

func TestAMessageThatGrowsForEverIsCutOff(t *testing.T) {
	stalled(t, func(t *testing.T, peer *slowPeer) {
		t.Helper()
		line := []byte("X-Filler: " + strings.Repeat("x", 1000) + "\r\n")
		total, err := peer.Write([]byte("SIP/2.0 200 OK\r\n"))
		for err == nil {
			var n int
			if n, err = peer.Write(line); total > 1<<20 {
				t.Fatal("a megabyte was read of one message")
			}
			total += n
		}
		if total > 200<<10 {
			t.Errorf("%d bytes were read of one message", total)
		}
	})
}

func TestMessagesThatComeInPiecesAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		board := &switchboard{t: t, came: make(chan net.Conn, 8)}
		env := environment()
		env.Dial = board.dial
		trunk := ready(t, run(t, env, func(c *sip.TrunkConfig) { c.Transport, c.Local.Bind = "tcp", "192.0.2.10" }, "198.51.100.1"))
		legs := invited(t, trunk)
		peer := board.take()
		in := peer.read("INVITE")
		leg := <-legs
		for range 5 { // five times: what one message took is not held against the next
			ringing := strings.Replace(answerText(in, "198.51.100.1:5060"), "200 OK", "180 Ringing", 1)
			for _, piece := range []string{ringing[:20], ringing[20:50], ringing[50:]} {
				if _, err := peer.Write([]byte(piece)); err != nil {
					t.Fatal(err)
				}
				pass(2 * time.Second)
			}
			next[sip.Progress](t, leg)
		}
		text := strings.Replace(answerText(in, "198.51.100.1:5060"), "200 OK", "180 Ringing", 1)
		for i := range 10 { // what comes ends in the midst of a message each time
			chunk := text[min(i, 1)*20:] + text[:20]
			if _, err := peer.Write([]byte(chunk)); err != nil {
				t.Fatal(err)
			}
			next[sip.Progress](t, leg)
			pass(3 * time.Second)
		}
		if _, err := peer.Write([]byte(text[20:])); err != nil {
			t.Fatal(err)
		}
		next[sip.Progress](t, leg)
		pass(10 * time.Minute) // and silence between messages against nobody
		peer.answer(in)
		peer.read("ACK")
		next[sip.Answered](t, leg)
		leg.Hangup(sip.Hangup{})
		peer.answer(peer.read("BYE"))
		ends(t, leg, sip.EndedByLocalBye)
	})
}

func TestAHandshakeThatTricklesInIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		board := &switchboard{t: t, came: make(chan net.Conn, 8)}
		env := environment()
		env.Dial = board.dial
		trunk := ready(t, run(t, env, func(c *sip.TrunkConfig) { c.Transport, c.Local.Bind = "tls", "192.0.2.10" }, "198.51.100.1"))
		failed := make(chan error, 1)
		began := time.Now()
		go func() {
			_, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)})
			failed <- err
		}()
		peer := board.take()
		go func() { _, _ = io.Copy(io.Discard, peer) }()
		_, err := peer.Write([]byte{22, 3, 3, 0x3f, 0xff, 2, 0, 0x3f, 0xfb}) // a ServerHello of 16 KB begins
		for err == nil && time.Since(began) < time.Minute {
			pass(time.Second)
			_, err = peer.Write([]byte{0})
		}
		if took := time.Since(began); took > 6*time.Second || sip.FailureOf(<-failed) == sip.FailureUnknown {
			t.Errorf("it was waited for %v", took)
		}
	})
}
