package mediatest_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"telgate/media/mediatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is two handsets in a call.
func pair(t *testing.T, a, b mediatest.Config) (caller, callee *mediatest.Handset) {
	t.Helper()
	open := func(c mediatest.Config) *mediatest.Handset {
		h, err := mediatest.NewHandset(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(h.Close)
		return h
	}
	caller, callee = open(a), open(b)
	answer, err := callee.Answer(caller.Offer("sendrecv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := caller.Accept(answer); err != nil {
		t.Fatal(err)
	}
	return caller, callee
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestTwoHandsetsHearEachOtherInEitherCodec(t *testing.T) {
	t.Parallel()
	for _, codec := range []string{"PCMU", "PCMA"} {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			caller, callee := pair(t, mediatest.Config{Codecs: []string{codec}}, mediatest.Config{Seed: 2})
			said := mediatest.Speech(time.Second, 7)
			if err := caller.Mouth.Say(deadline(t), said); err != nil {
				t.Fatal(err)
			}
			last := caller.Ear.Count().Packets
			if err := callee.Ear.Wait(deadline(t), func(c mediatest.Count) bool { return c.Packets > 50 }); err != nil {
				t.Fatal(err)
			}
			if err := caller.Ear.WaitPackets(deadline(t), last+1); err != nil {
				t.Fatal(err)
			}
			m := callee.Ear.Correlate(said)
			if !m.Whole() || m.Score < 0.99 {
				t.Errorf("heard %+v", m)
			}
			r := callee.Ear.Report()
			if r.Lost+r.SequenceBreaks+r.TimestampBreaks+r.Bad != 0 || len(r.SSRCs) != 1 {
				t.Errorf("the stream is broken: %+v", r)
			}
		})
	}
}

func TestTheEarCountsWhatTheNetworkLost(t *testing.T) {
	t.Parallel()
	caller, callee := pair(t, mediatest.Config{}, mediatest.Config{Quiet: true})
	if err := callee.Ear.WaitPackets(deadline(t), 3); err != nil {
		t.Fatal(err)
	}
	caller.Mouth.Lose(4)
	if err := callee.Ear.WaitPackets(deadline(t), 10); err != nil {
		t.Fatal(err)
	}
	if r := callee.Ear.Report(); r.Lost != 4 || r.SequenceBreaks != 1 || r.TimestampBreaks != 1 {
		t.Errorf("reported %+v", r)
	}
}

func TestCorrelateTellsWhetherTheFirstWordWasHeard(t *testing.T) {
	t.Parallel()
	said := mediatest.Speech(3*time.Second, 1)
	late := mediatest.Silence(730 * time.Millisecond)
	quieter := make([]int16, len(said))
	for i, s := range said {
		quieter[i] = s / 3
	}
	for _, c := range []struct {
		name   string
		heard  []int16
		whole  bool
		offset int
	}{
		{"as it was", said, true, 0},
		{"with a delay", append(slices.Clip(late), said...), true, len(late)},
		{"quieter", quieter, true, 0},
		{"twice", append(slices.Clip(said), said...), true, 0},
		{"without its first word", said[mediatest.Samples(450*time.Millisecond):], false, -mediatest.Samples(450 * time.Millisecond)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := mediatest.Correlate(c.heard, said)
			if m.Whole() != c.whole || abs(m.Offset-c.offset) > 200 {
				t.Errorf("%+v, want whole %t near %d", m, c.whole, c.offset)
			}
		})
	}
	for name, heard := range map[string][]int16{
		"nothing": nil, "silence": mediatest.Silence(4 * time.Second), "another voice": mediatest.Speech(4*time.Second, 99),
		"noise": mediatest.Noise(4*time.Second, 3000, 1),
	} {
		if m := mediatest.Correlate(heard, said); m.Whole() || m.Score > 0.5 {
			t.Errorf("%s is taken for it: %+v", name, m)
		}
	}
}

func TestAWAVHoldsItsSamples(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := mediatest.WriteWAV(&b, []int16{1, -2}); err != nil {
		t.Fatal(err)
	}
	want := "RIFF\x28\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x04\x00\x00\x00\x01\x00\xfe\xff"
	if b.String() != want {
		t.Errorf("wrote %q", b.String())
	}
}

func TestAClosedHandsetSaysNothing(t *testing.T) {
	t.Parallel()
	caller, _ := pair(t, mediatest.Config{}, mediatest.Config{})
	caller.Close()
	caller.Close()
	if err := caller.Mouth.Say(deadline(t), mediatest.Silence(time.Second)); err == nil {
		t.Error("it spoke")
	}
}

func abs(v int) int { return max(v, -v) }

func TestShareForgivesAPauseAndNothingElse(t *testing.T) {
	t.Parallel()
	said := mediatest.Speech(6*time.Second, 3)
	at := mediatest.Samples(2250 * time.Millisecond)
	paused := slices.Concat(mediatest.Silence(time.Second), said[:at], mediatest.Silence(140*time.Millisecond), said[at:])
	half := mediatest.Samples(3 * time.Second)
	for _, c := range []struct {
		name     string
		heard    []int16
		low, top float64
	}{
		{"as it was", said, 1, 1},
		{"with a pause", paused, 0.9, 1},
		{"half of it", said[:half], 0.4, 0.6},
		{"in the wrong order", slices.Concat(said[half:], said[:half]), 0.4, 0.6},
		{"something else", mediatest.Speech(6*time.Second, 9), 0, 0.1},
		{"nothing", nil, 0, 0},
	} {
		if got := mediatest.Share(c.heard, said); got < c.low || got > c.top {
			t.Errorf("%s: %.2f", c.name, got)
		}
	}
}

func TestTwoHandsetsHearEachOtherUnderSRTP(t *testing.T) {
	t.Parallel()
	for _, suite := range []string{mediatest.GCM, mediatest.CM80, mediatest.CM32} {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			caller, callee := pair(t, mediatest.Config{Suites: []string{suite}, Quiet: true}, mediatest.Config{Seed: 2, Suites: []string{mediatest.CM80, suite}, MKI: []byte{0, 1}})
			said := mediatest.Speech(600*time.Millisecond, 7)
			if err := caller.Mouth.Say(deadline(t), said); err != nil {
				t.Fatal(err)
			}
			if err := callee.Ear.WaitPackets(deadline(t), 30); err != nil {
				t.Fatal(err)
			}
			if err := caller.Ear.WaitPackets(deadline(t), 5); err != nil {
				t.Fatal(err)
			}
			if m, r := callee.Ear.Correlate(said), callee.Ear.Report(); !m.Whole() || r.Bad+r.Lost != 0 {
				t.Errorf("heard %+v of %+v", m, r)
			}
		})
	}
}
