package media

// Limits of RFC 3550 appendix A.1.
const (
	maxDropout  = 3000 // a jump forward of this many is a new start, not loss
	maxMisorder = 100  // and so is one back
	noNumber    = 1 << 16
)

// sequence counts what a stream lost (RFC 3550 A.1 and A.3), over wraps, reordering and new starts. Other than in A.3 a
// duplicate does not make up for a packet that was lost.
type sequence struct {
	begun   bool
	base    int64  // extended number of the first packet of this run
	highest int64  // and of the highest
	recent  uint64 // bit i: highest-i has come
	fresh   int64  // packets of this run, duplicates not counted
	past    int64  // lost in runs that are over
	restart int    // the number that would make a second one in a row after a wild jump
}

func (s *sequence) count(seq uint16) {
	if !s.begun {
		s.begin(seq)
		return
	}
	switch ahead := int64(int16(seq - uint16(s.highest))); {
	case ahead > 0 && ahead < maxDropout:
		s.highest += ahead
		s.recent = s.recent<<uint(ahead) | 1
		s.fresh++
	case ahead <= 0 && ahead > -maxMisorder:
		s.late(-ahead)
	case int(seq) == s.restart:
		s.past = s.lost()
		s.begin(seq)
		return
	default:
		s.restart = int(seq + 1)
		return
	}
	s.restart = noNumber
}

func (s *sequence) begin(seq uint16) {
	s.begun, s.base, s.highest, s.recent, s.fresh, s.restart = true, int64(seq), int64(seq), 1, 1, noNumber
}

// late takes a number from the past: reordered, or a duplicate. What is too old to tell counts as neither.
func (s *sequence) late(age int64) {
	if age >= 64 || s.recent>>uint(age)&1 == 1 {
		return
	}
	s.recent |= 1 << uint(age)
	s.fresh++
	s.base = min(s.base, s.highest-age)
}

func (s *sequence) lost() int64 {
	if !s.begun {
		return s.past
	}
	return s.past + s.highest - s.base + 1 - s.fresh
}

// end closes a run: another stream follows.
func (s *sequence) end() {
	s.past = s.lost()
	s.begun = false
}
