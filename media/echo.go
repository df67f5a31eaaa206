package media

import (
	"math"
	"time"
)

const (
	sweepTime = 800 * time.Millisecond
	sweepLow  = 400.0 // Hz; both within what every telephone lets through
	sweepHigh = 2400.0
	sweepPeak = 8000
)

// Sweep is a sound that resembles no other part of itself and no speech: a tone that rises evenly. Heard again, it tells
// when, and by how well it fits, that it is the same.
func Sweep() []int16 {
	out := make([]int16, int(sweepTime.Seconds()*clockRate))
	for i := range out {
		t := float64(i) / clockRate
		phase := 2 * math.Pi * (sweepLow*t + (sweepHigh-sweepLow)*t*t/(2*sweepTime.Seconds()))
		out[i] = int16(sweepPeak * math.Sin(phase))
	}
	return out
}

// Echoed looks for a sound in what was heard: score is 1 where it is there unchanged but for its level, and about 0 where
// it is not; after is where it begins.
func Echoed(heard, sound []int16) (score float64, after time.Duration) {
	energy := 0.0
	for _, s := range sound {
		energy += float64(s) * float64(s)
	}
	window := 0.0
	for i := range heard {
		window += float64(heard[i]) * float64(heard[i])
		at := i + 1 - len(sound)
		if at < 0 {
			continue
		}
		if window*energy > 0 && window > energy/1e6 { // 60 dB below is no echo
			product := 0.0
			for j, s := range sound {
				product += float64(heard[at+j]) * float64(s)
			}
			if s := math.Abs(product) / math.Sqrt(window*energy); s > score {
				score, after = s, time.Duration(at)*time.Second/clockRate
			}
		}
		window -= float64(heard[at]) * float64(heard[at])
	}
	return score, after
}
