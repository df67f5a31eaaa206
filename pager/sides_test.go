package pager_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
	"telgate/plan"
)

// team is the group "team" of alice, bob and carol, called so, each of whom answers by a script of their own.
func team(way telgate.Way, own map[string][]answer) func(*setting) {
	return func(s *setting) {
		m := telgate.Match{Title: "team", Way: way}
		for _, nick := range []string{"alice", "bob", "carol"} {
			m.People = append(m.People, s.people[nick].People...)
		}
		s.people["team"], s.own = m, own
	}
}

// sameCalls checks which calls were made, in any order of those that began at the same moment.
func (d *desk) sameCalls(want ...string) {
	d.t.Helper()
	got := d.exchange.calls()
	slices.Sort(got)
	slices.Sort(want)
	same(d.t, "calls", got, want)
}

func TestPeopleAreCalledSideBySideAndTheFirstConfirmationHangsTheOthersUp(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, nil, rounds(3), team(telgate.Way{All: true}, map[string][]answer{
			"alice": {rings()}, "bob": {confirms(4 * time.Second)}, "carol": {ends(2*time.Second, telgate.OutcomeDeclined, telgate.DetailStatus), rings()},
		}))
		id := d.submit(request("team"))
		d.at(3 * time.Second)
		if p := d.page(id); p.State != telgate.PageCalling || len(p.Lives()) != 3 {
			t.Errorf("%s, %d calls up", p.State, len(p.Lives()))
		}
		p, events := d.end(id)
		d.sameCalls("0s alice +1…01 main", "0s bob +1…02 main", "0s carol +1…03 main", "2s carol +1…04 main")
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.NotReached, telgate.Confirmed, telgate.NotReached})
		elsewhere := telgate.StopCause{Why: telgate.StopConfirmed, By: "+1…02"}
		same(t, "hung up", d.exchange.stopped(), []telgate.StopCause{elsewhere, elsewhere})
		if took := p.Ended.Sub(p.Accepted); took != 5*time.Second {
			t.Errorf("ended after %v", took)
		}
		last := kinds(events)[len(events)-5:]
		same(t, "the last events", last, []telgate.EventKind{
			telgate.EventPageConfirmed,
			telgate.EventCallEnded, telgate.EventCallEnded, telgate.EventCallEnded, telgate.EventPageEnded,
		})
		for i, s := range p.Steps {
			if s.N != i+1 || s.Call.Step != s.N || s.Call.Person != s.Person {
				t.Errorf("step %d: %+v", i+1, s)
			}
		}
	})
}

func TestARoundOfPeopleSideBySideIsOverWhenEverybodyWasTried(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, nil, rounds(2), team(telgate.Way{All: true}, map[string][]answer{"alice": {rings()}, "bob": {rings()}, "carol": {rings()}}))
		p, _ := d.end(d.submit(request("team")))
		d.sameCalls(
			"0s alice +1…01 main", "0s bob +1…02 main", "0s carol +1…03 main", "25s carol +1…04 main",
			"1m10s alice +1…01 main", "1m10s bob +1…02 main", "1m10s carol +1…03 main", "1m35s carol +1…04 main",
		)
		same(t, "result", p.Result, telgate.NotReached)
	})
}

func TestAPhoneThatPeopleShareIsRungOnceWhereTheyAreCalledSideBySide(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, nil, team(telgate.Way{All: true, RollCall: true}, map[string][]answer{"alice": {confirms(time.Second)}, "carol": {rings()}}),
			func(s *setting) {
				m := s.people["team"]
				m.People[1].Numbers = m.People[0].Numbers // bob's is alice's
			})
		p, _ := d.end(d.submit(request("team")))
		d.sameCalls("0s alice +1…01 main", "0s carol +1…03 main", "25s carol +1…04 main")
		same(t, "results", results(p), []telgate.Result{telgate.Partial, telgate.Confirmed, telgate.Confirmed, telgate.NotReached})
	})
}

func TestARollCallGoesOnUntilEverybodyHasConfirmed(t *testing.T) {
	for name, c := range map[string]struct {
		way  telgate.Way
		want []string
	}{
		"side by side": {telgate.Way{All: true, RollCall: true}, []string{
			"0s alice +1…01 main", "0s bob +1…02 main", "0s carol +1…03 main", "45s bob +1…02 main",
		}},
		"one after another": {telgate.Way{RollCall: true}, []string{
			"0s alice +1…01 main", "2s bob +1…02 main", "27s carol +1…03 main", "49s bob +1…02 main",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				d := open(t, nil, rounds(3), team(c.way, map[string][]answer{
					"alice": {confirms(time.Second)}, "bob": {rings(), confirms(time.Second)}, "carol": {confirms(time.Second)},
				}))
				p, events := d.end(d.submit(request("team")))
				d.sameCalls(c.want...)
				same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.Confirmed, telgate.Confirmed})
				told := 0
				for _, ev := range events {
					if ev.Kind == telgate.EventPersonConfirmed {
						told += len(ev.People)
					}
				}
				same(t, "people told of before the last", told, 2)
			})
		})
	}
}

func TestIHaveGotItInARollCallEndsOnlyTheOwnCall(t *testing.T) {
	for name, way := range map[string]telgate.Way{"side by side": {All: true, RollCall: true}, "one after another": {RollCall: true}} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				d := open(t, nil, team(way, map[string][]answer{"alice": {rings()}, "bob": {rings()}, "carol": {rings()}}))
				id := d.submit(request("team"))
				d.at(3 * time.Second)
				if err := d.Confirm(t.Context(), id, alice()); err != nil {
					t.Fatal(err)
				}
				p, _ := d.end(id)
				same(t, "hung up", d.exchange.stopped(), []telgate.StopCause{{Why: telgate.StopConfirmed, By: "UALICE"}})
				same(t, "results", results(p), []telgate.Result{telgate.Partial, telgate.Confirmed, telgate.NotReached, telgate.NotReached})
				for _, late := range []struct {
					by   telgate.Actor
					want telgate.Result
				}{{telgate.Actor{ID: "UBOB"}, telgate.Partial}, {telgate.Actor{ID: "UCAROL"}, telgate.Confirmed}} {
					if err := d.Confirm(t.Context(), id, late.by); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
					if p := d.page(id); p.Result != late.want || !p.Late {
						t.Errorf("after %s: %s, late %v", late.by.ID, p.Result, p.Late)
					}
				}
			})
		})
	}
}

func TestCallNextHangsUpEverybodyWhoIsCalledSideBySide(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, nil, rounds(2), team(telgate.Way{All: true}, map[string][]answer{"alice": {rings()}, "bob": {rings()}, "carol": {rings()}}))
		id := d.submit(request("team"))
		d.at(3 * time.Second)
		if err := d.Next(t.Context(), id, asker()); err != nil {
			t.Fatal(err)
		}
		d.at(4 * time.Second)
		d.sameCalls("0s alice +1…01 main", "0s bob +1…02 main", "0s carol +1…03 main", "3s carol +1…04 main")
		if err := d.Stop(t.Context(), id, asker()); err != nil {
			t.Fatal(err)
		}
		p, _ := d.end(id)
		same(t, "result", p.Result, telgate.Cancelled)
		if took := p.Ended.Sub(p.Accepted); took != 4*time.Second {
			t.Errorf("stopped after %v", took)
		}
	})
}

func TestWhoWaitsForALineSideBySideNeedsNoneOnceSomebodyConfirmed(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(3 * time.Second)}, only(plan.Limit{Calls: 1}), team(telgate.Way{All: true}, nil))
		id := d.submit(request("team"))
		d.at(time.Second)
		if p := d.page(id); p.State != telgate.PageCalling || len(p.Lives()) != 1 || p.WaitsLine != "" {
			t.Errorf("%s, %d calls up, waits for %q", p.State, len(p.Lives()), p.WaitsLine)
		}
		p, _ := d.end(id)
		same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeConfirmed})
		same(t, "skipped", skips(p), []telgate.SkipReason{telgate.SkipEnded, telgate.SkipEnded})
		if took := p.Ended.Sub(p.Accepted); took != 4*time.Second {
			t.Errorf("ended after %v", took)
		}
	})
}

func TestAPageThatCallsSideBySideGoesOnAtAnotherGateway(t *testing.T) {
	for name, c := range map[string]struct {
		quiet bool // its phones are, before the other one looks
		then  []string
	}{
		"which knows that the phones are quiet": {true, []string{"10s carol +1…04 main", "15s bob +1…02 main"}},
		"which knows nothing of the phones":     {false, []string{"10s carol +1…04 main", "1m0s bob +1…02 main", "1m0s carol +1…03 main"}},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				l := newStrict()
				d := open(t, nil, l.on(t), durable, only(plan.Limit{}), team(telgate.Way{All: true}, map[string][]answer{
					"alice": {ends(5*time.Second, telgate.OutcomeDeclined, telgate.DetailStatus), rings()}, "bob": {rings(), confirms(0)},
					"carol": {rings()},
				}))
				id := d.submit(request("team"))
				d.at(10 * time.Second) // alice has declined; bob's phone and carol's first ring
				d.Hold()
				frozen(l)
				if c.quiet {
					d.Fence(errDown)
					synctest.Wait()
				}
				two := d.beside(l, only(plan.Limit{}))
				d.at(11 * time.Second)
				d.Fence(errDown)
				p, _ := two.end(id)
				// Nobody is left out and nobody is called anew who was done with; phones that may still ring rest until 25 s + 35 s.
				d.sameCalls(append(c.then, "0s alice +1…01 main", "0s bob +1…02 main", "0s carol +1…03 main")...)
				same(t, "result", p.Result, telgate.Confirmed)
			})
		})
	}
}

func TestANumberThatWasAboutToBeRungWhenItsGatewayDiedIsRungByTheNext(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{confirms(0)}, l.on(t), durable, only(plan.Limit{Calls: 1, PerSecond: 0.1}), team(telgate.Way{All: true, RollCall: true}, nil))
		id := d.submit(request("team"))
		d.at(5 * time.Second) // one was called; the others wait for the line
		d.Hold()
		frozen(l)
		two := d.beside(l, only(plan.Limit{}))
		p, _ := two.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.Confirmed, telgate.Confirmed})
	})
}
