package pager_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
	"telgate/pager"
	"telgate/plan"
)

// beside opens a second gateway over the same ledger and the same telephone exchange.
func (d *desk) beside(l *strict, change ...func(*setting)) *desk {
	d.t.Helper()
	return open(d.t, nil, append([]func(*setting){func(s *setting) {
		s.books, s.exchange, s.gateway, s.outlive = l, d.exchange, "two", true
	}}, change...)...)
}

// durable: the ledger outlives the gateway.
func durable(s *setting) { s.outlive = true }

// frozen is a gateway that is taken for dead while its call goes on: it notices at the next write.
func frozen(l *strict) { l.Bury("one") }

func TestAPageOfADeadGatewayGoesOnElsewhereAndItsPhoneRestsFirst(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		dead := make(chan telgate.Call)
		d := open(t, []answer{deaf(dead), rings(), confirms(0)}, l.on(t), durable, rounds(2))
		id := d.ringing(request("ops"))
		d.at(3 * time.Second)
		before := l.kept(t, id)
		frozen(l)
		two := d.beside(l, rounds(2))
		d.at(4 * time.Second)
		d.Fence(errDown) // the first one comes to life again
		dead <- telgate.Call{Outcome: telgate.OutcomeCancelled}
		p, events := two.end(id)
		// Bob at once; Alice's phone may ring until 60 s: 25 s of ringing and 35 s of what a peer may do. She gave nothing up: this
		// is still her first round.
		d.rang("0s alice +1…01 main", "3s bob +1…02 main", "1m0s alice +1…01 main")
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.NotReached})
		same(t, "rounds", []int{p.Steps[0].Round, p.Steps[1].Round, p.Steps[2].Round}, []int{1, 1, 1})
		same(t, "numbers of steps", []int{p.Steps[0].N, p.Steps[1].N, p.Steps[2].N}, []int{1, 2, 3})
		lost := slices.IndexFunc(events, func(ev telgate.Event) bool { return ev.Kind == telgate.EventCallEnded })
		if ev := events[lost]; ev.Ended.Outcome != telgate.OutcomeLost || ev.Seq <= before.Version {
			t.Errorf("after version %d event %d says %s", before.Version, ev.Seq, ev.Ended.Outcome)
		}
		synctest.Wait()
		same(t, "outcomes kept", outcomes(l.kept(t, id)), []telgate.Outcome{
			telgate.OutcomeCancelled, telgate.OutcomeNoAnswer, telgate.OutcomeConfirmed,
		})
	})
}

func TestAGatewayThatIsFencedHangsUpAndTellsNobodyOfAnEnd(t *testing.T) {
	for name, fence := range map[string]func(*desk, *strict){
		"at a write":   func(_ *desk, l *strict) { frozen(l) },
		"by its lease": func(d *desk, l *strict) { frozen(l); d.Fence(errDown) },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				l := newStrict()
				gone := make(chan struct{})
				d := open(t, []answer{func(ctx context.Context, emit func(telgate.Event)) telgate.Call {
					emit(telgate.Event{Kind: telgate.EventRinging, Status: 180})
					<-gone
					emit(telgate.Event{Kind: telgate.EventEarlyMedia, Status: 183}) // what is to be written
					<-ctx.Done()
					return telgate.Call{Outcome: telgate.OutcomeCancelled}
				}}, l.on(t), durable, rounds(3))
				id := d.ringing(request("alice"))
				d.Hold() // it does not take the page over itself
				ctx, enough := context.WithCancel(t.Context())
				defer enough()
				followed := d.Follow(ctx, id)
				d.at(3 * time.Second)
				fence(d, l)
				close(gone)
				d.at(4 * time.Second)
				same(t, "hung up", d.exchange.stopped(), []telgate.StopCause{{Why: telgate.StopFenced}})
				d.rang("0s alice +1…01 main")
				p := l.kept(t, id)
				same(t, "outcome", outcomes(p), []telgate.Outcome{telgate.OutcomeCancelled})
				if p.State == telgate.PageEnded || p.Result != "" {
					t.Errorf("the page is %s, %s", p.State, p.Result)
				}
				enough()
				for ev := range followed {
					if ev.Kind == telgate.EventPageEnded || ev.Kind == telgate.EventCallEnded {
						t.Errorf("told of %s", ev.Kind)
					}
				}
			})
		})
	}
}

func TestAGatewayThatIsFencedBeforeACallDoesNotMakeIt(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings()}, l.on(t), durable, rounds(3))
		id := d.ringing(request("alice"))
		d.at(30 * time.Second) // between two rounds
		d.Hold()
		frozen(l)
		two := d.beside(l, rounds(3))
		d.Release()
		d.at(time.Minute)
		d.rang("0s alice +1…01 main", "45s alice +1…01 main") // one of the two rings, not both
		if err := two.Stop(t.Context(), id, asker()); err != nil {
			t.Fatal(err)
		}
		two.end(id)
	})
}

func TestAKeyThatComesToAFencedGatewayConfirmsThePageElsewhere(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		pressed := make(chan telgate.Call)
		d := open(t, []answer{deaf(pressed), rings()}, l.on(t), durable)
		id := d.ringing(request("ops"))
		d.Hold()
		d.at(3 * time.Second)
		frozen(l)
		two := d.beside(l)
		two.until(id, telgate.EventRinging)
		d.at(6 * time.Second)
		pressed <- telgate.Call{Outcome: telgate.OutcomeConfirmed}
		p, _ := two.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.NotReached})
		same(t, "via", p.Targets[0].Via, telgate.ViaKey)
		same(t, "hung up", d.exchange.stopped()[len(d.exchange.stopped())-1].Why, telgate.StopConfirmed)
		if p.Ended.Sub(d.begun) > 8*time.Second {
			t.Errorf("ended after %v", p.Ended.Sub(d.begun))
		}
	})
}

func TestAKeyThatComesToAFencedGatewayAfterTheEndIsALateConfirmation(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		pressed := make(chan telgate.Call)
		d := open(t, []answer{deaf(pressed), ends(time.Second, telgate.OutcomeDeclined, "")}, l.on(t), durable, func(s *setting) { s.cfg.Plan.PageLimit = 10 * time.Second })
		id := d.ringing(request("ops"))
		d.Hold()
		frozen(l)
		two := d.beside(l)
		two.end(id)
		d.at(20 * time.Second)
		same(t, "before", two.page(id).Result, telgate.NotReached)
		pressed <- telgate.Call{Outcome: telgate.OutcomeConfirmed}
		synctest.Wait()
		p := two.page(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.NotReached})
		if !p.Late {
			t.Error("not late")
		}
	})
}

func TestAGatewayThatDrainsHandsOverPagesWithoutACall(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings(), confirms(0)}, l.on(t), durable, rounds(2))
		id := d.ringing(request("alice"))
		d.at(30 * time.Second) // the pause until 45 s
		d.Drain(t.Context())
		if since := time.Since(d.begun); since != 30*time.Second {
			t.Errorf("drained after %v", since)
		}
		p := d.page(id)
		if p.State != telgate.PageWaiting || !p.WaitsFor.Equal(d.begun.Add(45*time.Second)) {
			t.Errorf("%s until %v", p.State, p.WaitsFor.Sub(d.begun))
		}
		two := d.beside(l, rounds(2))
		p, events := two.end(id)
		d.rang("0s alice +1…01 main", "45s alice +1…01 main")
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
		for i := 1; i < len(events); i++ {
			if events[i].Seq <= events[i-1].Seq {
				t.Errorf("event %d after %d", events[i].Seq, events[i-1].Seq)
			}
		}
		same(t, "events there", kinds(events), []telgate.EventKind{
			telgate.EventPageAccepted, telgate.EventDialing, telgate.EventCallEnded, telgate.EventWaiting, // as the page tells it
			telgate.EventDialing, telgate.EventRinging, telgate.EventAnswered, telgate.EventKey, telgate.EventPageConfirmed,
			telgate.EventCallEnded, telgate.EventPageEnded,
		})
	})
}

func TestAGatewayThatDrainsLetsItsCallEndBeforeItHandsThePageOver(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings(), confirms(0)}, l.on(t), durable)
		id := d.ringing(request("ops"))
		d.at(3 * time.Second)
		two := d.beside(l)
		d.Drain(t.Context())
		p, _ := two.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.NotReached, telgate.Confirmed})
		same(t, "hung up", d.exchange.stopped(), []telgate.StopCause(nil))
		same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeNoAnswer, telgate.OutcomeConfirmed})
	})
}

func TestACallThatIsCutOffBecauseItsGatewayStopsIsMadeAgain(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings(), confirms(0)}, l.on(t), durable)
		id := d.ringing(request("alice"))
		d.at(3 * time.Second)
		d.stop()
		<-d.over
		same(t, "cause", d.exchange.stopped(), []telgate.StopCause{{Why: telgate.StopGateway}})
		two := d.beside(l)
		p, _ := two.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
		same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeCancelled, telgate.OutcomeConfirmed})
	})
}

func TestAPageThatWaitsForAPhoneIsHandedOverAndSkipsNothing(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings(), confirms(0)}, l.on(t), durable)
		d.ringing(request("alice"))
		id := d.submit(anew("alice"))
		d.until(id, telgate.EventWaiting)
		d.at(time.Second)
		drained := make(chan struct{})
		go func() { d.Drain(t.Context()); close(drained) }()
		two := d.beside(l)
		p, _ := two.end(id)
		<-drained
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
		same(t, "skipped", skips(p), []telgate.SkipReason(nil))
		same(t, "calls", len(d.exchange.calls()), 2) // the exchange looks that they were not at once
	})
}

func TestAPhoneThatRingsForAnotherGatewaysPageIsWaitedFor(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings(), confirms(0)}, l.on(t))
		two := d.beside(l)
		one := d.ringing(request("alice"))
		other := two.submit(anew("alice"))
		two.until(other, telgate.EventWaiting)
		d.end(one)
		p, _ := two.end(other)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
		same(t, "calls", len(d.exchange.calls()), 2)
	})
}

func TestLinesAreSharedByAllGateways(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		narrow := func(s *setting) { s.cfg.Trunks[0].Limit = plan.Limit{Calls: 1} }
		d := open(t, []answer{ends(5*time.Second, telgate.OutcomeNoAnswer, ""), rings(), confirms(0)}, l.on(t), narrow)
		two := d.beside(l, narrow)
		one := d.ringing(request("alice"))
		second := two.submit(request("bob")) // gets the line after 5 s
		two.until(second, telgate.EventWaitingForLine)
		d.end(one)
		two.until(second, telgate.EventRinging)
		third := d.submit(request("carol")) // it is taken for longer than anybody waits: the other trunk
		p, _ := d.end(third)
		same(t, "trunk", p.Steps[0].Call.Trunk, "backup")
		q, _ := two.end(second)
		same(t, "trunk", q.Steps[0].Call.Trunk, "main")
	})
}

func TestAGatewayThatMayNotBeginWaitsAndKeepsWhatRings(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings(), confirms(0)}, l.on(t))
		id := d.ringing(request("ops"))
		d.at(3 * time.Second)
		d.Hold()
		d.at(40 * time.Second)
		d.rang("0s alice +1…01 main")
		same(t, "hung up", d.exchange.stopped(), []telgate.StopCause(nil))
		d.Release()
		p, _ := d.end(id)
		d.rang("0s alice +1…01 main", "40s bob +1…02 main")
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.NotReached, telgate.Confirmed})
	})
}

func TestAPageIsReachedThroughAnyGateway(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings()}, l.on(t))
		two := d.beside(l)
		stopped, confirmed := d.ringing(request("alice")), d.ringing(request("bob"))
		joined, err := two.Submit(t.Context(), telgate.Request{Asker: telgate.Actor{ID: "UOTHER"}, Who: []string{"bob"}, Message: "web too"})
		if err != nil || joined.Page != confirmed || !joined.Joined {
			t.Errorf("%+v, %v", joined, err)
		}
		d.until(confirmed, telgate.EventPageJoined)
		if err := two.Stop(t.Context(), stopped, asker()); err != nil {
			t.Error(err)
		}
		if err := two.Confirm(t.Context(), confirmed, telgate.Actor{ID: "UBOB"}); err != nil {
			t.Error(err)
		}
		p, events := two.end(stopped)
		same(t, "result", p.Result, telgate.Cancelled)
		same(t, "events elsewhere", kinds(events), []telgate.EventKind{
			telgate.EventPageAccepted, telgate.EventDialing, telgate.EventRinging, telgate.EventCallEnded, telgate.EventPageEnded,
		})
		p, _ = two.end(confirmed)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
		same(t, "askers", len(p.Askers), 2)
		if p.Ended.Sub(d.begun) > 3*time.Second {
			t.Errorf("ended after %v", p.Ended.Sub(d.begun))
		}
		if mail, err := l.Inbox(t.Context(), "one"); err != nil || len(mail) > 0 {
			t.Errorf("messages that were handled are still there: %+v, %v", mail, err)
		}
	})
}

func TestNewsOfAPageElsewhereIsToldAtOnce(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		news := func(s *setting) { s.news = l.News }
		d := open(t, []answer{rings()}, l.on(t), news)
		two := d.beside(l, news)
		id := d.ringing(request("alice"))
		changed := two.Changed(t.Context())
		synctest.Wait()
		d.at(500 * time.Millisecond)
		begun := time.Now()
		if err := two.Confirm(t.Context(), id, alice()); err != nil {
			t.Fatal(err)
		}
		d.end(id)
		if got := <-changed; got != id {
			t.Errorf("%s changed", got)
		}
		if took := time.Since(begun); took > 0 {
			t.Errorf("it took %v", took)
		}
	})
}

func TestLimitsAndKeysOutliveAGateway(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		limits := func(s *setting) { s.cfg.PerNumber, s.cfg.PerAsker = 1, 2 }
		d := open(t, []answer{confirms(0)}, l.on(t), durable, limits)
		r := request("alice")
		r.Key = "envelope-1"
		first := d.submit(r)
		d.end(first)
		d.stop()
		<-d.over
		two := d.beside(l, limits)
		if again := two.submit(r); again != first {
			t.Errorf("the same request made %s after %s", again, first)
		}
		if got := two.refused(request("alice")); got.Reason != telgate.RefusedLimit {
			t.Errorf("refused as %+v", got)
		}
		two.end(two.submit(request("bob")))
		if got := two.refused(request("carol")); got.Reason != telgate.RefusedLimit {
			t.Errorf("refused as %+v", got)
		}
	})
}

func TestAGatewayThatWasTakenForDeadGoesOnUnderAnotherName(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings(), confirms(0)}, l.on(t), durable)
		id := d.ringing(request("ops"))
		d.at(3 * time.Second)
		frozen(l)
		d.Fence(errDown)
		d.at(5 * time.Second)
		d.rang("0s alice +1…01 main")
		d.Join("one again")
		p, _ := d.end(id)
		d.rang("0s alice +1…01 main", "5s bob +1…02 main")
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.NotReached, telgate.Confirmed})
	})
}

func TestAPageThatCannotBeReadEndsAndSaysSo(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		page := telgate.Page{ID: "p1", Version: 1, Title: "alice", State: telgate.PageAccepted, Accepted: time.Now(), Targets: []telgate.Target{{Nick: "alice"}}}
		if _, err := l.Accept(t.Context(), &pager.Acceptance{Hold: pager.Hold{Page: "p1", Gateway: "zero", Token: 1}, Page: page, Course: []byte("{")}); err != nil {
			t.Fatal(err)
		}
		l.Bury("zero")
		d := open(t, nil, l.on(t), durable)
		p, _ := d.end("p1")
		d.rang()
		if p.State != telgate.PageEnded || p.Result.Reached() {
			t.Errorf("%s, %s", p.State, p.Result)
		}
	})
}

func TestTheNextNumberIsCalledWhenSomebodySaysSo(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings(), rings(), confirms(0)}, l.on(t), rounds(2))
		id := d.ringing(request("ops"))
		d.at(3 * time.Second)
		if err := d.Next(t.Context(), id, asker()); err != nil {
			t.Fatal(err)
		}
		d.at(30 * time.Second) // in the pause
		if err := d.Next(t.Context(), id, asker()); err != nil {
			t.Fatal(err)
		}
		p, _ := d.end(id)
		d.rang("0s alice +1…01 main", "3s bob +1…02 main", "30s alice +1…01 main")
		same(t, "result", p.Result, telgate.Confirmed)
	})
}

func TestWhatIsLeftForAPageAsItEndsIsNotLost(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings()}, l.on(t), durable)
		p, _ := d.end(d.submit(request("alice")))
		before := d.page(p.ID)
		// A key that came to another gateway is put down after the owner was done.
		late := *p.Steps[0].Call
		late.Outcome = telgate.OutcomeConfirmed
		l.Put(&pager.Message{Page: p.ID, At: time.Now(), Late: &late})
		d.at(time.Minute)
		p = d.page(p.ID)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
		if !p.Late || p.Version <= before.Version {
			t.Errorf("%+v", p)
		}
		if mail, err := l.Inbox(t.Context(), "one"); err != nil || len(mail) > 0 {
			t.Errorf("it is still there: %+v, %v", mail, err)
		}
	})
}

func TestWhatRunsIsListedWhereverItRunsAndWhatHasEndedOnlyAsFarAsIsWanted(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{confirms(0), confirms(0), rings()}, l.on(t), rounds(2))
		two := d.beside(l)
		d.end(d.submit(request("alice")))
		newest, _ := d.end(d.submit(request("alice")))
		d.at(time.Minute)
		here := d.ringing(request("bob"))
		for name, at := range map[string]*desk{"the owner": d, "another": two} {
			running, err := at.Running(t.Context())
			if err != nil || len(running) != 1 || running[0].ID != here || running[0].State != telgate.PageCalling {
				t.Errorf("%s: %+v, %v", name, running, err)
			}
			for ended, want := range map[int]int{0: 1, 1: 2, 5: 3} {
				all, err := at.Recent(t.Context(), ended)
				if err != nil || len(all) != want || all[0].ID != here || want > 1 && all[1].ID != newest.ID {
					t.Errorf("%s, %d that have ended: %+v, %v", name, ended, all, err)
				}
			}
		}
		l.becomes(down)
		if running, err := d.Running(t.Context()); err == nil || len(running) != 1 {
			t.Errorf("its own in an outage: %+v, %v", running, err)
		}
		if running, err := two.Running(t.Context()); err == nil || len(running) != 0 {
			t.Errorf("nobody's in an outage: %+v, %v", running, err)
		}
		l.becomes(well)
		if err := two.Stop(t.Context(), here, asker()); err != nil {
			t.Error(err)
		}
		d.end(here)
	})
}
