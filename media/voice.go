package media

import "time"

const (
	// speechAfter is how much loud sound begins speech, silenceAfter how much quiet ends it.
	speechAfter  = 60 * time.Millisecond
	silenceAfter = 300 * time.Millisecond

	quietest   = 60  // mean |sample| below which nothing is speech: about −54 dBFS
	aboveFloor = 2.5 // speech is this many times louder than the line's own noise: 8 dB
	firstFloor = 24  // the floor before anything was heard
	blocks     = 6   // the floor is the quietest frame of the last 1.2 s: speech pauses in less, noise does not
	blockSize  = 10  // frames
)

type voiceChange int

const (
	voiceSame voiceChange = iota
	voiceBegan
	voiceEnded
)

// voice tells speech from silence by level, against a floor that follows the line's own noise. It decides when to start
// talking and nothing else: it does not tell people from machines.
type voice struct {
	active      bool
	loud, quiet time.Duration
	sum, n      int // the frame under way
	floors      [blocks]float64
	frames      int // in the last of the blocks
}

func newVoice() voice {
	var v voice
	for i := range v.floors {
		v.floors[i] = firstFloor
	}
	return v
}

// hear takes one packet of any length and says what changed.
func (v *voice) hear(c Codec, payload []byte) voiceChange {
	change, table := voiceSame, c.table()
	for _, b := range payload {
		s := int(table[b])
		v.sum += max(s, -s)
		if v.n++; v.n == frameBytes {
			if now := v.frame(float64(v.sum) / frameBytes); now != voiceSame {
				change = now
			}
			v.sum, v.n = 0, 0
		}
	}
	return change
}

// frame takes the level of 20 ms.
func (v *voice) frame(level float64) voiceChange {
	if level > max(quietest, aboveFloor*v.floor()) {
		v.loud, v.quiet = v.loud+Frame, 0
	} else {
		v.loud, v.quiet = 0, v.quiet+Frame
	}
	v.follow(level)
	switch {
	case !v.active && v.loud >= speechAfter:
		v.active = true
		return voiceBegan
	case v.active && v.quiet >= silenceAfter:
		return v.end()
	}
	return voiceSame
}

// end closes speech: it became quiet, or nothing comes any more (silence suppression).
func (v *voice) end() voiceChange {
	if !v.active {
		return voiceSame
	}
	v.active, v.loud, v.quiet = false, 0, 0
	return voiceEnded
}

func (v *voice) floor() float64 {
	floor := v.floors[0]
	for _, f := range v.floors[1:] {
		floor = min(floor, f)
	}
	return floor
}

func (v *voice) follow(level float64) {
	last := blocks - 1
	if v.frames == blockSize {
		copy(v.floors[:], v.floors[1:])
		v.floors[last], v.frames = level, 0
	}
	v.floors[last] = min(v.floors[last], level)
	v.frames++
}
