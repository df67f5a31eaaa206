package prompts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Limits of a recording. They bound what reading one can cost.
const (
	maxSeconds = 60
	maxBytes   = maxSeconds*48_000*2*4 + 64<<10 // 60 s of 48 kHz stereo float, and room for other chunks
	maxChunks  = 64
)

// Sound is a recording as read: one channel, full scale is ±1.
type Sound struct {
	Rate    int
	Samples []float64
}

// format is the fmt chunk.
type format struct {
	tag, channels, bits int
	rate, align         int
}

// ReadWAV reads a RIFF/WAVE file: PCM of 8, 16, 24 or 32 bits, 32-bit float, A-law or µ-law, mono or stereo, 8 to 48 kHz.
// Every length is held against the bytes that are there. A data chunk whose length an encoder could not know when it began to
// write (see streamed) is read to the end of the file; one that is shorter than it says was cut off, and is refused.
func ReadWAV(b []byte) (Sound, error) {
	if len(b) > maxBytes {
		return Sound{}, fmt.Errorf("%d bytes, a recording has at most %d", len(b), maxBytes)
	}
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return Sound{}, errors.New("not a WAV file; convert it with: sox IN -r 16000 -c 1 -b 16 OUT.wav")
	}
	var f format
	for rest, n := b[12:], 0; len(rest) >= 8 && n < maxChunks; n++ {
		id, claimed := string(rest[:4]), binary.LittleEndian.Uint32(rest[4:])
		body := rest[8:]
		size := int(min(claimed, uint32(len(body)))) // len(body) is at most maxBytes
		switch id {
		case "fmt ":
			var err error
			if f, err = readFormat(body[:size]); err != nil {
				return Sound{}, err
			}
		case "data":
			switch {
			case streamed(claimed):
				return f.decode(body)
			case int64(claimed) > int64(len(body)):
				return Sound{}, fmt.Errorf("it is cut off: %d bytes of sound are there, %d should be; copy or convert it again", len(body), claimed)
			}
			return f.decode(body[:size])
		}
		rest = body[min(len(body), size+size%2):] // chunks are padded to even lengths
	}
	return Sound{}, errors.New("a WAV file without sound (no data chunk)")
}

// streamed tells whether a data chunk's length stands for "until the end": ffmpeg and others leave 0 or 0xFFFFFFFF where
// they write to a pipe, sox a number just below 2 GiB.
func streamed(length uint32) bool { return length == 0 || length >= 0x7FFF0000 }

// WAVE format tags.
const (
	tagPCM        = 1
	tagFloat      = 3
	tagALaw       = 6
	tagMuLaw      = 7
	tagExtensible = 0xFFFE
)

func readFormat(b []byte) (format, error) {
	if len(b) < 16 {
		return format{}, errors.New("its fmt chunk is cut off")
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	f := format{tag: u16(0), channels: u16(2), rate: int(binary.LittleEndian.Uint32(b[4:])), align: u16(12), bits: u16(14)}
	if f.tag == tagExtensible {
		if len(b) < 26 {
			return format{}, errors.New("its extensible fmt chunk is cut off")
		}
		f.tag = u16(24) // the first two bytes of the sub-format's GUID are a plain tag
	}
	if f.channels < 1 || f.channels > 2 {
		return format{}, fmt.Errorf("%d channels; mono or stereo is needed", f.channels)
	}
	if f.rate < 8000 || f.rate > 48_000 {
		return format{}, fmt.Errorf("%d Hz; 8000 to 48000 is needed", f.rate)
	}
	if f.sample() == nil {
		return format{}, fmt.Errorf("format %d with %d bits is not known; convert it with: sox IN -r 16000 -c 1 -b 16 OUT.wav", f.tag, f.bits)
	}
	f.align = f.channels * f.bits / 8
	return f, nil
}

// sample reads one sample of one channel; nil where the format is not known.
func (f format) sample() func([]byte) float64 {
	switch {
	case f.tag == tagPCM && f.bits == 8:
		return func(b []byte) float64 { return (float64(b[0]) - 128) / 128 }
	case f.tag == tagPCM && f.bits == 16:
		return func(b []byte) float64 { return float64(int16(binary.LittleEndian.Uint16(b))) / (1 << 15) }
	case f.tag == tagPCM && f.bits == 24:
		return func(b []byte) float64 {
			return float64(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)) / (1 << 31)
		}
	case f.tag == tagPCM && f.bits == 32:
		return func(b []byte) float64 { return float64(int32(binary.LittleEndian.Uint32(b))) / (1 << 31) }
	case f.tag == tagFloat && f.bits == 32:
		return func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }
	case f.tag == tagALaw && f.bits == 8:
		return func(b []byte) float64 { return aLaw(b[0]) / (1 << 15) }
	case f.tag == tagMuLaw && f.bits == 8:
		return func(b []byte) float64 { return muLaw(b[0]) / (1 << 15) }
	}
	return nil
}

func (f format) decode(b []byte) (Sound, error) {
	read := f.sample()
	if read == nil {
		return Sound{}, errors.New("its sound comes before its fmt chunk")
	}
	n := len(b) / f.align
	switch {
	case n == 0:
		return Sound{}, errors.New("a WAV file without sound")
	case n > maxSeconds*f.rate:
		return Sound{}, fmt.Errorf("%d s long, a recording has at most %d s", n/f.rate, maxSeconds)
	}
	s := Sound{Rate: f.rate, Samples: make([]float64, n)}
	width := f.bits / 8
	for i := range s.Samples {
		frame := b[i*f.align:]
		sum := 0.0
		for c := range f.channels {
			sum += read(frame[c*width:])
		}
		v := sum / float64(f.channels)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Sound{}, errors.New("contains samples that are no numbers")
		}
		s.Samples[i] = max(-1, min(1, v))
	}
	return s, nil
}

func muLaw(b byte) float64 {
	b = ^b
	v := float64((int(b&15)<<3+132)<<(b>>4&7) - 132)
	if b&128 != 0 {
		return -v
	}
	return v
}

func aLaw(b byte) float64 {
	b ^= 0x55
	v := int(b&15)<<4 + 8
	if e := b >> 4 & 7; e > 0 {
		v = (v + 256) << (e - 1)
	}
	if b&128 == 0 {
		return -float64(v)
	}
	return float64(v)
}
