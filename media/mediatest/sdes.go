package mediatest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Crypto is a line a=crypto (RFC 4568) with one inline key.
type Crypto struct {
	Tag    int
	Suite  string
	Master []byte // key and salt
	MKI    []byte
}

// readCrypto reads a well-formed line with a lifetime and an MKI or without.
func readCrypto(value string) (Crypto, error) {
	var c Crypto
	var inline string
	if n, err := fmt.Sscan(value, &c.Tag, &c.Suite, &inline); n != 3 {
		return c, fmt.Errorf("read a=crypto: %w", err)
	}
	parts := strings.Split(strings.TrimPrefix(inline, "inline:"), "|")
	var err error
	if c.Master, err = base64.StdEncoding.DecodeString(parts[0]); err != nil {
		return c, fmt.Errorf("read a key: %w", err)
	}
	for _, p := range parts[1:] {
		value, size, isMKI := strings.Cut(p, ":")
		if !isMKI {
			continue
		}
		v, _ := strconv.Atoi(value)
		n, _ := strconv.Atoi(size)
		c.MKI = make([]byte, n)
		for i := n - 1; i >= 0 && v > 0; i, v = i-1, v>>8 {
			c.MKI[i] = byte(v)
		}
	}
	return c, nil
}

func (c Crypto) line() string {
	s := fmt.Sprintf("a=crypto:%d %s inline:%s", c.Tag, c.Suite, base64.StdEncoding.EncodeToString(c.Master))
	if len(c.MKI) > 0 {
		v := 0
		for _, b := range c.MKI {
			v = v<<8 | int(b)
		}
		s += fmt.Sprintf("|2^31|%d:%d", v, len(c.MKI))
	}
	return s + "\r\n"
}

// secured finds the offered line that this handset takes, by its own preference, and what it answers.
func (h *Handset) secured(offer Description) (theirs, mine Crypto, ok bool) {
	for _, suite := range h.cfg.Suites {
		i := slices.IndexFunc(offer.Crypto, func(c Crypto) bool { return c.Suite == suite })
		if i >= 0 {
			return offer.Crypto[i], h.key(offer.Crypto[i].Tag, suite), true
		}
	}
	return Crypto{}, Crypto{}, false
}

// key is a line with this handset's key for a suite, the same until Rekey.
func (h *Handset) key(tag int, suite string) Crypto {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.masters[suite] == nil {
		m := make([]byte, keyBytes+saltBytes(suite))
		for i := range m {
			m[i] = byte(h.random.Uint32())
		}
		h.masters[suite] = m
	}
	return Crypto{Tag: tag, Suite: suite, Master: h.masters[suite], MKI: h.cfg.MKI}
}

// Rekey draws new keys for the next offer or answer.
func (h *Handset) Rekey() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.masters)
}

// lock puts both directions under their keys; without any it is plain RTP. A direction whose key stays goes on.
func (h *Handset) lock(theirs, mine Crypto) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	turn := func(now *Crypto, to Crypto, use func(*SRTP)) error {
		if now.Suite == to.Suite && string(now.Master) == string(to.Master) {
			return nil
		}
		*now = to
		if to.Suite == "" {
			use(nil)
			return nil
		}
		s, err := NewSRTP(to.Suite, to.Master, to.MKI)
		if err == nil {
			use(s)
		}
		return err
	}
	if err := turn(&h.theirs, theirs, h.Ear.unlock); err != nil {
		return err
	}
	return turn(&h.mine, mine, h.Mouth.lock)
}
