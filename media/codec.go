package media

// Codec is an audio codec of RFC 3551 with a static payload type: 8000 Hz, one channel, one byte a sample.
type Codec struct {
	Name        string
	PayloadType uint8
}

// The codecs every PBX and carrier speaks.
var (
	PCMU = Codec{"PCMU", 0} //nolint:gochecknoglobals // a constant that Go cannot spell
	PCMA = Codec{"PCMA", 8} //nolint:gochecknoglobals // likewise
)

// CodecByName finds a codec by its SDP name.
func CodecByName(name string) (Codec, bool) {
	switch name {
	case PCMU.Name:
		return PCMU, true
	case PCMA.Name:
		return PCMA, true
	}
	return Codec{}, false
}

// Silence is the byte that decodes to no sound at all. Zero bytes are full-scale noise.
func (c Codec) Silence() byte {
	if c == PCMA {
		return 0xD5
	}
	return 0xFF
}

// Encode turns 16-bit samples at 8000 Hz into one byte each.
func (c Codec) Encode(pcm []int16) []byte {
	out := make([]byte, len(pcm))
	for i, s := range pcm {
		out[i] = c.encode(s)
	}
	return out
}

func (c Codec) encode(s int16) byte {
	if c == PCMA {
		return encodeA(s)
	}
	return encodeMu(s)
}

// Decode appends the samples of a payload to dst.
func (c Codec) Decode(dst []int16, payload []byte) []int16 {
	table := c.table()
	for _, b := range payload {
		dst = append(dst, table[b])
	}
	return dst
}

// table is the sample of each byte.
func (c Codec) table() *[256]int16 {
	if c == PCMA {
		return &tableA
	}
	return &tableMu
}

// recoding maps this codec's bytes to another's: what plays goes on when the callee changes codecs. It is nil if they
// are the same.
func (c Codec) recoding(to Codec) *[256]byte {
	if c == to {
		return nil
	}
	var table [256]byte
	for b := range table {
		table[b] = to.encode(c.table()[b])
	}
	return &table
}
