package media_test

import (
	"context"
	"crypto/rand"
	"net"
	"testing"

	"telgate/media"
	"telgate/media/mediatest"
)

func TestAnEngineThatRunsAgainHearsAgain(t *testing.T) {
	t.Parallel()
	e, err := media.NewEngine(media.Config{PortMin: 20000, PortMax: 29999, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	s, h := answered(t, e, media.Options{}, mediatest.Config{})
	for range 3 {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		before := s.Stats().Received
		hear(t, h, 2)
		poll(t, "the callee's packets", func() bool { return s.Stats().Received > before+2 })
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestAFloodOnOneSocketDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	e := running(t, media.Config{})
	flooded := open(t, e, media.Options{})
	d, err := mediatest.ParseSDP(flooded.Offer())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("udp", d.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_, _ = conn.Write(make([]byte, 172))
		}
		_ = conn.Close()
	}()
	s, h := answered(t, e, media.Options{}, mediatest.Config{})
	next[media.FirstPacket](t, s)
	hear(t, h, 25)
	poll(t, "the callee's packets", func() bool { return s.Stats().Received > 25 })
	if st := s.Stats(); st.Lost > st.Received { // a busy machine may lose some; a starved session hears nearly nothing
		t.Errorf("stats %+v", st)
	}
	stop()
	<-ended
	if st := flooded.Stats(); st.Rejected == 0 {
		t.Error("the flood was not read")
	}
	flooded.Close()
}
