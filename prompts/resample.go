package prompts

import "math"

// taps is half the length of the resampler's filter, in samples of the slower rate: enough for 60 dB of rejection with a
// transition band of a tenth of the band.
const taps = 48

// resample changes the rate with a polyphase windowed-sinc low-pass (Kaiser window): output sample i lies at input time
// i*from/to, and only to/gcd different fractions of a sample occur, each with its own coefficients.
func resample(in []float64, from, to int) []float64 {
	if from == to {
		return in
	}
	g := gcd(from, to)
	down, phases := from/g, to/g
	ratio := float64(from) / float64(to)
	half := int(math.Ceil(taps * max(1, ratio)))
	bank := filterBank(ratio, phases, half)
	out := make([]float64, len(in)*phases/down)
	for i := range out {
		at, phase := i*down/phases, i*down%phases
		sum := 0.0
		for k, c := range bank[phase] {
			if n := at - half + 1 + k; n >= 0 && n < len(in) {
				sum += in[n] * c
			}
		}
		out[i] = sum
	}
	return out
}

// filterBank holds, for each fraction of an input sample, the weights of the 2*half samples around it.
func filterBank(ratio float64, phases, half int) [][]float64 {
	cutoff := 0.5 * min(1, 1/ratio) * 0.93 // of the input rate; below the lower Nyquist, since the filter needs its slope
	norm := besselI0(kaiserBeta)
	bank := make([][]float64, phases)
	for p := range bank {
		bank[p] = make([]float64, 2*half)
		for k := range bank[p] {
			x := float64(p)/float64(phases) - float64(k-half+1)
			edge := 1 - (x/float64(half))*(x/float64(half))
			if edge <= 0 {
				continue
			}
			bank[p][k] = besselI0(kaiserBeta*math.Sqrt(edge)) / norm * 2 * cutoff * sinc(2*cutoff*x)
		}
	}
	return bank
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

const kaiserBeta = 8.0 // about 80 dB

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// besselI0 is the modified Bessel function of the first kind, order 0, by its series.
func besselI0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1; k < 40 && term > sum*1e-12; k++ {
		term *= (x / 2 / float64(k)) * (x / 2 / float64(k))
		sum += term
	}
	return sum
}
