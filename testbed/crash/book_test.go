//go:build crash

package crash

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"telgate/sip/siptest"
)

// book is what the telephones of a farm went through.
type book struct {
	mu      sync.Mutex
	lines   []*ringing
	now     map[*ringing]*siptest.Ring // ringing or up
	doubles []string
	most    int      // phones ringing or up at once
	news    chan int // whose call a key was pressed in: the port of the gateway; nobody waits for who listens
}

// ringing is one line of the book: one call at one phone.
type ringing struct {
	user, callID string
	gateway      int // port that the INVITE came from
	began, ended time.Time
	pressed      []time.Time   // the confirm key
	thanked      time.Time     // by then enough of the thanks was heard; zero where it never was
	thanks       time.Duration // of them, all in all
}

func newBook() *book { return &book{now: map[*ringing]*siptest.Ring{}, news: make(chan int, 1)} }

const clock = "15:04:05.000"

// begins writes a ring down. A phone that rings or is up already for another INVITE is what must never happen.
func (b *book) begins(r *siptest.Ring) *ringing {
	b.mu.Lock()
	defer b.mu.Unlock()
	line := &ringing{user: r.User(), callID: r.CallID(), gateway: r.From().Port, began: r.Rang()}
	for other, call := range b.now {
		select {
		case <-call.Over(): // nobody has written it down yet
			delete(b.now, other)
			continue
		default:
		}
		if other.user == line.user {
			b.doubles = append(b.doubles, fmt.Sprintf("%s: %s from port %d at %s, while %s from port %d is there since %s",
				line.user, line.callID, line.gateway, line.began.Format(clock), other.callID, other.gateway, other.began.Format(clock)))
		}
	}
	b.lines, b.now[line] = append(b.lines, line), r
	b.most = max(b.most, len(b.now))
	return line
}

// ends writes down that a call is over, once.
func (b *book) ends(line *ringing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if line.ended.IsZero() {
		line.ended = time.Now()
	}
	delete(b.now, line)
}

func (b *book) presses(line *ringing) {
	b.mu.Lock()
	line.pressed = append(line.pressed, time.Now())
	b.mu.Unlock()
	select {
	case b.news <- line.gateway:
	default:
	}
}

// nextKey waits until a key is pressed from now on, and tells in whose call: the port of the gateway.
func (b *book) nextKey(limit time.Duration) (gateway int, pressed bool) {
	select {
	case <-b.news: // before
	default:
	}
	enough := time.NewTimer(limit)
	defer enough.Stop()
	select {
	case gateway = <-b.news:
		return gateway, true
	case <-enough.C:
		return 0, false
	}
}

// thanks writes down that somebody was told that their key counts, and how much of that they heard.
func (b *book) thanks(line *ringing, heard time.Duration) {
	b.mu.Lock()
	line.thanked, line.thanks = time.Now(), heard
	b.mu.Unlock()
}

// up is how many phones ring or are up.
func (b *book) up() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.now)
}

// read is a copy of the book.
func (b *book) read() []ringing {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]ringing, len(b.lines))
	for i, l := range b.lines {
		all[i] = *l
		all[i].pressed = slices.Clone(l.pressed)
	}
	return all
}

// faults are rings that must not have been.
func (b *book) faults() (doubles []string, most int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.doubles), b.most
}

// late is how much longer than another INVITE one may have been under way on a busy machine: it is what a limit on how fast
// calls may follow each other is measured with.
const late = time.Second

// hasty are INVITEs that came faster than so many a second: between the first and the last of any twenty there is as much
// time as the limit wants.
func hasty(lines []ringing, perSecond float64) (bad []string) {
	const some = 20
	slices.SortFunc(lines, func(a, b ringing) int { return a.began.Compare(b.began) })
	want := time.Duration(float64(some) / perSecond * float64(time.Second))
	for i := some; i < len(lines); i++ {
		if took := lines[i].began.Sub(lines[i-some].began); took < want-late {
			bad = append(bad, fmt.Sprintf("%d INVITEs within %s from %s on, %s apart at the least", some+1, took, lines[i-some].began.Format(clock), want/some))
		}
	}
	return bad
}
