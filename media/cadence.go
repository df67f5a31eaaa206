package media

import "math"

// All times in this file are frames of 20 ms.
const (
	bridged    = 3  // so many odd frames do not end a burst: lost packets, and the lows of a modulated tone
	leastBurst = 4  // what is shorter is a click
	lostMost   = 5  // so many packets in a row may be lost; more are taken for silence
	surely     = 10 // a burst has begun, and is no click
	told       = 15 // it may become ringback
	steadyHz   = 22.0
	steady     = 6.3 // 8 dB, in power
	pastBursts = 4
	// spoiltBy is so much loud sound between bursts that they are no cadence: somebody sings, or speaks.
	spoiltBy = 6
)

// burst is a tone and the pause that followed it.
type burst struct {
	on, off int
	hz      float64
	level   float64 // mean square, of the loudest
}

// cadence follows a call progress tone as it goes on and off (E.180 table 1 and its national variants). The zero value
// has heard nothing.
type cadence struct {
	past  [pastBursts]burst // the newest last
	now   burst             // under way; on = 0 between bursts
	odd   int               // frames since the last good one of it
	off   int               // since the newest of past ended
	loud  int               // loud frames of other sound in that pause
	kind  ToneKind          // "" while there is no pattern
	pause int               // its longest
}

// change is what a frame made of a cadence.
type change struct {
	kind ToneKind
	ago  int // frames since it began
	over bool
}

// step takes a frame. ok says that something changed.
func (c *cadence) step(s sound) (ch change, ok bool) {
	switch {
	case s.kind == soundLost && c.now.on > 0:
		c.now.on++
		return c.check(c.now.on - 1)
	case s.kind == soundTone && c.fits(s):
		return c.more(s)
	case c.now.on > 0:
		if c.odd++; c.odd <= bridged {
			return ch, false
		}
		return c.end(s)
	}
	return c.quiet(s)
}

// fits tells whether a frame goes on with the burst, or begins one.
func (c *cadence) fits(s sound) bool {
	if c.now.on == 0 {
		return true
	}
	louder := s.level <= c.now.level*steady || c.now.on <= 2 // it began in mid-frame
	return math.Abs(s.hz-c.now.hz) <= steadyHz && s.level*steady >= c.now.level && louder
}

// more is a further frame of a burst.
func (c *cadence) more(s sound) (change, bool) {
	b := &c.now
	if b.on == 0 {
		*b = burst{on: 1, hz: s.hz, level: s.level}
		c.odd = 0
		return change{}, false
	}
	before := b.on
	b.on += c.odd + 1
	c.odd = 0
	b.hz += (s.hz - b.hz) / float64(min(b.on, 16))
	b.level = max(s.level, b.level*0.98) // a beat or a modulation has lows; they are bridged
	return c.check(before)
}

// sounds tells whether the newest frame belongs to a tone, or to a low of one.
func (c *cadence) sounds() bool { return c.now.on > 0 && (c.odd == 0 || c.now.on >= surely) }

// check looks at a burst under way, when it has become long enough to mean something.
func (c *cadence) check(before int) (change, bool) {
	on := c.now.on
	passed := func(mark int) bool { return before < mark && on >= mark }
	switch {
	case c.kind != "" && on > 2*c.longest()+25:
		return c.over()
	case passed(surely / 2), passed(surely):
		return c.recognise()
	case passed(told) && c.kind == "":
		return change{kind: ToneUnknown, ago: on}, true
	}
	return change{}, false
}

// longest is the longest burst of the pattern.
func (c *cadence) longest() (n int) {
	for _, b := range c.past {
		n = max(n, b.on)
	}
	return n
}

// end closes a burst, unless it was a click.
func (c *cadence) end(s sound) (change, bool) {
	b, gap := c.now, c.odd
	c.now, c.odd = burst{}, 0
	if b.on < leastBurst {
		c.off += b.on + gap
		c.loud += b.on
		return c.quiet(s)
	}
	c.past[pastBursts-1].off = c.off
	copy(c.past[:], c.past[1:])
	c.past[pastBursts-1] = b
	c.off, c.loud = gap, 0
	return c.recognise()
}

// quiet is a frame between bursts. Somebody's voice between them means that there is no pattern.
func (c *cadence) quiet(s sound) (change, bool) {
	c.off++
	last := c.past[pastBursts-1]
	if s.kind != soundQuiet && s.kind != soundLost && s.level*10 > last.level {
		c.loud++
	}
	if c.loud >= spoiltBy && last.on > 0 {
		c.past = [pastBursts]burst{}
		if c.kind != "" {
			return c.over()
		}
		return change{}, false
	}
	if c.kind != "" && c.off > c.pause+c.pause/4+10 {
		return c.over()
	}
	return change{}, false
}

func (c *cadence) over() (change, bool) {
	ch := change{kind: c.kind, over: true}
	c.kind, c.pause = "", 0
	c.past = [pastBursts]burst{}
	return ch, true
}

// recognise compares what was heard with the patterns: at the beginning of a burst, and at its end.
func (c *cadence) recognise() (change, bool) {
	kind, ago, pause := c.pattern()
	if kind == "" {
		return change{}, false
	}
	c.pause = max(c.pause, pause)
	if kind == c.kind {
		return change{}, false
	}
	c.kind, c.pause = kind, pause
	return change{kind: kind, ago: ago}, true
}

// pattern names what the last bursts and pauses make, how long ago it began, and its longest pause.
func (c *cadence) pattern() (kind ToneKind, ago, pause int) {
	p, n := c.past, c.now
	if n.on > 0 { // the pause before it is complete
		p[pastBursts-1].off = c.off
	}
	last, before, third := p[pastBursts-1], p[pastBursts-2], p[pastBursts-3]
	at := n.on + c.odd
	switch {
	case n.on >= surely && alike(n, last) && rings(last.on, last.off):
		return ToneRingback, at + last.on + last.off, last.off
	case n.on == 0 && alike(last, before) && rings(last.on, before.off):
		return ToneRingback, c.off + last.on + before.off + before.on, before.off
	case n.on >= surely && alike(n, last) && alike(last, before) && ringsTwice(before, last) && longPause(last.off):
		return ToneRingback, at + last.on + last.off + before.on + before.off, last.off
	case n.on == 0 && alike(last, before) && alike(before, third) && ringsTwice(before, last) && longPause(third.off):
		return ToneRingback, c.off + last.on + before.on + before.off + third.off + third.on, third.off
	case n.on >= surely/2 && alike(n, last) && alike(last, before) && even(before, last):
		return c.interrupted(at, last, before, third)
	}
	return "", 0, 0
}

// interrupted tells busy from congestion: the one goes on and off about once a second, the other twice as fast, or, in
// China, slower.
func (c *cadence) interrupted(at int, last, before, third burst) (kind ToneKind, ago, pause int) {
	ago, pause = at+last.on+last.off+before.on+before.off, max(last.off, before.off)
	switch period := (last.on + last.off + before.on + before.off) / 2; {
	case period >= 12 && period < 31:
		if !alike(before, third) || !even(third, before) {
			return "", 0, 0
		}
		return ToneCongestion, ago + third.on + third.off, pause
	case period >= 31 && period <= 58:
		return ToneBusy, ago, pause
	case period >= 62 && period <= 80:
		return ToneCongestion, ago, pause
	}
	return "", 0, 0
}

// rings is the cadence of ringback: once, then a longer pause. Japan 1 s and 2, North America 2 and 4, most of Europe 1
// and 4, and what lies between.
func rings(on, off int) bool {
	return on >= 30 && on <= 135 && off >= 80 && off <= 330 && 10*off >= 14*on
}

// ringsTwice is the British way: 0.4 s, 0.2 off, 0.4 on, and then the long pause.
func ringsTwice(a, b burst) bool {
	return a.on >= 15 && a.on <= 28 && b.on >= 15 && b.on <= 28 && a.off >= 6 && a.off <= 18
}

func longPause(off int) bool { return off >= 75 && off <= 140 }

// even tells whether two bursts and their pauses are as regular as a machine makes them.
func even(a, b burst) bool {
	return abs(a.on-b.on) <= 3 && abs(a.off-b.off) <= 3 && 10*a.on >= 6*a.off && 10*a.off >= 5*a.on
}

// alike tells whether two bursts are the same tone.
func alike(a, b burst) bool {
	return a.on > 0 && b.on > 0 && math.Abs(a.hz-b.hz) <= 15 && a.level <= 4*b.level && b.level <= 4*a.level
}
