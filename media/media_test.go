package media_test

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"telgate/media"
	"telgate/media/mediatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something that must happen.
const patience = time.Minute

func loopback() netip.Addr { return netip.MustParseAddr("127.0.0.1") }

func deadline(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	tb.Cleanup(cancel)
	return ctx
}

// running is an engine that paces until the test ends.
func running(tb testing.TB, cfg media.Config) *media.Engine {
	tb.Helper()
	if cfg.PortMin == 0 {
		cfg.PortMin, cfg.PortMax = 20000, 29999
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	e, err := media.NewEngine(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background()) // outlives tb.Context: sessions close first
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			tb.Errorf("the engine ended with %v", err)
		}
	})
	return e
}

func open(tb testing.TB, e *media.Engine, o media.Options) *media.Session {
	tb.Helper()
	if !o.Local.IsValid() {
		o.Local = loopback()
	}
	s, err := e.Open(deadline(tb), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

func handset(tb testing.TB, cfg mediatest.Config) *mediatest.Handset {
	tb.Helper()
	h, err := mediatest.NewHandset(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(h.Close)
	return h
}

// answered is a session whose offer this handset has answered.
func answered(tb testing.TB, e *media.Engine, o media.Options, cfg mediatest.Config) (*media.Session, *mediatest.Handset) {
	tb.Helper()
	s, h := open(tb, e, o), handset(tb, cfg)
	answer, err := h.Answer(s.Offer())
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.Accept(answer); err != nil {
		tb.Fatal(err)
	}
	return s, h
}

// freePorts is the first of n ports in a row, an even one, that nobody has: below the ports that systems hand out by themselves.
func freePorts(tb testing.TB, n int) int {
	tb.Helper()
	for range 1000 {
		base, free := 10000+2*mathrand.IntN(4500), 0
		for ; free < n; free++ {
			conn, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", base+free))
			if err != nil {
				break
			}
			_ = conn.Close()
		}
		if free == n {
			return base
		}
	}
	tb.Fatal("no ports are free")
	return 0
}

// next waits for the next event of this kind; others are passed over.
func next[E media.Event](tb testing.TB, s *media.Session) E {
	tb.Helper()
	ctx := deadline(tb)
	for {
		select {
		case ev := <-s.Events():
			if e, ok := ev.(E); ok {
				return e
			}
		case <-ctx.Done():
			var none E
			tb.Fatalf("no %T came", none)
		}
	}
}

// frames is a recording for this codec.
func frames(c media.Codec, pcm []int16) (out [][]byte) {
	encoded := c.Encode(pcm)
	for len(encoded) > 0 {
		n := min(160, len(encoded))
		out = append(out, encoded[:n])
		encoded = encoded[n:]
	}
	return out
}

func hear(tb testing.TB, h *mediatest.Handset, packets int) {
	tb.Helper()
	if err := h.Ear.WaitPackets(deadline(tb), h.Ear.Count().Packets+packets); err != nil {
		tb.Fatal(err)
	}
}
