package media

import "math"

const (
	// quietBelow is the mean square below which 20 ms are quiet: -50 dBm0, where a full-scale sine is +3.17 dBm0.
	quietBelow = 2600
	// purity is the share of a sound's energy that one narrow peak must hold for a tone: noise 6 dB below it is allowed.
	purity = 0.76
	// pairPurity is the same for two peaks.
	pairPurity = 0.80
	// pairLeast and pairMost are how far the two may be apart, in bins; 480 and 620 Hz are 5.6. Nearer ones are one peak.
	pairLeast, pairMost = 4, 7
	// highPass is the coefficient of a first order filter at about 130 Hz: hum, and the 15 Hz that some generators add
	// to Japanese ringback instead of modulating it, are not heard on a telephone.
	highPass = 0.9
)

// soundKind is what 20 ms sound like.
type soundKind uint8

const (
	soundQuiet  soundKind = iota
	soundOther            // speech, music, noise
	soundTone             // of call progress, 325–675 Hz, one or two frequencies
	soundLow              // 875–1050 Hz
	soundCNG              // 1100 Hz
	soundMiddle           // 1325–1475 Hz
	soundHigh             // 1725–1850 Hz
	soundCED              // 2100 Hz
	soundLost             // nothing is known of them
)

// sound is one frame of 20 ms.
type sound struct {
	kind  soundKind
	level float64 // mean square
	hz    float64 // of a tone: its centre, between the two where it is two
}

// analyser turns samples into sounds.
type analyser struct {
	last   half
	x, y   float64 // of the high-pass filter
	silent bool    // last is nothing
}

// hear takes 20 ms.
func (a *analyser) hear(pcm *[frameBytes]int16) sound {
	var x [frameBytes]float64
	energy := 0.0
	for i, s := range pcm {
		v := float64(s)
		a.y = v - a.x + highPass*a.y
		a.x = v
		x[i] = a.y
		energy += a.y * a.y
	}
	level := energy / frameBytes
	if level < quietBelow {
		a.rest()
		return sound{kind: soundQuiet, level: level}
	}
	var now half
	now.measure(&x)
	if a.silent {
		a.last = half{}
	}
	out := a.judge(&now)
	a.last, a.silent = now, false
	out.level = level
	return out
}

// rest is 20 ms of nothing.
func (a *analyser) rest() { a.silent = true }

// judge names a window.
func (a *analyser) judge(now *half) sound {
	var power [15]float64
	spanProgress.spectrum(&a.last, now, power[:])
	if hz, ok := progressTone(&power); ok {
		return sound{kind: soundTone, hz: hz}
	}
	for _, s := range [...]span{spanLow, spanMiddle, spanHigh, spanFax} {
		p := power[:s.n-2]
		s.spectrum(&a.last, now, p)
		if share, hz := peak(p, s.first+1, 2); share >= purity {
			return sound{kind: kindOf(hz), hz: hz}
		}
	}
	return sound{kind: soundOther}
}

// kindOf names a single tone by its frequency: the tolerances are those of E.180 for SIT (50 Hz), wider for Telcordia's
// lowest, and T.30's for fax (38 and 15 Hz), whose calling tone lies beside the first of SIT.
func kindOf(hz float64) soundKind {
	switch {
	case hz >= 875 && hz <= 1050:
		return soundLow
	case hz >= 1062 && hz <= 1138:
		return soundCNG
	case hz >= 1320 && hz <= 1480:
		return soundMiddle
	case hz >= 1720 && hz <= 1855:
		return soundHigh
	case hz >= 2080 && hz <= 2120:
		return soundCED
	}
	return soundOther
}

// progressTone finds one frequency, two near each other (440 and 480 Hz; 400 and 450; 400 with a modulation), or two that
// lie apart (480 and 620).
func progressTone(power *[15]float64) (hz float64, ok bool) {
	share, hz := peak(power[:], spanProgress.first+1, 3)
	if share >= purity {
		return hz, true
	}
	best, at := strongest(power[:])
	second, there := 0.0, 0
	for i, p := range power {
		if d := abs(i - at); d >= pairLeast && d <= pairMost && p > second {
			second, there = p, i
		}
	}
	if second*10 < best {
		return 0, false
	}
	one, two := lump(power[:], at, 2), lump(power[:], there, 2)
	if abs(at-there) < 5 { // they share a bin
		one -= power[(at+there)/2]
	}
	if one+two < pairPurity {
		return 0, false
	}
	return binHz * (float64(spanProgress.first+1) + float64(at+there)/2), true
}

// peak is the share of the energy around the strongest bin, and where its centre is.
func peak(power []float64, first, reach int) (share, hz float64) {
	_, at := strongest(power)
	sum, moment := 0.0, 0.0
	for i := max(0, at-reach); i <= min(len(power)-1, at+reach); i++ {
		sum += power[i]
		moment += power[i] * float64(i)
	}
	if sum <= 0 || math.IsNaN(sum) {
		return 0, 0
	}
	return sum, binHz * (float64(first) + moment/sum)
}

func lump(power []float64, at, reach int) (sum float64) {
	for i := max(0, at-reach); i <= min(len(power)-1, at+reach); i++ {
		sum += power[i]
	}
	return sum
}

func strongest(power []float64) (best float64, at int) {
	for i, p := range power {
		if p > best {
			best, at = p, i
		}
	}
	return best, at
}

func abs(n int) int { return max(n, -n) }
