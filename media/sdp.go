package media

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

const (
	longestSDP  = 64 << 10
	mostStreams = 32
)

// AnswerError says why a session description cannot be used.
type AnswerError struct{ Why string }

// Error is one clause.
func (e *AnswerError) Error() string { return "unusable SDP: " + e.Why }

// peerSDP is a peer's SDP (RFC 8866) as far as it matters here.
type peerSDP struct {
	level   // c= and direction before the first m=
	streams []section
}

// level is what may be said for the session and again for each stream.
type level struct {
	host      string // of c=
	direction string // "sendrecv", "sendonly", "recvonly", "inactive", "" = not said
}

// section is one m= section.
type section struct {
	level
	kind     string // "audio", …
	port     int
	profile  string
	formats  []string
	maps     map[int]string // payload type → rtpmap, in lower case
	maxptime int            // ms, 0 = not said
	crypto   []string       // the values of a=crypto, in order
}

// parseSDP reads what PBXs really send: without s= and t=, with lines out of order, bare line feeds, session ids that
// are no numbers. It looks at what it needs and at nothing else, so it has no errors of its own beyond size.
func parseSDP(body []byte) (peerSDP, error) {
	var s peerSDP
	if len(body) > longestSDP {
		return s, &AnswerError{"longer than 64 KiB"}
	}
	at := &s.level
	for line := range strings.FieldsFuncSeq(string(body), func(r rune) bool { return r == '\r' || r == '\n' }) {
		kind, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.TrimSpace(value)
		switch {
		case !ok:
		case kind == "m":
			if len(s.streams) == mostStreams {
				return s, &AnswerError{"more streams than anybody needs"}
			}
			s.streams = append(s.streams, newSection(value))
			at = &s.streams[len(s.streams)-1].level
		case kind == "c":
			if fields := strings.Fields(value); len(fields) > 2 {
				at.host, _, _ = strings.Cut(fields[2], "/") // a TTL
			}
		case kind == "a":
			name, rest, _ := strings.Cut(value, ":")
			name = strings.ToLower(strings.TrimSpace(name))
			if at.attribute(name) || len(s.streams) == 0 {
				continue
			}
			s.streams[len(s.streams)-1].attribute(name, strings.TrimSpace(rest))
		}
	}
	return s, nil
}

func newSection(value string) section {
	m := section{maps: map[int]string{}}
	fields := strings.Fields(value)
	if len(fields) > 0 {
		m.kind = strings.ToLower(fields[0])
	}
	if len(fields) > 1 {
		port, _, _ := strings.Cut(fields[1], "/")
		m.port, _ = strconv.Atoi(port) // none is as good as 0: refused
	}
	if len(fields) > 2 {
		m.profile, m.formats = strings.ToUpper(fields[2]), fields[3:]
	}
	return m
}

func (l *level) attribute(name string) bool {
	switch name {
	case "sendrecv", "sendonly", "recvonly", "inactive":
		l.direction = name
		return true
	}
	return false
}

func (m *section) attribute(name, value string) {
	switch name {
	case "rtpmap":
		pt, format, _ := strings.Cut(value, " ")
		if n, err := strconv.Atoi(pt); err == nil {
			m.maps[n] = strings.ToLower(strings.TrimSpace(format))
		}
	case "maxptime":
		m.maxptime, _ = strconv.Atoi(value)
	case "crypto":
		m.crypto = append(m.crypto, value)
	}
}

// description is what was made out of it: its first audio stream that can be spoken.
type description struct {
	stream    int // which of the peer's
	addr      netip.AddrPort
	codecs    []Codec // known here, in the peer's order
	keys      uint8   // payload type of telephone-event at 8000 Hz, 0 = none
	direction string
	short     bool   // it takes no packets of 20 ms (a=maxptime)
	crypto    crypto // the key the peer sends under; the zero crypto is plain RTP
}

// terms are what a description is held against.
type terms struct {
	codecs []Codec
	local  netip.Addr
	srtp   SRTP
	answer bool // it answers an offer of ours
}

// held says that the peer does not want to hear us (RFC 3264 8.4, and the older c=0.0.0.0).
func (d description) held() bool {
	return d.direction == "sendonly" || d.direction == "inactive" || d.addr.Addr().IsUnspecified()
}

// describe picks the stream to be used on these terms. If there is none, the error is about the first audio stream.
func (s peerSDP) describe(t terms) (description, error) {
	var first error
	for i := range s.streams {
		if s.streams[i].kind != "audio" {
			continue
		}
		d, err := s.audio(i, t)
		if err == nil {
			return d, nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = &AnswerError{"no audio stream"}
	}
	return description{}, first
}

func (s peerSDP) audio(i int, t terms) (d description, err error) {
	m := &s.streams[i]
	d = description{stream: i, direction: firstOf(m.direction, s.direction, "sendrecv"), short: m.maxptime > 0 && m.maxptime < 20}
	if m.port <= 0 || m.port > 65535 {
		return d, &AnswerError{"the audio stream was refused (port 0)"}
	}
	if d.crypto, err = m.keying(t); err != nil {
		return d, err
	}
	host, err := address(firstOf(m.host, s.host, ""), t.local)
	if err != nil {
		return d, err
	}
	d.addr = netip.AddrPortFrom(host, uint16(m.port))
	m.payloads(&d, t.codecs)
	if len(d.codecs) == 0 {
		return d, &AnswerError{fmt.Sprintf("no codec in common: it has payload types %.80q", strings.Join(m.formats, " "))}
	}
	return d, nil
}

// payloads sorts out the payload types. PCMU and PCMA need no rtpmap (RFC 3551 6), and telephone-event none where it has
// the number that we gave it and most others give it too.
func (m *section) payloads(d *description, ours []Codec) {
	for _, f := range m.formats {
		n, err := strconv.Atoi(f)
		if err != nil || n < 0 || n > 127 {
			continue
		}
		format, mapped := m.maps[n]
		if strings.HasPrefix(format, "telephone-event/8000") || !mapped && n == keysPT {
			if d.keys == 0 {
				d.keys = uint8(n)
			}
			continue
		}
		for _, c := range ours {
			if int(c.PayloadType) == n && (!mapped || strings.HasPrefix(format, strings.ToLower(c.Name)+"/8000")) {
				d.codecs = append(d.codecs, c)
			}
		}
	}
}

// address reads the host of a c= line. A name is not followed: an answer must not make us ask a name server while
// somebody waits at the phone.
func address(host string, local netip.Addr) (netip.Addr, error) {
	if host == "" {
		return netip.Addr{}, &AnswerError{"no c= line with an address"}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, &AnswerError{fmt.Sprintf("c= names %.40q, which is no IP address", host)}
	}
	addr = addr.Unmap()
	if addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}, &AnswerError{fmt.Sprintf("c= names %s, which is nobody's phone", addr)}
	}
	if !addr.IsUnspecified() && addr.Is4() != local.Unmap().Is4() {
		return netip.Addr{}, &AnswerError{fmt.Sprintf("c= names %s, which cannot be reached from %s", addr, local)}
	}
	return addr, nil
}

func firstOf(a, b, c string) string {
	if a != "" {
		return a
	}
	if b != "" {
		return b
	}
	return c
}
