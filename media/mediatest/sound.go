package mediatest

import (
	"math"
	"math/rand/v2"
	"time"
)

// Samples is how many samples d lasts.
func Samples(d time.Duration) int { return int(d * Rate / time.Second) }

// Silence is d of nothing.
func Silence(d time.Duration) []int16 { return make([]int16, Samples(d)) }

// Tone is d of a sine at hz, with this amplitude (32767 is full scale).
func Tone(hz float64, d time.Duration, amplitude float64) []int16 {
	out := make([]int16, Samples(d))
	for i := range out {
		out[i] = int16(amplitude * math.Sin(2*math.Pi*hz*float64(i)/Rate))
	}
	return out
}

// Noise is d of white noise with this mean magnitude.
func Noise(d time.Duration, level float64, seed uint64) []int16 {
	rng := rand.New(rand.NewPCG(seed, 2))
	out := make([]int16, Samples(d))
	for i := range out {
		out[i] = int16((rng.Float64()*2 - 1) * 2 * level)
	}
	return out
}

// Speech is d of something shaped like speech: noise through a resonance, in syllables of 120–240 ms with dips and short
// pauses between them, at about −22 dBFS. The same seed gives the same sound.
func Speech(d time.Duration, seed uint64) []int16 {
	rng := rand.New(rand.NewPCG(seed, 3))
	out := make([]int16, 0, Samples(d))
	var y1, y2 float64
	for len(out) < Samples(d) {
		length := Samples(time.Duration(120+rng.IntN(120)) * time.Millisecond)
		pitch := 300 + 900*rng.Float64()
		pole := 2 * 0.95 * math.Cos(2*math.Pi*pitch/Rate)
		for i := range length {
			y := (rng.Float64()*2 - 1) + pole*y1 - 0.95*0.95*y2
			y1, y2 = y, y1
			shape := math.Sin(math.Pi * float64(i) / float64(length))
			out = append(out, int16(math.Max(-30000, math.Min(30000, 1100*y*shape))))
		}
		out = append(out, make([]int16, Samples(time.Duration(20+rng.IntN(60))*time.Millisecond))...)
	}
	return out[:Samples(d)]
}
