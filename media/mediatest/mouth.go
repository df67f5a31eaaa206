package mediatest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// ErrClosed is the answer of a Mouth whose handset was closed.
var ErrClosed = errors.New("the handset is closed")

// Mouth speaks RTP: one packet in 20 ms, silence when there is nothing to say.
type Mouth struct {
	conn  *net.UDPConn
	quiet bool

	mu     sync.Mutex
	rng    *rand.Rand
	to     netip.AddrPort
	codec  string
	keys   uint8
	srtp   *SRTP      // nil = plain RTP
	header rtp.Header // the next packet's
	lose   int        // this many packets are numbered and not sent
	plan   []*utterance
	other  *net.UDPConn // a stranger's socket
	closed chan struct{}
	shutUp sync.Once
}

// utterance is a row of packets, one in 20 ms.
type utterance struct {
	rows []row
	done chan struct{}
}

// row is what is sent in one 20 ms.
type row struct {
	key      bool
	payload  []byte
	began    uint32 // of a key: the timestamp the press began at, relative to that of its first row
	marker   bool
	copies   int // how often the packet is sent, 0 = once
	lost     bool
	silent   bool   // nothing at all is sent
	ssrc     uint32 // instead of the stream's
	stranger bool   // from another socket, and not under the key
}

func newMouth(conn *net.UDPConn, rng *rand.Rand, quiet bool) *Mouth {
	m := &Mouth{conn: conn, quiet: quiet, rng: rng, closed: make(chan struct{})}
	m.restart()
	return m
}

func (m *Mouth) restart() {
	m.header = rtp.Header{Version: 2, Marker: true, SSRC: m.rng.Uint32(), SequenceNumber: uint16(m.rng.Uint32()), Timestamp: m.rng.Uint32()}
}

// Restart begins a new stream, as after a transfer: another SSRC, sequence and timestamp.
func (m *Mouth) Restart() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.restart()
}

// Lose lets the network lose the next n packets.
func (m *Mouth) Lose(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lose += n
}

func (m *Mouth) agree(to netip.AddrPort, codec string, keys uint8) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.to, m.codec, m.keys = to, codec, keys
}

func (m *Mouth) lock(s *SRTP) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.srtp = s
}

// Say speaks these samples at 8 kHz, after what is being said, and returns when the last packet was sent.
func (m *Mouth) Say(ctx context.Context, pcm []int16) error {
	m.mu.Lock()
	codec := m.codec
	m.mu.Unlock()
	if codec == "" {
		return errors.New("nothing was agreed on yet")
	}
	var u utterance
	for at := 0; at < len(pcm); at += frameSamples {
		frame := make([]int16, frameSamples)
		copy(frame, pcm[at:])
		u.rows = append(u.rows, row{payload: encode(codec, frame), marker: at == 0})
	}
	return m.utter(ctx, &u)
}

// Hush sends nothing at all for d, as a phone with silence suppression does.
func (m *Mouth) Hush(ctx context.Context, d time.Duration) error {
	u := utterance{rows: make([]row, int(d/Frame))}
	for i := range u.rows {
		u.rows[i].silent = true
	}
	return m.utter(ctx, &u)
}

// Throw sends one datagram as it is.
func (m *Mouth) Throw(datagram []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.conn.WriteToUDPAddrPort(datagram, m.to); err != nil {
		return fmt.Errorf("throw a datagram: %w", err)
	}
	return nil
}

func (m *Mouth) utter(ctx context.Context, u *utterance) error {
	if len(u.rows) == 0 {
		return nil
	}
	u.done = make(chan struct{})
	m.mu.Lock()
	m.plan = append(m.plan, u)
	m.mu.Unlock()
	select {
	case <-u.done:
		return nil
	case <-m.closed:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("speaking: %w", ctx.Err())
	}
}

// run speaks until the handset is closed, against an absolute clock.
func (m *Mouth) run() {
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-m.closed:
			return
		case <-timer.C:
		}
		m.turn()
		next = next.Add(Frame)
		timer.Reset(time.Until(next))
	}
}

// turn sends what this 20 ms has.
func (m *Mouth) turn() {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := row{payload: nil, silent: m.quiet}
	if len(m.plan) > 0 {
		u := m.plan[0]
		r, u.rows = u.rows[0], u.rows[1:]
		if len(u.rows) == 0 {
			m.plan = m.plan[1:]
			defer close(u.done)
		}
	}
	if r.payload == nil {
		r.payload = make([]byte, frameSamples)
		for i := range r.payload {
			r.payload[i] = silenceByte(m.codec)
		}
	}
	if !r.silent {
		m.send(r)
	}
	m.header.Timestamp += frameSamples
}

func (m *Mouth) send(r row) {
	h := m.header
	h.PayloadType, h.Marker = payloadType(m.codec), h.Marker || r.marker
	if r.key {
		h.PayloadType, h.Marker, h.Timestamp = m.keys, r.marker, h.Timestamp-r.began
	}
	if r.ssrc != 0 {
		h.SSRC = r.ssrc
	}
	packet, err := (&rtp.Packet{Header: h, Payload: r.payload}).Marshal()
	conn := m.conn
	if r.stranger { // who has no key
		conn = m.stranger()
	} else {
		if m.srtp != nil && err == nil {
			packet = m.srtp.Seal(packet)
		}
		m.header.SequenceNumber++
		m.header.Marker = false
	}
	if m.lose > 0 {
		m.lose--
		r.lost = true
	}
	if err != nil || r.lost || conn == nil {
		return
	}
	for range max(1, r.copies) {
		_, _ = conn.WriteToUDPAddrPort(packet, m.to) // a packet that cannot be sent is a lost one
	}
}

// stranger is a socket of somebody else on this host.
func (m *Mouth) stranger() *net.UDPConn {
	if m.other == nil {
		m.other, _ = net.ListenUDP("udp", &net.UDPAddr{IP: m.conn.LocalAddr().(*net.UDPAddr).IP}) //nolint:errcheck,forcetypeassert // nil is handled by send
	}
	return m.other
}

func (m *Mouth) shut() {
	m.shutUp.Do(func() {
		close(m.closed)
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.other != nil {
			_ = m.other.Close()
		}
	})
}
