package sip

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"telgate/sip/siptest"
)

// Redaction never changes a message's length or lines, and no secret is left wherever it stands.
func FuzzRedacted(f *testing.F) {
	for _, m := range siptest.Tortures("192.0.2.1:5060", "192.0.2.2:5060") {
		f.Add([]byte(m.Text))
	}
	f.Add([]byte("INVITE sip:+819012345678:pw@h SIP/2.0\r\nAuthorization: Digest\r\n username=\"u\"\r\nf: \"+819012345678\"<tel:+81-90-1234-5678;phone-context=x>\r\nc: application/sdp\r\n\r\nv=0\r\na=crypto:1 X inline:k\r\nm=audio 1 RTP/SAVP 0\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out := redacted(raw, false)
		if len(out) != len(raw) || strings.Count(out, "\n") != bytes.Count(raw, []byte("\n")) {
			t.Errorf("%q became %q", raw, out)
		}
		if line := firstLine(raw, false); strings.ContainsAny(line, "\r\n\x1b") || len(line) > longestLine+len("…") {
			t.Errorf("first line %q", line)
		}
		if o := overview(raw); strings.ContainsAny(o, "\r\n\x1b") || len(o) > longestOverview+len("…") {
			t.Errorf("overview %q", o)
		}
		for _, h := range []string{"Authorization", "PROXY-authorization ", "X-Any"} {
			planted := "OPTIONS sip:a SIP/2.0\r\n" + h + ": planted-secret\r\n\tplanted-secret\r\n" + string(raw)
			if strings.Contains(redacted([]byte(planted), true), "planted-secret") && !bytes.Contains(raw, []byte("planted-secret")) {
				t.Errorf("%s is shown", h)
			}
		}
	})
}

// However a connection cuts its bytes, the messages are the same.
func TestUserPartsAreOverwrittenWhereverTheirURIsStand(t *testing.T) {
	for in, want := range map[string]string{
		"<sip:0312345678@a>, <sips:+81312345678@b>;x": "<sip:********78@a>, <sips:**********78@b>;x",
		"<sip:a.invalid>, <sip:0312345678@a>":         "<sip:a.invalid>, <sip:********78@a>",
		"sip:sip:sip:0312345678@a sip:b":              "sip:sip:**************@a sip:b",
		"sip:a tel:0312345678;x=sip:0312345678@b":     "sip:a tel:********78;x=sip:********78@b",
		"sip:sip:sip: tel:0312345678":                 "sip:sip:sip: tel:********78",
		"sip:7101:secret@a":                           "sip:7101:******@a",
		"sip:sip:":                                    "sip:sip:",
		"tel:":                                        "tel:",
	} {
		if got := string(overwriteUsers([]byte(in))); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// A line of schemes and no user part: read again for each of them it would take days.
func TestALineOfSchemesIsReadOnce(t *testing.T) {
	for _, piece := range []string{"sip:", "tel:", "sip:tel:", "sip:a;"} {
		line := bytes.Repeat([]byte(piece), 8<<20/len(piece))
		if got := overwriteUsers(bytes.Clone(line)); len(got) != len(line) {
			t.Errorf("%q: %d bytes become %d", piece, len(line), len(got))
		}
	}
}

func BenchmarkALineOfSchemesIsRedacted(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10} { // a datagram has no more: the cost of a byte stays the same
		b.Run(fmt.Sprintf("%d KB", size>>10), func(b *testing.B) {
			line := bytes.Repeat([]byte("sip:"), size/4)
			b.SetBytes(int64(size))
			for b.Loop() {
				overwriteUsers(line)
			}
		})
	}
}

func FuzzFramer(f *testing.F) {
	f.Add([]byte("\r\n\r\nINVITE sip:a SIP/2.0\r\nContent-Length: 3\r\n\r\nabcSIP/2.0 200 OK\r\nl: 0\r\n\r\n\r\n"), 5)
	f.Add([]byte("A\r\nContent-Length: 99999999999999999999\r\n\r\n"), 1)
	f.Fuzz(func(t *testing.T, raw []byte, cut int) {
		if len(raw) > longestMessage {
			return
		}
		cuts := func(at int) (all []string) {
			var fr framer
			for chunk := range bytesInPieces(raw, at) {
				fr.take(chunk, func(m []byte) { all = append(all, string(m)) })
			}
			return all
		}
		if a, b := cuts(len(raw)), cuts(cut); strings.Join(a, "|") != strings.Join(b, "|") {
			t.Errorf("%q and %q", a, b)
		}
	})
}

func bytesInPieces(raw []byte, size int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		size = max(1, size)
		for len(raw) > 0 {
			n := min(size, len(raw))
			if !yield(raw[:n]) {
				return
			}
			raw = raw[n:]
		}
	}
}
