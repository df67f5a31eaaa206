package mediatest

import (
	"math"
	"math/bits"
	"math/cmplx"
	"time"
)

const (
	// opening is the part of a reference that tells whether it was heard from its first word.
	opening = 500 * time.Millisecond
	// wander is how far the opening may lie from where the whole says it begins: jitter buffers stretch.
	wander = 60 * time.Millisecond
	// enough is a score that stands for the same sound, after G.711 and a little loss.
	enough = 0.8
)

// Match is how well a reference was heard.
type Match struct {
	Score   float64 // of the whole, 1 = the same waveform at any level, around 0 = something else
	Offset  int     // where it begins in what was heard, in samples; negative if its beginning is missing
	Opening float64 // score of its first 500 ms of sound, there
}

// Whole says whether the reference was heard, from its first word.
func (m Match) Whole() bool { return m.Score >= enough && m.Opening >= enough }

// Correlate looks for the reference in what was heard. A constant delay and a constant level do not matter. If the
// reference was heard several times, the first of them counts.
func Correlate(heard, reference []int16) Match {
	reference = trim(reference)
	if len(heard) == 0 || len(reference) == 0 {
		return Match{}
	}
	scores, first := slide(heard, reference)
	best := 0.0
	for _, s := range scores {
		best = max(best, s)
	}
	m := Match{Score: best}
	for i, s := range scores {
		if s >= 0.9*best { // the first time; then the top of that peak
			top := i
			for j := i; j < min(len(scores), i+Samples(wander)); j++ {
				if scores[j] > scores[top] {
					top = j
				}
			}
			m.Score, m.Offset = scores[top], top+first
			break
		}
	}
	m.Opening = near(heard, reference[:min(len(reference), Samples(opening))], m.Offset)
	return m
}

// Share is how much of the reference was heard, from 0 to 1: of its pieces of half a second, each found after the one
// before it. A pause between two of them, as a busy machine makes, costs no more than the piece it tears.
func Share(heard, reference []int16) float64 {
	const window = 8 * time.Second // in which the next piece must follow
	reference = trim(reference)
	found, all, from, until := 0, 0, 0, len(heard)
	for at := 0; at+Rate/4 <= len(reference); at += Rate / 2 {
		piece := trim(reference[at:min(at+Rate/2, len(reference))])
		if len(piece) < Rate/8 {
			continue // silence tells nothing
		}
		all++
		if m := Correlate(heard[from:until], piece); m.Score >= enough {
			found++
			from += max(0, m.Offset)
			until = min(from+Samples(window), len(heard))
		}
	}
	if all == 0 {
		return 0
	}
	return float64(found) / float64(all)
}

// near is the best score of a short reference close to this offset.
func near(heard, reference []int16, offset int) (best float64) {
	for o := offset - Samples(wander); o <= offset+Samples(wander); o++ {
		var xy, xx, yy float64
		for i, r := range reference {
			y := float64(r)
			yy += y * y
			if at := o + i; at >= 0 && at < len(heard) {
				x := float64(heard[at])
				xy += x * y
				xx += x * x
			}
		}
		best = max(best, score(xy, xx, yy))
	}
	return best
}

// slide scores every offset at which the two overlap; the first score is for offset first.
func slide(heard, reference []int16) (scores []float64, first int) {
	n, m := len(heard), len(reference)
	first = 1 - m
	size := 1 << bits.Len(uint(n+m))
	a, b := make([]complex128, size), make([]complex128, size)
	sums := make([]float64, n+1) // energy of heard up to a sample
	for i, s := range heard {
		a[i] = complex(float64(s), 0)
		sums[i+1] = sums[i] + float64(s)*float64(s)
	}
	var energy float64
	for i, s := range reference {
		b[m-1-i] = complex(float64(s), 0) // reversed: convolution becomes correlation
		energy += float64(s) * float64(s)
	}
	transform(a, false)
	transform(b, false)
	for i := range a {
		a[i] *= b[i]
	}
	transform(a, true)
	scores = make([]float64, n+m-1)
	for i := range scores {
		from, to := max(0, i+first), min(n, i+first+m)
		scores[i] = score(real(a[i])/float64(size), sums[to]-sums[from], energy)
	}
	return scores, first
}

func score(xy, xx, yy float64) float64 {
	if xx < 1 || yy < 1 {
		return 0
	}
	return xy / math.Sqrt(xx*yy)
}

// trim takes the silence off both ends, so that "the first 500 ms" are 500 ms of sound.
func trim(pcm []int16) []int16 {
	const audible = 100
	from, to := 0, len(pcm)
	for from < to && abs(int(pcm[from])) < audible {
		from++
	}
	for to > from && abs(int(pcm[to-1])) < audible {
		to--
	}
	return pcm[from:to]
}

// transform is the radix-2 FFT, in place; inverse is not scaled.
func transform(a []complex128, inverse bool) {
	n := len(a)
	shift := 64 - bits.Len(uint(n-1))
	for i := range a {
		if j := int(bits.Reverse64(uint64(i)) >> shift); j > i {
			a[i], a[j] = a[j], a[i]
		}
	}
	turn := -2 * math.Pi
	if inverse {
		turn = -turn
	}
	for size := 2; size <= n; size *= 2 {
		half := size / 2
		twiddle := make([]complex128, half)
		for k := range twiddle {
			twiddle[k] = cmplx.Rect(1, turn*float64(k)/float64(size))
		}
		for at := 0; at < n; at += size {
			for k := range half {
				even, odd := a[at+k], a[at+k+half]*twiddle[k]
				a[at+k], a[at+k+half] = even+odd, even-odd
			}
		}
	}
}
