package media

import (
	"encoding/binary"
	"errors"
	"strings"
)

const (
	pressTurns  = 6 // of a key held for 120 ms
	pressEnds   = 3 // how often its end is told, since one may be lost (RFC 4733 2.5.1.4)
	pressVolume = 10
)

// ErrNoKeys says that the callee takes no telephone-event.
var ErrNoKeys = errors.New("the callee takes no telephone-event (RFC 4733)")

// keypress is a key that we press: packets of one timestamp in place of sound (RFC 4733 2.5.1).
type keypress struct {
	event byte
	stamp uint32
	turns int // so far
}

// Press presses a key, '0'–'9', '*', '#', 'A'–'D', for 120 ms from the next turn on. What plays waits for it. It is for
// finding out whether keys get through.
func (s *Session) Press(digit byte) error {
	event := strings.IndexByte("0123456789*#ABCD", digit)
	if event < 0 {
		return errors.New("no such key")
	}
	err := ErrNoKeys
	s.engine.pacer.between(func() {
		if s.stream.keys != 0 && s.deal.settled {
			s.stream.press, err = &keypress{event: byte(event)}, nil
		}
	})
	return err
}

// pressed is a turn of a key that is held down.
func (s *stream) pressed() {
	k, h := s.press, s.header
	if k.turns == 0 {
		k.stamp, s.spurt = h.stamp, true
	} else {
		s.spurt = false
	}
	k.turns++
	payload := s.packet[headerBytes : headerBytes+4]
	payload[0], payload[1] = k.event, pressVolume
	if k.turns > pressTurns {
		payload[1] |= 1 << 7
	}
	binary.BigEndian.PutUint16(payload[2:], uint16(min(k.turns, pressTurns)*frameBytes))
	s.header.stamp, s.header.payload = k.stamp, s.keys
	s.put(payload)
	s.header.stamp, s.header.payload = h.stamp+frameBytes, h.payload
	if k.turns == pressTurns+pressEnds {
		s.press, s.spurt = nil, true
	}
}
