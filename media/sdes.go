package media

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"github.com/pion/srtp/v3"
)

// SRTP says whether packets are encrypted (RFC 3711), under keys that offer and answer carry (SDES, RFC 4568).
// Signalling must then be hidden itself: the keys stand in it.
type SRTP string

// Whether SRTP is spoken. SRTPOptional offers one stream as RTP/AVP that has a=crypto lines, and takes an answer with or
// without one. RFC 4568 knows RTP/SAVP only, which a peer without SRTP refuses; two streams, one of each profile, are
// more than many peers take; capability negotiation (RFC 5939) is spoken by hardly anybody. What is called best-effort
// SRTP, by Asterisk media_encryption_optimistic, is the one form that everybody can answer somehow: who does not know
// a=crypto passes over it.
const (
	SRTPOff      SRTP = "off"
	SRTPOptional SRTP = "optional"
	SRTPRequired SRTP = "required" // RTP/SAVP, or no call
)

// suite is a crypto suite: how packets are encrypted and authenticated.
type suite struct {
	name      string
	tag       int // in our offers
	profile   srtp.ProtectionProfile
	key, salt int // bytes of the master key and of its salt
}

// suites are offered in this order, the most preferred first (RFC 4568 5.1.1). GCM (RFC 7714) has the longest
// authentication tag and costs least. HMAC_SHA1_80 (RFC 4568 6.2.1) is what everybody speaks; who does not know the first
// line passes over it. HMAC_SHA1_32 comes last, for those who have nothing else: with a tag of 32 bits one
// forged packet in 2^32 passes.
//
//nolint:gochecknoglobals // a constant that Go cannot spell
var suites = [...]suite{
	{"AEAD_AES_128_GCM", 1, srtp.ProtectionProfileAeadAes128Gcm, 16, 12},
	{"AES_CM_128_HMAC_SHA1_80", 2, srtp.ProtectionProfileAes128CmHmacSha1_80, 16, 14},
	{"AES_CM_128_HMAC_SHA1_32", 3, srtp.ProtectionProfileAes128CmHmacSha1_32, 16, 14},
}

func suiteByName(name string) *suite {
	for i := range suites {
		if strings.EqualFold(suites[i].name, name) {
			return &suites[i]
		}
	}
	return nil
}

// draw takes a new master key for this suite.
func (s *suite) draw(random io.Reader) (master, error) {
	b := make([]byte, s.key+s.salt)
	if _, err := io.ReadFull(random, b); err != nil {
		return master{}, fmt.Errorf("draw an SRTP key: %w", err)
	}
	return keep(b), nil
}

// master is a master key and its salt. However it is printed, it does not show, nor does it in what holds it, whose
// methods package fmt cannot call: of a function it prints an address.
type master struct{ secret func() []byte }

func keep(b []byte) master { return master{func() []byte { return b }} }

// bytes are the key and the salt behind it.
func (m master) bytes() []byte {
	if m.secret == nil {
		return nil
	}
	return m.secret()
}

// Format implements [fmt.Formatter] for every verb.
func (m master) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[SRTP key]") }

// LogValue implements [slog.LogValuer].
func (m master) LogValue() slog.Value { return slog.StringValue("[SRTP key]") }

// crypto is one a=crypto line (RFC 4568 9.1): the key under which its author sends. The zero crypto is plain RTP.
type crypto struct {
	tag    int
	suite  *suite
	master master
	mki    []byte // stands in every packet under this key (RFC 3711 3.1); nil = none
}

// line writes it as an attribute's value.
func (c crypto) line() string {
	return fmt.Sprintf("%d %s inline:%s", c.tag, c.suite.name, base64.StdEncoding.EncodeToString(c.master.bytes()))
}

// name is that of the suite, "" for plain RTP.
func (c crypto) name() string {
	if c.suite == nil {
		return ""
	}
	return c.suite.name
}

const (
	longestTag  = 9   // digits of a tag
	longestMKI  = 128 // bytes (RFC 4568 6.1)
	longestLife = 48  // a key is good for 2^48 packets (RFC 3711 9.2)
)

// parseCrypto reads an attribute's value. Errors never quote what may be a key, which in a malformed line is any part.
func parseCrypto(value string) (crypto, error) {
	fields := strings.Fields(value)
	if len(fields) < 3 {
		return crypto{}, unusable("needs a tag, a suite and a key")
	}
	tag, err := strconv.ParseUint(fields[0], 10, 32)
	if err != nil || len(fields[0]) > longestTag {
		return crypto{}, unusable("has no number for a tag")
	}
	c := crypto{tag: int(tag), suite: suiteByName(fields[1])}
	if c.suite == nil {
		return c, unusable("has " + shownSuite(fields[1]) + ", which is not spoken here")
	}
	for _, p := range fields[3:] {
		if err := parameter(p); err != nil {
			return c, err
		}
	}
	return c, c.inline(fields[2])
}

// inline reads the key parameter: inline:KEY|LIFETIME|MKI:LENGTH, of which the last two may be missing.
func (c *crypto) inline(param string) error {
	if strings.Contains(param, ";") {
		return unusable("has more than one master key")
	}
	method, info, _ := strings.Cut(param, ":")
	if !strings.EqualFold(method, "inline") {
		return unusable("has no inline key")
	}
	key, rest, more := strings.Cut(info, "|")
	got, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(key, "=")) // some leave the padding out
	if err != nil {
		return unusable("has a key that is not base64")
	}
	if want := c.suite.key + c.suite.salt; len(got) != want {
		return unusable(fmt.Sprintf("has a key of %d bytes, %s needs %d", len(got), c.suite.name, want))
	}
	c.master = keep(got)
	if !more {
		return nil
	}
	life, index, both := strings.Cut(rest, "|")
	if !both && strings.Contains(life, ":") {
		life, index = "", life
	}
	if err := lifetime(life); err != nil {
		return err
	}
	return c.identifier(index)
}

// lifetime checks how many packets a key is good for: 2^20, or a number. Who sends under the key replaces it in time;
// an hour of a call is less than 2^18.
func lifetime(s string) error {
	if s == "" {
		return nil
	}
	base, limit := s, uint64(1)<<longestLife
	if power, ok := strings.CutPrefix(s, "2^"); ok {
		base, limit = power, longestLife
	}
	if n, err := strconv.ParseUint(base, 10, 64); err != nil || n == 0 || n > limit {
		return unusable("has a lifetime that is no number of packets up to 2^48")
	}
	return nil
}

// identifier reads the MKI: a number, and in how many bytes of each packet it stands.
func (c *crypto) identifier(s string) error {
	if s == "" {
		return nil
	}
	value, length, _ := strings.Cut(s, ":")
	v, err := strconv.ParseUint(value, 10, 64)
	n, sizeErr := strconv.ParseUint(length, 10, 8)
	if err != nil || sizeErr != nil || n == 0 || n > longestMKI || n < 8 && v>>(8*n) != 0 {
		return unusable("has an MKI that is no number of 64 bits in 1 to 128 bytes")
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], v)
	c.mki = make([]byte, n)
	if n < 8 {
		copy(c.mki, b[8-n:])
	} else {
		copy(c.mki[n-8:], b[:])
	}
	return nil
}

// parameter judges a session parameter (RFC 4568 6.3). All but the window size, which is for information, change how
// packets are made: none of them is spoken here. What begins with - may be passed over (RFC 4568 6.3.7).
func parameter(p string) error {
	name, _, _ := strings.Cut(strings.ToUpper(p), "=")
	switch name {
	case "WSH":
		return nil
	case "KDR", "UNENCRYPTED_SRTP", "UNENCRYPTED_SRTCP", "UNAUTHENTICATED_SRTP", "FEC_ORDER", "FEC_KEY":
		return unusable("asks for " + name + ", which is not spoken here")
	}
	if strings.HasPrefix(p, "-") {
		return nil
	}
	return unusable("has a parameter that nobody knows")
}

// shownSuite names a suite in an error, if it looks like one: words of capitals and digits, joined by _, which base64
// does not have.
func shownSuite(name string) string {
	if len(name) > 40 || !strings.Contains(name, "_") || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return "an unknown suite"
	}
	return "the suite " + name
}

func unusable(why string) error { return &AnswerError{"a=crypto " + why} }

// chosen reads the lines of an answer: exactly one, with the tag of an offered line and its suite (RFC 4568 5.1.2).
func chosen(lines []string) (crypto, error) {
	if len(lines) > 1 {
		return crypto{}, &AnswerError{fmt.Sprintf("%d a=crypto lines, an answer has one", len(lines))}
	}
	c, err := parseCrypto(lines[0])
	switch {
	case err != nil:
		return crypto{}, err
	case c.tag < 1 || c.tag > len(suites):
		return crypto{}, unusable(fmt.Sprintf("has tag %d, which was not offered", c.tag))
	case c.suite != &suites[c.tag-1]:
		return crypto{}, unusable(fmt.Sprintf("has tag %d with %s, it was offered with %s", c.tag, c.suite.name, suites[c.tag-1].name))
	}
	return c, nil
}

// firstKnown reads the lines of an offer and takes the first that is spoken here: the offerer prefers it (RFC 4568 5.1.2). If
// there is none, the error is about the first line.
func firstKnown(lines []string) (crypto, error) {
	var why error
	tags := make(map[int]bool, len(lines))
	for _, l := range lines {
		c, err := parseCrypto(l)
		if err == nil && tags[c.tag] {
			err = unusable(fmt.Sprintf("has tag %d again", c.tag))
		}
		if err == nil {
			return c, nil
		}
		tags[c.tag] = true
		if why == nil {
			why = err
		}
	}
	return crypto{}, why
}

// keying finds the key of a stream, or that it has none and is plain RTP, and what the rule says to that.
func (m *section) keying(t terms) (crypto, error) {
	secure := m.profile == "RTP/SAVP" || m.profile == "RTP/SAVPF"
	if !secure && m.profile != "RTP/AVP" && m.profile != "RTP/AVPF" {
		return crypto{}, &AnswerError{fmt.Sprintf("audio as %.40q, which is not spoken here", m.profile)}
	}
	switch {
	case t.srtp == SRTPOff && secure:
		return crypto{}, &AnswerError{fmt.Sprintf("audio as %s, and SRTP is off", m.profile)}
	case t.srtp == SRTPOff:
		return crypto{}, nil
	case t.srtp == SRTPRequired && !secure:
		return crypto{}, &AnswerError{fmt.Sprintf("audio as %s, and SRTP is required", m.profile)}
	case len(m.crypto) == 0 && secure:
		return crypto{}, &AnswerError{fmt.Sprintf("audio as %s without a=crypto: there is no key", m.profile)}
	case len(m.crypto) == 0:
		return crypto{}, nil
	case t.answer:
		return chosen(m.crypto)
	}
	c, err := firstKnown(m.crypto)
	if err != nil && !secure { // best effort: without a key of ours it is plain RTP
		return crypto{}, nil
	}
	return c, err
}
