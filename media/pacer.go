package media

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	slots    = 10
	slotTime = Frame / slots
	cluster  = 16 // packets that one after another take no time worth speaking of
)

// pacer sends every stream's packet once in 20 ms, on one goroutine and one absolute clock. A turn has ten slots, so
// that many calls do not leave in one burst. A pacer that was not scheduled in time skips turns, and never sends a burst
// to catch up. With no calls it sleeps.
type pacer struct {
	wake chan struct{}
	late atomic.Uint64

	mu    sync.Mutex // held while a slot is sent: what has left its slot is not touched any more
	slot  [slots][]*stream
	next  int // the slot that is sent next
	count int
}

func newPacer() *pacer { return &pacer{wake: make(chan struct{}, 1)} }

// add lets a stream send, from the first slot to come that is not much fuller than the emptiest: who has picked up waits
// for a sound.
func (p *pacer) add(s *stream) {
	p.mu.Lock()
	fewest := len(p.slot[0])
	for _, list := range p.slot {
		fewest = min(fewest, len(list))
	}
	s.slot = p.next
	for len(p.slot[s.slot]) > fewest+fewest/4+cluster {
		s.slot = (s.slot + 1) % slots
	}
	p.slot[s.slot] = append(p.slot[s.slot], s)
	p.count++
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// remove takes a stream out, if it is in. When it returns, the pacer will not use the stream's socket again.
func (p *pacer) remove(s *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.slot[s.slot]
	for i, x := range list {
		if x == s {
			list[i] = list[len(list)-1]
			list[len(list)-1] = nil
			p.slot[s.slot] = list[:len(list)-1]
			p.count--
			return
		}
	}
}

// between runs change while no packet is being sent.
func (p *pacer) between(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *pacer) stats() (sessions int, late uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count, p.late.Load()
}

// run is the pacer's goroutine.
func (p *pacer) run(ctx context.Context) error {
	clock := newSlotClock()
	defer clock.close()
	for ctx.Err() == nil {
		if !p.send() {
			select {
			case <-p.wake:
			case <-ctx.Done():
			}
			clock.reset()
			continue
		}
		if missed := clock.next(); missed > 0 {
			p.skip(missed)
		}
	}
	return nil
}

// send sends one slot. It says whether anybody is there at all.
func (p *pacer) send() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 {
		return false
	}
	for _, s := range p.slot[p.next] {
		s.next()
	}
	p.next = (p.next + 1) % slots
	return true
}

// skip accounts for whole turns that did not take place.
func (p *pacer) skip(turns int) {
	p.late.Add(uint64(turns))
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.slot {
		for _, s := range p.slot[i] {
			s.skip(turns)
		}
	}
}

// schedule is the arithmetic of the slot clock: given the moment of the last slot and now, when the next one is, and how
// many whole turns were missed. Being less than a turn late is made up for by waiting less.
func schedule(last, now time.Duration) (next time.Duration, missed int) {
	next = last + slotTime
	if behind := now - next; behind >= Frame {
		missed = int(behind / Frame)
		next += time.Duration(missed) * Frame
	}
	return next, missed
}
