package media

import "math"

// Call progress tones are told apart by their spectrum at multiples of 25 Hz, in windows of 40 ms that overlap by half.
// Only the bins in which such a tone can be are computed, by Goertzel's algorithm over each 20 ms; two neighbouring
// halves make a window, and Hann's weights are applied to the spectrum, where they are three numbers.
const (
	windowSamples = 2 * frameBytes
	binHz         = clockRate / windowSamples // 25
	bins          = 52
)

// span is a row of bins that touch each other.
type span struct {
	first int // the multiple of 25 Hz of its lowest bin
	at    int // index of that bin
	n     int
}

// The spans, each one bin wider on both sides than what is looked for in it.
var (
	spanProgress = span{12, 0, 17}  //nolint:gochecknoglobals // 300–700 Hz: ringback, busy, congestion
	spanLow      = span{34, 17, 13} //nolint:gochecknoglobals // 850–1150 Hz: the first SIT tone, and a calling fax
	spanMiddle   = span{52, 30, 9}  //nolint:gochecknoglobals // 1300–1500 Hz: the second SIT tone
	spanHigh     = span{68, 39, 8}  //nolint:gochecknoglobals // 1700–1875 Hz: the third
	spanFax      = span{82, 47, 5}  //nolint:gochecknoglobals // 2050–2150 Hz: an answering fax
)

// bank holds what Goertzel's algorithm needs of each bin.
var bank = newBank() //nolint:gochecknoglobals // a table of facts

type bankTable struct {
	coefficient [bins]float64    // 2 cos ω
	unit        [bins]complex128 // e^-jω
	phase       [bins]complex128 // e^-jω(n-1): refers the result to the first sample
	odd         [bins]bool       // the second half of a window comes with its sign turned
	rise, fall  [frameBytes]float64
}

func newBank() *bankTable {
	t := new(bankTable)
	for _, s := range []span{spanProgress, spanLow, spanMiddle, spanHigh, spanFax} {
		for i := range s.n {
			omega := 2 * math.Pi * float64(s.first+i) / windowSamples
			t.coefficient[s.at+i] = 2 * math.Cos(omega)
			t.unit[s.at+i] = complex(math.Cos(omega), -math.Sin(omega))
			turned := omega * (frameBytes - 1)
			t.phase[s.at+i] = complex(math.Cos(turned), -math.Sin(turned))
			t.odd[s.at+i] = (s.first+i)%2 == 1
		}
	}
	for i := range frameBytes {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/windowSamples)
		t.rise[i], t.fall[i] = w*w, (1-w)*(1-w)
	}
	return t
}

// half is what is kept of 20 ms: its bins, and its energy under either half of Hann's window.
type half struct {
	bin        [bins]complex64
	rise, fall float64
}

// measure computes a half. Four bins go side by side, because each step of one waits for the step before.
func (h *half) measure(x *[frameBytes]float64) {
	h.rise, h.fall = 0, 0
	for i, v := range x {
		h.rise += bank.rise[i] * v * v
		h.fall += bank.fall[i] * v * v
	}
	for k := 0; k < bins; k += 4 {
		c := bank.coefficient[k : k+4 : k+4]
		c0, c1, c2, c3 := c[0], c[1], c[2], c[3]
		var a0, a1, a2, a3, b0, b1, b2, b3 float64
		for _, v := range x {
			a0, b0 = v+c0*a0-b0, a0
			a1, b1 = v+c1*a1-b1, a1
			a2, b2 = v+c2*a2-b2, a2
			a3, b3 = v+c3*a3-b3, a3
		}
		for i, s := range [4][2]float64{{a0, b0}, {a1, b1}, {a2, b2}, {a3, b3}} {
			h.bin[k+i] = complex64((complex(s[0], 0) - bank.unit[k+i]*complex(s[1], 0)) * bank.phase[k+i])
		}
	}
}

// spectrum is the power of each inner bin of a span, in a window of two halves, as a share of the window's whole energy.
func (s span) spectrum(older, newer *half, power []float64) {
	energy := (older.rise + newer.fall) * windowSamples / 2
	if energy <= 0 {
		clear(power)
		return
	}
	at := func(i int) complex128 {
		x, y := complex128(older.bin[i]), complex128(newer.bin[i])
		if bank.odd[i] {
			return x - y
		}
		return x + y
	}
	left, middle := at(s.at), at(s.at+1)
	for i := 1; i < s.n-1; i++ {
		right := at(s.at + i + 1)
		h := middle/2 - (left+right)/4
		power[i-1] = (real(h)*real(h) + imag(h)*imag(h)) / energy
		left, middle = middle, right
	}
}
