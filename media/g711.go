package media

import "math/bits"

// Decoding tables of G.711. The tests compare them with ffmpeg's output, byte for byte.
var (
	tableMu = decoded(decodeMu) //nolint:gochecknoglobals // a table of facts
	tableA  = decoded(decodeA)  //nolint:gochecknoglobals // a table of facts
)

func decoded(law func(byte) int16) (table [256]int16) {
	for b := range table {
		table[b] = law(byte(b))
	}
	return table
}

const (
	// muBias is added before the segment is found (G.711: 33 at 14 bits, here at 16).
	muBias = 0x84
	// muClip is the largest magnitude that still has a code.
	muClip = 32635
)

// encodeMu is the µ-law. G.711 leaves open which of two neighbouring codes a value on the boundary between them gets;
// here it is the louder one. The tests freeze that.
func encodeMu(s int16) byte {
	v, sign := int(s), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, muClip) + muBias
	segment := bits.Len(uint(v)) - 8
	return ^(sign | byte(segment<<4) | byte(v>>(segment+3)&0x0F))
}

func decodeMu(b byte) int16 {
	b = ^b
	segment := b >> 4 & 7
	v := (int(b&0x0F)<<3+muBias)<<segment - muBias
	if b&0x80 != 0 {
		return int16(-v)
	}
	return int16(v)
}

// encodeA is the A-law, with the even bits inverted. A value on a boundary gets the code of the larger value.
func encodeA(s int16) byte {
	v, sign := int(s)>>3, byte(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	segment, mantissa := 0, v>>1&0x0F
	if v >= 32 {
		segment = bits.Len(uint(v)) - 5
		mantissa = v >> segment & 0x0F
	}
	return (sign | byte(segment<<4) | byte(mantissa)) ^ 0x55
}

func decodeA(b byte) int16 {
	b ^= 0x55
	segment, v := b>>4&7, int(b&0x0F)<<4+8
	if segment > 0 {
		v = (v + 0x100) << (segment - 1)
	}
	if b&0x80 == 0 {
		return int16(-v)
	}
	return int16(v)
}
