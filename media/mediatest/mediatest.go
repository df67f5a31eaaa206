// Package mediatest is the other end of a call's audio: a [Handset] with an [Ear] that records and judges the RTP it
// hears, and a [Mouth] that speaks, keeps silent and presses keys, with the faults real networks and hostile neighbours
// add. It has a G.711, an SDP, an SRTP and an RFC 4733 of its own, so that the room under test is measured by something
// that does not share its mistakes.
//
// It is for tests, the test bed and the demo: it is no phone, keeps all it hears in memory, and never imports media.
package mediatest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	// Rate is the sampling rate of everything here, in samples a second.
	Rate = 8000
	// Frame is the time one packet of the Mouth covers.
	Frame = 20 * time.Millisecond

	frameSamples = 160
)

// Config describes a handset. The zero value is a well-behaved phone on loopback that takes the first codec offered.
type Config struct {
	Listen    string         // address to bind, "" = 127.0.0.1:0
	Codecs    []string       // SDP names, in the answer's order; nil = those of the offer that are known here
	Keys      uint8          // payload type of telephone-event in our SDP, 0 = the offer's
	NoKeys    bool           // leave telephone-event out
	Advertise netip.AddrPort // what our SDP names instead of the socket's address (a phone behind NAT)
	Quiet     bool           // send nothing when there is nothing to say, instead of packets of silence
	Seed      uint64         // of SSRC, sequence, timestamp and SRTP keys; 0 = 1
	Suites    []string       // of SRTP, in order of preference; nil = it knows none and passes over a=crypto
	Profile   string         // of its own offers, "" = RTP/SAVP with Suites, else RTP/AVP
	MKI       []byte         // stands in its lines and packets
}

// Handset is one phone's audio: a socket with an Ear and a Mouth on it. It works from [Handset.Answer] or
// [Handset.Accept] until [Handset.Close].
type Handset struct {
	Ear   *Ear
	Mouth *Mouth

	cfg   Config
	conn  *net.UDPConn
	local netip.AddrPort
	work  sync.WaitGroup

	mu      sync.Mutex // of what follows
	version int
	works   bool
	closed  bool
	random  *rand.Rand        // of keys
	masters map[string][]byte // its keys by suite
	theirs  Crypto            // what the Ear is under
	mine    Crypto            // what the Mouth is under
}

// NewHandset binds a socket. Nothing is heard or said yet, but what arrives early waits in the socket.
func NewHandset(cfg Config) (*Handset, error) {
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Seed == 0 {
		cfg.Seed = 1
	}
	addr, err := net.ResolveUDPAddr("udp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", cfg.Listen, err)
	}
	conn, err := net.ListenUDP("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("open the handset: %w", err)
	}
	h := &Handset{
		Ear: newEar(), cfg: cfg, conn: conn, masters: map[string][]byte{}, random: rand.New(rand.NewPCG(cfg.Seed, ^cfg.Seed)),
		local: conn.LocalAddr().(*net.UDPAddr).AddrPort(), //nolint:errcheck,forcetypeassert // a UDP socket has a UDP address
	}
	h.Mouth = newMouth(conn, rand.New(rand.NewPCG(cfg.Seed, cfg.Seed)), cfg.Quiet)
	return h, nil
}

// Addr is the socket's address.
func (h *Handset) Addr() netip.AddrPort { return h.local }

// Answer takes an SDP offer, starts the Ear and the Mouth toward it, and returns the answer. It may be called again for
// a later offer of the same call.
func (h *Handset) Answer(offer []byte) ([]byte, error) {
	d, err := ParseSDP(offer)
	if err != nil {
		return nil, err
	}
	mine, err := h.common(d)
	if err != nil {
		return nil, err
	}
	theirs, ours, ok := h.secured(d)
	if ok {
		mine.Crypto = []Crypto{ours}
	} else if strings.HasPrefix(d.Profile, "RTP/SAVP") {
		return nil, errors.New("no SRTP suite in common")
	}
	if err := h.start(d, mine, theirs, ours); err != nil {
		return nil, err
	}
	mine.Direction, mine.Profile = mirrored(d.Direction), d.Profile
	return h.write(mine), nil
}

// Offer is an SDP offer of ours with this direction ("sendrecv", "sendonly", "inactive", …), for a first INVITE or a
// re-INVITE.
func (h *Handset) Offer(direction string) []byte {
	mine := Description{Codecs: h.cfg.Codecs, Keys: h.cfg.Keys, Direction: direction, Profile: h.cfg.Profile}
	for i, suite := range h.cfg.Suites {
		mine.Crypto = append(mine.Crypto, h.key(i+1, suite))
	}
	if mine.Profile == "" && mine.Crypto != nil {
		mine.Profile = "RTP/SAVP"
	}
	if mine.Codecs == nil {
		mine.Codecs = []string{"PCMU", "PCMA"}
	}
	if mine.Keys == 0 && !h.cfg.NoKeys {
		mine.Keys = 101
	}
	return h.write(mine)
}

// Accept takes the answer to an offer of ours and starts the Ear and the Mouth toward it.
func (h *Handset) Accept(answer []byte) error {
	d, err := ParseSDP(answer)
	if err != nil {
		return err
	}
	if len(d.Codecs) == 0 {
		return errors.New("no codec in common")
	}
	var theirs, mine Crypto
	if len(d.Crypto) > 0 {
		theirs = d.Crypto[0]
		if theirs.Tag < 1 || theirs.Tag > len(h.cfg.Suites) || h.cfg.Suites[theirs.Tag-1] != theirs.Suite {
			return fmt.Errorf("a=crypto %d %s was not offered", theirs.Tag, theirs.Suite)
		}
		mine = h.key(theirs.Tag, theirs.Suite)
	}
	return h.start(d, d, theirs, mine)
}

// Close ends Ear and Mouth and closes the socket. It may be called more than once.
func (h *Handset) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	_ = h.conn.Close()
	h.Mouth.shut()
	h.work.Wait()
}

func (h *Handset) start(peer, agreed Description, theirs, mine Crypto) error {
	if err := h.lock(theirs, mine); err != nil {
		return err
	}
	h.Ear.agree(agreed.Codecs)
	h.Mouth.agree(peer.Addr, agreed.Codecs[0], agreed.Keys)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.works || h.closed {
		return nil
	}
	h.works = true
	h.work.Go(func() { h.Ear.run(h.conn) })
	h.work.Go(h.Mouth.run)
	return nil
}

// common is the answer's codecs: ours in our order, else the offer's in its own.
func (h *Handset) common(offer Description) (Description, error) {
	d := Description{Keys: h.cfg.Keys}
	for _, c := range h.cfg.Codecs {
		if offer.has(c) {
			d.Codecs = append(d.Codecs, c)
		}
	}
	if h.cfg.Codecs == nil {
		d.Codecs = offer.Codecs
	}
	if d.Keys == 0 {
		d.Keys = offer.Keys
	}
	if h.cfg.NoKeys || offer.Keys == 0 {
		d.Keys = 0
	}
	if len(d.Codecs) == 0 {
		return d, errors.New("no codec in common")
	}
	return d, nil
}

func (h *Handset) write(d Description) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.version++
	d.Addr, d.Version = h.local, h.version
	if h.cfg.Advertise.IsValid() {
		d.Addr = h.cfg.Advertise
	}
	return d.Bytes()
}
