package media

import (
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"telgate/media/mediatest"
)

func TestASocketStaysOpenWhileThePacerUsesIt(t *testing.T) {
	t.Parallel()
	e, err := NewEngine(Config{PortMin: 20000, PortMax: 29999, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Open(t.Context(), Options{Local: netip.MustParseAddr("127.0.0.1")})
	if err != nil {
		t.Fatal(err)
	}
	closedNow := func() bool { // its port can be had
		conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", s.deal.local.at.String())
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}
	sending, closed := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(sending) })
	s.stream.send = func([]byte) bool {
		first()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for range 50 { // Close is being called: give a wrong one the time to do harm
			if closedNow() {
				t.Error("the socket was closed under the pacer's hands")
				break
			}
			<-tick.C
		}
		return true
	}
	answer := mediatest.Description{Addr: netip.MustParseAddrPort("127.0.0.1:9"), Codecs: []string{"PCMU"}}.Bytes()
	if err := s.Accept(answer); err != nil {
		t.Fatal(err)
	}
	go func() {
		<-sending
		s.Close()
		close(closed)
	}()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- e.Run(ctx) }()
	<-closed
	if !closedNow() {
		t.Error("the socket was left open")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
