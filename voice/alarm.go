package voice

import "time"

// alarmName names one deadline of a call.
type alarmName int

const (
	alarmResponse alarmName = iota // first_response
	alarmSetup                     // setup limit
	alarmRing                      // ring limit
	alarmTone                      // a busy or congestion tone has lasted long enough
	alarmMax                       // max_duration
	alarmPrompt                    // the recording starts, or starts again
	alarmPatience                  // the recording starts even though somebody speaks
	alarmFarewell                  // "confirmed" was said, or ought to have been
	alarmGone                      // the leg did not end after our CANCEL or BYE
	alarms
)

// alarm is one deadline and what to do at it.
type alarm struct {
	at time.Time
	do func()
}

// clock holds the deadlines of one call; its owner is the call's goroutine.
type clock struct {
	set [alarms]alarm
}

// at arms an alarm, replacing an earlier one of that name.
func (c *clock) at(name alarmName, when time.Time, do func()) { c.set[name] = alarm{when, do} }

// off disarms an alarm.
func (c *clock) off(names ...alarmName) {
	for _, n := range names {
		c.set[n] = alarm{}
	}
}

// clear disarms all of them.
func (c *clock) clear() { c.set = [alarms]alarm{} }

// next is the earliest deadline; ok is false where none is armed.
func (c *clock) next() (at time.Time, ok bool) {
	for _, a := range c.set {
		if a.do != nil && (!ok || a.at.Before(at)) {
			at, ok = a.at, true
		}
	}
	return at, ok
}

// ring runs what is due, each alarm once.
func (c *clock) ring(now time.Time) {
	for i := range c.set {
		if a := c.set[i]; a.do != nil && !a.at.After(now) {
			c.set[i] = alarm{}
			a.do()
		}
	}
}
