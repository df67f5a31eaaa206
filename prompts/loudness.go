package prompts

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// How a recording is brought to the line: active speech level, in dBov (0 = a full-scale square wave), and the peak
// nothing exceeds. -20 dBov is -14 dBm0: louder than conversation, as announcements are.
const (
	targetLevel = -20.0
	peakLimit   = 0.7079 // -3 dBFS
	activeRange = 30.0   // dB: frames within this of the loudest are speech
	tooQuiet    = -50.0
	edge        = 60 * time.Millisecond // silence kept at head and tail
)

// prepare makes a recording ready to be encoded: band, rate, edges, level. keepHead leaves the head alone, where an
// attention tone of known length begins.
func prepare(s Sound, keepHead bool) (pcm []int16, level float64, warnings []string, err error) {
	if clipped(s.Samples) {
		warnings = append(warnings, "clipped: record it at a lower level")
	}
	samples := resample(highPass(s), s.Rate, rate)
	loudest := activeLevel(samples)
	if loudest < tooQuiet {
		return nil, 0, nil, errors.New("(almost) silent")
	}
	if loudest < -35 {
		warnings = append(warnings, fmt.Sprintf("very quiet (%.0f dBov): noise is raised with it", loudest))
	}
	samples = trim(samples, keepHead)
	gain := math.Pow(10, (targetLevel-loudest)/20)
	pcm = make([]int16, (len(samples)+frameSamples-1)/frameSamples*frameSamples) // whole frames, the rest is silence
	for i, v := range samples {
		pcm[i] = int16(math.Round(limit(v*gain) * 32767))
	}
	for i := range samples {
		samples[i] = float64(pcm[i]) / 32768
	}
	return pcm, activeLevel(samples), warnings, nil
}

// limit bends what comes near the peak instead of cutting it off.
func limit(v float64) float64 {
	const knee = 0.5
	a := math.Abs(v)
	if a <= knee {
		return v
	}
	room := peakLimit - knee
	return math.Copysign(knee+room*math.Tanh((a-knee)/room), v)
}

func clipped(s []float64) bool {
	n := 0
	for _, v := range s {
		if math.Abs(v) >= 0.9999 {
			n++
		}
	}
	return n > len(s)/1000+8
}

// highPass takes away rumble below 200 Hz that a telephone does not carry (second-order Butterworth).
func highPass(s Sound) []float64 {
	w := 2 * math.Pi * 200 / float64(s.Rate)
	alpha, cos := math.Sin(w)/math.Sqrt2, math.Cos(w)
	b0, b1, a0 := (1+cos)/2, -(1 + cos), 1+alpha
	a1, a2 := -2*cos, 1-alpha
	out := make([]float64, len(s.Samples))
	var x1, x2, y1, y2 float64
	for i, x := range s.Samples {
		y := (b0*x + b1*x1 + b0*x2 - a1*y1 - a2*y2) / a0
		x1, x2, y1, y2 = x, x1, y, y1
		out[i] = y
	}
	return out
}

// activeLevel is the level of the frames that are speech, in dBov.
func activeLevel(s []float64) float64 {
	powers := framePowers(s)
	loudest := 0.0
	for _, p := range powers {
		loudest = max(loudest, p)
	}
	sum, n := 0.0, 0
	for _, p := range powers {
		if p > loudest*math.Pow(10, -activeRange/10) {
			sum += p
			n++
		}
	}
	if n == 0 || sum == 0 {
		return math.Inf(-1)
	}
	return 10 * math.Log10(sum/float64(n))
}

func framePowers(s []float64) []float64 {
	powers := make([]float64, 0, len(s)/frameSamples+1)
	for i := 0; i < len(s); i += frameSamples {
		sum := 0.0
		part := s[i:min(i+frameSamples, len(s))]
		for _, v := range part {
			sum += v * v
		}
		powers = append(powers, sum/float64(len(part)))
	}
	return powers
}

// trim cuts silence at both ends down to edge.
func trim(s []float64, keepHead bool) []float64 {
	powers := framePowers(s)
	loudest := 0.0
	for _, p := range powers {
		loudest = max(loudest, p)
	}
	floor := loudest * math.Pow(10, -40.0/10)
	first, last := 0, len(powers)-1
	for first < last && powers[first] < floor && !keepHead {
		first++
	}
	for last > first && powers[last] < floor {
		last--
	}
	keep := int(edge/time.Millisecond) * rate / 1000
	return s[max(0, first*frameSamples-keep):min(len(s), (last+1)*frameSamples+keep)]
}
