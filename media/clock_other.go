//go:build !linux

package media

import "time"

// slotClock waits for absolute moments as Go's timers can, to a millisecond or so.
type slotClock struct {
	began time.Time
	last  time.Duration
}

func newSlotClock() *slotClock { return &slotClock{began: time.Now()} }

func (c *slotClock) close() {}

func (c *slotClock) reset() { c.last = time.Since(c.began) }

// next sleeps until the next slot and returns how many turns were missed.
func (c *slotClock) next() (missed int) {
	c.last, missed = schedule(c.last, time.Since(c.began))
	time.Sleep(c.last - time.Since(c.began)) //nolint:forbidigo // this is what waiting for a slot is
	return missed
}
