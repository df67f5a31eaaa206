package mediatest

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Report is the Ear's verdict on a stream.
type Report struct {
	Packets    int
	Lost       int // numbers that never came
	Duplicates int
	Bad        int // datagrams that were no RTP, or of a payload type nobody agreed on
	SSRCs      []uint32
	Sources    []netip.AddrPort
	// Breaks are the packets that do not follow the one before: in the sequence number, and in the timestamp, which must
	// advance by the samples sent.
	SequenceBreaks, TimestampBreaks int
	Markers                         []int // the packets with the marker bit, by position
	FirstPayload                    uint8
	First, Last                     time.Time // arrivals
	Gap                             Spread    // |time between two packets − 20 ms|
}

// Spread is a distribution.
type Spread struct{ P50, P99, P999, Max time.Duration }

// Report judges what was heard so far, in order of arrival.
func (e *Ear) Report() Report {
	e.mu.Lock()
	packets := slices.Clone(e.packets)
	r := Report{Packets: len(packets), Bad: e.bad}
	e.mu.Unlock()
	if len(packets) == 0 {
		return r
	}
	r.First, r.Last, r.FirstPayload = packets[0].at, packets[len(packets)-1].at, packets[0].kind
	var gaps []time.Duration
	for i, p := range packets {
		if p.marker {
			r.Markers = append(r.Markers, i)
		}
		if !slices.Contains(r.SSRCs, p.ssrc) {
			r.SSRCs = append(r.SSRCs, p.ssrc)
		}
		if !slices.Contains(r.Sources, p.from) {
			r.Sources = append(r.Sources, p.from)
		}
		if i == 0 || packets[i-1].ssrc != p.ssrc {
			continue
		}
		last := packets[i-1]
		if p.seq != last.seq+1 {
			r.SequenceBreaks++
		}
		if p.stamp != last.stamp+uint32(last.samples) {
			r.TimestampBreaks++
		}
		gaps = append(gaps, (p.at.Sub(last.at) - Frame).Abs())
	}
	r.Lost, r.Duplicates = missing(packets)
	r.Gap = spread(gaps)
	return r
}

// missing counts the numbers between the lowest and the highest that never came, and those that came again, per source.
func missing(packets []packet) (lost, again int) {
	type source struct {
		seen         map[int]bool
		low, high, n int
	}
	sources := map[uint32]*source{}
	for _, p := range packets {
		s := sources[p.ssrc]
		if s == nil {
			s = &source{seen: map[int]bool{}, low: int(p.seq), high: int(p.seq), n: int(p.seq)}
			sources[p.ssrc] = s
		}
		s.n += int(int16(p.seq - uint16(s.n))) // extended over wraps
		if s.seen[s.n] {
			again++
		}
		s.seen[s.n] = true
		s.low, s.high = min(s.low, s.n), max(s.high, s.n)
	}
	for _, s := range sources {
		lost += s.high - s.low + 1 - len(s.seen)
	}
	return lost, again
}

func spread(d []time.Duration) Spread {
	if len(d) == 0 {
		return Spread{}
	}
	slices.Sort(d)
	at := func(q float64) time.Duration { return d[min(len(d)-1, int(q*float64(len(d))))] }
	return Spread{at(0.5), at(0.99), at(0.999), d[len(d)-1]}
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
