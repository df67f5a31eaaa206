package media

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"time"
)

const (
	reportWait  = 2 * time.Millisecond // a read with a deadline in the past would not look at all
	reportBytes = 1500
	blockBytes  = 24 // of a report block (RFC 3550 6.4.1)
)

// Reported tells whether the callee has said by RTCP that it receives our stream: a report block with our SSRC in a
// sender or receiver report (RFC 3550 6.4). A phone that keeps silent sends no RTP, but it reports. It reads what has come
// to the RTCP port, within 2 ms, and is asked once, at a call's end. Under SRTP a report counts that authenticates.
func (s *Session) Reported() bool {
	rtcp, buf := s.pair.rtcp, make([]byte, reportBytes)
	defer func() { _ = rtcp.SetReadDeadline(time.Time{}) }()
	if err := rtcp.SetReadDeadline(time.Now().Add(reportWait)); err != nil {
		return false
	}
	for {
		n, from, err := rtcp.ReadFromUDPAddrPort(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) || err != nil && n == 0 {
			return false
		}
		if reports(s.ear.report(buf[:n], from.Addr().Unmap()), s.stream.header.ssrc) {
			return true
		}
	}
}

// report is a callee's RTCP in plain form; nil if it is somebody else's.
func (r *receiver) report(b []byte, from netip.Addr) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.knows(from):
		return nil
	case r.gate.now != nil:
		return r.gate.now.report(b)
	}
	return b
}

// knows tells whether an address is the callee's: named by SDP, or of signalling.
func (r *receiver) knows(a netip.Addr) bool {
	return a == r.latch.named.Addr() || a == r.latch.peer || a == r.latch.locked.addr.Addr()
}

// reports looks for a block about this stream in a compound packet.
func reports(b []byte, ssrc uint32) bool {
	for len(b) >= 8 && b[0]>>6 == 2 {
		size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if size > len(b) {
			return false
		}
		from := map[byte]int{200: 28, 201: 8}[b[1]] // sender report, receiver report
		for i := 0; from > 0 && i < int(b[0]&31) && from+(i+1)*blockBytes <= size; i++ {
			if binary.BigEndian.Uint32(b[from+i*blockBytes:]) == ssrc {
				return true
			}
		}
		b = b[size:]
	}
	return false
}
