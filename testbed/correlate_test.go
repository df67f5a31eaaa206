//go:build e2e

package testbed

import "math"

// find is where in heard the reference fits best, and how well: 1 is the same sound at any volume.
func find(heard, reference []int16) (offset int, score float64) {
	const coarse = 4
	step := func(from, to, by int) {
		for at := max(0, from); at+len(reference) <= len(heard) && at <= to; at += by {
			if s := correlation(heard[at:at+len(reference)], reference); s > score {
				offset, score = at, s
			}
		}
	}
	step(0, len(heard), coarse)
	step(offset-coarse, offset+coarse, 1)
	return offset, score
}

// correlation is the normalised inner product of two sounds of one length.
func correlation(a, b []int16) float64 {
	var ab, aa, bb float64
	for i := range b {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
