package media

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// libsrtp is what Asterisk, FreeSWITCH and most phones have.
func TestLibsrtpReadsWhatWeSealAndWeWhatItSeals(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "libsrtp")
	build := exec.CommandContext(t.Context(), "cc", "-o", program, filepath.Join("testdata", "libsrtp.c"), "-lsrtp2")
	if words, err := build.CombinedOutput(); err != nil {
		t.Skipf("cc or libsrtp2-dev is not installed: %v: %.100s", err, words)
	}
	for i := range suites {
		t.Run(suites[i].name, func(t *testing.T) {
			t.Parallel()
			c, _ := peerLine(t, &suites[i])
			seal, err := newSealer(c.suite, c.master)
			if err != nil {
				t.Fatal(err)
			}
			open, err := newOpener(c)
			if err != nil {
				t.Fatal(err)
			}
			var plain, ours [][]byte
			for n := range 70000 { // over the wrap, and far enough for the counter to matter
				if n%7 == 0 {
					continue // lost
				}
				p := rtpPacket(0, uint16(65000+n), 7)[:headerBytes+8]
				plain = append(plain, p)
				ours = append(ours, bytes.Clone(seal.seal(p)))
			}
			for k, got := range libsrtp(t, program, c, "open", ours) {
				if !bytes.Equal(got, plain[k]) {
					t.Fatalf("packet %d of ours is read as %x, want %x", k, got, plain[k])
				}
			}
			for k, got := range libsrtp(t, program, c, "seal", plain) {
				if !bytes.Equal(got, ours[k]) {
					t.Fatalf("libsrtp seals packet %d as %x, we as %x", k, got, ours[k])
				}
				if p := open.open(got, 7); !bytes.Equal(p, plain[k]) {
					t.Fatalf("packet %d of libsrtp is read as %x", k, p)
				}
			}
			bad := bytes.Clone(ours[0])
			bad[13] ^= 1
			if got := libsrtp(t, program, c, "open", [][]byte{bad, ours[0], ours[0]}); got[0] != nil || got[1] == nil || got[2] != nil {
				t.Error("libsrtp, as it is asked here, proves nothing")
			}
		})
	}
}

// libsrtp is the other form of packets; nil where it refuses.
func libsrtp(t *testing.T, program string, c crypto, how string, packets [][]byte) [][]byte {
	t.Helper()
	var in strings.Builder
	for _, p := range packets {
		fmt.Fprintf(&in, "%x\n", p)
	}
	cmd := exec.CommandContext(t.Context(), program, c.suite.name, how, hex.EncodeToString(c.master.bytes()))
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := make([][]byte, 0, len(packets))
	for line := range strings.Lines(string(out)) {
		var b []byte
		if line = strings.TrimSpace(line); line != "-" {
			if b, err = hex.DecodeString(line); err != nil {
				t.Fatal(err)
			}
		}
		got = append(got, b)
	}
	if len(got) != len(packets) {
		t.Fatalf("libsrtp told of %d packets, not %d", len(got), len(packets))
	}
	return got
}
