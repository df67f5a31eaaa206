package mediatest

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSessionKeysAreDerivedAsInRFC3711AppendixB3(t *testing.T) {
	t.Parallel()
	key, salt := unhex(t, "E1F97A0D3E018BE0D64FA32C06DE4139"), unhex(t, "0EC675AD498AFEEBB6960B3AABE6")
	for label, want := range []string{
		"C61E7A93744F39EE10734AFE3FF7A087", "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4", "30CBBC08863D8C85D49DB34A9AE1",
	} {
		if got := derived(key, salt, byte(label), len(want)/2); !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("label %d: %X, want %s", label, got, want)
		}
	}
}

func TestTheKeystreamIsThatOfRFC3711AppendixB2(t *testing.T) {
	t.Parallel()
	s, err := newSession(CM80, nil, unhex(t, "2B7E151628AED2A6ABF7158809CF4F3C"), nil, unhex(t, "F0F1F2F3F4F5F6F7F8F9FAFBFCFD"))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 48)
	s.keystream(make([]byte, headBytes), 0, got)
	want := unhex(t, "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0")
	if !bytes.Equal(got, want) {
		t.Errorf("%X", got)
	}
}

func TestAPacketIsSealedAsInRFC7714Section16(t *testing.T) {
	t.Parallel()
	s, err := newSession(GCM, nil, unhex(t, "000102030405060708090a0b0c0d0e0f"), nil, unhex(t, "517569642070726f2071756f"))
	if err != nil {
		t.Fatal(err)
	}
	plain := unhex(t, `8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
		69736120 696e2070 61727465 73207472 6573`)
	sealed := unhex(t, `8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5
		0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce`)
	if got := s.Seal(plain); !bytes.Equal(got, sealed) {
		t.Errorf("%x", got)
	}
	s.sources = map[uint32]*index{}
	if got, err := s.Open(sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%x, %v", got, err)
	}
}

func TestAReportIsSealedAsInRFC7714Section17(t *testing.T) {
	t.Parallel()
	r, err := newSession(GCM, nil, unhex(t, "000102030405060708090a0b0c0d0e0f"), nil, unhex(t, "517569642070726f2071756f"))
	if err != nil {
		t.Fatal(err)
	}
	got := (&SRTP{rtcp: r}).SealRTCP(unhex(t, `81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
		deadbeef deadbeef deadbeef deadbeef deadbeef`), 0x5d4)
	want := unhex(t, `81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46
		86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4`)
	if !bytes.Equal(got, want) {
		t.Errorf("%x", got)
	}
}

func TestTheRolloverCounterFollowsTheSequenceNumber(t *testing.T) {
	t.Parallel()
	for _, suite := range []string{GCM, CM80, CM32} {
		a, b := srtpOf(t, suite, nil), srtpOf(t, suite, nil)
		for seq := 65500; seq < 65500+2*65536; seq += 100 {
			packet := append([]byte{0x80, 0, byte(seq >> 8), byte(seq), 0, 0, 0, 0, 0, 0, 0, 7}, "some sound"...)
			got, err := b.Open(a.Seal(packet))
			if err != nil || !bytes.Equal(got, packet) {
				t.Fatalf("%s, packet %d: %v", suite, seq, err)
			}
		}
	}
}

func TestWhatDoesNotAuthenticateIsAnError(t *testing.T) {
	t.Parallel()
	for _, suite := range []string{GCM, CM80, CM32} {
		a, b := srtpOf(t, suite, []byte{0, 0, 0, 1}), srtpOf(t, suite, []byte{0, 0, 0, 1})
		sealed := a.Seal(append([]byte{0x80, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 7}, "some sound"...))
		for i := range sealed {
			forged := bytes.Clone(sealed)
			forged[i] ^= 1
			if _, err := b.Open(forged); err == nil {
				t.Errorf("%s: byte %d may be changed", suite, i)
			}
		}
		if _, err := b.Open(sealed[:13]); err == nil {
			t.Errorf("%s: a packet may be cut off", suite)
		}
		if _, err := b.Open(sealed); err != nil {
			t.Errorf("%s: %v", suite, err)
		}
		if _, err := b.Open(sealed); err == nil {
			t.Errorf("%s: a packet may come twice", suite)
		}
	}
}

func srtpOf(t *testing.T, suite string, mki []byte) *SRTP {
	t.Helper()
	master := bytes.Repeat([]byte{3, 141, 59, 26, 53}, 6)
	s, err := NewSRTP(suite, master[:keyBytes+saltBytes(suite)], mki)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
