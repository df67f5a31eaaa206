package media

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pion/rtp"

	"telgate/media/mediatest"
)

// line is how a sound comes here: its codec, what the network loses, what the line adds.
type line struct {
	codec Codec
	loss  float64 // share of packets
	noise float64 // dBm0, 0 = none
	dtx   bool    // packets of pure silence are not sent
	seed  uint64
}

// listened is what is told of a sound.
func (n line) listened(pcm []int16) (told []Tone) {
	l := newListener()
	began := time.Unix(0, 0)
	rng := rand.New(rand.NewPCG(n.seed, 9))
	if n.noise != 0 {
		pcm = mediatest.Mix(pcm, mediatest.Gauss(time.Duration(len(pcm))*time.Second/clockRate, n.noise, n.seed))
	}
	h := rtp.Header{Version: 2, SSRC: 7, SequenceNumber: 65500, Timestamp: 1<<32 - 3000}
	tell := func(ev Event) { told = append(told, ev.(Tone)) } //nolint:errcheck,forcetypeassert // it tells no other
	for i := 0; i+frameBytes <= len(pcm); i += frameBytes {
		frame, at := pcm[i:i+frameBytes], began.Add(time.Duration(i/frameBytes)*Frame)
		silent := n.dtx
		for _, s := range frame {
			silent = silent && s == 0
		}
		if due := l.due(); !due.IsZero() && !at.Before(due) {
			l.idle(at, tell)
		}
		if !silent {
			if rng.Float64() >= n.loss {
				l.packet(n.codec, n.codec.Encode(frame), &h, at, tell)
			}
			h.SequenceNumber++
		}
		h.Timestamp += frameBytes
	}
	return told
}

// kinds are the kinds told, without tones that only began.
func kinds(told []Tone) (out []ToneKind) {
	for _, t := range told {
		if t.Kind != ToneUnknown && !t.Over {
			out = append(out, t.Kind)
		}
	}
	return out
}

func only(want ToneKind, got []ToneKind) bool {
	for _, k := range got {
		if k != want {
			return false
		}
	}
	return len(got) > 0
}

// lines are the conditions under which every tone must be known.
func lines() map[string]line {
	return map[string]line{
		"clean":                  {codec: PCMU},
		"A-law, noise -50":       {codec: PCMA, noise: -50, seed: 3},
		"1 % lost":               {codec: PCMU, loss: 0.01, seed: 1},
		"silence not sent":       {codec: PCMA, dtx: true},
		"2 % lost and noise -45": {codec: PCMU, loss: 0.02, noise: -45, seed: 2},
	}
}

func TestEveryToneIsKnownAtEveryLevel(t *testing.T) {
	t.Parallel()
	offsets := []time.Duration{0, 700 * time.Millisecond, 1900 * time.Millisecond} // into its cadence, in turn
	hits, all := 0, uint64(0)
	for kind, table := range map[ToneKind]map[string]mediatest.Cadence{
		ToneRingback: mediatest.Ringbacks(), ToneBusy: mediatest.Busies(), ToneCongestion: mediatest.Congestions(),
	} {
		d := 6 * time.Second
		if kind == ToneRingback {
			d = 15 * time.Second
		}
		for country, c := range table {
			for where, n := range lines() {
				for _, level := range []float64{-30, -14, -3} {
					if n.noise != 0 && level-n.noise < 14 {
						continue
					}
					offset := offsets[all%3]
					all++
					n.seed += all
					told := kinds(n.listened(c.Play(d, offset, level-3*float64(len(c.Hz)-1))))
					if only(kind, told) {
						hits++
						continue
					}
					t.Errorf("%s of %s, %s, %.0f dBm0, from %s on: told %v", kind, country, where, level, offset, told)
				}
			}
		}
	}
	t.Logf("%d of %d", hits, all)
}

func TestSpecialInformationAndFaxTonesAreKnown(t *testing.T) {
	t.Parallel()
	for where, n := range lines() {
		for _, level := range []float64{-25, -14, -6} {
			if n.noise != 0 && level-n.noise < 14 {
				continue
			}
			n.loss = 0 // one of three tones of 0.3 s may be lost
			for name, sit := range mediatest.SITs(level) {
				pcm := append(mediatest.Silence(300*time.Millisecond), sit...)
				pcm = append(pcm, mediatest.Silence(time.Second)...)
				if got := kinds(n.listened(pcm)); !only(ToneSIT, got) || len(got) != 1 {
					t.Errorf("SIT %s, %s, %.0f dBm0: told %v", name, where, level, got)
				}
			}
			if got := kinds(n.listened(mediatest.CallingFax().Play(9*time.Second, 200*time.Millisecond, level))); !only(ToneFax, got) {
				t.Errorf("a calling fax, %s, %.0f dBm0: told %v", where, level, got)
			}
			if got := kinds(n.listened(mediatest.AnsweringFax(3*time.Second, level))); !only(ToneFax, got) {
				t.Errorf("an answering fax, %s, %.0f dBm0: told %v", where, level, got)
			}
		}
	}
}

// recordings are the built-in recordings, at 8 kHz.
func recordings(t *testing.T) map[string][]int16 {
	t.Helper()
	paths, err := filepath.Glob("../prompts/wav/*/*.wav")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	extra, err := filepath.Glob(os.Getenv("TELGATE_SPEECH")) // a folder of further speech, "" = none
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]int16{}
	for _, p := range append(paths, extra...) {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		step := int(binary.LittleEndian.Uint32(b[24:])) / clockRate
		b = b[44:]
		var pcm []int16
		for i := 0; i+2*step <= len(b); i += 2 * step {
			sum := 0
			for j := range step {
				sum += int(int16(binary.LittleEndian.Uint16(b[i+2*j:])))
			}
			pcm = append(pcm, int16(sum/step))
		}
		out[p] = pcm
	}
	return out
}

func TestSpeechIsSpeechAndNeverATone(t *testing.T) {
	t.Parallel()
	sounds := recordings(t)
	for seed := range uint64(8) {
		sounds[fmt.Sprintf("speech %d", seed)] = mediatest.Speech(20*time.Second, seed)
	}
	total := time.Duration(0)
	for name, pcm := range sounds {
		for where, n := range lines() {
			told := kinds(n.listened(pcm))
			total += time.Duration(len(pcm)) * time.Second / clockRate
			if !only(ToneSpeech, told) && len(pcm) > clockRate {
				t.Errorf("%s, %s: told %v", name, where, told)
			}
		}
	}
	t.Logf("%s of speech", total)
}

func TestNoiseAndSilenceAreNothing(t *testing.T) {
	t.Parallel()
	for _, n := range lines() {
		for _, level := range []float64{-70, -50, -35, -20} {
			if told := n.listened(mediatest.Gauss(20*time.Second, level, 4)); len(kinds(told)) != 0 {
				t.Errorf("noise of %.0f dBm0: told %v", level, told)
			}
		}
		for name, pcm := range map[string][]int16{
			"silence": mediatest.Silence(10 * time.Second), "a dial tone": mediatest.Tone(425, 10*time.Second, 4000),
			"one beep": append(mediatest.Tone(440, time.Second, 4000), mediatest.Silence(10*time.Second)...),
		} {
			n.noise = 0
			if told := n.listened(pcm); len(kinds(told)) != 0 {
				t.Errorf("%s: told %v", name, told)
			}
		}
	}
}

func TestAToneThatEndsIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tone  mediatest.Cadence
		after []int16
		late  time.Duration
	}{
		"JP, then silence":     {mediatest.Ringbacks()["JP"], mediatest.Silence(8 * time.Second), 4 * time.Second},
		"US, then silence":     {mediatest.Ringbacks()["US"], mediatest.Silence(8 * time.Second), 6 * time.Second},
		"UK, then silence":     {mediatest.Ringbacks()["UK"], mediatest.Silence(8 * time.Second), 4 * time.Second},
		"DE, then a human":     {mediatest.Ringbacks()["DE"], mediatest.Speech(3*time.Second, 1), 4 * time.Second},
		"busy, then it is off": {mediatest.Busies()["EU"], mediatest.Silence(3 * time.Second), 2 * time.Second},
	} {
		for _, dtx := range []bool{false, true} {
			const rang = 9*time.Second + 100*time.Millisecond
			told := line{codec: PCMU, dtx: dtx}.listened(append(c.tone.Play(rang, 0, -12), append(c.after, 1, 1, 1)...))
			var over *Tone
			for i := range told {
				if told[i].Over {
					over = &told[i]
				}
			}
			if over == nil {
				t.Errorf("%s, silence unsent %v: told %v", name, dtx, told)
				continue
			}
			if late := over.At.Sub(time.Unix(0, 0)) - rang; late > c.late {
				t.Errorf("%s, silence unsent %v: told %s late", name, dtx, late)
			}
		}
	}
}

func TestRingbackIsDatedBackToItsFirstBurst(t *testing.T) {
	t.Parallel()
	pcm := append(mediatest.Silence(time.Second), mediatest.Ringbacks()["US"].Play(9*time.Second, 0, -12)...)
	told := line{codec: PCMU}.listened(pcm)
	if len(told) < 2 || told[0].Kind != ToneUnknown || told[1].Kind != ToneRingback {
		t.Fatalf("told %v", told)
	}
	for _, tone := range told[:2] {
		if off := tone.At.Sub(time.Unix(1, 0)); off < -100*time.Millisecond || off > 100*time.Millisecond {
			t.Errorf("%s is said to have begun %s off", tone.Kind, off)
		}
	}
}

func BenchmarkListener(b *testing.B) {
	second := mediatest.Speech(time.Second, 1)
	for name, pcm := range map[string][]int16{"speech": second, "tone": mediatest.Tone(425, time.Second, 4000)} {
		b.Run(name, func(b *testing.B) {
			payload := PCMU.Encode(pcm)
			l, h := newListener(), rtp.Header{Version: 2}
			b.ReportAllocs()
			for b.Loop() { // one second of audio
				for i := 0; i+frameBytes <= len(payload); i += frameBytes {
					l.packet(PCMU, payload[i:i+frameBytes], &h, time.Time{}, func(Event) {})
					h.SequenceNumber++
					h.Timestamp += frameBytes
				}
			}
		})
	}
}

func FuzzListener(f *testing.F) {
	f.Add(PCMU.Encode(mediatest.Ringbacks()["JP"].Play(time.Second, 0, -10)), uint32(160), uint16(1))
	f.Add([]byte{0, 255, 128, 127}, uint32(1<<31), uint16(5))
	f.Fuzz(func(t *testing.T, audio []byte, step uint32, number uint16) {
		l, h := newListener(), rtp.Header{Version: 2}
		at := time.Unix(0, 0)
		for i := 0; len(audio) > 0; i++ {
			n := min(len(audio), 1+i*37%300)
			l.packet(PCMU, audio[:n], &h, at, func(ev Event) {
				if tone := ev.(Tone); tone.Kind == "" { //nolint:errcheck,forcetypeassert // it tells no other
					t.Error("a tone without a kind")
				}
			})
			audio = audio[n:]
			h.Timestamp += step
			h.SequenceNumber += number
			at = at.Add(time.Duration(n%50) * Frame)
			l.idle(at, func(Event) {})
		}
	})
}
