//go:build crash

package crash

import (
	"context"
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
	*book

	phone *siptest.Phone
	rings time.Duration // a phone that nobody answers or cancels stops by itself then, as the INVITE's Expires asks
	work  sync.WaitGroup
	ctx   context.Context //nolint:containedctx // of the people at the phones, as long as the farm

	mu   sync.Mutex
	dice *rand.Rand
	mood [5]int // shares of the habits, in percent
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

// usually are the shares of what people do.
func usually() [5]int { return [5]int{55, 12, 8, 12, 13} }

func newFarm(t *testing.T, seed uint64, rings time.Duration) *farm {
	t.Helper()
	phone, err := siptest.NewPhone()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &farm{book: newBook(), phone: phone, rings: rings, ctx: ctx, dice: rand.New(rand.NewPCG(seed, 1)), mood: usually()}
	f.work.Go(func() {
		for r := range phone.Calls() {
			line := f.begins(r) // in the order in which they come
			f.work.Go(func() { f.live(r, line) })
		}
	})
	t.Cleanup(func() {
		stop()
		phone.Close()
		f.work.Wait()
	})
	return f
}

// behave makes everybody do so from now on.
func (f *farm) behave(shares [5]int) {
	f.mu.Lock()
	f.mood = shares
	f.mu.Unlock()
}

// decides is what somebody will do, and after how long.
func (f *farm) decides() (does habit, after time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	roll, sum := f.dice.IntN(100), 0
	does = habit(max(0, slices.IndexFunc(f.mood[:], func(share int) bool { sum += share; return roll < sum })))
	return does, time.Duration(100+f.dice.IntN(1500)) * time.Millisecond
}

// live is one call from the point of view of whose phone it is. The book has its end before the caller hears of it.
func (f *farm) live(r *siptest.Ring, line *ringing) {
	defer f.ends(line)
	does, after := f.decides()
	if does == isBusy {
		f.ends(line)
		r.Reject("486 Busy Here")
		return
	}
	if does == sleeps {
		after = f.rings
	}
	if !f.waits(r, after) {
		return
	}
	switch does {
	case sleeps:
		f.ends(line)
		r.Reject("480 Temporarily Unavailable") // the caller is gone, or its CANCEL is late
	case declines:
		f.ends(line)
		r.Decline()
	case confirms, hangsUp:
		f.talks(r, line, does)
		f.ends(line)
		r.Hangup()
	case isBusy:
	}
}

// talks picks up; who confirms listens for a while first.
func (f *farm) talks(r *siptest.Ring, line *ringing, does habit) {
	ctx, cancel := context.WithTimeout(f.ctx, 8*time.Second)
	defer cancel()
	f.work.Go(func() {
		select {
		case <-r.Over():
			cancel()
		case <-ctx.Done():
		}
	})
	if r.Answer(ctx) != nil || !f.waits(r, 1200*time.Millisecond) || does == hangsUp {
		return
	}
	for range 3 {
		if r.Ear().WaitSound(ctx, 1800*time.Millisecond) != nil {
			return
		}
		before := len(r.Ear().Heard())
		f.presses(line)
		if r.Mouth().Press(ctx, "1", mediatest.Press{}) != nil {
			return
		}
		over := !f.waits(r, 2*time.Second)
		if told := thankedFor(r.Ear().Heard()[before:]); told > 0 {
			f.thanks(line, told)
			f.waits(r, 2*time.Second) // nobody presses again
			return
		}
		if over {
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
