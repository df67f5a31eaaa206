//go:build e2e || interop

package baresip

import (
	"bytes"
	"encoding/binary"
	"time"
)

// quiet is a WAV of silence, 8 kHz and 16 bit: what the phone says.
func quiet(long time.Duration) []byte {
	const rate, width = 8000, 2
	size := int(long.Seconds() * rate * width)
	var b bytes.Buffer
	for _, v := range []any{
		[]byte("RIFF"), uint32(36 + size), []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(rate), uint32(rate * width), uint16(width), uint16(8 * width),
		[]byte("data"), uint32(size), make([]byte, size),
	} {
		_ = binary.Write(&b, binary.LittleEndian, v) // a buffer takes everything
	}
	return b.Bytes()
}
