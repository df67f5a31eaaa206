package pager_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
)

// Whoever pressed the key hears "thank you" for three seconds in these tests.

func TestAConfirmationIsWrittenWhenTheKeyIsHeardAndTheCallGoesOn(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{thanked(time.Second, telgate.OutcomeConfirmed)}, l.on(t), rounds(3))
		id := d.submit(request("ops"))
		d.at(2 * time.Second) // this moment she presses it
		p := l.kept(t, id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.NotReached})
		if a := p.Targets[0]; a.By != "+1…01" || a.Via != telgate.ViaKey || !a.At.Equal(d.begun.Add(2*time.Second)) {
			t.Errorf("confirmed by %+v", a)
		}
		if c := p.Live(); p.State == telgate.PageEnded || c == nil || !c.KeyHeard() {
			t.Errorf("%s, %+v", p.State, c)
		}
		p, events := d.end(id)
		if took := p.Ended.Sub(p.Accepted); took != 5*time.Second || p.Late {
			t.Errorf("ended after %v, late: %v", took, p.Late)
		}
		same(t, "hung up", d.exchange.stopped(), []telgate.StopCause(nil))
		d.rang("0s alice +1…01 main")
		same(t, "events", kinds(events)[4:], []telgate.EventKind{
			telgate.EventKey, telgate.EventPageConfirmed, telgate.EventCallEnded, telgate.EventPageEnded,
		})
		if key, confirmed := events[4], events[5]; !key.Key.Confirms || !confirmed.Time.Equal(key.Time) {
			t.Errorf("%+v, then %+v", key, confirmed)
		}
	})
}

func TestAKeyThatDoesNotCountConfirmsNothing(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{keys(telgate.Key{Digit: "1", Early: true}, telgate.Key{Digit: "7"})})
		p, _ := d.end(d.submit(request("alice")))
		same(t, "results", results(p), []telgate.Result{telgate.NotReached, telgate.NotReached})
	})
}

func TestTheOthersAreHungUpWhileOneIsThanked(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, nil, rounds(3), team(telgate.Way{All: true}, map[string][]answer{
			"alice": {thanked(3*time.Second, telgate.OutcomeConfirmed)}, "bob": {rings()}, "carol": {rings()},
		}))
		id := d.submit(request("team"))
		d.at(4 * time.Second)
		elsewhere := telgate.StopCause{Why: telgate.StopConfirmed, By: "+1…01"}
		same(t, "hung up", d.exchange.stopped(), []telgate.StopCause{elsewhere, elsewhere})
		p, events := d.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.NotReached, telgate.NotReached})
		same(t, "hung up in the end", len(d.exchange.stopped()), 2)
		d.sameCalls("0s alice +1…01 main", "0s bob +1…02 main", "0s carol +1…03 main")
		if took := p.Ended.Sub(p.Accepted); took != 7*time.Second {
			t.Errorf("ended after %v", took)
		}
		same(t, "the end", kinds(events)[len(events)-2:], []telgate.EventKind{telgate.EventCallEnded, telgate.EventPageEnded})
	})
}

func TestOfTwoWhoPressTheKeyAtOnceBothAreTakenDownAndThePageIsConfirmedOnce(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, nil, team(telgate.Way{All: true}, map[string][]answer{
			"alice": {thanked(3*time.Second, telgate.OutcomeConfirmed)}, "bob": {thanked(3*time.Second, telgate.OutcomeConfirmed)}, "carol": {rings()},
		}))
		p, events := d.end(d.submit(request("team")))
		same(t, "result", p.Result, telgate.Confirmed)
		same(t, "confirmed", count(events, telgate.EventPageConfirmed), 1)
		confirmed := 0
		for _, o := range outcomes(p) {
			if o == telgate.OutcomeConfirmed {
				confirmed++
			}
		}
		same(t, "calls that were", confirmed, 2)
	})
}

func TestInARollCallEverybodyIsThankedToTheEnd(t *testing.T) {
	for name, way := range map[string]telgate.Way{"side by side": {All: true, RollCall: true}, "one after another": {RollCall: true}} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				d := open(t, nil, rounds(3), team(way, map[string][]answer{
					"alice": {thanked(time.Second, telgate.OutcomeConfirmed)}, "bob": {thanked(2*time.Second, telgate.OutcomeConfirmed)},
					"carol": {thanked(3*time.Second, telgate.OutcomeConfirmed)},
				}))
				id := d.submit(request("team"))
				d.at(2 * time.Second)
				same(t, "when alice has pressed it", results(d.page(id)), []telgate.Result{"", telgate.Confirmed, "", ""})
				p, events := d.end(id)
				same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.Confirmed, telgate.Confirmed})
				same(t, "told of one", count(events, telgate.EventPersonConfirmed), 2)
				same(t, "told of all", count(events, telgate.EventPageConfirmed), 1)
				same(t, "hung up", d.exchange.stopped(), []telgate.StopCause(nil))
			})
		})
	}
}

func TestCallNextLetsThanksBeSaid(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, nil, team(telgate.Way{All: true, RollCall: true}, map[string][]answer{
			"alice": {thanked(time.Second, telgate.OutcomeConfirmed)}, "bob": {rings()}, "carol": {rings()},
		}))
		id := d.submit(request("team"))
		d.at(3 * time.Second)
		if err := d.Next(t.Context(), id, asker()); err != nil {
			t.Fatal(err)
		}
		d.at(4 * time.Second)
		same(t, "hung up", d.exchange.stopped(), []telgate.StopCause{{Why: telgate.StopNext, By: "UASKER"}, {Why: telgate.StopNext, By: "UASKER"}})
		p, _ := d.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Partial, telgate.Confirmed, telgate.NotReached, telgate.NotReached})
	})
}

func TestAKeyAtASharedPhoneCountsForAllAtOnce(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, nil, team(telgate.Way{All: true, RollCall: true}, map[string][]answer{"alice": {thanked(0, telgate.OutcomeConfirmed)}, "carol": {rings()}}),
			func(s *setting) {
				m := s.people["team"]
				m.People[1].Numbers = m.People[0].Numbers // bob's is alice's
			})
		id := d.submit(request("team"))
		d.at(time.Second)
		same(t, "results", results(d.page(id)), []telgate.Result{"", telgate.Confirmed, telgate.Confirmed, ""})
		_, events := d.end(id)
		same(t, "told", count(events, telgate.EventPersonConfirmed), 1)
	})
}

func TestAConfirmationStaysHoweverItsCallEnds(t *testing.T) {
	for _, as := range []telgate.Outcome{telgate.OutcomeAnswered, telgate.OutcomeCancelled, telgate.OutcomeTrunkFailed, telgate.OutcomeBusy} {
		for name, way := range map[string]telgate.Way{"one is enough": {}, "roll call": {RollCall: true}} {
			t.Run(string(as)+", "+name, func(t *testing.T) {
				in(t, func(t *testing.T) {
					d := open(t, nil, rounds(2), team(way, map[string][]answer{
						"alice": {thanked(0, as), confirms(0)}, "bob": {confirms(0)}, "carol": {confirms(0)},
					}))
					p, events := d.end(d.submit(request("team")))
					same(t, "results", results(p)[:2], []telgate.Result{telgate.Confirmed, telgate.Confirmed})
					same(t, "confirmed", count(events, telgate.EventPageConfirmed), 1)
					same(t, "calls", len(p.Steps), map[bool]int{false: 1, true: 3}[way.RollCall]) // one to each who was to be reached
				})
			})
		}
	}
}

func TestAClickAfterTheKeyTakesNothingBack(t *testing.T) {
	for name, c := range map[string]struct {
		click func(*desk, telgate.PageID) error
		stops []telgate.StopCause
		ended time.Duration
	}{
		"hang up": {
			func(d *desk, id telgate.PageID) error { return d.Stop(d.t.Context(), id, asker()) },
			[]telgate.StopCause{{Why: telgate.StopAsked, By: "UASKER"}},
			2 * time.Second,
		},
		"call next":   {func(d *desk, id telgate.PageID) error { return d.Next(d.t.Context(), id, asker()) }, nil, 4 * time.Second},
		"I've got it": {func(d *desk, id telgate.PageID) error { return d.Confirm(d.t.Context(), id, alice()) }, nil, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				d := open(t, []answer{thanked(0, telgate.OutcomeConfirmed)}, rounds(3))
				id := d.submit(request("ops"))
				d.at(2 * time.Second)
				if err := c.click(d, id); err != nil {
					t.Error(err)
				}
				p, events := d.end(id)
				same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.NotReached})
				same(t, "via", p.Targets[0].Via, telgate.ViaKey)
				same(t, "hung up", d.exchange.stopped(), c.stops)
				same(t, "stopped by", p.Stopped, "")
				same(t, "confirmed", count(events, telgate.EventPageConfirmed), 1)
				same(t, "ended after", p.Ended.Sub(p.Accepted), c.ended)
			})
		})
	}
}

func TestWhoIsAskedForWhileTheyAreThankedIsCalledAnew(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{thanked(0, telgate.OutcomeConfirmed), confirms(0)})
		id := d.submit(request("alice"))
		d.at(2 * time.Second)
		other := d.submit(request("alice"))
		if other == id {
			t.Fatal("joined a page that calls nobody any more")
		}
		p, _ := d.end(other)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
		d.rang("0s alice +1…01 main", "4s alice +1…01 main") // when the phone is free
	})
}

func TestAGatewayThatDiesWhileItSaysThanksHasToldTheTruth(t *testing.T) {
	in(t, func(t *testing.T) {
		l, r := newStrict(), &reaper{}
		d := open(t, []answer{func(ctx context.Context, emit func(telgate.Event)) telgate.Call {
			emit(telgate.Event{Kind: telgate.EventInvited, Ending: &telgate.Ending{Request: "BYE"}})
			return thanked(time.Second, telgate.OutcomeConfirmed)(ctx, emit)
		}}, l.on(t), durable, rounds(3))
		id := d.submit(request("ops"))
		d.at(3 * time.Second)
		d.Hold() // it does not take the page over itself
		frozen(l)
		two := d.beside(l, rounds(3), func(s *setting) { s.reaper = r })
		p, events := two.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.NotReached})
		same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeConfirmed})
		same(t, "events there", kinds(events), []telgate.EventKind{
			telgate.EventPageAccepted, telgate.EventDialing, telgate.EventRinging, telgate.EventAnswered, telgate.EventPageConfirmed,
			telgate.EventCallEnded, telgate.EventPageEnded,
		})
		if took := p.Ended.Sub(p.Accepted); took != 3*time.Second || p.Late {
			t.Errorf("ended after %v, late: %v", took, p.Late)
		}
		synctest.Wait()
		same(t, "ended by the other one", len(r.seen()), 1)
		d.at(time.Minute) // the first one has written what it could
		same(t, "kept", outcomes(l.kept(t, id)), []telgate.Outcome{telgate.OutcomeConfirmed})
		same(t, "the page", two.page(id), p)
		d.rang("0s alice +1…01 main")
	})
}

func TestARollCallGoesOnElsewhereWithoutWhoHadPressedTheKey(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, nil, l.on(t), durable, rounds(3), team(telgate.Way{All: true, RollCall: true}, map[string][]answer{
			"alice": {thanked(time.Second, telgate.OutcomeConfirmed)}, "bob": {rings(), confirms(0)}, "carol": {rings(), confirms(0)},
		}))
		id := d.submit(request("team"))
		d.at(3 * time.Second)
		d.Hold()
		frozen(l)
		two := d.beside(l, rounds(3))
		d.Fence(errDown)
		p, _ := two.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.Confirmed, telgate.Confirmed})
		same(t, "alice is rung", slices.IndexFunc(d.exchange.calls()[3:], func(c string) bool { return strings.Contains(c, "alice") }), -1)
	})
}

func TestAKeyThatIsHeardByAFencedGatewayConfirmsThePageElsewhere(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{thanked(5*time.Second, telgate.OutcomeConfirmed), rings()}, l.on(t), durable)
		id := d.submit(request("ops"))
		d.at(5500 * time.Millisecond)
		d.Hold()
		frozen(l)
		two := d.beside(l)
		two.until(id, telgate.EventRinging) // bob
		p, events := two.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.NotReached})
		same(t, "confirmed there", count(events, telgate.EventPageConfirmed), 1)
		if took := p.Ended.Sub(p.Accepted); took > 8*time.Second {
			t.Errorf("ended after %v", took)
		}
	})
}

func TestThanksDoNotWaitForTheLedgerAndWhatTheyMeanIsWrittenAfterwards(t *testing.T) {
	for name, outage := range map[string]func(*strict){"refused": down, "no answer": hung} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				l := newStrict()
				d := open(t, []answer{thanked(time.Second, telgate.OutcomeConfirmed)}, l.on(t))
				id := d.submit(request("alice"))
				d.at(1500 * time.Millisecond)
				l.becomes(outage)
				d.at(4500 * time.Millisecond) // longer than a try may take
				same(t, "shown", d.page(id).Result, telgate.Confirmed)
				same(t, "kept", l.kept(t, id).Result, telgate.Result(""))
				l.becomes(well)
				p, _ := d.end(id)
				if took := p.Ended.Sub(p.Accepted); took > 8*time.Second {
					t.Errorf("ended after %v", took)
				}
				c := p.Steps[0].Call
				same(t, "thanked", c.Times.Ended.Sub(c.Times.Dialed), 5*time.Second)
				d.at(10 * time.Second)
				same(t, "written", results(l.kept(t, id)), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
			})
		})
	}
}

// keys are pressed one a second, and then the callee hangs up.
func keys(all ...telgate.Key) answer {
	return func(ctx context.Context, emit func(telgate.Event)) telgate.Call {
		emit(telgate.Event{Kind: telgate.EventAnswered})
		for i := range all {
			emit(telgate.Event{Kind: telgate.EventKey, Key: &all[i]})
			if c := hold(ctx, time.Second, telgate.Call{}); c.Outcome != "" {
				return c
			}
		}
		return telgate.Call{Outcome: telgate.OutcomeAnswered, Detail: telgate.DetailHungUp, Keys: all}
	}
}
