//go:build crash

package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"telgate/media/mediatest"
	"telgate/sip/siptest"
)

// farm is a house full of telephones behind one trunk, and the book of every ring. It outlives every gateway, so what it
// wrote down is what people heard.
type farm struct {
	phone *siptest.Phone
	rings time.Duration // a phone that nobody answers or cancels stops by itself then, as the INVITE's Expires asks
	work  sync.WaitGroup
	ctx   context.Context //nolint:containedctx // of the people at the phones, as long as the farm

	mu      sync.Mutex
	dice    *rand.Rand
	book    []*ringing
	now     map[string]*ringing // phones that ring, by user
	doubles []string
	most    int // phones ringing or up at once
	up      int
	pressed map[string][]time.Time // confirm keys, by user
}

// ringing is one line of the book.
type ringing struct {
	user, callID, from string
	began, quiet       time.Time // quiet: it stopped ringing
}

// habit is what somebody does when their phone rings.
type habit int

const (
	confirms habit = iota
	declines
	isBusy
	sleeps
	hangsUp // picks up, says nothing, and hangs up
)

func newFarm(t *testing.T, seed uint64, rings time.Duration) *farm {
	t.Helper()
	phone, err := siptest.NewPhone()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &farm{
		phone: phone, rings: rings, ctx: ctx, dice: rand.New(rand.NewPCG(seed, 1)), now: map[string]*ringing{},
		pressed: map[string][]time.Time{},
	}
	f.work.Go(func() {
		for r := range phone.Calls() {
			f.work.Go(func() { f.live(r) })
		}
	})
	t.Cleanup(func() {
		stop()
		phone.Close()
		f.work.Wait()
	})
	return f
}

// live is one call from the point of view of whose phone it is.
func (f *farm) live(r *siptest.Ring) {
	line, does, after := f.begins(r)
	defer f.ends(line)
	if does == isBusy {
		r.Reject("486 Busy Here")
		return
	}
	if does == sleeps {
		after = f.rings
	}
	if !f.waits(r, after) {
		return
	}
	f.quiet(line)
	switch does {
	case sleeps:
		r.Reject("480 Temporarily Unavailable") // the caller is gone, or its CANCEL is late
	case declines:
		r.Decline()
	case confirms, hangsUp:
		f.talks(r, does)
	case isBusy:
	}
}

// talks picks up; who confirms listens for a while first.
func (f *farm) talks(r *siptest.Ring, does habit) {
	ctx, cancel := context.WithTimeout(f.ctx, 8*time.Second)
	defer cancel()
	defer r.Hangup()
	if r.Answer(ctx) != nil || !f.waits(r, 1200*time.Millisecond) || does == hangsUp {
		return
	}
	for range 3 {
		if r.Ear().WaitSound(ctx, 1800*time.Millisecond) != nil {
			return
		}
		f.mu.Lock()
		f.pressed[r.User()] = append(f.pressed[r.User()], time.Now())
		f.mu.Unlock()
		if r.Mouth().Press(ctx, "1", mediatest.Press{}) != nil || !f.waits(r, 2*time.Second) {
			return
		}
	}
}

// waits passes the time; false where the call ended first.
func (f *farm) waits(r *siptest.Ring, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Over():
		return false
	case <-f.ctx.Done():
		return false
	}
}

// begins writes a ring down. A phone that rings already for another INVITE is what must never happen.
func (f *farm) begins(r *siptest.Ring) (line *ringing, does habit, after time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	line = &ringing{user: r.User(), callID: r.CallID(), from: r.From().String(), began: r.Rang()}
	if other := f.now[line.user]; other != nil {
		f.doubles = append(f.doubles, fmt.Sprintf("%s: %s from %s at %s, while %s from %s rings since %s",
			line.user, line.callID, line.from, line.began.Format(clock), other.callID, other.from, other.began.Format(clock)))
	}
	f.book, f.now[line.user] = append(f.book, line), line
	f.up++
	f.most = max(f.most, f.up)
	roll := f.dice.IntN(100)
	does = habit(slices.IndexFunc([]int{55, 67, 75, 87, 100}, func(share int) bool { return roll < share }))
	return line, does, time.Duration(100+f.dice.IntN(1500)) * time.Millisecond
}

const clock = "15:04:05.000"

func (f *farm) quiet(line *ringing) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stops(line)
}

func (f *farm) ends(line *ringing) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stops(line)
	f.up--
}

func (f *farm) stops(line *ringing) {
	if line.quiet.IsZero() {
		line.quiet = time.Now()
	}
	if f.now[line.user] == line {
		delete(f.now, line.user)
	}
}

// seen is what the book says.
func (f *farm) seen() (rings, most int, doubles []string, pressed map[string][]time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	pressed = map[string][]time.Time{}
	for user, at := range f.pressed {
		pressed[user] = slices.Clone(at)
	}
	return len(f.book), f.most, slices.Clone(f.doubles), pressed
}
