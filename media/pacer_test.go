package media

import "testing"

func TestAnAnswerIsHeardInTheNextSlotHoweverManyCallsThereAre(t *testing.T) {
	t.Parallel()
	for _, calls := range []int{0, 1, 25, 500, 2000} {
		p := newPacer()
		for n := range calls { // each begins in a slot of its own, as calls do that come one after the other
			p.next = n % slots
			p.add(&stream{})
		}
		for next := range slots {
			p.next = next
			s := &stream{}
			if p.add(s); s.slot != next {
				t.Errorf("with %d calls one that is answered in slot %d waits for slot %d", calls, next, s.slot)
			}
			p.remove(s)
		}
	}
}

func TestCallsThatAreAnsweredAtOnceAreSpreadOverTheTurn(t *testing.T) {
	t.Parallel()
	p := newPacer()
	for n := range 2000 {
		p.add(&stream{})
		fewest, most := n, 0
		for _, list := range p.slot {
			fewest, most = min(fewest, len(list)), max(most, len(list))
		}
		if most > fewest+fewest/4+17 {
			t.Fatalf("of %d calls %d are in one slot and %d in another", n+1, most, fewest)
		}
	}
}
