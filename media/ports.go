package media

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

const (
	// quarantine keeps late packets of one call out of the next call on the same port.
	quarantine = 10 * time.Second
	// receiveBuffer bounds what a call can pin in the kernel, which doubles it; it holds 400 ms.
	receiveBuffer = 16 << 10
	// reportBuffer is for RTCP; it is read once, at the call's end.
	reportBuffer = 2 << 10
)

// pair is an RTP socket on an even port and the RTCP socket above it (RFC 3550 11).
type pair struct {
	rtp  socket
	rtcp *net.UDPConn
	port int
}

// ports hands out pairs.
type ports struct {
	cfg Config

	mu   sync.Mutex
	used map[int]bool
	rest map[int]time.Time // until when
}

func newPorts(cfg Config) *ports {
	return &ports{cfg: cfg, used: make(map[int]bool), rest: make(map[int]time.Time)}
}

// pairs is how many fit into the range.
func pairs(cfg Config) int { return (cfg.PortMax - firstPort(cfg) + 1) / 2 }

func firstPort(cfg Config) int { return (cfg.PortMin + 1) &^ 1 }

// take binds a pair at a random place of the range; one that somebody else holds is passed over.
func (p *ports) take(ctx context.Context, local netip.Addr) (pair, error) {
	n := pairs(p.cfg)
	var seed [4]byte
	if _, err := io.ReadFull(p.cfg.Rand, seed[:]); err != nil {
		return pair{}, fmt.Errorf("pick a port: %w", err)
	}
	start := int(binary.BigEndian.Uint32(seed[:]) % uint32(n))
	for i := range n {
		port := firstPort(p.cfg) + 2*((start+i)%n)
		if !p.reserve(port) {
			continue
		}
		got, err := p.bind(ctx, local, port)
		if err == nil {
			return got, nil
		}
		p.release(port, 0)
		if !errors.Is(err, syscall.EADDRINUSE) { // no other port would do either
			return pair{}, fmt.Errorf("open RTP port %d on %s: %w", port, local, bare(err))
		}
	}
	return pair{}, ErrNoPort
}

// bare is what the system says, without the name of what was tried, which is said already.
func bare(err error) error {
	if system, ok := errors.AsType[syscall.Errno](err); ok {
		return system
	}
	return err
}

func (p *ports) reserve(port int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used[port] || p.cfg.Now().Before(p.rest[port]) {
		return false
	}
	delete(p.rest, port)
	p.used[port] = true
	return true
}

func (p *ports) release(port int, rest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, port)
	if rest > 0 {
		p.rest[port] = p.cfg.Now().Add(rest)
	}
}

func (p *ports) bind(ctx context.Context, local netip.Addr, port int) (pair, error) {
	rtp, err := p.listen(ctx, local, port)
	if err != nil {
		return pair{}, err
	}
	rtcp, err := p.listen(ctx, local, port+1)
	if err != nil {
		_ = rtp.Close()
		return pair{}, err
	}
	_ = rtp.SetReadBuffer(receiveBuffer) // what the kernel grants has to do
	_ = rtcp.SetReadBuffer(reportBuffer)
	prepare(rtp, p.cfg.DSCP)
	s, err := detach(rtp)
	if err != nil {
		_ = rtcp.Close()
		return pair{}, err
	}
	return pair{s, rtcp, port}, nil
}

func (p *ports) listen(ctx context.Context, local netip.Addr, port int) (*net.UDPConn, error) {
	conn, err := p.cfg.Listen(ctx, "udp", netip.AddrPortFrom(local, uint16(port)).String())
	if err != nil {
		return nil, err
	}
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		_ = conn.Close()
		return nil, fmt.Errorf("a %T is not a UDP socket", conn)
	}
	return udp, nil
}

// give closes a pair and lets its port rest.
func (p *ports) give(got pair) {
	got.rtp.close()
	_ = got.rtcp.Close()
	p.release(got.port, quarantine)
}
