package media

import (
	"fmt"
	"slices"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

const (
	// sealBytes is the most a suite adds to a packet: the tag of GCM (RFC 7714 13.2).
	sealBytes = 16
	// window is how many packets may overtake one another; what comes again within it is a replay (RFC 3711 3.3.2).
	window = 128
	// mostSources is how many streams one key may be used for: each costs memory, and a call has one, or a few after
	// transfers.
	mostSources = 32
	// rekeyed is how long packets under the peer's last key are taken after it named a new one: they were on their way.
	rekeyed = 2 * time.Second
)

// sealer encrypts what a session sends. It is the pacer's, like the stream it belongs to, and allocates nothing.
type sealer struct {
	context *srtp.Context
	header  rtp.Header
	packet  [packetBytes + sealBytes]byte
}

func newSealer(s *suite, m master) (*sealer, error) {
	context, err := srtp.CreateContext(m.bytes()[:s.key], m.bytes()[s.key:], s.profile)
	if err != nil {
		return nil, fmt.Errorf("begin to encrypt: %w", err)
	}
	return &sealer{context: context}, nil
}

// seal is the packet as it may be sent, in the sealer's own buffer; nil if the key is used up. The rollover counter
// follows the sequence number, which counts packets sent and no turns that were skipped.
func (s *sealer) seal(packet []byte) []byte {
	sealed, err := s.context.EncryptRTP(s.packet[:0], packet, &s.header)
	if err != nil {
		return nil
	}
	return sealed
}

// opener decrypts what a peer sends under one key.
type opener struct {
	context *srtp.Context
	header  rtp.Header
	sources []uint32 // that have authenticated
}

func newOpener(c crypto) (*opener, error) {
	options := []srtp.ContextOption{srtp.SRTPReplayProtection(window), srtp.SRTCPReplayProtection(window)}
	if c.mki != nil {
		options = append(options, srtp.MasterKeyIndicator(c.mki))
	}
	m := c.master.bytes()
	context, err := srtp.CreateContext(m[:c.suite.key], m[c.suite.key:], c.suite.profile, options...)
	if err != nil {
		return nil, fmt.Errorf("begin to decrypt: %w", err)
	}
	return &opener{context: context}, nil
}

// open is a packet's plain form, in place, or nil if it does not authenticate or came before. What failed is garbage
// afterwards.
func (o *opener) open(packet []byte, ssrc uint32) []byte {
	known := slices.Contains(o.sources, ssrc)
	if !known && len(o.sources) == mostSources {
		return nil
	}
	plain, err := o.context.DecryptRTP(packet, packet, &o.header)
	if err != nil {
		return nil
	}
	if !known {
		o.sources = append(o.sources, ssrc)
	}
	return plain
}

// report is the plain form of an RTCP packet, or nil.
func (o *opener) report(packet []byte) []byte {
	plain, err := o.context.DecryptRTCP(nil, packet, nil)
	if err != nil {
		return nil
	}
	return plain
}

// gate is what a packet has to pass before anything else of a session looks at it: under SRTP only what authenticates
// does.
type gate struct {
	now    *opener // nil = plain RTP
	before *opener // under the peer's last key
	until  time.Time
	forged uint64 // did not pass
	suite  string // of now
	plain  bool   // some of the call was under none
}

// turn changes the key. Packets under the last one pass for a moment if the peer is where it was.
func (g *gate) turn(l lock, stays bool, at time.Time) {
	if l.open != g.now {
		g.before = nil
		if stays && l.open != nil {
			g.before, g.until = g.now, at.Add(rekeyed)
		}
	}
	g.now, g.suite = l.open, l.peer.name()
	g.plain = g.plain || g.now == nil
}

// pass opens a packet whose header takes n bytes: its payload, in place.
func (g *gate) pass(b []byte, n int, ssrc uint32, at time.Time) (payload []byte, ok bool) {
	if g.now == nil {
		return b[n:], true
	}
	var again []byte
	if g.before != nil {
		again = slices.Clone(b)
	}
	plain := g.now.open(b, ssrc)
	switch {
	case plain != nil:
		g.before = nil
	case g.before != nil && at.Before(g.until):
		plain = g.before.open(again, ssrc)
	}
	if plain == nil {
		g.forged++
		return nil, false
	}
	return plain[n:], true
}
