package media

import (
	"math"
	"math/bits"
	"time"

	"github.com/pion/rtp"
)

const (
	// speechFrames of loud sound that is no tone, within the last 64 frames, are speech; fewer than speechOver end it.
	speechFrames, speechOver = 18, 4
	// speechLeast is the mean magnitude that speech has at least here: -41 dBm0. Noise that begins after digital silence is less.
	speechLeast = 150
	// sitLeast and sitMost are how long each of SIT's three tones lasts (274 or 380 ms; 330 ± 70 by E.180), sitGap what
	// may lie between them. In frames.
	sitLeast, sitMost, sitGap = 9, 24, 5
	// A calling fax sends 1100 Hz for 0.5 s and waits for 3 (T.30), an answering one 2100 Hz for at least 2.6.
	cngLeast, cngMost, cngPause, cedLeast = 19, 31, 40, 40
	// idleAfter is when frames that do not come are taken for silence.
	idleAfter = 250 * time.Millisecond
	// meanOfRoot makes a mean magnitude, which voice wants, of a root of a mean square, as it is for speech.
	meanOfRoot = 0.7
	// leap is how far RTP timestamps may go on at once; more is a new start.
	leap = 10 * clockRate
)

// listener names what the network says: call progress tones, special information tones, fax, speech. One exists only
// while somebody wants to know.
type listener struct {
	analyser analyser
	cadence  cadence
	sit      sequenceOf
	fax      faxTones
	speech   speech

	pcm    [frameBytes]int16 // the frame under way
	filled int
	begun  bool
	ssrc   uint32
	next   uint32 // timestamp
	seq    uint16
	credit int       // frames of silence that were taken for granted
	clock  time.Time // of the newest frame
}

func newListener() *listener {
	l := &listener{}
	l.analyser.silent = true
	l.speech.voice = newVoice()
	for i := range l.speech.voice.floors { // the line's own noise is not known yet
		l.speech.voice.floors[i] = 1 << 15
	}
	return l
}

// packet hears one packet of audio.
func (l *listener) packet(c Codec, payload []byte, h *rtp.Header, at time.Time, tell func(Event)) {
	l.clock = at
	if !l.begun || h.SSRC != l.ssrc {
		l.begun, l.ssrc, l.next, l.seq, l.filled, l.credit = true, h.SSRC, h.Timestamp, h.SequenceNumber, 0, 0
	}
	ahead := int32(h.Timestamp - l.next)
	switch {
	case ahead < 0 && ahead > -leap: // late, or twice
		return
	case ahead <= -leap || ahead > leap:
		l.credit, ahead = 0, 0
	}
	l.gap(int(ahead+frameBytes/2)/frameBytes, h.SequenceNumber != l.seq, tell)
	l.next, l.seq = h.Timestamp+uint32(len(payload)), h.SequenceNumber+1
	table := c.table()
	for _, b := range payload {
		l.pcm[l.filled] = table[b]
		if l.filled++; l.filled == frameBytes {
			l.filled = 0
			l.frame(l.analyser.hear(&l.pcm), tell)
		}
	}
}

// gap makes up for frames that did not come: lost ones, or, where numbers go on, the silence of a sender that sends none.
func (l *listener) gap(frames int, lost bool, tell func(Event)) {
	if frames == 0 {
		l.credit = 0
		return
	}
	l.filled = 0
	missing := sound{kind: soundQuiet}
	if lost && frames <= lostMost {
		missing.kind = soundLost
	}
	for range frames - l.credit {
		l.analyser.rest()
		l.frame(missing, tell)
	}
	l.credit = 0
}

// idle takes silence for granted where nothing comes.
func (l *listener) idle(at time.Time, tell func(Event)) {
	if due := l.due(); due.IsZero() || at.Before(due) {
		return
	}
	n := min(int(at.Sub(l.clock)/Frame), leap/frameBytes)
	l.clock = at
	l.credit += n
	l.filled = 0
	l.analyser.rest()
	for range n {
		l.frame(sound{kind: soundQuiet}, tell)
	}
}

// due is when idle wants to be called if nothing comes; zero where silence would change nothing.
func (l *listener) due() time.Time {
	if !l.begun || l.cadence.kind == "" && l.cadence.now.on == 0 && !l.speech.on && l.fax.burst == 0 {
		return time.Time{}
	}
	return l.clock.Add(idleAfter)
}

// frame takes one.
func (l *listener) frame(s sound, tell func(Event)) {
	if ch, ok := l.cadence.step(s); ok {
		at := l.clock.Add(-time.Duration(ch.ago) * Frame)
		tell(Tone{Kind: ch.kind, At: at, Over: ch.over})
	}
	if l.sit.step(s.kind) {
		tell(Tone{Kind: ToneSIT, At: l.clock.Add(-3 * sitLeast * Frame)})
	}
	if l.fax.step(s) {
		tell(Tone{Kind: ToneFax, At: l.clock.Add(-cedLeast * Frame)})
	}
	if l.speech.step(s, l.cadence.sounds()) {
		tell(Tone{Kind: ToneSpeech, At: l.clock.Add(-speechFrames * Frame)})
	}
}

// sequenceOf waits for SIT's three rising tones.
type sequenceOf struct {
	stage, on, gap int
}

func (q *sequenceOf) step(k soundKind) bool {
	order := [...]soundKind{soundLow, soundMiddle, soundHigh}
	switch {
	case k == order[q.stage]:
		q.on += q.gap + 1
		q.gap = 0
		if q.stage == 2 && q.on >= sitLeast {
			*q = sequenceOf{}
			return true
		}
	case q.on >= sitLeast && q.stage < 2 && k == order[q.stage+1]:
		*q = sequenceOf{stage: q.stage + 1, on: 1}
	case k == soundLow:
		*q = sequenceOf{on: 1}
	case q.on > 0:
		q.gap++
	}
	if q.gap > sitGap || q.on > sitMost {
		*q = sequenceOf{}
	}
	return false
}

// faxTones waits for the tone of a calling or of an answering fax.
type faxTones struct {
	burst, gap, pause int     // of 1100 Hz
	level             float64 // of that burst
	answer, odd       int     // of 2100 Hz
}

func (f *faxTones) step(s sound) bool { return f.calling(s) || f.answering(s.kind) }

func (f *faxTones) calling(s sound) bool {
	switch {
	case s.kind == soundCNG:
		f.burst, f.gap, f.pause, f.level = f.burst+f.gap+f.pause+1, 0, 0, max(f.level, s.level)
	case f.burst == 0:
	case s.kind == soundQuiet || s.level*10 < f.level:
		if f.pause++; f.pause == cngPause && f.burst >= cngLeast && f.burst <= cngMost {
			f.burst, f.gap, f.pause, f.level = 0, 0, 0, 0
			return true
		}
	default:
		f.gap++
	}
	if f.gap > bridged || f.burst > cngMost || f.pause > cngPause {
		f.burst, f.gap, f.pause, f.level = 0, 0, 0, 0
	}
	return false
}

// answering: the phase of this tone is reversed every 450 ms where the line has echo cancellers; that is one odd frame.
func (f *faxTones) answering(k soundKind) bool {
	if k == soundCED {
		before := f.answer
		f.answer += f.odd + 1
		f.odd = 0
		return before < cedLeast && f.answer >= cedLeast
	}
	if f.odd++; f.odd > 2 {
		f.answer, f.odd = 0, 0
	}
	return false
}

// speech is loud sound that is no tone.
type speech struct {
	voice  voice
	recent uint64 // the last 64 frames
	on     bool
}

func (v *speech) step(s sound, tone bool) (began bool) {
	v.recent <<= 1
	if s.level > 0 { // what did not come says nothing about the line's noise
		level := math.Sqrt(s.level) * meanOfRoot
		v.voice.frame(level)
		if v.voice.loud > 0 && level > speechLeast && !tone && (s.kind == soundOther || s.kind == soundTone) {
			v.recent |= 1
		}
	}
	switch n := bits.OnesCount64(v.recent); {
	case !v.on && n >= speechFrames:
		v.on = true
		return true
	case v.on && n < speechOver:
		v.on = false
	}
	return false
}
