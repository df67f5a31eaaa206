package mediatest

import (
	"math"
	"math/rand/v2"
	"time"
)

// Cadence is a tone of a telephone network as its generator is set up: frequencies that sound together, an amplitude
// modulation, and how long it is on and off in turn.
type Cadence struct {
	Hz    []float64
	AM    float64 // modulation frequency, 0 = none
	Depth float64 // of it, 0–1
	Steps []time.Duration
}

// cadence is one of the tones of national networks (ITU-T E.180 and its supplement).
func cadence(steps []time.Duration, hz ...float64) Cadence { return Cadence{Hz: hz, Steps: steps} }

func ms(steps ...int) []time.Duration {
	out := make([]time.Duration, len(steps))
	for i, s := range steps {
		out[i] = time.Duration(s) * time.Millisecond
	}
	return out
}

// Ringbacks are the tones that mean that a phone rings, by country.
func Ringbacks() map[string]Cadence {
	japan := cadence(ms(1000, 2000), 400)
	japan.AM, japan.Depth = 16, 0.85
	deep := cadence(ms(1000, 2000), 400)
	deep.AM, deep.Depth = 20, 1
	return map[string]Cadence{
		"JP": japan, "JP, 20 Hz": deep, "JP, Asterisk": cadence(ms(1000, 2000), 400, 15), "JP, not modulated": cadence(ms(1000, 2000), 400),
		"US": cadence(ms(2000, 4000), 440, 480), "KR": cadence(ms(1000, 2000), 440, 480), "DE": cadence(ms(1000, 4000), 425),
		"UK": cadence(ms(400, 200, 400, 2000), 400, 450), "AU": cadence(ms(400, 200, 400, 2000), 413, 438), "FR": cadence(ms(1500, 3500), 440),
		"ES": cadence(ms(1500, 3000), 425), "CN": cadence(ms(1000, 4000), 450), "SE": cadence(ms(1000, 5000), 425), "BE": cadence(ms(1000, 3000), 425),
	}
}

// Busies are the tones that mean that the callee is on another call.
func Busies() map[string]Cadence {
	return map[string]Cadence{
		"JP": cadence(ms(500, 500), 400), "US": cadence(ms(500, 500), 480, 620), "DE": cadence(ms(480, 480), 425), "EU": cadence(ms(500, 500), 425),
		"UK": cadence(ms(375, 375), 400), "FR": cadence(ms(500, 500), 440), "CN": cadence(ms(350, 350), 450),
	}
}

// Congestions are the tones that mean that the network has no way.
func Congestions() map[string]Cadence {
	return map[string]Cadence{
		"US": cadence(ms(250, 250), 480, 620), "DE": cadence(ms(240, 240), 425), "EU": cadence(ms(250, 250), 425), "IT": cadence(ms(200, 200), 425),
		"KR": cadence(ms(300, 200), 480, 620), "FR": cadence(ms(250, 250), 440), "CN": cadence(ms(700, 700), 450),
	}
}

// Play is d of the tone from an offset into its cadence on, at this level for each frequency in dBm0: a full-scale sine
// is +3.17 dBm0 (G.711).
func (c Cadence) Play(d, offset time.Duration, dBm0 float64) []int16 {
	out := make([]int16, Samples(d))
	var period time.Duration
	for _, s := range c.Steps {
		period += s
	}
	amplitude := Amplitude(dBm0)
	for i := range out {
		at := offset + time.Duration(i)*time.Second/Rate
		on, rest := true, at%period
		for _, s := range c.Steps {
			if rest < s {
				break
			}
			rest -= s
			on = !on
		}
		if !on {
			continue
		}
		sum, t := 0.0, at.Seconds()
		for _, hz := range c.Hz {
			sum += math.Sin(2 * math.Pi * hz * t)
		}
		if c.AM > 0 {
			sum *= 1 - c.Depth/2 + c.Depth/2*math.Cos(2*math.Pi*c.AM*t)
		}
		out[i] = clip(amplitude * sum)
	}
	return out
}

// Amplitude is that of a sine at this level.
func Amplitude(dBm0 float64) float64 { return 32767 * math.Pow(10, (dBm0-3.17)/20) }

// SIT is a special information tone: three rising tones, each this long, with a gap between them. E.180 says 950, 1400 and
// 1800 Hz for 330 ms each; North America varies frequency and length with the reason.
func SIT(hz [3]float64, each [3]time.Duration, gap time.Duration, dBm0 float64) (out []int16) {
	for i := range hz {
		out = append(out, Tone(hz[i], each[i], Amplitude(dBm0))...)
		out = append(out, Silence(gap)...)
	}
	return out
}

// SITs are the special information tones of E.180 and of North America.
func SITs(dBm0 float64) map[string][]int16 {
	each := func(a, b, c int) [3]time.Duration { return [3]time.Duration(ms(a, b, c)) }
	return map[string][]int16{
		"E.180":             SIT([3]float64{950, 1400, 1800}, each(330, 330, 330), 20*time.Millisecond, dBm0),
		"E.180, no gaps":    SIT([3]float64{950, 1400, 1800}, each(330, 330, 330), 0, dBm0),
		"E.180, short, low": SIT([3]float64{905, 1355, 1755}, each(270, 270, 270), 30*time.Millisecond, dBm0),
		"vacant code":       SIT([3]float64{985.2, 1370.6, 1776.7}, each(380, 274, 380), 0, dBm0),
		"intercept":         SIT([3]float64{913.8, 1370.6, 1776.7}, each(274, 274, 380), 0, dBm0),
		"reorder":           SIT([3]float64{913.8, 1428.5, 1776.7}, each(274, 380, 380), 0, dBm0),
		"no circuit":        SIT([3]float64{985.2, 1428.5, 1776.7}, each(380, 380, 380), 0, dBm0),
	}
}

// CallingFax is a fax that calls: 1100 Hz for half a second, every 3.5 s (T.30).
func CallingFax() Cadence { return cadence(ms(500, 3000), 1100) }

// AnsweringFax is d of a fax that answers: 2100 Hz, its phase reversed every 450 ms (V.8, G.165).
func AnsweringFax(d time.Duration, dBm0 float64) []int16 {
	out := Tone(2100, d, Amplitude(dBm0))
	for i := range out {
		if i/Samples(450*time.Millisecond)%2 == 1 {
			out[i] = -out[i]
		}
	}
	return out
}

// Mix adds sounds; the result is as long as the first.
func Mix(first []int16, more ...[]int16) []int16 {
	out := append([]int16(nil), first...)
	for _, m := range more {
		for i := range min(len(out), len(m)) {
			out[i] = clip(float64(out[i]) + float64(m[i]))
		}
	}
	return out
}

// Gauss is d of white noise at this level in dBm0.
func Gauss(d time.Duration, dBm0 float64, seed uint64) []int16 {
	rng := rand.New(rand.NewPCG(seed, 5))
	out := make([]int16, Samples(d))
	for i := range out {
		out[i] = clip(Amplitude(dBm0) / math.Sqrt2 * rng.NormFloat64())
	}
	return out
}

func clip(v float64) int16 { return int16(max(-32767, min(32767, v))) }
