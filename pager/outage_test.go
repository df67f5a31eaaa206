package pager_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
)

func TestACallGoesOnThroughAnOutageAndIsWrittenAfterIt(t *testing.T) {
	for name, outage := range map[string]func(*strict){"refused": down, "no answer": hung} {
		for when, begins := range map[string]time.Duration{"while it rings": 3 * time.Second, "while they talk": 10*time.Second + 500*time.Millisecond} {
			t.Run(name+" "+when, func(t *testing.T) {
				in(t, func(t *testing.T) {
					l := newStrict()
					d := open(t, []answer{confirms(10 * time.Second)}, l.on(t))
					id := d.submit(request("alice"))
					d.at(begins)
					l.becomes(outage)
					d.until(id, telgate.EventPageEnded)
					if since := time.Since(d.begun); since > 16*time.Second {
						t.Errorf("the end was told after %v: who looks is not to wait for the ledger", since)
					}
					if p := d.page(id); p.Result != telgate.Confirmed || p.State != telgate.PageEnded {
						t.Errorf("shown as %s, %s", p.State, p.Result)
					}
					if p := l.kept(t, id); p.State == telgate.PageEnded {
						t.Error("written during the outage")
					}
					d.at(30 * time.Second)
					l.becomes(well)
					d.at(33 * time.Second)
					p := l.kept(t, id)
					same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
					same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeConfirmed})
					d.rang("0s alice +1…01 main")
				})
			})
		}
	}
}

func TestWithoutALedgerNothingIsAcceptedAndTheAskerIsToldWithinASecond(t *testing.T) {
	for name, outage := range map[string]func(*strict){"refused": down, "no answer": hung} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				l := newStrict()
				d := open(t, nil, l.on(t))
				l.becomes(outage)
				begun := time.Now()
				if receipt, err := d.Submit(t.Context(), request("alice")); err == nil {
					t.Errorf("accepted as %+v", receipt)
				}
				if took := time.Since(begun); took > time.Second {
					t.Errorf("told after %v", took)
				}
				l.becomes(well)
				d.at(time.Minute)
				d.rang()
				if pages := d.pages(); len(pages) > 0 {
					t.Errorf("kept %+v", pages)
				}
			})
		})
	}
}

func TestAPageWhoseAcceptanceWasNotToldIsNeverBegun(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, nil, l.on(t))
		l.becomes(losing)
		if _, err := d.Submit(t.Context(), request("alice")); err == nil {
			t.Error("accepted")
		}
		l.becomes(well)
		synctest.Wait()
		l.Bury("one")
		d.at(time.Minute)
		d.rang()
		for _, p := range d.pages() {
			same(t, "results", results(p), []telgate.Result{telgate.Cancelled, telgate.Cancelled})
		}
	})
}

func TestTheNextCallWaitsForTheLedger(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings(), confirms(0)}, l.on(t))
		id := d.submit(request("ops"))
		d.at(20 * time.Second)
		l.becomes(down)
		d.at(40 * time.Second)
		d.rang("0s alice +1…01 main")
		same(t, "state meanwhile", d.page(id).State, telgate.PageWaiting)
		l.becomes(well)
		p, _ := d.end(id)
		same(t, "calls", len(d.exchange.calls()), 2)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.NotReached, telgate.Confirmed})
		same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeNoAnswer, telgate.OutcomeConfirmed})
	})
}

func TestACallWhoseEntryWasNotToldIsMadeOnce(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{confirms(0)}, l.on(t), func(s *setting) { s.cfg.PerNumber = 1 })
		l.mu.Lock()
		l.mute = 2 // its entry is made, and made again
		l.mu.Unlock()
		id := d.submit(request("alice"))
		p, _ := d.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
		same(t, "calls", len(d.exchange.calls()), 1)
	})
}

func TestAPageIsStoppedWhileItWaitsForTheLedger(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings()}, l.on(t))
		id := d.submit(request("ops"))
		d.at(20 * time.Second)
		l.becomes(losing) // the entry of the second call is made, and nobody is told
		d.at(27 * time.Second)
		l.becomes(down)
		d.at(28 * time.Second)
		if err := d.Stop(t.Context(), id, asker()); err != nil {
			t.Fatal(err)
		}
		l.becomes(well)
		p, _ := d.end(id)
		d.rang("0s alice +1…01 main")
		same(t, "result", p.Result, telgate.Cancelled)
		d.at(40 * time.Second)
		two := d.submit(request("bob")) // his phone was given back
		d.until(two, telgate.EventRinging)
		if since := time.Since(d.begun); since > 41*time.Second {
			t.Errorf("his phone rang after %v", since)
		}
	})
}

func TestAGatewayThatStopsDuringAnOutageDoesNotWaitForItsEnd(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings()}, l.on(t))
		d.ringing(request("alice"))
		d.at(3 * time.Second)
		l.becomes(hung)
		d.stop()
		<-d.over
		if since := time.Since(d.begun); since > 15*time.Second {
			t.Errorf("stopped after %v", since)
		}
	})
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{confirms(0)}, l.on(t))
		id, _ := d.end(d.submit(request("alice")))
		synctest.Wait()
		l.becomes(down)
		if p, err := d.Page(t.Context(), id.ID); !errors.Is(err, errDown) {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err := d.Pages(t.Context()); !errors.Is(err, errDown) {
			t.Errorf("pages: %v", err)
		}
		if err := d.Stop(t.Context(), id.ID, asker()); !errors.Is(err, errDown) {
			t.Errorf("stop: %v", err)
		}
	})
}
