package media

import (
	"encoding/binary"
	"time"
)

const (
	// segment is the longest duration one event can tell, in timestamp units; a longer press goes on in another segment
	// that begins where the last one ended (RFC 4733 2.5.1.3).
	segment = 0xFFFF
	// segmentSlack is how much of a segment's end may have been lost, 200 ms, for the next one still to go on with it.
	segmentSlack = 1600
)

// keyReader finds presses in telephone-event packets. One press is many packets with one timestamp; the first of them
// to arrive counts and no other does: its start, its end and its marker may be lost.
type keyReader struct {
	any      bool
	ssrc     uint32
	event    byte
	stamp    uint32 // of the segment
	duration uint32 // of it, as last told
	ended    bool
}

// press is a key that has just begun.
type press struct {
	digit byte
	since time.Duration // how long it had lasted by then, as its packet says
}

// read takes one payload and says whether a press began.
func (k *keyReader) read(payload []byte, ssrc, stamp uint32) (press, bool) {
	if len(payload) < 4 || payload[0] > 15 {
		return press{}, false // flash and the like are no keys
	}
	now := keyReader{true, ssrc, payload[0], stamp, uint32(binary.BigEndian.Uint16(payload[2:])), payload[1]&0x80 != 0}
	if k.any && k.ssrc == ssrc {
		age := int32(stamp - k.stamp)
		if age < 0 {
			return press{}, false // overtaken by a later press
		}
		if age == 0 {
			k.duration, k.ended = max(k.duration, now.duration), k.ended || now.ended
			return press{}, false
		}
		if k.goesOn(now, uint32(age)) {
			*k = now
			return press{}, false
		}
	}
	*k = now
	return press{"0123456789*#ABCD"[now.event], time.Duration(now.duration) * time.Second / clockRate}, true
}

// goesOn says that next is a further segment of the same long press: the last one never ended, and the next begins
// about where it did.
func (k *keyReader) goesOn(next keyReader, age uint32) bool {
	return next.event == k.event && !k.ended && age <= segment && age+segmentSlack >= segment &&
		age <= k.duration+segmentSlack
}
