// Package media is the audio of calls: RTP sessions (RFC 3550) with their port pairs, offer and answer (RFC 3264), one
// pacer for all of them, PCMU and PCMA (G.711, RFC 3551), keys (RFC 4733), a small ear that tells speech from silence,
// and another that names the network's tones while nobody has answered (progress.go).
//
// A [Session] sends silence from the moment its answer is accepted and recordings when told; it never stops in between,
// so that NATs and session border controllers keep the path open. It listens to one source only: the one signalling
// named, or the one its [Latch] rule admits. With [SRTP] (RFC 3711, keys by SDES, RFC 4568) only packets that
// authenticate exist for it. It knows nothing of SIP, of who is called, or of what a key press means. It does no comfort
// noise, reads of RTCP only whether the callee reports at all, and mixes and transcodes nothing: recordings come encoded.
package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Frame is the time one frame of a recording covers, and one packet of ours.
const Frame = 20 * time.Millisecond

// ErrNoPort says that every port of the range is in use, or was until a moment ago.
var ErrNoPort = errors.New("no RTP port left: widen media.ports, or fewer calls at once")

// Latch says which source of RTP is taken for the callee's where packets do not come from the address in the SDP. That
// address itself always is. Another one has to send four packets in sequence, of one stream and an agreed payload type,
// and is then the only one until signalling names a new address.
type Latch string

// Latching rules.
const (
	LatchOff    Latch = "off"     // the SDP address and port only
	LatchSameIP Latch = "same_ip" // any port of the SDP address' host or of the signalling peer's
	LatchAny    Latch = "any"     // whoever is first: an invitation to strangers, but under SRTP, where it is who has the key
)

// Config is what all sessions share.
type Config struct {
	PortMin, PortMax int       // both inclusive; RTP takes even ports, RTCP the odd one above
	DSCP             int       // RFC 2474 code point of RTP, 0–63; 46 is expedited forwarding
	Rand             io.Reader // of SSRCs, sequence numbers, timestamps, ports and SRTP keys; cryptographic
	Now              func() time.Time
	// Listen opens a socket, a *net.UDPConn; nil is the net package's.
	Listen func(ctx context.Context, network, address string) (net.PacketConn, error)
	Log    *slog.Logger // nil is silent
}

// Engine makes sessions, paces them and listens for them.
type Engine struct {
	cfg   Config
	ports *ports
	pacer *pacer
	ears  *ears
}

// NewEngine checks the configuration. It starts nothing.
func NewEngine(cfg Config) (*Engine, error) {
	if cfg.PortMin < 1024 || cfg.PortMax > 65535 || pairs(cfg) < 1 {
		return nil, fmt.Errorf("ports %d-%d: a range between 1024 and 65535 with room for RTP and RTCP is needed", cfg.PortMin, cfg.PortMax)
	}
	if cfg.DSCP < 0 || cfg.DSCP > 63 {
		return nil, fmt.Errorf("dscp %d: a code point is between 0 and 63", cfg.DSCP)
	}
	if cfg.Rand == nil {
		return nil, errors.New("a source of randomness is needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Listen == nil {
		cfg.Listen = new(net.ListenConfig).ListenPacket
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	ears, err := newEars(cfg)
	if err != nil {
		return nil, err
	}
	return &Engine{cfg: cfg, ports: newPorts(cfg), pacer: newPacer(), ears: ears}, nil
}

// Run paces every session, and listens to it, until ctx is done. A session opened before is sent and heard once it runs.
func (e *Engine) Run(ctx context.Context) error {
	var group sync.WaitGroup
	group.Go(func() { e.ears.run(ctx) })
	err := e.pacer.run(ctx)
	e.ears.wake()
	group.Wait()
	return err
}

// EngineStats are the engine's counters.
type EngineStats struct {
	Sessions  int    // being paced
	LateTurns uint64 // turns of 20 ms that were skipped because this process was not scheduled in time
}

// Stats are the engine's counters now.
func (e *Engine) Stats() EngineStats {
	n, late := e.pacer.stats()
	return EngineStats{Sessions: n, LateTurns: late}
}

// Options describe one session.
type Options struct {
	Local     netip.Addr // to bind
	Advertise netip.Addr // to name in SDP; the zero Addr is Local
	Peer      netip.Addr // the signalling peer, for LatchSameIP
	Codecs    []Codec    // in order of preference; nil is PCMU, PCMA
	Latch     Latch      // "" is LatchSameIP
	SRTP      SRTP       // "" is SRTPOff
	NoEvents  bool       // telephone-event is neither offered nor accepted: keys come another way
	Tap       Tap        // nil is none
	// Heard is given the audio of the callee, decrypted, packet by packet; it must not block, nor keep the payload. nil is
	// nobody.
	Heard func(codec Codec, payload []byte)
}

// keysPT is the payload type that keys have in our offers, 0 = none.
func (o Options) keysPT() uint8 {
	if o.NoEvents {
		return 0
	}
	return keysPT
}

func (o Options) complete() (Options, error) {
	if !o.Local.IsValid() {
		return o, errors.New("no local address to bind")
	}
	if !o.Advertise.IsValid() {
		o.Advertise = o.Local
	}
	if len(o.Codecs) == 0 {
		o.Codecs = []Codec{PCMU, PCMA}
	}
	switch o.Latch {
	case "":
		o.Latch = LatchSameIP
	case LatchOff, LatchSameIP, LatchAny:
	default:
		return o, fmt.Errorf("latch %q: off, same_ip or any", o.Latch)
	}
	switch o.SRTP {
	case "":
		o.SRTP = SRTPOff
	case SRTPOff, SRTPOptional, SRTPRequired:
	default:
		return o, fmt.Errorf("srtp %q: off, optional or required", o.SRTP)
	}
	return o, nil
}
