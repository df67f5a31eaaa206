package pager_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
)

func TestFollowTellsEverythingInOrderAndThePagesEndLast(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{fails(telgate.DetailStatus), rings(), confirms(2 * time.Second)}, rounds(2))
		id := d.submit(request("alice"))
		early := d.Follow(t.Context(), id)
		var seen []telgate.Event
		for ev := range early {
			seen = append(seen, ev)
		}
		same(t, "events", kinds(seen), []telgate.EventKind{
			telgate.EventPageAccepted,
			telgate.EventDialing, telgate.EventCallEnded,
			telgate.EventDialing, telgate.EventRinging, telgate.EventCallEnded,
			telgate.EventWaiting,
			telgate.EventDialing, telgate.EventRinging, telgate.EventAnswered, telgate.EventKey, telgate.EventPageConfirmed,
			telgate.EventCallEnded, telgate.EventPageEnded,
		})
		for i, ev := range seen {
			if ev.Page != id || ev.Time.IsZero() {
				t.Errorf("event %d is %d of %q at %v", i+1, ev.Seq, ev.Page, ev.Time)
			}
			if i > 0 && (ev.Time.Before(seen[i-1].Time) || ev.Seq <= seen[i-1].Seq) {
				t.Errorf("event %d, %d, goes back", i+1, ev.Seq)
			}
		}
		if p := d.page(id); seen[0].Seq != 1 || seen[len(seen)-1].Seq != p.Version {
			t.Errorf("events %d to %d of a page of version %d", seen[0].Seq, seen[len(seen)-1].Seq, p.Version)
		}
		_, late := d.end(id)
		same(t, "events for one who comes late", late, seen)
		if p := d.page(id); seen[5].Ended == nil || seen[5].Ended.Outcome != telgate.OutcomeNoAnswer || !seen[6].Until.Equal(d.begun.Add(45*time.Second)) || seen[13].Result != p.Result {
			t.Errorf("facts are missing: %+v", seen)
		}
	})
}

func TestNoEventIsLostWhereACallEndsRightAfterIt(t *testing.T) {
	in(t, func(t *testing.T) {
		const keys = 40
		d := open(t, []answer{func(_ context.Context, emit func(telgate.Event)) telgate.Call {
			for i := range keys {
				emit(telgate.Event{Kind: telgate.EventKey, Key: &telgate.Key{Digit: "9", After: time.Duration(i)}})
			}
			return telgate.Call{Outcome: telgate.OutcomeAnswered, Detail: telgate.DetailHungUp}
		}}, rounds(20))
		_, events := d.end(d.submit(request("alice")))
		next := 0
		for _, ev := range events {
			switch ev.Kind {
			case telgate.EventKey:
				if ev.Key.After != time.Duration(next) {
					t.Fatalf("key %d came as number %d", ev.Key.After, next)
				}
				next++
			case telgate.EventCallEnded:
				same(t, "keys before the end", next, keys)
				next = 0
			default:
			}
		}
	})
}

func TestEventsAreNotChangedByWhatHappensNext(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(0)})
		_, events := d.end(d.submit(request("alice")))
		if first := events[0]; first.People[0].Result != "" || first.Asker.ID != "UASKER" {
			t.Errorf("page_accepted knows the end: %+v", first)
		}
	})
}

func TestFollowEndsWithItsReader(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()})
		id := d.submit(request("alice"))
		ctx, stop := context.WithCancel(t.Context())
		reading, idle := d.Follow(ctx, id), d.Follow(ctx, "p0")
		<-reading
		stop()
		synctest.Wait()
		for range reading { // what was on its way may come
		}
		if ev, more := <-idle; more {
			t.Errorf("a page that does not exist has %+v", ev)
		}
		d.end(id)
	})
}

func TestAPageWithManyAfterItIsFollowedToItsEnd(t *testing.T) {
	in(t, func(t *testing.T) {
		result := make(chan telgate.Call)
		d := open(t, []answer{deaf(result), confirms(0)})
		id := d.submit(request("alice"))
		ctx, giveUp := context.WithCancel(t.Context())
		defer giveUp()
		seen := make(chan []telgate.EventKind)
		go func() {
			var all []telgate.Event
			for ev := range d.Follow(ctx, id) {
				all = append(all, ev)
			}
			seen <- kinds(all)
		}()
		synctest.Wait()
		for range 200 {
			d.end(d.submit(request("bob")))
			synctest.Wait()
		}
		result <- telgate.Call{Outcome: telgate.OutcomeNoAnswer}
		synctest.Wait()
		giveUp()
		all := <-seen
		same(t, "last events", all[max(0, len(all)-2):], []telgate.EventKind{telgate.EventCallEnded, telgate.EventPageEnded})
	})
}

func TestChangedTellsEachPageOnceToASlowReader(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()})
		changed := d.Changed(t.Context()) // nobody reads it while two pages run to their end
		synctest.Wait()
		one, two := d.submit(request("alice")), d.submit(request("bob"))
		d.end(one)
		p, _ := d.end(two)
		if !p.Ended.Equal(d.begun.Add(25 * time.Second)) {
			t.Errorf("the reader held the pager up until %v", p.Ended.Sub(d.begun))
		}
		synctest.Wait()
		var got []telgate.PageID
		for waiting := true; waiting; synctest.Wait() {
			select {
			case id := <-changed:
				got = append(got, id)
			default:
				waiting = false
			}
		}
		count := func(id telgate.PageID) int {
			n := 0
			for _, x := range got {
				if x == id {
					n++
				}
			}
			return n
		}
		// Once for what was on its way to the reader when it stopped reading, and once for all that came later.
		for _, id := range []telgate.PageID{one, two} {
			if n := count(id); n < 1 || n > 2 {
				t.Errorf("%s is told %d times of %d events", id, n, d.page(id).Version)
			}
		}
	})
}

func TestChangedTellsEveryReaderOfAPagesEnd(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(time.Second)})
		ctx, stop := context.WithCancel(t.Context())
		readers := []<-chan telgate.PageID{d.Changed(ctx), d.Changed(ctx)}
		synctest.Wait()
		id := d.submit(request("alice"))
		ended := make(chan int, len(readers))
		for i, r := range readers {
			go func() {
				for changed := range r {
					if changed == id && d.page(id).State == telgate.PageEnded {
						ended <- i
						return
					}
				}
				ended <- -1
			}()
		}
		for range readers {
			if <-ended < 0 {
				t.Error("closed before the page's end was told")
			}
		}
		stop()
		for _, r := range readers {
			for range r { // closed; what was on its way may come
			}
		}
	})
}
