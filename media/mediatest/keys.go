package mediatest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Press says how a key is pressed (RFC 4733). The zero value is a clean press of 100 ms: a packet in 20 ms with a
// growing duration, the last one three times with the end bit.
type Press struct {
	Duration  time.Duration // 0 = 100 ms
	Step      uint16        // timestamp units each packet adds, 0 = 160; more presses long keys in a short time
	Copies    int           // how often the network delivers each packet, 0 = once
	LoseStart int           // how many packets from the first on are lost
	LoseEnd   bool          // all packets with the end bit are lost
	NoMarker  bool          // the first packet has no marker bit
	SSRC      uint32        // another stream's number, 0 = ours
	Stranger  bool          // from another socket on the same host
}

const (
	keyVolume = 10     // −10 dBm0
	longestT  = 0xFFFF // units one segment can tell
)

// Press presses keys one after another, 60 ms apart, after what is being said, and returns when the last packet was
// sent.
func (m *Mouth) Press(ctx context.Context, digits string, how Press) error {
	m.mu.Lock()
	agreed := m.keys != 0
	m.mu.Unlock()
	if !agreed {
		return errors.New("telephone-event was not agreed on")
	}
	var u utterance
	for i, d := range []byte(digits) {
		event := strings.IndexByte("0123456789*#ABCD", d)
		if event < 0 {
			return fmt.Errorf("%q is no key", d)
		}
		if i > 0 {
			u.rows = append(u.rows, row{}, row{}, row{})
		}
		u.rows = append(u.rows, how.rows(byte(event))...)
	}
	return m.utter(ctx, &u)
}

// rows are the packets of one press. A press longer than a segment can tell goes on in another segment, which begins
// where the last one ended (RFC 4733 2.5.1.3).
func (p Press) rows(event byte) (rows []row) {
	step := int(p.Step)
	if step == 0 {
		step = frameSamples
	}
	total := Samples(p.Duration)
	if total == 0 {
		total = 5 * frameSamples
	}
	turn := 0 // rows so far: the stream's clock is that many frames past the beginning
	add := func(began, duration int, end bool) {
		payload := []byte{event, keyVolume, 0, 0}
		if end {
			payload[1] |= 0x80
		}
		binary.BigEndian.PutUint16(payload[2:], uint16(duration))
		rows = append(rows, row{
			key: true, payload: payload, began: uint32(turn*frameSamples - began),
			marker: turn == 0 && !p.NoMarker, copies: p.Copies, ssrc: p.SSRC, stranger: p.Stranger,
			lost: turn < p.LoseStart || end && p.LoseEnd,
		})
		turn++
	}
	began := 0
	for at := step; at < total; at += step {
		for at-began > longestT {
			add(began, longestT, false)
			began += longestT
		}
		add(began, at-began, false)
	}
	for range 3 {
		add(began, total-began, true)
	}
	return rows
}
