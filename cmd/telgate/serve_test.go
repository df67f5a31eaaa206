package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"telgate"
	"telgate/media/mediatest"
	"telgate/sip/siptest"
)

// served is the demo's world with its gateway serving, and the test's hand on its signals.
type served struct {
	*demo
	t       *testing.T
	signals chan os.Signal
	ended   chan error
}

func serving(t *testing.T) *served {
	t.Helper()
	env := realEnvironment()
	env.out, env.err = io.Discard, io.Discard
	d, err := newDemo(&app{cli: &cli{}, env: env, ctx: t.Context()})
	if err != nil {
		t.Fatal(err)
	}
	s := &served{demo: d, t: t, signals: make(chan os.Signal, 2), ended: make(chan error, 1)}
	go func() {
		s.ended <- d.gateway.runRooms(t.Context(), func(ctx context.Context) error {
			return d.gateway.serve(ctx, env, d.log, s.signals)
		})
	}()
	t.Cleanup(func() {
		d.close()
	})
	s.until("connected", func() bool { return d.workspace.Sockets() == 2 })
	return s
}

func (s *served) until(what string, done func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if err := s.workspace.Wait(ctx, done); err != nil {
		s.t.Fatalf("%s: %v; #ops shows %+v", what, err, s.workspace.Messages(demoChannel))
	}
}

func (s *served) card(words string) {
	s.t.Helper()
	s.until("the card says "+words, func() bool {
		for _, m := range s.workspace.Messages(demoChannel) {
			if strings.Contains(m.Plain(), words) {
				return true
			}
		}
		return false
	})
}

// rings types a command and waits for the phone.
func (s *served) rings(text string) *siptest.Ring {
	s.t.Helper()
	if answer, err := s.workspace.Type(s.t.Context(), demoAsker, demoChannel, text); err != nil || answer != "" {
		s.t.Fatalf("%q, %v", answer, err)
	}
	select {
	case r := <-s.phone.Calls():
		return r
	case <-s.t.Context().Done():
	case err := <-s.ended:
		s.t.Fatalf("the gateway ended: %v", err)
	}
	return nil
}

func TestTheFirstSignalLetsACallEndWell(t *testing.T) {
	t.Parallel()
	s := serving(t)
	s.signals <- syscall.SIGHUP // would reload; it must not stop anything
	ring := s.rings("/tel alice db is down")
	s.signals <- syscall.SIGTERM
	s.until("commands are refused", func() bool {
		answer, err := s.workspace.Type(t.Context(), demoAsker, demoChannel, "/tel bob")
		return err == nil && strings.Contains(answer, "NOT accepted: this gateway is stopping")
	})
	if err := ring.Answer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ring.Ear().WaitSound(t.Context(), 3*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := ring.Mouth().Press(t.Context(), "1", mediatest.Press{}); err != nil {
		t.Fatal(err)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("the gateway ended: %v", err)
	}
	s.card("Confirmed")
}

func TestTheSecondSignalHangsUpAndTheCardSaysSo(t *testing.T) {
	t.Parallel()
	s := serving(t)
	ring := s.rings("/tel alice,bob db is down")
	s.card("Ringing")
	s.signals <- syscall.SIGTERM
	s.signals <- syscall.SIGTERM
	<-ring.Over()
	if err := <-s.ended; err != nil {
		t.Errorf("the gateway ended: %v", err)
	}
	if ring.Why() != "cancelled" {
		t.Errorf("the phone was %s", ring.Why())
	}
	s.card("Stopped")
	if len(s.phone.Calls()) != 0 {
		t.Error("somebody else was rung")
	}
}

func TestAGatewayWhosePartCannotWorkEndsWithItsReason(t *testing.T) {
	t.Parallel()
	env := realEnvironment()
	env.out, env.err = io.Discard, io.Discard
	d, err := newDemo(&app{cli: &cli{}, env: env, ctx: t.Context()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	d.gateway.cfg.Web.Listen = "192.0.2.1:1"
	err = d.gateway.runRooms(t.Context(), func(ctx context.Context) error { return d.gateway.serve(ctx, env, d.log, nil) })
	if err == nil || !strings.Contains(err.Error(), "192.0.2.1:1") {
		t.Errorf("ended with %v", err)
	}
}

func TestTheDemoRefusesWhatIsNotLoopback(t *testing.T) {
	env := loopback(realEnvironment())
	if _, err := env.dial(t.Context(), "tcp", "192.0.2.1:80"); err == nil || !strings.Contains(err.Error(), "not loopback") {
		t.Errorf("dialled: %v", err)
	}
	if _, err := env.listenPacket(t.Context(), "udp", "0.0.0.0:0"); err == nil {
		t.Error("bound to every address")
	}
	if env.getenv("PATH") != "" {
		t.Error("the environment is read")
	}
}

func TestEveryResultHasItsExitStatus(t *testing.T) {
	var seen []int
	for _, r := range []telgate.Result{"confirmed", "answered", "partial", "not_reached", "cancelled", "failed"} {
		seen = append(seen, resultStatus(r))
	}
	if !slices.Equal(seen, []int{0, 0, 3, 3, 6, 4}) {
		t.Errorf("%v", seen)
	}
	if got := statusOf(errors.New("x"), &environment{err: io.Discard}); got != 1 {
		t.Errorf("an internal error exits %d", got)
	}
}
