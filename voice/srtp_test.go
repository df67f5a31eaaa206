package voice

import (
	"context"
	"crypto/rand"
	"net/netip"
	"strings"
	"testing"
	"time"

	"telgate"
	"telgate/media"
	"telgate/media/mediatest"
	"telgate/sip/siptest"
)

// encrypt gives a wire's calls sessions with this rule.
func encrypt(t *testing.T, w *wire, rule media.SRTP) {
	t.Helper()
	engine, err := media.NewEngine(media.Config{PortMin: 32000, PortMax: 33999, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background()) // outlives t.Context: calls end first
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	line := w.voice.lines["main"]
	line.Open = func(ctx context.Context) (Session, error) {
		return engine.Open(ctx, media.Options{Local: netip.MustParseAddr("127.0.0.1"), SRTP: rule})
	}
	w.voice.lines["main"] = line
}

func TestACallSaysWhetherItWasEncrypted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		rule  media.SRTP
		phone mediatest.Config
		want  telgate.Audio
	}{
		{"required", media.SRTPRequired, mediatest.Config{Suites: []string{mediatest.GCM}}, telgate.Audio{Media: telgate.MediaSRTP, Suite: mediatest.GCM}},
		{"optional, and it can", media.SRTPOptional, mediatest.Config{Suites: []string{mediatest.CM80}}, telgate.Audio{Media: telgate.MediaSRTP, Suite: mediatest.CM80}},
		{"optional, and it cannot", media.SRTPOptional, mediatest.Config{}, telgate.Audio{Media: telgate.MediaRTP}},
		{"off", media.SRTPOff, mediatest.Config{Suites: []string{mediatest.GCM}}, telgate.Audio{Media: telgate.MediaRTP}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, nil)
			encrypt(t, w, c.rule)
			phone, err := mediatest.NewHandset(c.phone)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(phone.Close)
			call := w.call(t, nil)
			invite := w.peer.Expect("INVITE")
			answer, err := phone.Answer([]byte(invite.Body))
			if err != nil {
				t.Fatal(err)
			}
			w.peer.Answer(invite, "200 OK", "a", string(answer))
			w.peer.Expect("ACK")
			call.until(telgate.EventPrompt)
			ctx, stop := context.WithTimeout(t.Context(), 2*siptest.Patience)
			defer stop()
			if err := phone.Ear.WaitSound(ctx, 200*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			w.peer.Request(invite, "BYE", "a", 1, "")
			got := <-call.result
			if a := got.Audio; a.Media != c.want.Media || a.Suite != c.want.Suite || a.RTP.Received == 0 {
				t.Errorf("%+v", a)
			}
		})
	}
}

func TestAnSRTPAnswerThatCannotBeUsedIsHungUpOnAndExplained(t *testing.T) {
	t.Parallel()
	const key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
	for _, c := range []struct{ name, profile, lines, why string }{
		{"plain RTP", "RTP/AVP", "", "audio as RTP/AVP, and SRTP is required"},
		{"no key", "RTP/SAVP", "", "there is no key"},
		{"a tag we did not offer", "RTP/SAVP", "a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:" + key + "\r\n", "a=crypto has tag 7, which was not offered"},
		{"a suite we did not offer", "RTP/SAVP", "a=crypto:2 F8_128_HMAC_SHA1_80 inline:" + key + "\r\n", "which is not spoken here"},
		{"a key that is too short", "RTP/SAVP", "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" + key[:20] + "\r\n", "has a key of 15 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, nil)
			encrypt(t, w, media.SRTPRequired)
			call := w.call(t, nil)
			invite := w.peer.Expect("INVITE")
			w.peer.Answer(invite, "200 OK", "a", strings.Replace(sdpAnswer, "RTP/AVP", c.profile, 1)+c.lines)
			w.peer.Expect("ACK")
			w.peer.Answer(w.peer.Expect("BYE"), "200 OK", "", "")
			got := <-call.result
			if got.Outcome != telgate.OutcomeTrunkFailed || got.Detail != telgate.DetailUnusableAnswer || got.Scope != telgate.ScopeCall || got.Audio.Media != "" {
				t.Errorf("%s/%s, audio %+v", got.Outcome, got.Detail, got.Audio)
			}
			if !strings.Contains(got.Signal.Err, c.why) || strings.Contains(got.Signal.Err, key[:8]) {
				t.Errorf("told: %s", got.Signal.Err)
			}
		})
	}
}
