package mediatest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// longest is how much sound an Ear keeps.
const longest = 10 * time.Minute

// Ear hears RTP: it decodes PCMU and PCMA and keeps books on every packet.
type Ear struct {
	mu      sync.Mutex
	codecs  []string
	srtp    *SRTP // nil = plain RTP
	packets []packet
	echo    func(*rtp.Packet) // nil unless what is heard is said
	pcm     []int16
	origin  uint32 // timestamp of pcm[base]
	base    int
	sound   int // samples louder than silence
	bad     int
	changed chan struct{} // closed and replaced with every packet
}

// packet is what is kept of one.
type packet struct {
	at      time.Time
	stamp   uint32
	ssrc    uint32
	seq     uint16
	kind    uint8
	marker  bool
	samples int
	from    netip.AddrPort
}

func newEar() *Ear { return &Ear{changed: make(chan struct{})} }

func (e *Ear) agree(codecs []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.codecs = slices.Clone(codecs)
}

func (e *Ear) unlock(s *SRTP) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.srtp = s
}

// run reads until the socket closes. An ICMP error is no reason to stop.
func (e *Ear) run(conn *net.UDPConn) {
	buf := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if isClosed(err) {
				return
			}
			continue
		}
		e.take(buf[:n], from, time.Now())
	}
}

// take books one datagram.
func (e *Ear) take(b []byte, from netip.AddrPort, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() {
		close(e.changed)
		e.changed = make(chan struct{})
	}()
	if e.srtp != nil {
		plain, err := e.srtp.Open(b)
		if err != nil {
			e.bad++
			return
		}
		b = plain
	}
	var p rtp.Packet
	if err := p.Unmarshal(b); err != nil || p.Version != 2 {
		e.bad++
		return
	}
	if e.echo != nil {
		e.echo(&p)
	}
	got := packet{at, p.Timestamp, p.SSRC, p.SequenceNumber, p.PayloadType, p.Marker, len(p.Payload), from}
	codec := ""
	for _, c := range e.codecs {
		if payloadType(c) == p.PayloadType {
			codec = c
		}
	}
	if codec == "" {
		e.bad++
		return
	}
	if len(e.packets) == 0 || e.packets[len(e.packets)-1].ssrc != got.ssrc {
		e.origin, e.base = got.stamp, len(e.pcm)
	}
	e.packets = append(e.packets, got)
	e.place(int(int32(got.stamp-e.origin)), decode(codec, nil, p.Payload))
}

// place puts samples where their timestamp says; what is missing is silence.
func (e *Ear) place(at int, pcm []int16) {
	at += e.base
	if at < 0 || at+len(pcm) > Samples(longest) {
		e.bad++
		return
	}
	if need := at + len(pcm); need > len(e.pcm) {
		e.pcm = append(e.pcm, make([]int16, need-len(e.pcm))...)
	}
	copy(e.pcm[at:], pcm)
	for _, s := range pcm {
		if abs(int(s)) > 64 {
			e.sound++
		}
	}
}

// Heard is what was heard since the first packet, at 8 kHz; what was lost is silence.
func (e *Ear) Heard() []int16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.pcm)
}

// HeardTogether is what was heard without the pauses in which nothing was sent: two packets with numbers in a row and a time
// between them, as a sender makes that was not scheduled. What was lost stays silence.
func (e *Ear) HeardTogether() []int16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []int16
	from, origin, base := 0, uint32(0), 0
	for i, p := range e.packets {
		if i == 0 || e.packets[i-1].ssrc != p.ssrc {
			if i > 0 {
				base = from
			}
			origin = p.stamp
			continue
		}
		last := e.packets[i-1]
		pause := int(int32(p.stamp - last.stamp - uint32(last.samples)))
		if at := base + int(int32(p.stamp-origin)); p.seq == last.seq+1 && pause > 0 && at-pause >= from && at <= len(e.pcm) {
			out = append(out, e.pcm[from:at-pause]...)
			from = at
		}
	}
	return append(out, e.pcm[from:]...)
}

// Correlate looks for a recording in what was heard.
func (e *Ear) Correlate(reference []int16) Match { return Correlate(e.Heard(), reference) }

// Count is how much was heard so far.
type Count struct {
	Packets int
	Total   time.Duration // silence included
	Sound   time.Duration // of samples that are not silence
}

// Count is how much was heard so far.
func (e *Ear) Count() Count {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count()
}

func (e *Ear) count() Count {
	return Count{len(e.packets), duration(len(e.pcm)), duration(e.sound)}
}

func duration(samples int) time.Duration { return time.Duration(samples) * time.Second / Rate }

// Wait blocks until enough was heard for done, or ctx ends. It looks after every packet.
func (e *Ear) Wait(ctx context.Context, done func(Count) bool) error {
	for {
		e.mu.Lock()
		now, changed := e.count(), e.changed
		e.mu.Unlock()
		if done(now) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting at the ear, %d packets, %s of sound heard: %w", now.Packets, now.Sound, ctx.Err())
		}
	}
}

// WaitPackets blocks until n packets were heard in all.
func (e *Ear) WaitPackets(ctx context.Context, n int) error {
	return e.Wait(ctx, func(c Count) bool { return c.Packets >= n })
}

// WaitSound blocks until d of sound was heard in all, silence not counted.
func (e *Ear) WaitSound(ctx context.Context, d time.Duration) error {
	return e.Wait(ctx, func(c Count) bool { return c.Sound >= d })
}
