package sip

import (
	"slices"
	"time"
)

// deadlineName names one deadline of a leg.
type deadlineName int

const (
	dueFinal   deadlineName = iota // a final response to the INVITE, from our CANCEL on
	dueOrder                       // a request of the peer was waited for long enough
	dueReply                       // the owner of the call has not answered an offer
	dueResend                      // our 2xx to a re-INVITE is sent again
	dueRefresh                     // the session is to be refreshed
	dueExpiry                      // nobody refreshed it
	dueWay                         // messages have waited for their way long enough
)

// deadline is one moment and what to do then.
type deadline struct {
	name deadlineName
	at   time.Time
	do   func()
}

// deadlines are a leg's; its goroutine owns them, and is woken for them. Most legs never have one, so nothing is allocated
// before the first.
type deadlines struct {
	now   func() time.Time
	box   *mailbox
	set   []deadline
	timer *time.Timer
}

// in arms a deadline, replacing an earlier one of that name.
func (d *deadlines) in(name deadlineName, wait time.Duration, do func()) {
	d.off(name)
	d.set = append(d.set, deadline{name, d.now().Add(wait), do})
	d.arm()
}

// once arms a deadline unless it is armed already.
func (d *deadlines) once(name deadlineName, wait time.Duration, do func()) {
	if !slices.ContainsFunc(d.set, func(x deadline) bool { return x.name == name }) {
		d.in(name, wait, do)
	}
}

// off disarms a deadline.
func (d *deadlines) off(name deadlineName) {
	for i := range d.set {
		if d.set[i].name == name {
			d.set[i] = d.set[len(d.set)-1]
			d.set[len(d.set)-1] = deadline{}
			d.set = d.set[:len(d.set)-1]
			return
		}
	}
}

// arm sets the timer to the earliest.
func (d *deadlines) arm() {
	if len(d.set) == 0 {
		return
	}
	first := d.set[0].at
	for _, x := range d.set[1:] {
		if x.at.Before(first) {
			first = x.at
		}
	}
	wait := max(0, first.Sub(d.now()))
	if d.timer == nil {
		d.timer = time.AfterFunc(wait, d.box.poke)
		return
	}
	d.timer.Reset(wait)
}

// pass does what is due, the earliest first, and looks again: what is done may arm and disarm others.
func (d *deadlines) pass() {
	now := d.now()
	for {
		at := -1
		for i := range d.set {
			if !d.set[i].at.After(now) && (at < 0 || d.set[i].at.Before(d.set[at].at)) {
				at = i
			}
		}
		if at < 0 {
			d.arm()
			return
		}
		do := d.set[at].do
		d.off(d.set[at].name)
		do()
	}
}

// stop forgets all of them.
func (d *deadlines) stop() {
	d.set = nil
	if d.timer != nil {
		d.timer.Stop()
	}
}
