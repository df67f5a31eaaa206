package pager_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
)

func alice() telgate.Actor { return telgate.Actor{ID: "UALICE"} }

func TestAPageThatIsStoppedHangsUpTheCall(t *testing.T) {
	for name, by := range map[string]telgate.Actor{
		"the asker": asker(), "the target": alice(), "an administrator": {ID: "UADMIN"}, "the command line": {ID: "local:root", Local: true},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				d := open(t, []answer{rings()}, rounds(3))
				id := d.submit(request("alice"))
				d.at(3 * time.Second)
				if err := d.Stop(t.Context(), id, by); err != nil {
					t.Fatal(err)
				}
				p, events := d.end(id)
				same(t, "cause", d.exchange.stopped(), []telgate.StopCause{{Why: telgate.StopAsked, By: by.ID}})
				d.rang("0s alice +1…01 main")
				if p.Result != telgate.Cancelled || p.Stopped != by.ID || !p.Ended.Equal(d.begun.Add(3*time.Second)) {
					t.Errorf("%s by %q at %v", p.Result, p.Stopped, p.Ended.Sub(d.begun))
				}
				same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeCancelled})
				same(t, "events", kinds(events), []telgate.EventKind{
					telgate.EventPageAccepted, telgate.EventDialing, telgate.EventRinging, telgate.EventCallEnded, telgate.EventPageEnded,
				})
			})
		})
	}
}

func TestTheTargetsOfAStoppedPageAreCancelled(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()})
		id := d.ringing(request("ops"))
		if err := d.Stop(t.Context(), id, asker()); err != nil {
			t.Fatal(err)
		}
		p, events := d.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Cancelled, telgate.Cancelled, telgate.Cancelled})
		for _, who := range events[len(events)-1].People {
			same(t, who.Nick, who.Result, telgate.Cancelled)
		}
	})
}

func TestAPageIsStoppedBetweenCalls(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, rounds(3))
		id := d.submit(request("alice"))
		d.at(30 * time.Second)
		if err := d.Stop(t.Context(), id, asker()); err != nil {
			t.Fatal(err)
		}
		p, _ := d.end(id)
		if p.Result != telgate.Cancelled || !p.Ended.Equal(d.begun.Add(30*time.Second)) {
			t.Errorf("%s at %v", p.Result, p.Ended.Sub(d.begun))
		}
		d.rang("0s alice +1…01 main")
	})
}

func TestAStrangerMayNeitherStopNorConfirm(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()})
		id := d.ringing(request("alice"))
		for name, err := range map[string]error{
			"stop by a stranger":           d.Stop(t.Context(), id, telgate.Actor{ID: "UOTHER"}),
			"stop by nobody":               d.Stop(t.Context(), id, telgate.Actor{}),
			"confirm by a stranger":        d.Confirm(t.Context(), id, telgate.Actor{ID: "UOTHER"}),
			"confirm by the asker":         d.Confirm(t.Context(), id, asker()),
			"confirm by an administrator":  d.Confirm(t.Context(), id, telgate.Actor{ID: "UADMIN"}),
			"confirm by the command line":  d.Confirm(t.Context(), id, telgate.Actor{ID: "local:root", Local: true}),
			"confirm by somebody else":     d.Confirm(t.Context(), id, telgate.Actor{ID: "UBOB"}),
			"confirm by an empty Slack id": d.Confirm(t.Context(), id, telgate.Actor{}),
		} {
			if r, ok := errors.AsType[*telgate.Refusal](err); !ok || r.Reason != telgate.RefusedNotAllowed {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, err := range map[string]error{
			"stop": d.Stop(t.Context(), "p0", asker()), "confirm": d.Confirm(t.Context(), "p0", alice()),
		} {
			if r, ok := errors.AsType[*telgate.Refusal](err); !ok || r.Reason != telgate.RefusedUnknownName {
				t.Errorf("%s of no page: %v", name, err)
			}
		}
		p, _ := d.end(id)
		same(t, "result", p.Result, telgate.NotReached)
		same(t, "stopped", d.exchange.stopped(), []telgate.StopCause(nil))
	})
}

func TestIveGotItDuringTheCallHangsUp(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, rounds(3))
		id := d.submit(request("ops"))
		d.at(3 * time.Second)
		if err := d.Confirm(t.Context(), id, telgate.Actor{ID: "UBOB"}); err != nil { // while Alice's phone rings
			t.Fatal(err)
		}
		p, events := d.end(id)
		same(t, "cause", d.exchange.stopped(), []telgate.StopCause{{Why: telgate.StopConfirmed, By: "UBOB"}})
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.NotReached, telgate.Confirmed})
		bob := p.Targets[1]
		if bob.By != "UBOB" || bob.Via != telgate.ViaSlack || !bob.At.Equal(d.begun.Add(3*time.Second)) || p.Late {
			t.Errorf("confirmed by %+v", bob)
		}
		same(t, "events", kinds(events), []telgate.EventKind{
			telgate.EventPageAccepted, telgate.EventDialing, telgate.EventRinging,
			telgate.EventPageConfirmed, telgate.EventCallEnded, telgate.EventPageEnded,
		})
		d.rang("0s alice +1…01 main")
	})
}

func TestIveGotItBetweenCallsEndsThePageAtOnce(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, rounds(3))
		id := d.submit(request("alice"))
		d.at(30 * time.Second)
		if err := d.Confirm(t.Context(), id, alice()); err != nil {
			t.Fatal(err)
		}
		p, _ := d.end(id)
		if p.Result != telgate.Confirmed || p.Late || !p.Ended.Equal(d.begun.Add(30*time.Second)) {
			t.Errorf("%+v", p)
		}
		d.rang("0s alice +1…01 main")
	})
}

func TestIveGotItConfirmsAPageThatWaitsForANumber(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()})
		one := d.ringing(request("alice"))
		two := d.submit(anew("alice"))
		d.at(time.Second)
		if err := d.Confirm(t.Context(), two, alice()); err != nil {
			t.Fatal(err)
		}
		p, _ := d.end(two)
		if p.Result != telgate.Confirmed || p.Late || !p.Ended.Equal(d.begun.Add(time.Second)) {
			t.Errorf("%+v", p)
		}
		d.end(one)
		d.rang("0s alice +1…01 main")
	})
}

func TestIveGotItAfterTheEndIsALateConfirmation(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()})
		id := d.submit(request("ops"))
		before, _ := d.end(id)
		d.at(5 * time.Minute)
		changed := d.Changed(t.Context())
		synctest.Wait()
		if err := d.Confirm(t.Context(), id, telgate.Actor{ID: "UBOB"}); err != nil {
			t.Fatal(err)
		}
		if got := <-changed; got != id {
			t.Errorf("%s changed", got)
		}
		p := d.page(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.NotReached, telgate.Confirmed})
		bob := p.Targets[1]
		if !p.Late || p.State != telgate.PageEnded || !p.Ended.Equal(before.Ended) || bob.By != "UBOB" || bob.Via != telgate.ViaSlack || !bob.At.Equal(d.begun.Add(5*time.Minute)) {
			t.Errorf("%+v", p)
		}
		if p.Version <= before.Version {
			t.Errorf("version %d after %d", p.Version, before.Version)
		}
		if err := d.Confirm(t.Context(), id, alice()); err != nil { // once is enough
			t.Error(err)
		}
		same(t, "after a second confirmation", d.page(id), p)
	})
}

func TestAConfirmedPageDoesNotBecomeLate(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(0)})
		id := d.submit(request("alice"))
		before, _ := d.end(id)
		if err := d.Confirm(t.Context(), id, alice()); err != nil {
			t.Error(err)
		}
		same(t, "page", d.page(id), before)
	})
}

func TestALateConfirmationThatCannotBeKeptIsAnError(t *testing.T) {
	in(t, func(t *testing.T) {
		full := errors.New("disk full")
		j := newBroken(nil)
		d := open(t, []answer{rings()}, func(s *setting) { s.books = j })
		id := d.submit(request("alice"))
		d.end(id)
		j.becomes(full)
		if err := d.Confirm(t.Context(), id, alice()); !errors.Is(err, full) {
			t.Errorf("confirmed with %v", err)
		}
		same(t, "result", d.page(id).Result, telgate.NotReached)
	})
}

func TestAKeyThatCrossesTheStopConfirms(t *testing.T) {
	in(t, func(t *testing.T) {
		result := make(chan telgate.Call)
		d := open(t, []answer{deaf(result)})
		id := d.ringing(request("alice"))
		if err := d.Stop(t.Context(), id, asker()); err != nil {
			t.Fatal(err)
		}
		result <- telgate.Call{Outcome: telgate.OutcomeConfirmed}
		p, events := d.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
		if events[len(events)-1].Result != telgate.Confirmed {
			t.Errorf("the last event is %+v", events[len(events)-1])
		}
	})
}

func TestIveGotItWhileAStoppedCallIsBeingHungUpConfirms(t *testing.T) {
	in(t, func(t *testing.T) {
		result := make(chan telgate.Call)
		d := open(t, []answer{deaf(result)})
		id := d.ringing(request("alice"))
		if err := d.Stop(t.Context(), id, asker()); err != nil {
			t.Fatal(err)
		}
		if err := d.Confirm(t.Context(), id, alice()); err != nil {
			t.Fatal(err)
		}
		result <- telgate.Call{Outcome: telgate.OutcomeCancelled}
		p, _ := d.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
	})
}

func TestAConfirmationIsNotTakenBackByTheCallThatItEnds(t *testing.T) {
	in(t, func(t *testing.T) {
		result := make(chan telgate.Call)
		d := open(t, []answer{deaf(result)}, func(s *setting) { s.cfg.Confirm = telgate.ConfirmAnswer })
		id := d.ringing(request("alice"))
		if err := d.Confirm(t.Context(), id, alice()); err != nil {
			t.Fatal(err)
		}
		result <- telgate.Call{Outcome: telgate.OutcomeAnswered, Detail: telgate.DetailListened}
		p, _ := d.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
		same(t, "via", p.Targets[0].Via, telgate.ViaSlack)
	})
}

func TestAPageIsConfirmedOnce(t *testing.T) {
	in(t, func(t *testing.T) {
		result := make(chan telgate.Call)
		d := open(t, []answer{deaf(result)})
		id := d.ringing(request("alice"))
		if err := d.Confirm(t.Context(), id, alice()); err != nil {
			t.Fatal(err)
		}
		result <- telgate.Call{Outcome: telgate.OutcomeConfirmed}
		_, events := d.end(id)
		same(t, "events", kinds(events)[3:], []telgate.EventKind{
			telgate.EventPageConfirmed, telgate.EventCallEnded, telgate.EventPageEnded,
		})
	})
}

func TestAConfirmationIsSeenBeforeTheCallIsDown(t *testing.T) {
	in(t, func(t *testing.T) {
		result := make(chan telgate.Call)
		d := open(t, []answer{deaf(result)})
		id := d.ringing(request("alice"))
		if err := d.Confirm(t.Context(), id, alice()); err != nil {
			t.Fatal(err)
		}
		same(t, "results", results(d.page(id)), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
		result <- telgate.Call{Outcome: telgate.OutcomeCancelled}
		d.end(id)
	})
}

func TestTwoClicksConfirmOnce(t *testing.T) {
	in(t, func(t *testing.T) {
		result := make(chan telgate.Call)
		d := open(t, []answer{deaf(result)})
		id := d.ringing(request("alice"))
		for range 2 {
			if err := d.Confirm(t.Context(), id, alice()); err != nil {
				t.Fatal(err)
			}
			if d.page(id).Late {
				t.Error("late")
			}
		}
		result <- telgate.Call{Outcome: telgate.OutcomeCancelled}
		_, events := d.end(id)
		same(t, "events", kinds(events)[3:], []telgate.EventKind{
			telgate.EventPageConfirmed, telgate.EventCallEnded, telgate.EventPageEnded,
		})
	})
}

func TestAConfirmationThatIsGivenUpIsAnErrorOrCounts(t *testing.T) {
	in(t, func(t *testing.T) {
		gate := newGate(1)
		d := open(t, []answer{rings()}, func(s *setting) { s.books = gate })
		id := d.submit(request("alice"))
		<-gate.held // what is told now is not kept yet, and so nobody is told that it is
		ctx, giveUp := context.WithCancel(t.Context())
		errs := make(chan error, 1)
		go func() { errs <- d.Confirm(ctx, id, alice()) }()
		synctest.Wait()
		giveUp()
		err := <-errs
		close(gate.open)
		p, _ := d.end(id)
		if err == nil && p.Result != telgate.Confirmed {
			t.Errorf("confirmed without an error, and the page is %s", p.Result)
		}
	})
}
