package voice

import (
	"context"
	"crypto/rand"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
	"telgate/media"
	"telgate/media/mediatest"
	"telgate/sip"
	"telgate/sip/siptest"
)

// hums is the audio behind a peer: it gives the SDP of an answer, and what it says after that.
func hums(t *testing.T, invite siptest.Message) (sdp string, say func([]int16)) {
	t.Helper()
	handset, err := mediatest.NewHandset(mediatest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := handset.Answer([]byte(invite.Body))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background()) // it is hung up on before the sound ends
	said := make(chan struct{}, 1)
	said <- struct{}{}
	t.Cleanup(func() { stop(); <-said; handset.Close() })
	return string(answer), func(sound []int16) {
		<-said
		go func() {
			_ = handset.Mouth.Say(ctx, sound)
			said <- struct{}{}
		}()
	}
}

func TestTonesAfterAPhoneWasAlertedAreNoTrunksFailure(t *testing.T) {
	t.Parallel()
	for _, e := range []struct {
		name    string
		offHook bool // answer_supervision = "none"
		play    func(*testing.T, *siptest.Peer, *calling)
	}{
		{"a congestion tone after a 180", false, func(t *testing.T, p *siptest.Peer, c *calling) {
			t.Helper()
			invite := p.Expect("INVITE")
			p.Answer(invite, "180 Ringing", "a", "")
			c.until(telgate.EventRinging)
			sdp, say := hums(t, invite)
			p.Answer(invite, "183 Session Progress", "a", sdp)
			say(mediatest.Congestions()["US"].Play(30*time.Second, 0, -12))
			p.Answer(p.Expect("CANCEL"), "200 OK", "a", "")
			p.Answer(invite, "487 Request Terminated", "a", "")
			p.Expect("ACK")
		}},
		{"a special information tone after a 180, from a gateway that went off hook", true, func(t *testing.T, p *siptest.Peer, c *calling) {
			t.Helper()
			invite := p.Expect("INVITE")
			p.Answer(invite, "180 Ringing", "a", "")
			c.until(telgate.EventRinging)
			sdp, say := hums(t, invite)
			p.Answer(invite, "200 OK", "a", sdp)
			p.Expect("ACK")
			say(mediatest.SITs(-12)["E.180"])
			p.Answer(p.Expect("BYE"), "200 OK", "a", "")
		}},
	} {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, nil)
			line := w.voice.lines["main"]
			line.Unsupervised = e.offHook
			w.voice.lines["main"] = line
			c := w.call(t, nil)
			e.play(t, w.peer, c)
			if got, want := c.ended(t), (verdict{telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, ""}); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

func TestATrunkThatSaysNothingFor32SecondsHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		library, err := library()
		if err != nil {
			t.Fatal(err)
		}
		network := siptest.NewWire()
		peer := network.Peer(t)
		peer.Patient(time.Minute)
		trunk, err := sip.NewTrunk(sip.TrunkConfig{Name: "main", Addresses: []string{peer.Addr()}, Transport: "udp"}, sip.Env{
			Listen: network.Listen, Rand: rand.Reader, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- trunk.Run(ctx) }()
		if err := trunk.Ready(ctx); err != nil {
			t.Fatal(err)
		}
		audio := &session{events: make(chan media.Event, 8)}
		// A setup longer than 64*T1: the transaction gives up first (Timer B, RFC 3261 17.1.1.2).
		voice := New(Config{Setup: time.Minute, FirstResponse: time.Minute, Languages: []string{"en"}}, map[string]Line{"main": {
			Dial: func(telgate.Number) (string, error) { return "7101", nil }, Script: library.Script,
			Open:   func(context.Context) (Session, error) { return audio, nil },
			Invite: func(ctx context.Context, in sip.Invite) (Leg, error) { return trunk.Invite(ctx, in) },
		}}, time.Now)
		began := time.Now()
		call := voice.Call(ctx, &telgate.Order{Trunk: "main", Ring: time.Minute, Prompt: "alert", LastHope: true, Confirm: telgate.ConfirmKey}, func(telgate.Event) {})
		if took := time.Since(began); took < 32*time.Second || took > 33*time.Second {
			t.Errorf("it was given up after %v", took)
		}
		if got, want := (verdict{call.Outcome, call.Detail, call.Scope}), (verdict{telgate.OutcomeTrunkFailed, telgate.DetailNoResponse, telgate.ScopeTrunk}); got != want {
			t.Errorf("%v, want %v", got, want)
		}
		peer.Expect("INVITE")
		peer.Quiet(time.Second) // the same one, again and again
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}
