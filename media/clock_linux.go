package media

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const (
	yieldEvery = 4   // slots, 8 ms: see next
	yieldBusy  = 500 // slots, after a yield that took long
)

// slotClock waits for absolute moments of the monotonic clock, on a thread of its own: timers of Go round up to a
// millisecond, clock_nanosleep does not.
type slotClock struct {
	last time.Duration
	left int // slots until the next yield
}

func newSlotClock() *slotClock {
	runtime.LockOSThread()
	c := &slotClock{}
	c.reset()
	return c
}

func (c *slotClock) close() { runtime.UnlockOSThread() }

func (c *slotClock) reset() { c.last = monotonic() }

// next sleeps until the next slot and returns how many turns were missed.
//
// The runtime takes the processor away from a goroutine that has not yielded for 10 ms, and then looks for more to take
// each 20 µs for a while, which costs CPU. So the pacer yields first.
func (c *slotClock) next() (missed int) {
	c.last, missed = schedule(c.last, monotonic())
	at := unix.NsecToTimespec(int64(c.last))
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &at, nil) == unix.EINTR {
	}
	if c.left--; c.left <= 0 {
		c.yield()
	}
	return missed
}

// yield lets others run. Where that takes long they are many, and the pacer must not stand in their queue again soon.
func (c *slotClock) yield() {
	before := monotonic()
	runtime.Gosched()
	c.left = yieldEvery
	if monotonic()-before > slotTime/4 {
		c.left = yieldBusy
	}
}

func monotonic() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // cannot fail for this clock
	return time.Duration(now.Nano())
}
