package prompts

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func identity() []Encoder {
	return []Encoder{{"PCMU", func(pcm []int16) []byte { return make([]byte, len(pcm)) }}}
}

func TestTheBuiltInRecordingsAreAsLoudAndAsLongAsTheyShouldBe(t *testing.T) {
	l, err := New(nil, identity())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(l.List()); n != 6 {
		t.Fatalf("%d recordings", n)
	}
	for _, i := range l.List() {
		if math.Abs(i.Level-targetLevel) > 1.5 {
			t.Errorf("%s %s: active level %.1f dBov", i.Name, i.Language, i.Level)
		}
		if i.Duration < time.Second || i.Duration > 25*time.Second {
			t.Errorf("%s %s: %v", i.Name, i.Language, i.Duration)
		}
		for _, v := range l.PCM(i.Name, i.Language) {
			if math.Abs(float64(v)) > peakLimit*32768+1 {
				t.Fatalf("%s %s: peak %d", i.Name, i.Language, v)
			}
		}
	}
}

func TestAScriptFallsBackFromThePersonsLanguageToEnglish(t *testing.T) {
	l, err := New(nil, identity())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		languages []string
		want      string
	}{
		{[]string{"ja", "en"}, "ja"},
		{[]string{"ja-JP", "en"}, "ja"},
		{[]string{"JA", "en"}, "ja"},
		{[]string{"fr", "ja", "en"}, "ja"},
		{[]string{"fr", "en"}, "en"},
	} {
		s, err := l.Script(ScriptOptions{Prompt: NameAlert, Languages: c.languages})
		if err != nil {
			t.Fatal(err)
		}
		clip := s.Alert("PCMU")
		if clip.Language != c.want || len(clip.Frames) == 0 || clip.Speech != toneLength {
			t.Errorf("%v: language %q, %d frames, speech at %v", c.languages, clip.Language, len(clip.Frames), clip.Speech)
		}
		if clip.Duration != time.Duration(len(clip.Frames))*frameTime {
			t.Errorf("%v: duration %v of %d frames", c.languages, clip.Duration, len(clip.Frames))
		}
	}
	if _, err := l.Script(ScriptOptions{Prompt: "siren", Languages: []string{"en"}}); err == nil || !strings.Contains(err.Error(), "siren") {
		t.Errorf("a recording that does not exist: %v", err)
	}
}

func TestEveryBrokenRecordingIsNamedAtOnce(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.wav")
	silent := filepath.Join(dir, "silent.wav")
	write(t, text, []byte("this is no recording"))
	write(t, silent, wav(tagPCM, 1, 8000, 16, make([]byte, 16000)))
	_, err := New(map[string]Files{
		"a": {"en": filepath.Join(dir, "missing.wav")}, "b": {"": text}, "c": {"ja": silent},
	}, identity())
	for _, path := range []string{"missing.wav", "text.wav", "silent.wav"} {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("the error does not name %s: %v", path, err)
		}
	}
	if _, ok := errors.AsType[*ClipError](err); !ok {
		t.Errorf("%T is no ClipError", err)
	}
}

func TestAnnouncementComesBeforeTheAlertAndCountsAsSpeech(t *testing.T) {
	path := filepath.Join(t.TempDir(), "corp.wav")
	write(t, path, wav(tagPCM, 1, 8000, 16, tone(8000, 440, 0.3)))
	l, err := New(map[string]Files{"corp": {"": path}}, identity())
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := l.Script(ScriptOptions{Prompt: NameAlert, Languages: []string{"en"}})
	with, err := l.Script(ScriptOptions{Prompt: NameAlert, Announce: "corp", Languages: []string{"en"}})
	if err != nil {
		t.Fatal(err)
	}
	a, b := plain.Alert("PCMU"), with.Alert("PCMU")
	if more := b.Duration - a.Duration; more < 900*time.Millisecond || b.Speech != 0 {
		t.Errorf("the announcement adds %v, speech begins at %v", more, b.Speech)
	}
}

func TestReadWAVReadsEveryFormatAlike(t *testing.T) {
	for _, c := range []struct {
		name      string
		tag, bits int
		one       []byte // half of full scale
	}{
		{"8 bit", tagPCM, 8, []byte{192}},
		{"16 bit", tagPCM, 16, []byte{0, 64}},
		{"24 bit", tagPCM, 24, []byte{0, 0, 64}},
		{"32 bit", tagPCM, 32, []byte{0, 0, 0, 64}},
		{"float", tagFloat, 32, binary.LittleEndian.AppendUint32(nil, math.Float32bits(0.5))},
		{"µ-law", tagMuLaw, 8, []byte{0x8F}},
		{"A-law", tagALaw, 8, []byte{0xA5}},
	} {
		for _, channels := range []int{1, 2} {
			s, err := ReadWAV(wav(c.tag, channels, 16000, c.bits, []byte(strings.Repeat(string(c.one), 100*channels))))
			if err != nil {
				t.Errorf("%s, %d channels: %v", c.name, channels, err)
				continue
			}
			if len(s.Samples) != 100 || math.Abs(s.Samples[50]-0.5) > 0.02 {
				t.Errorf("%s, %d channels: %d samples of %v", c.name, channels, len(s.Samples), s.Samples[50])
			}
		}
	}
}

func TestReadWAVRefusesWhatItCannotPlay(t *testing.T) {
	good := wav(tagPCM, 1, 8000, 16, make([]byte, 100))
	nan := binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(math.NaN())))
	for name, b := range map[string][]byte{
		"empty":           nil,
		"no RIFF":         []byte("RIFX" + string(good[4:])),
		"cut in fmt":      good[:24],
		"no data":         good[:36],
		"zero length":     wav(tagPCM, 1, 8000, 16, nil),
		"3 channels":      wav(tagPCM, 3, 8000, 16, make([]byte, 60)),
		"4000 Hz":         wav(tagPCM, 1, 4000, 16, make([]byte, 60)),
		"12 bits":         wav(tagPCM, 1, 8000, 12, make([]byte, 60)),
		"MP3 in WAV":      wav(0x55, 1, 8000, 16, make([]byte, 60)),
		"no numbers":      wav(tagFloat, 1, 8000, 32, nan),
		"too long":        wav(tagPCM, 1, 8000, 8, make([]byte, 61*8000)),
		"cut off":         wav(tagPCM, 1, 8000, 16, make([]byte, 1000))[:500],
		"data before fmt": append([]byte("RIFF\x00\x00\x00\x00WAVE"), append([]byte("data\x04\x00\x00\x00"), 1, 2, 3, 4)...),
	} {
		if _, err := ReadWAV(b); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func TestReadWAVReadsAStreamedFileToItsEnd(t *testing.T) {
	for _, length := range []uint32{0, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF} {
		b := wav(tagPCM, 1, 8000, 16, make([]byte, 400))
		binary.LittleEndian.PutUint32(b[40:], length)
		s, err := ReadWAV(b)
		if err != nil || len(s.Samples) != 200 {
			t.Errorf("length %#x: %d samples, %v", length, len(s.Samples), err)
		}
	}
}

func TestResamplingKeepsSpeechAndRejectsWhatTheLineCannotCarry(t *testing.T) {
	for _, from := range []int{11025, 16000, 22050, 24000, 32000, 44100, 48000} {
		kept := power(resample(sine(from, 1000, 1), from, rate))
		if math.Abs(10*math.Log10(kept/0.5)) > 0.1 {
			t.Errorf("%d Hz: a 1 kHz tone changes by %.2f dB", from, 10*math.Log10(kept/0.5))
		}
		if from/2 <= 5000 {
			continue
		}
		if rest := 10 * math.Log10(power(resample(sine(from, 5000, 1), from, rate))/0.5); rest > -60 {
			t.Errorf("%d Hz: a 5 kHz tone is only rejected by %.0f dB", from, -rest)
		}
	}
}

func FuzzReadWAV(f *testing.F) {
	f.Add(wav(tagPCM, 1, 8000, 16, make([]byte, 100)))
	f.Add(wav(tagFloat, 2, 44100, 32, make([]byte, 64)))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadWAV(b)
		if err == nil && (len(s.Samples) == 0 || len(s.Samples) > maxSeconds*s.Rate || s.Rate < 8000) {
			t.Errorf("%d samples at %d Hz", len(s.Samples), s.Rate)
		}
	})
}

func wav(tag, channels, rate, bits int, data []byte) []byte {
	le := binary.LittleEndian
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	le.PutUint32(b[4:], uint32(36+len(data)))
	b = append(b, "WAVEfmt \x10\x00\x00\x00"...)
	b = le.AppendUint16(b, uint16(tag))
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*channels*bits/8))
	b = le.AppendUint16(b, uint16(channels*bits/8))
	b = le.AppendUint16(b, uint16(bits))
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}

func sine(rate, hz int, amplitude float64) []float64 {
	s := make([]float64, rate)
	for i := range s {
		s[i] = amplitude * math.Sin(2*math.Pi*float64(hz)*float64(i)/float64(rate))
	}
	return s
}

func tone(rate, hz int, amplitude float64) []byte {
	var b []byte
	for _, v := range sine(rate, hz, amplitude) {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(v*32767)))
	}
	return b
}

// power leaves the edges out, where the filter has nothing to work on.
func power(s []float64) float64 {
	s = s[len(s)/8 : len(s)*7/8]
	sum := 0.0
	for _, v := range s {
		sum += v * v
	}
	return sum / float64(len(s))
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
