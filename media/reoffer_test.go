package media_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"telgate/media"
)

// ear is a callee's socket.
type ear struct {
	*net.UDPConn
	t *testing.T
}

func listen(t *testing.T, host string) ear {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(host)})
	if err != nil {
		t.Skipf("no %s here: %v", host, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return ear{c, t}
}

func (e ear) port() int { return e.LocalAddr().(*net.UDPAddr).Port }

// payload is the payload type of a packet that arrives from now on, -1 if none does.
func (e ear) payload(wait time.Duration) int {
	e.t.Helper()
	buf := make([]byte, 2048)
	for { // what came before
		_ = e.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := e.Read(buf); err != nil {
			break
		}
	}
	_ = e.SetReadDeadline(time.Now().Add(wait))
	if _, err := e.Read(buf); err != nil {
		return -1
	}
	return int(buf[1] & 0x7F)
}

// offered is the SDP of a re-INVITE.
func offered(host string, port int, format, more string) []byte {
	return fmt.Appendf(nil, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP %s\r\n%s", host, port, format, more)
}

func TestHoldResumeAndMovesInTheMiddleOfACall(t *testing.T) {
	t.Parallel()
	s := open(t, running(t, media.Config{}), media.Options{Peer: loopback()})
	first, second, far := listen(t, "127.0.0.1"), listen(t, "127.0.0.1"), listen(t, "127.0.0.2")
	if err := s.Accept(offered("127.0.0.1", first.port(), "0 101", "")); err != nil {
		t.Fatal(err)
	}
	version := 1
	for _, step := range []struct {
		name    string
		offer   []byte
		answers []string // lines of the answer
		held    bool     // afterwards
		at      ear      // where packets come then
		payload int
	}{
		{"held", offered("127.0.0.1", first.port(), "0 101", "a=sendonly\r\n"), []string{"RTP/AVP 0 101", "a=recvonly"}, true, first, -1},
		{"back", offered("127.0.0.1", first.port(), "0 101", "a=sendrecv\r\n"), []string{"a=sendrecv"}, false, first, 0},
		{"inactive", offered("127.0.0.1", first.port(), "0 101", "a=inactive\r\n"), []string{"a=inactive"}, true, first, -1},
		{"back at another port", offered("127.0.0.1", second.port(), "0 101", ""), []string{"a=sendrecv"}, false, second, 0},
		{"another codec", offered("127.0.0.1", second.port(), "8 101", ""), []string{"RTP/AVP 8 101"}, false, second, 8},
		{"both, ours first", offered("127.0.0.1", second.port(), "0 8 101", ""), []string{"RTP/AVP 8 101"}, false, second, 8},
		{"held as in RFC 2543", offered("0.0.0.0", second.port(), "8 101", ""), []string{"a=recvonly"}, true, second, -1},
		{"back at another address", offered("127.0.0.2", far.port(), "0 101", ""), []string{"RTP/AVP 0 101", "a=sendrecv"}, false, far, 0},
		{"with video", offered("127.0.0.2", far.port(), "0", "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"), []string{"RTP/AVP 0\r\n", "m=video 0 RTP/AVP 96"}, false, far, 0},
	} {
		answer, err := s.Reoffer(step.offer)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		version++
		for _, want := range append(step.answers, fmt.Sprintf(" %d IN IP4", version)) {
			if !strings.Contains(string(answer), want) {
				t.Errorf("%s: no %q in\n%s", step.name, want, answer)
			}
		}
		wait := 5 * time.Second
		if step.payload < 0 {
			wait = 150 * time.Millisecond
			step.at.payload(time.Millisecond) // one may have been on its way
		}
		if got := step.at.payload(wait); got != step.payload {
			t.Errorf("%s: payload type %d, want %d", step.name, got, step.payload)
		}
	}
	for _, on := range []bool{true, false, true, false, true, false} {
		if h := next[media.Held](t, s); h.On != on {
			t.Errorf("held %v, want %v", h.On, on)
		}
	}
	if _, err := s.Reoffer(offered("127.0.0.1", first.port(), "18", "")); err == nil {
		t.Error("G.729 was taken")
	}
	if got := far.payload(5 * time.Second); got != 0 {
		t.Errorf("after an offer that was refused: payload type %d", got)
	}
}

func TestAnOfferThatIsAskedForIsTheWholeOneAndItsAnswerIsTaken(t *testing.T) {
	t.Parallel()
	s := open(t, running(t, media.Config{}), media.Options{Peer: loopback()})
	first, second := listen(t, "127.0.0.1"), listen(t, "127.0.0.1")
	if err := s.Accept(offered("127.0.0.1", first.port(), "0 101", "")); err != nil {
		t.Fatal(err)
	}
	offer, err := s.Reoffer(nil)
	if err != nil || !strings.Contains(string(offer), "RTP/AVP 0 8 101") || !strings.Contains(string(offer), " 2 IN IP4") {
		t.Fatalf("%v, %s", err, offer)
	}
	if got := first.payload(5 * time.Second); got != 0 {
		t.Errorf("before the answer: payload type %d", got)
	}
	if err := s.Accept(offered("127.0.0.1", second.port(), "8 101", "")); err != nil {
		t.Fatal(err)
	}
	if got := second.payload(5 * time.Second); got != 8 {
		t.Errorf("after the answer: payload type %d", got)
	}
	if s.Codec() != media.PCMU {
		t.Errorf("recordings are to be in %s now", s.Codec().Name)
	}
}
