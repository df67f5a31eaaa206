package slack

import (
	"testing"
	"time"
)

func TestUpdatesStayBelowSlacksLimitAndLastStatesGoFirst(t *testing.T) {
	b, now := newBudget(), at(0)
	sent := 0
	for !b.update(now, false).After(now) {
		b.updated(now)
		sent++
		now = now.Add(time.Millisecond)
	}
	if sent != updatesPerMinute-updatesReserved {
		t.Errorf("%d ordinary edits in a minute", sent)
	}
	for !b.update(now, true).After(now) {
		b.updated(now)
		sent++
	}
	if sent != updatesPerMinute {
		t.Errorf("%d edits in all", sent)
	}
	if free := b.update(now, true); free != at(60) {
		t.Errorf("free again at %s", free)
	}
	if b.update(at(61), false).After(at(61)) {
		t.Error("a minute later nothing may be sent")
	}
}

func TestPostsInOneChannelAreASecondApart(t *testing.T) {
	b := newBudget()
	b.posted("C1", at(0))
	if got := b.message("C1"); got != at(1) {
		t.Errorf("next in C1 at %s", got)
	}
	if got := b.message("C2"); got.After(at(0)) {
		t.Errorf("next in C2 at %s", got)
	}
	for i := range 1000 {
		b.posted(string(rune(i)), at(10*i))
	}
	if len(b.posts) > 30 {
		t.Errorf("%d channels are remembered", len(b.posts))
	}
}

func TestAnAskedForPauseHoldsForItsMethod(t *testing.T) {
	b := newBudget()
	b.edit = at(30)
	if got := b.update(at(0), true); got != at(30) {
		t.Errorf("next edit at %s", got)
	}
	if got := b.message("C1"); got.After(at(0)) {
		t.Error("posts wait for the pause of edits")
	}
}
