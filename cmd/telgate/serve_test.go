package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
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

func TestAReloadWhileDrainingHangsNobodyUp(t *testing.T) {
	t.Parallel()
	s := serving(t)
	ring := s.rings("/tel alice db is down")
	s.card("Ringing")
	s.signals <- syscall.SIGTERM
	s.signals <- syscall.SIGHUP
	s.until("the signals are taken", func() bool {
		answer, err := s.workspace.Type(t.Context(), demoAsker, demoChannel, "/tel bob")
		return err == nil && len(s.signals) == 0 && strings.Contains(answer, "NOT accepted: this gateway is stopping")
	})
	if err := ring.Answer(t.Context()); err != nil {
		t.Fatalf("hung up: %v", err)
	}
	s.card("Answered")
	ring.Hangup()
	if err := <-s.ended; err != nil {
		t.Errorf("the gateway ended: %v", err)
	}
}

func TestButtonsAreClickedOnTheNewestCardOnly(t *testing.T) {
	t.Parallel()
	s := serving(t)
	if err := s.click(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "no card yet") {
		t.Errorf("without a card: %v", err)
	}
	first := s.rings("/tel alice db is down")
	if _, err := s.workspace.Type(t.Context(), demoAsker, demoChannel, "/tel stop"); err != nil {
		t.Fatal(err)
	}
	<-first.Over()
	s.card("Stopped")
	second := s.rings("/tel bob db is down")
	s.card("Ringing")
	for label, want := range map[string]string{
		"":           "The newest card has: i've got it, call next, hang up",
		"call again": "the newest card has no button",
		"open":       `no card has a button "open"`,
	} {
		if err := s.click(t.Context(), label); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("click %q: %v", label, err)
		}
	}
	if err := s.click(t.Context(), "hang up"); err != nil {
		t.Error(err)
	}
	<-second.Over()
	s.signals <- syscall.SIGTERM
	if err := <-s.ended; err != nil {
		t.Errorf("the gateway ended: %v", err)
	}
}

func TestTheLogNamesWhereTrunksListenAndServesOnlyWhenTheDoorIsOpen(t *testing.T) {
	t.Parallel()
	env := realEnvironment()
	env.out, env.err = io.Discard, io.Discard
	d, err := newDemo(&app{cli: &cli{}, env: env, ctx: t.Context()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	d.gateway.cfg.Web.Listen = "127.0.0.1:0"
	var text kept
	log := slog.New(slog.NewTextHandler(&text, nil))
	listen, open := env.listen, make(chan struct{})
	env.listen = func(ctx context.Context, network, address string) (net.Listener, error) {
		if strings.Contains(string(text.bytes()), "gateway serves") {
			t.Error("the gateway said that it serves before it listened")
		}
		defer close(open)
		return listen(ctx, network, address)
	}
	signals, ended := make(chan os.Signal, 1), make(chan error, 1)
	go func() {
		ended <- d.gateway.runRooms(t.Context(), func(ctx context.Context) error { return d.gateway.serve(ctx, env, log, signals) })
	}()
	<-open
	serves, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	until(serves, func() bool { return strings.Contains(string(text.bytes()), "gateway serves") })
	signals <- syscall.SIGTERM
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if want := `msg="trunk listens" trunk=main address=127.0.0.1:`; !strings.Contains(string(text.bytes()), want) {
		t.Errorf("the log does not say %s:\n%s", want, text.bytes())
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
