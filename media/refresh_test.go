package media_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"telgate/media"
)

// describe is a callee's SDP that names this port.
func describe(port int) []byte {
	return fmt.Appendf(nil, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n", port)
}

func TestARefreshThatMovesNothingKeepsASourceBehindANAT(t *testing.T) {
	t.Parallel()
	e := running(t, media.Config{})
	s := open(t, e, media.Options{Peer: loopback()})
	socket := func() *net.UDPConn {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: loopback().AsSlice()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	named, actual := socket(), socket()
	port := named.LocalAddr().(*net.UDPAddr).Port
	if err := s.Accept(describe(port)); err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(s.Offer()), "m=audio ")
	var at int
	if _, err := fmt.Sscanf(line, "%d", &at); err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		packet := make([]byte, 172)
		packet[0] = 0x80
		binary.BigEndian.PutUint16(packet[2:], uint16(i))
		binary.BigEndian.PutUint32(packet[4:], uint32(160*i))
		if _, err := actual.WriteToUDP(packet, &net.UDPAddr{IP: loopback().AsSlice(), Port: at}); err != nil {
			t.Fatal(err)
		}
	}
	poll(t, "the source is latched", func() bool { return s.Stats().Received > 0 })
	buf := make([]byte, 2048)
	heard := func(c *net.UDPConn, wait time.Duration) bool {
		_ = c.SetReadDeadline(time.Now().Add(wait))
		_, err := c.Read(buf)
		return err == nil
	}
	if !heard(actual, 5*time.Second) {
		t.Fatal("nothing is sent to where the packets come from")
	}
	for heard(named, 100*time.Millisecond) { // what was sent before the latch
	}
	if err := s.Accept(describe(port)); err != nil {
		t.Fatal(err)
	}
	if heard(named, 200*time.Millisecond) {
		t.Error("a refresh sends it back to the address in the SDP")
	}
	if !heard(actual, 5*time.Second) {
		t.Error("nothing is sent any more")
	}
}

func TestANarrowOfferIsTheSameWithPCMUAlone(t *testing.T) {
	t.Parallel()
	e := running(t, media.Config{})
	s := open(t, e, media.Options{})
	whole, narrow := string(s.Offer()), string(s.Narrow())
	if want := strings.Replace(strings.Replace(whole, "RTP/AVP 0 8 101", "RTP/AVP 0 101", 1), "a=rtpmap:8 PCMA/8000\r\n", "", 1); narrow != want || narrow == whole {
		t.Errorf("%s\nfor\n%s", narrow, whole)
	}
	for _, codecs := range [][]media.Codec{{media.PCMU}, {media.PCMA}} {
		if n := open(t, e, media.Options{Codecs: codecs}).Narrow(); n != nil {
			t.Errorf("%v can be narrower: %s", codecs, n)
		}
	}
}

func TestWithoutEventsKeysAreNeitherOfferedNorTaken(t *testing.T) {
	t.Parallel()
	s := open(t, running(t, media.Config{}), media.Options{NoEvents: true})
	if strings.Contains(string(s.Offer()), "telephone-event") {
		t.Errorf("%s", s.Offer())
	}
	if err := s.Accept(describe(40000)); err != nil {
		t.Fatal(err)
	}
	for _, offer := range [][]byte{describe(40000), nil} {
		body, err := s.Reoffer(offer)
		if err != nil || strings.Contains(string(body), "telephone-event") {
			t.Errorf("%v, %s", err, body)
		}
	}
}
