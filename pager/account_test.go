package pager_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
	"telgate/pager"
)

func TestAPageOfAnotherGatewayIsFollowedAsItIsWritten(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings(), thanked(5*time.Second, telgate.OutcomeConfirmed)}, l.on(t), rounds(2))
		two := d.beside(l)
		id := d.ringing(request("ops"))
		var mu sync.Mutex
		var told []telgate.Event
		over := make(chan struct{})
		go func() {
			defer close(over)
			for ev := range two.Follow(t.Context(), id) {
				mu.Lock()
				told = append(told, ev)
				mu.Unlock()
			}
		}()
		so := func(after time.Duration, want ...telgate.EventKind) {
			t.Helper()
			d.at(after)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			same(t, "told after "+after.String(), kinds(told), want)
		}
		first := []telgate.EventKind{telgate.EventPageAccepted, telgate.EventDialing, telgate.EventRinging}
		so(time.Second, first...)
		next := append(first, telgate.EventCallEnded, telgate.EventDialing, telgate.EventRinging) //nolint:gocritic // a longer one
		so(27*time.Second, next...)
		next = append(next, telgate.EventAnswered, telgate.EventPageConfirmed)
		so(32*time.Second, next...) // bob is being thanked
		<-over
		same(t, "told", kinds(told), append(next, telgate.EventCallEnded, telgate.EventPageEnded))
		_, there := d.end(id)
		if end := there[len(there)-1]; end.Seq != told[len(told)-1].Seq || told[3].Ended.Outcome != telgate.OutcomeNoAnswer {
			t.Errorf("the end is %d there and %d here; %+v", end.Seq, told[len(told)-1].Seq, told[3].Ended)
		}
		for i := 1; i < len(told); i++ {
			if told[i].Seq < told[i-1].Seq {
				t.Errorf("event %d after %d", told[i].Seq, told[i-1].Seq)
			}
		}
	})
}

func TestAPageThatEndedLongAgoTellsHowItWent(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings()}, l.on(t))
		id := d.submit(request("alice"))
		d.end(id)
		_, events := d.beside(l).end(id)
		same(t, "events", kinds(events), []telgate.EventKind{
			telgate.EventPageAccepted, telgate.EventDialing, telgate.EventCallEnded, telgate.EventPageEnded, // this call does not say when it rang
		})
	})
}

func TestNothingIsMissingOfAPageWhoseEventsWereAllTaken(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{fails(telgate.DetailStatus), rings(), confirms(2 * time.Second)}, rounds(2))
		p, events := d.end(d.submit(request("ops")))
		var a pager.Account
		for i := range events {
			if !a.Take(&events[i]) {
				t.Errorf("%s is no news", events[i].Kind)
			}
		}
		if missing := a.Missing(&p, p.Version, time.Now()); len(missing) > 0 {
			t.Errorf("missing is %+v", missing[0])
		}
		for i := range events {
			switch k := events[i].Kind; k {
			case telgate.EventKey, telgate.EventPrompt: // of which one cannot tell
			default:
				if a.Take(&events[i]) {
					t.Errorf("%s is news again", k)
				}
			}
		}
	})
}

func TestWhatAPageTellsOfWaitingAndOfPeopleIsToldOnce(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Unix(int64(1e9+s), 0).UTC() }
	p := telgate.Page{
		ID: "p1", Version: 9, State: telgate.PageWaiting, Accepted: at(0), Wait: telgate.Wait{WaitsFor: at(60), WaitsLine: "main"},
		Askers:  []telgate.Asker{{Actor: telgate.Actor{ID: "U1"}, At: at(0)}, {Actor: telgate.Actor{ID: "U2"}, At: at(3)}},
		Way:     telgate.Way{RollCall: true},
		Targets: []telgate.Target{{Nick: "alice", Result: telgate.Confirmed, At: at(20)}, {Nick: "bob", CalledBack: at(30)}},
		Steps: []telgate.Step{
			{N: 1, Round: 1, Person: "bob", Skip: telgate.SkipMuted, At: at(1)},
			{N: 2, Round: 1, Person: "alice", At: at(2), Call: &telgate.Call{
				Order: telgate.Order{Call: "c1", Person: "alice", Step: 2, Trunk: "main"}, State: telgate.CallEnded, Outcome: telgate.OutcomeConfirmed,
				Times: telgate.CallTimes{Dialed: at(2), Answered: at(5), Ended: at(20)},
			}},
		},
	}
	var a pager.Account
	missing := a.Missing(&p, 0, at(40))
	var got []telgate.EventKind
	for i, ev := range missing {
		got = append(got, ev.Kind)
		if ev.Seq != i+1 || ev.Page != "p1" || ev.Time.IsZero() {
			t.Errorf("%+v", ev)
		}
	}
	same(t, "missing", got, []telgate.EventKind{
		telgate.EventPageAccepted, telgate.EventStepSkipped, telgate.EventDialing, telgate.EventPageJoined, telgate.EventAnswered,
		telgate.EventCallEnded, telgate.EventPersonConfirmed, telgate.EventCalledBack, telgate.EventWaitingForLine,
	})
	same(t, "missing again", len(a.Missing(&p, 9, at(41))), 0)
	p.Version, p.Paused, p.WaitsLine, p.WaitsFor = 10, true, "", time.Time{}
	missing = a.Missing(&p, 9, at(42))
	if len(missing) != 1 || missing[0].Skip != telgate.SkipPaused || missing[0].Seq != 10 {
		t.Errorf("%+v", missing)
	}
}

func TestAPageElsewhereIsNotLookedAtForEveryEventOfABusyGateway(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings()}, l.on(t))
		two := d.beside(l, rounds(1))
		id := d.ringing(request("alice"))
		ctx, enough := context.WithCancel(t.Context())
		defer enough()
		followed := two.Follow(ctx, id)
		go func() {
			for range followed { //nolint:revive // it is read as it comes
			}
		}()
		synctest.Wait()
		l.mu.Lock()
		before := l.read[id]
		l.mu.Unlock()
		for n := range 100 { // within a second
			if _, err := two.Submit(t.Context(), anew("bob")); err != nil {
				t.Fatal(err)
			}
			d.at(time.Duration(10*n) * time.Millisecond)
		}
		l.mu.Lock()
		looks := l.read[id] - before
		l.mu.Unlock()
		if looks < 2 || looks > 12 {
			t.Errorf("it was looked at %d times in a second", looks)
		}
		d.end(id)
	})
}
