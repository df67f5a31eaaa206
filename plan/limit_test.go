package plan

import (
	"testing"
	"time"

	"telgate"
)

func TestCallsOfATrunkAreSpacedWithoutBursts(t *testing.T) {
	begun := time.Unix(1000, 0)
	at := func(d time.Duration) time.Time { return begun.Add(d) }
	limit := Limit{PerSecond: 2}
	var load Load
	for i, c := range []struct {
		asked, want time.Duration
	}{
		{0, 0},
		{0, 500 * time.Millisecond},
		{600 * time.Millisecond, time.Second},
		{time.Minute, time.Minute}, // an idle minute gathers no tokens
		{time.Minute, time.Minute + 500*time.Millisecond},
	} {
		got, ok := limit.Free(load, at(c.asked))
		if !ok || !got.Equal(at(c.want)) {
			t.Fatalf("call %d begins at %v, %v; want %v", i, got.Sub(begun), ok, c.want)
		}
		load = limit.Begin(load, got)
	}
	slow := Limit{PerSecond: 0.25}
	if got := slow.Begin(Load{}, begun).Next; !got.Equal(at(4 * time.Second)) {
		t.Errorf("a quarter of a call a second: the next after %v", got.Sub(begun))
	}
}

func TestAFullTrunkWaitsForTheEndOfACall(t *testing.T) {
	now := time.Unix(1000, 0)
	limit := Limit{Calls: 2}
	load := limit.Begin(limit.Begin(Load{}, now), now)
	if _, ok := limit.Free(load, now); ok {
		t.Error("a third call of two may begin")
	}
	load = limit.End(load)
	if at, ok := limit.Free(load, now); !ok || !at.Equal(now) {
		t.Errorf("after the end of one: %v, %v", at, ok)
	}
	if got := limit.End(limit.End(limit.End(load))).Calls; got != 0 {
		t.Errorf("%d calls", got)
	}
	if _, ok := (Limit{}).Free(Load{Calls: 1e6}, now); !ok {
		t.Error("no limit limits")
	}
}

func TestATrunkThatIsNotHeardComesAfterItsEquals(t *testing.T) {
	now := time.Unix(1000, 0)
	silent := telgate.Call{Outcome: telgate.OutcomeAnswered, Detail: telgate.DetailNoAudio}
	heard := telgate.Call{Outcome: telgate.OutcomeAnswered, Detail: telgate.DetailNoKey}
	heard.Audio.RTP.Received = 1
	trunks := []Trunk{{Name: "a", Kind: PBX}, {Name: "b", Kind: PBX}}
	first := func(h Health) string {
		c, _, _ := dialer(t).Route(telgate.Number{E164: "+819012345678"}, trunks, map[string]Health{"a": h}, nil, now)
		return c.Trunk
	}
	h := Health{}.After(&silent, now)
	if first(h) != "a" {
		t.Error("one silent call, which may be the phone's fault, moves the trunk back")
	}
	h = h.After(&telgate.Call{Outcome: telgate.OutcomeBusy}, now) // says nothing
	h = h.After(&silent, now)
	if first(h) != "b" {
		t.Error("two silent calls in a row do not")
	}
	if h = h.After(&heard, now); first(h) != "a" {
		t.Error("a call that was heard does not help")
	}
}

func testTime() time.Time { return time.Unix(1000, 0) }
