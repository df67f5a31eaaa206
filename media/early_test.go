package media_test

import (
	"testing"
	"time"

	"telgate/media"
	"telgate/media/mediatest"
)

// early is a session that listens to what this handset says before the answer.
func early(t *testing.T, s *media.Session) *mediatest.Handset {
	t.Helper()
	h := handset(t, mediatest.Config{})
	sdp, err := h.Answer(s.Offer())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Early(sdp); err != nil {
		t.Fatal(err)
	}
	return h
}

// congestion is the tone that is known soonest.
func congestion() []int16 { return mediatest.Congestions()["IT"].Play(2*time.Second, 0, -10) }

// toneOf waits for a kind of tone.
func toneOf(t *testing.T, s *media.Session, kind media.ToneKind) media.Tone {
	t.Helper()
	for {
		if tone := next[media.Tone](t, s); tone.Kind == kind {
			return tone
		}
	}
}

func TestBeforeTheAnswerTheNetworkIsHeardAndNothingIsSaidToIt(t *testing.T) {
	t.Parallel()
	s := open(t, running(t, media.Config{}), media.Options{})
	h := early(t, s)
	if err := h.Mouth.Press(deadline(t), "1", mediatest.Press{}); err != nil {
		t.Fatal(err)
	}
	if err := h.Mouth.Say(deadline(t), congestion()); err != nil {
		t.Fatal(err)
	}
	ctx := deadline(t)
	for known := false; !known; {
		select {
		case ev := <-s.Events():
			tone, ok := ev.(media.Tone)
			if !ok {
				t.Fatalf("a %T was told of early media", ev)
			}
			known = tone.Kind == media.ToneCongestion
		case <-ctx.Done():
			t.Fatal("congestion was not heard")
		}
	}
	hear(t, h, 5)
	if c := h.Ear.Count(); c.Sound != 0 {
		t.Errorf("%s of sound went into early media", c.Sound)
	}
}

func TestTheAnswerBeginsAfresh(t *testing.T) {
	t.Parallel()
	s := open(t, running(t, media.Config{}), media.Options{})
	before := early(t, s)
	hear(t, before, 3)
	poll(t, "early media", func() bool { return s.Stats().Received > 5 })
	h := handset(t, mediatest.Config{})
	answer, err := h.Answer(s.Offer())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Accept(answer); err != nil {
		t.Fatal(err)
	}
	next[media.FirstPacket](t, s)
	if err := before.Mouth.Press(deadline(t), "5", mediatest.Press{}); err != nil { // the source of before is nobody now
		t.Fatal(err)
	}
	if err := h.Mouth.Press(deadline(t), "1", mediatest.Press{}); err != nil {
		t.Fatal(err)
	}
	if k := next[media.Key](t, s); k.Digit != '1' {
		t.Errorf("key %q of early media", k.Digit)
	}
	s.Play(frames(s.Codec(), mediatest.Tone(440, 200*time.Millisecond, 8000)))
	if err := h.Ear.WaitSound(deadline(t), 100*time.Millisecond); err != nil {
		t.Error(err)
	}
	if st := s.Stats(); st.Lost > 5 {
		t.Errorf("the change of source counts as loss: %+v", st)
	}
}

func TestOfTwoEarlyDialogsTheNewestIsHeard(t *testing.T) {
	t.Parallel()
	s := open(t, running(t, media.Config{}), media.Options{})
	older, newer := early(t, s), early(t, s)
	said := make(chan error, 1)
	go func() { said <- older.Mouth.Say(deadline(t), congestion()) }()
	if err := newer.Mouth.Say(deadline(t), mediatest.Busies()["CN"].Play(3*time.Second, 0, -10)); err != nil {
		t.Fatal(err)
	}
	if err := <-said; err != nil {
		t.Fatal(err)
	}
	for {
		tone := next[media.Tone](t, s)
		if tone.Kind == media.ToneCongestion {
			t.Fatal("the older source was heard")
		}
		if tone.Kind == media.ToneBusy {
			return
		}
	}
}

func TestTheSameEarlySDPAgainChangesNothingAndABrokenOneIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, running(t, media.Config{}), media.Options{})
	h := handset(t, mediatest.Config{})
	sdp, err := h.Answer(s.Offer())
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan error, 1)
	for i := range 40 { // a storm of 183s while the tone is heard
		if err := s.Early(sdp); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			go func() { said <- h.Mouth.Say(deadline(t), congestion()) }()
		}
		hear(t, h, 2)
	}
	toneOf(t, s, media.ToneCongestion)
	if err := <-said; err != nil {
		t.Fatal(err)
	}
	if err := s.Early([]byte("v=0\r\nm=audio 0 RTP/AVP 0\r\n")); err == nil {
		t.Error("a stream that was refused is listened to")
	}
}

func TestOnATrunkWithoutSupervisionListeningGoesOnUntilItIsEnough(t *testing.T) {
	t.Parallel()
	s, h := answered(t, running(t, media.Config{}), media.Options{}, mediatest.Config{})
	s.Listen(true)
	if err := h.Mouth.Say(deadline(t), congestion()); err != nil {
		t.Fatal(err)
	}
	toneOf(t, s, media.ToneCongestion)
	s.Listen(false)
	for len(s.Events()) > 0 {
		<-s.Events()
	}
	if err := h.Mouth.Say(deadline(t), congestion()); err != nil {
		t.Fatal(err)
	}
	for len(s.Events()) > 0 {
		if tone, ok := (<-s.Events()).(media.Tone); ok && !tone.Over {
			t.Errorf("told %v", tone)
		}
	}
}

func TestEarlyMediaUnderSRTPIsHeardAndItsKeysAreNoneAfterwards(t *testing.T) {
	t.Parallel()
	s := open(t, running(t, media.Config{}), media.Options{SRTP: media.SRTPRequired})
	h := handset(t, mediatest.Config{Suites: []string{mediatest.CM80}})
	sdp, err := h.Answer(s.Offer())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Early(sdp); err != nil {
		t.Fatal(err)
	}
	if err := h.Mouth.Say(deadline(t), congestion()); err != nil {
		t.Fatal(err)
	}
	toneOf(t, s, media.ToneCongestion)
	hear(t, h, 3) // silence, under our key
	if err := s.Accept(sdp); err != nil {
		t.Fatal(err)
	}
	next[media.FirstPacket](t, s)
	if err := h.Mouth.Press(deadline(t), "1", mediatest.Press{}); err != nil {
		t.Fatal(err)
	}
	if k := next[media.Key](t, s); k.Digit != '1' {
		t.Errorf("key %q", k.Digit)
	}
	s.Play(frames(s.Codec(), mediatest.Tone(440, 300*time.Millisecond, 8000)))
	if err := h.Ear.WaitSound(deadline(t), 100*time.Millisecond); err != nil {
		t.Error(err)
	}
	if st := s.Stats(); st.Suite != mediatest.CM80 || st.Forged != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestAnEarlyDialogOfAnotherSuiteDoesNotSpoilTheAnswer(t *testing.T) {
	t.Parallel()
	s := open(t, running(t, media.Config{}), media.Options{SRTP: media.SRTPRequired})
	for _, suite := range []string{mediatest.CM80, mediatest.GCM} {
		h := handset(t, mediatest.Config{Suites: []string{suite}})
		sdp, err := h.Answer(s.Offer())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Early(sdp); err != nil {
			t.Fatal(err)
		}
		hear(t, h, 3)
	}
	h := handset(t, mediatest.Config{Suites: []string{mediatest.CM80}, Seed: 5})
	sdp, err := h.Answer(s.Offer())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Accept(sdp); err != nil {
		t.Fatal(err)
	}
	next[media.FirstPacket](t, s)
	hear(t, h, 5)
	if r := h.Ear.Report(); r.Bad != 0 {
		t.Errorf("%d packets could not be opened", r.Bad)
	}
}

func TestAnUpdateWhileItRingsIsStillBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	s := open(t, running(t, media.Config{}), media.Options{SRTP: media.SRTPOptional})
	h := early(t, s)
	hear(t, h, 3)
	moved := handset(t, mediatest.Config{Seed: 3})
	answer, err := s.Reoffer(moved.Offer("sendrecv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := moved.Accept(answer); err != nil {
		t.Fatal(err)
	}
	if err := moved.Mouth.Press(deadline(t), "5", mediatest.Press{}); err != nil {
		t.Fatal(err)
	}
	if err := moved.Mouth.Say(deadline(t), congestion()); err != nil {
		t.Fatal(err)
	}
	toneOf(t, s, media.ToneCongestion)
	hear(t, moved, 3)
	sdp, err := h.Answer(s.Offer())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Accept(sdp); err != nil {
		t.Fatal(err)
	}
	next[media.FirstPacket](t, s)
	if err := h.Mouth.Press(deadline(t), "1", mediatest.Press{}); err != nil {
		t.Fatal(err)
	}
	if k := next[media.Key](t, s); k.Digit != '1' {
		t.Errorf("key %q of before the answer", k.Digit)
	}
}
