package media_test

import (
	"sync"
	"testing"
	"time"

	"telgate/media"
	"telgate/media/mediatest"
)

func TestASoundIsKnownAgainAndNothingElseIsTakenForIt(t *testing.T) {
	t.Parallel()
	sweep := media.Sweep()
	quieter := append(make([]int16, 4000), sweep...)
	for i := range quieter {
		quieter[i] /= 8
	}
	through := media.PCMA.Decode(nil, media.PCMA.Encode(append(quieter, make([]int16, 3000)...)))
	for _, c := range []struct {
		name   string
		heard  []int16
		echoed bool
		after  time.Duration
	}{
		{"as it was", sweep, true, 0},
		{"late, quiet, through G.711", through, true, 500 * time.Millisecond},
		{"nothing", nil, false, 0},
		{"silence", make([]int16, 20000), false, 0},
		{"ringback", mediatest.Tone(440, 2*time.Second, 8000), false, 0},
		{"speech", mediatest.Speech(2*time.Second, 7), false, 0},
		{"less than all of it", sweep[:5000], false, 0},
	} {
		score, after := media.Echoed(c.heard, sweep)
		if (score > 0.8) != c.echoed || !c.echoed && score > 0.5 || c.echoed && after != c.after {
			t.Errorf("%s: %.2f after %s", c.name, score, after)
		}
	}
}

func TestAnEchoBringsSoundAndKeysBack(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var heard []int16
	s, h := answered(t, running(t, media.Config{}), media.Options{Heard: func(c media.Codec, payload []byte) {
		mu.Lock()
		defer mu.Unlock()
		heard = c.Decode(heard, payload)
	}}, mediatest.Config{})
	h.Echo()
	s.Play(frames(media.PCMU, media.Sweep()))
	next[media.Played](t, s)
	for _, digit := range []byte("5#") {
		if err := s.Press(digit); err != nil {
			t.Fatal(err)
		}
		if k := next[media.Key](t, s); k.Digit != digit {
			t.Errorf("key %c, want %c", k.Digit, digit)
		}
	}
	s.Close()
	if st := s.Stats(); st.Received == 0 || st.Sent == 0 {
		t.Errorf("%+v", st)
	}
	mu.Lock()
	defer mu.Unlock()
	if score, _ := media.Echoed(heard, media.Sweep()); score < 0.3 { // a busy machine tears it, silence it is not
		t.Errorf("heard again by %.2f", score)
	}
}

func TestAKeyIsNotPressedWhereNobodyTakesIt(t *testing.T) {
	t.Parallel()
	s, _ := answered(t, running(t, media.Config{}), media.Options{}, mediatest.Config{NoKeys: true})
	if err := s.Press('1'); err == nil {
		t.Error("pressed, with no telephone-event agreed on")
	}
	if err := s.Press('x'); err == nil {
		t.Error("x is a key")
	}
}
