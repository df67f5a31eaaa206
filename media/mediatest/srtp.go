package mediatest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
)

// The crypto suites that are known here (RFC 4568 6.2, RFC 7714 14.2).
const (
	GCM  = "AEAD_AES_128_GCM"
	CM80 = "AES_CM_128_HMAC_SHA1_80"
	CM32 = "AES_CM_128_HMAC_SHA1_32"
)

const (
	keyBytes  = 16
	headBytes = 12 // of RTP, without CSRCs and extensions: nothing here sends any
	gcmTag    = 16
)

func saltBytes(suite string) int {
	if suite == GCM {
		return 12
	}
	return 14
}

func tagBytes(suite string) int { return map[string]int{GCM: gcmTag, CM80: 10, CM32: 4}[suite] }

// SRTP is one direction of SRTP under one master key, as RFC 3711 and RFC 7714 write it down, with the standard library's
// ciphers and nobody's protocol code. It knows plain RTP headers and no key derivation rate; it writes SRTCP and does not
// read it.
type SRTP struct {
	suite string
	mki   []byte
	block cipher.Block
	aead  cipher.AEAD
	salt  []byte // of the session
	auth  []byte // key
	rtcp  *SRTP  // the same with the keys of SRTCP

	sources map[uint32]*index
}

// index is where a stream's packets are (RFC 3711 3.3.1).
type index struct {
	highest uint64
	seen    map[uint64]bool
}

// NewSRTP takes a master key with its salt behind it, and what stands in every packet for an MKI, if anything.
func NewSRTP(suite string, master, mki []byte) (*SRTP, error) {
	salt := saltBytes(suite)
	if tagBytes(suite) == 0 || len(master) != keyBytes+salt {
		return nil, fmt.Errorf("no SRTP with %s and a key of %d bytes", suite, len(master))
	}
	derive := func(label byte, n int) []byte { return derived(master[:keyBytes], master[keyBytes:], label, n) }
	s, err := newSession(suite, mki, derive(0, keyBytes), derive(1, sha1.Size), derive(2, salt))
	if err != nil {
		return nil, err
	}
	s.rtcp, err = newSession(suite, mki, derive(3, keyBytes), derive(4, sha1.Size), derive(5, salt))
	return s, err
}

// newSession takes the session's keys.
func newSession(suite string, mki, key, auth, salt []byte) (*SRTP, error) {
	s := &SRTP{suite: suite, mki: mki, auth: auth, salt: salt, sources: map[uint32]*index{}}
	var err error
	if s.block, err = aes.NewCipher(key); err != nil {
		return nil, fmt.Errorf("begin SRTP: %w", err)
	}
	if suite == GCM {
		if s.aead, err = cipher.NewGCM(s.block); err != nil {
			return nil, fmt.Errorf("begin SRTP: %w", err)
		}
	}
	return s, nil
}

// derived is a key of the session (RFC 3711 4.3.1 and 4.3.3): the keystream of the master key from a counter that holds
// salt and label. A salt of 12 bytes is filled up with zeros (RFC 7714 11).
func derived(key, salt []byte, label byte, n int) []byte {
	var iv [aes.BlockSize]byte
	copy(iv[:], salt)
	iv[7] ^= label
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // its length is constant
	}
	out := make([]byte, n)
	cipher.NewCTR(block, iv[:]).XORKeyStream(out, out)
	return out
}

// Seal is a packet's SRTP form.
func (s *SRTP) Seal(packet []byte) []byte {
	at := s.at(packet)
	s.mark(packet, at)
	head, payload := packet[:headBytes], packet[headBytes:]
	out := append([]byte{}, head...)
	if s.aead != nil {
		return append(s.aead.Seal(out, s.nonce(packet, at), payload, head), s.mki...)
	}
	out = append(out, payload...)
	s.keystream(packet, at, out[headBytes:])
	tag := s.tag(out, at)
	return append(append(out, s.mki...), tag...)
}

// Open is a packet's plain form. What does not authenticate, or came before, is an error.
func (s *SRTP) Open(packet []byte) ([]byte, error) {
	size, tail := tagBytes(s.suite), len(s.mki)
	if len(packet) < headBytes+size+tail {
		return nil, errors.New("shorter than SRTP is")
	}
	at := s.at(packet)
	if x := s.sources[ssrcOf(packet)]; x != nil && x.seen[at] {
		return nil, errors.New("a packet came again")
	}
	if s.aead != nil {
		body := packet[headBytes : len(packet)-tail]
		payload, err := s.aead.Open(nil, s.nonce(packet, at), body, packet[:headBytes])
		if err != nil || string(packet[len(packet)-tail:]) != string(s.mki) {
			return nil, errors.New("does not authenticate")
		}
		s.mark(packet, at)
		return append(append([]byte{}, packet[:headBytes]...), payload...), nil
	}
	plain, rest := append([]byte{}, packet[:len(packet)-size-tail]...), packet[len(packet)-size-tail:]
	if string(rest[:tail]) != string(s.mki) || !hmac.Equal(rest[tail:], s.tag(plain, at)) {
		return nil, errors.New("does not authenticate")
	}
	s.mark(packet, at)
	s.keystream(packet, at, plain[headBytes:])
	return plain, nil
}

// SealRTCP is an RTCP packet's SRTCP form, encrypted, with this number (RFC 3711 3.4, RFC 7714 9).
func (s *SRTP) SealRTCP(packet []byte, number uint32) []byte {
	var iv [aes.BlockSize]byte
	r, head, word := s.rtcp, packet[:8], binary.BigEndian.AppendUint32(nil, 1<<31|number)
	out := append([]byte{}, packet...)
	if r.aead != nil {
		copy(iv[2:], packet[4:8])
		binary.BigEndian.PutUint32(iv[8:], number)
		xor(iv[:12], r.salt)
		out = r.aead.Seal(out[:8], iv[:12], packet[8:], append(append([]byte{}, head...), word...))
		return append(append(out, word...), r.mki...)
	}
	copy(iv[:], r.salt)
	xor(iv[4:8], packet[4:8])
	xor(iv[10:14], binary.BigEndian.AppendUint32(nil, number))
	cipher.NewCTR(r.block, iv[:]).XORKeyStream(out[8:], out[8:])
	out = append(out, word...)
	mac := hmac.New(sha1.New, r.auth)
	mac.Write(out)
	return append(append(out, r.mki...), mac.Sum(nil)[:10]...)
}

// at is a packet's index: rollover counter and sequence number, the counter being the one that brings it nearest to the
// highest so far.
func (s *SRTP) at(packet []byte) uint64 {
	seq := uint64(binary.BigEndian.Uint16(packet[2:]))
	x := s.sources[ssrcOf(packet)]
	if x == nil {
		return seq
	}
	best := x.highest&^0xFFFF | seq
	switch {
	case best > x.highest+1<<15 && best >= 1<<16:
		best -= 1 << 16
	case best+1<<15 < x.highest:
		best += 1 << 16
	}
	return best
}

func (s *SRTP) mark(packet []byte, at uint64) {
	x := s.sources[ssrcOf(packet)]
	if x == nil {
		x = &index{seen: map[uint64]bool{}}
		s.sources[ssrcOf(packet)] = x
	}
	x.highest = max(x.highest, at)
	x.seen[at] = true
}

// keystream encrypts or decrypts (RFC 3711 4.1.1): the counter holds salt, SSRC and index, each at its place.
func (s *SRTP) keystream(packet []byte, at uint64, payload []byte) {
	var iv [aes.BlockSize]byte
	copy(iv[:], s.salt)
	xor(iv[4:8], packet[8:12])
	var i [8]byte
	binary.BigEndian.PutUint64(i[:], at)
	xor(iv[8:14], i[2:])
	cipher.NewCTR(s.block, iv[:]).XORKeyStream(payload, payload)
}

// tag authenticates what is sent and the rollover counter, which is not (RFC 3711 4.2).
func (s *SRTP) tag(packet []byte, at uint64) []byte {
	mac := hmac.New(sha1.New, s.auth)
	mac.Write(packet)
	_ = binary.Write(mac, binary.BigEndian, uint32(at>>16)) // a hash never fails
	return mac.Sum(nil)[:tagBytes(s.suite)]
}

// nonce is that of RFC 7714 8.1.
func (s *SRTP) nonce(packet []byte, at uint64) []byte {
	iv := make([]byte, 12)
	copy(iv[2:], packet[8:12])
	binary.BigEndian.PutUint32(iv[6:], uint32(at>>16))
	binary.BigEndian.PutUint16(iv[10:], uint16(at))
	xor(iv, s.salt)
	return iv
}

func ssrcOf(packet []byte) uint32 { return binary.BigEndian.Uint32(packet[8:]) }

func xor(dst, with []byte) {
	for i := range dst {
		dst[i] ^= with[i]
	}
}
