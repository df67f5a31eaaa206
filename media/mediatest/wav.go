package mediatest

import (
	"encoding/binary"
	"fmt"
	"io"
)

// WriteWAV writes samples at 8 kHz as a 16-bit mono WAV file.
func WriteWAV(w io.Writer, pcm []int16) error {
	size := uint32(2 * len(pcm))
	header := make([]byte, 0, 44)
	header = append(header, "RIFF"...)
	header = binary.LittleEndian.AppendUint32(header, 36+size)
	header = append(header, "WAVEfmt "...)
	header = binary.LittleEndian.AppendUint32(header, 16)
	header = binary.LittleEndian.AppendUint16(header, 1) // PCM
	header = binary.LittleEndian.AppendUint16(header, 1) // mono
	header = binary.LittleEndian.AppendUint32(header, Rate)
	header = binary.LittleEndian.AppendUint32(header, 2*Rate)
	header = binary.LittleEndian.AppendUint16(header, 2)
	header = binary.LittleEndian.AppendUint16(header, 16)
	header = append(header, "data"...)
	header = binary.LittleEndian.AppendUint32(header, size)
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("write a WAV: %w", err)
	}
	if err := binary.Write(w, binary.LittleEndian, pcm); err != nil {
		return fmt.Errorf("write a WAV: %w", err)
	}
	return nil
}
