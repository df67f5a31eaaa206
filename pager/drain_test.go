package pager_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
)

func TestDrainLetsTheCallEndAndBeginsNoFurtherStep(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, rounds(3))
		id := d.submit(request("ops"))
		d.at(3 * time.Second)
		d.Drain(t.Context())
		if since := time.Since(d.begun); since != 25*time.Second {
			t.Errorf("drained after %v", since)
		}
		p, _ := d.end(id)
		d.rang("0s alice +1…01 main")
		same(t, "results", results(p), []telgate.Result{telgate.Cancelled, telgate.Cancelled, telgate.Cancelled})
		same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeNoAnswer})
		same(t, "hung up", d.exchange.stopped(), []telgate.StopCause(nil))
	})
}

func TestACallThatIsConfirmedWhileDrainingIsConfirmed(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(10 * time.Second)})
		id := d.ringing(request("alice"))
		d.Drain(t.Context())
		p, _ := d.end(id)
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
	})
}

func TestDrainDoesNotWaitForAPause(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, rounds(3))
		id := d.submit(request("alice"))
		d.at(30 * time.Second)
		d.Drain(t.Context())
		p, _ := d.end(id)
		if !p.Ended.Equal(d.begun.Add(30*time.Second)) || p.Result != telgate.Cancelled {
			t.Errorf("%s at %v", p.Result, p.Ended.Sub(d.begun))
		}
	})
}

func TestDrainEndsAPageThatWaitsForANumber(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()})
		one := d.ringing(request("alice"))
		two := d.submit(anew("alice"))
		d.at(time.Second)
		d.Drain(t.Context())
		p, _ := d.end(two)
		if !p.Ended.Equal(d.begun.Add(time.Second)) || p.Result != telgate.Cancelled {
			t.Errorf("%s at %v", p.Result, p.Ended.Sub(d.begun))
		}
		d.end(one)
		d.rang("0s alice +1…01 main")
	})
}

func TestDrainReturnsWhenItIsToldToAndMayBeRepeated(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()})
		id := d.ringing(request("alice"))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		d.Drain(ctx)
		if since := time.Since(d.begun); since != 5*time.Second {
			t.Errorf("returned after %v", since)
		}
		if d.page(id).State == telgate.PageEnded {
			t.Error("the call was not let ring")
		}
		d.Drain(t.Context())
		same(t, "state", d.page(id).State, telgate.PageEnded)
	})
}

func TestAGatewayThatStopsHangsUpAndStillEndsThePage(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, rounds(3))
		id := d.submit(request("alice"))
		d.at(3 * time.Second)
		d.stop()
		<-d.over
		same(t, "cause", d.exchange.stopped(), []telgate.StopCause{{Why: telgate.StopGateway}})
		p, events := d.end(id)
		if p.State != telgate.PageEnded || !p.Ended.Equal(d.begun.Add(3*time.Second)) {
			t.Errorf("%s at %v", p.State, p.Ended.Sub(d.begun))
		}
		same(t, "results", results(p), []telgate.Result{telgate.Cancelled, telgate.Cancelled})
		same(t, "last event", events[len(events)-1].Kind, telgate.EventPageEnded)
		d.rang("0s alice +1…01 main")
	})
}

func TestAGatewayThatStopsEndsAPageThatWaits(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, rounds(3))
		id := d.submit(request("alice"))
		d.at(30 * time.Second)
		d.stop()
		<-d.over
		p := d.page(id)
		same(t, "results", results(p), []telgate.Result{telgate.Cancelled, telgate.Cancelled})
		if !p.Ended.Equal(d.begun.Add(30 * time.Second)) {
			t.Errorf("ended at %v: the pause was waited for", p.Ended.Sub(d.begun))
		}
	})
}

func TestRunReturnsAfterTheLastCallIsDown(t *testing.T) {
	in(t, func(t *testing.T) {
		result := make(chan telgate.Call)
		d := open(t, []answer{deaf(result)})
		id := d.ringing(request("alice"))
		d.stop()
		synctest.Wait()
		select {
		case <-d.over:
			t.Error("Run returned while a call was up")
		default:
		}
		result <- telgate.Call{Outcome: telgate.OutcomeCancelled}
		<-d.over
		same(t, "state", d.page(id).State, telgate.PageEnded)
	})
}
