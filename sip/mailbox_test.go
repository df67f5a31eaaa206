package sip

import (
	"testing"
	"time"
)

func TestALegGetsWhatWasPutIntoItsMailboxAndNoMoreThanItCanAnswer(t *testing.T) {
	t.Parallel()
	b := newMailbox()
	b.hangup(Hangup{Reason: "first"}, time.Unix(1, 0))
	b.hangup(Hangup{Reason: "second"}, time.Unix(2, 0))
	for n := range mailRoom + 1 {
		if taken, full := b.ask(inbound{}); taken == full || full != (n == mailRoom) {
			t.Errorf("request %d: taken %t, full %t", n, taken, full)
		}
	}
	b.tell(func() {})
	<-b.wake
	if m := b.take(); m.hang == nil || m.hang.Reason != "first" || len(m.asked) != mailRoom || len(m.news) != 1 {
		t.Errorf("%+v", m)
	}
	b.hangup(Hangup{Reason: "third"}, time.Unix(3, 0))
	if h := b.hanging(); h != nil {
		t.Errorf("hung up once more: %+v", h)
	}
	if taken, full := b.ask(inbound{}); !taken || full {
		t.Error("there is no room after it was emptied")
	}
	if at := b.hungUp(); at.Unix() != 1 {
		t.Errorf("hung up at %v", at)
	}
	if rest := b.close(); len(rest.asked) != 1 {
		t.Errorf("%+v is left", rest)
	}
	if taken, full := b.ask(inbound{}); taken || full || b.tell(func() {}) {
		t.Error("a leg that is over took something")
	}
}

func TestALegThatRestsIsBegunAnewByWhateverComesAndOnce(t *testing.T) {
	t.Parallel()
	b := newMailbox()
	begun := make(chan int, 2)
	b.poke()
	if b.rest(func() { begun <- 1 }) {
		t.Error("it rests while something waits for it")
	}
	<-b.wake
	if !b.rest(func() { begun <- 2 }) {
		t.Error("it does not rest")
	}
	b.tell(func() {})
	b.tell(func() {})
	if n := <-begun; n != 2 {
		t.Errorf("the one that did not rest was begun")
	}
	<-b.wake
	if m := b.take(); len(m.news) != 2 {
		t.Errorf("%d of 2 came", len(m.news))
	}
	if len(begun) > 0 {
		t.Error("it was begun twice")
	}
}
