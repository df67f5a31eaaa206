package pager_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
	"telgate/pager"
	"telgate/plan"
)

func TestAnAcceptedPageIsKeptBeforeAnyPhoneRings(t *testing.T) {
	in(t, func(t *testing.T) {
		var d *desk
		kept := false
		d = open(t, []answer{func(context.Context, func(telgate.Event)) telgate.Call {
			pages := d.pages() //nolint:contextcheck // it has its own
			kept = len(pages) == 1 && pages[0].Title == "alice"
			return telgate.Call{Outcome: telgate.OutcomeConfirmed}
		}})
		receipt, err := d.Submit(t.Context(), request("alice"))
		if err != nil || receipt.Joined || receipt.Words != "alice" {
			t.Fatalf("%+v, %v", receipt, err)
		}
		if p := d.page(receipt.Page); p.Message != "db is down" || p.Askers[0].ID != "UASKER" || p.Rounds != 1 {
			t.Errorf("accepted as %+v", p)
		}
		d.end(receipt.Page)
		if !kept {
			t.Error("the phone rang before the page was kept")
		}
	})
}

func TestAnOrderSaysEverythingTheCallNeeds(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{ends(time.Second, telgate.OutcomeNoAnswer, ""), confirms(0)}, func(s *setting) {
			m := s.people["ops"]
			m.People[1].Language, m.People[1].Confirm = "ja", telgate.ConfirmAnswer
			m.People[1].Numbers = []telgate.Number{{Extension: "7100", Trunk: "pbx", Ring: 7 * time.Second}}
			s.cfg.Trunks = append(s.cfg.Trunks, plan.Trunk{Name: "pbx", Kind: plan.PBX})
		})
		id := d.submit(request("ops"))
		d.end(id)
		first, second := d.exchange.order(0), d.exchange.order(1)
		if first.Call == "" || first.Call == second.Call {
			t.Errorf("calls named %q and %q", first.Call, second.Call)
		}
		first.Call, second.Call = "", ""
		same(t, "first order", first, telgate.Order{
			Page: id, Person: "alice", Step: 1, Round: 1, Number: phone(1), Trunk: "main",
			Ring: 25 * time.Second, Language: "en", Prompt: "fire", Confirm: telgate.ConfirmKey,
		})
		same(t, "second order", second, telgate.Order{
			Page: id, Person: "bob", Step: 2, Round: 1, Number: telgate.Number{Extension: "7100", Trunk: "pbx", Ring: 7 * time.Second},
			Trunk: "pbx", LastHope: true, Ring: 7 * time.Second, Language: "ja", Prompt: "fire", Confirm: telgate.ConfirmAnswer,
		})
	})
}

func TestARefusedRequestKeepsAndDialsNothing(t *testing.T) {
	with := func(n telgate.Number) func(*setting) {
		return func(s *setting) { s.people["alice"].People[0].Numbers = []telgate.Number{n} }
	}
	for _, c := range []struct {
		name    string
		request telgate.Request
		change  func(*setting)
		want    telgate.RefusalReason
	}{
		{"an unknown name", request("zoe"), nil, telgate.RefusedUnknownName},
		{"an unknown name beside a known one", request("alice", "zoe"), nil, telgate.RefusedUnknownName},
		{"nobody", request(), nil, telgate.RefusedUnknownName},
		{"a stranger", telgate.Request{Asker: telgate.Actor{ID: "UEVE"}, Who: []string{"alice"}}, nil, telgate.RefusedNotAllowed},
		{"a stranger is not told who is known", telgate.Request{Asker: telgate.Actor{ID: "UEVE"}, Who: []string{"zoe"}}, nil, telgate.RefusedNotAllowed},
		{"a guest", telgate.Request{Asker: telgate.Actor{ID: "UASKER", Guest: true}, Who: []string{"alice"}}, nil, telgate.RefusedNotAllowed},
		{"force, and no administrator", telgate.Request{Asker: asker(), Who: []string{"alice"}, Force: true}, nil, telgate.RefusedNotAllowed},
		{"an emergency number", request("alice"), with(telgate.Number{E164: "+1911", Country: "1"}), telgate.RefusedForbiddenNumber},
		{"a country that is not allowed", request("alice"), with(telgate.Number{E164: "+819012345678", Country: "81"}), telgate.RefusedForbiddenNumber},
		{
			"an emergency number by an administrator's force",
			telgate.Request{Asker: telgate.Actor{ID: "UADMIN"}, Who: []string{"alice"}, Force: true},
			with(telgate.Number{E164: "+1911", Country: "1"}),
			telgate.RefusedForbiddenNumber,
		},
		{"no number at all", request("alice"), func(s *setting) { s.people["alice"].People[0].Numbers = nil }, telgate.RefusedForbiddenNumber},
		{"a pager that does not run", request("alice"), func(s *setting) { s.idle = true }, telgate.RefusedNotReady},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				change := c.change
				if change == nil {
					change = func(*setting) {}
				}
				d := open(t, nil, change)
				r := d.refused(c.request)
				if r.Reason != c.want || r.Message == "" {
					t.Errorf("refused as %q: %s", r.Reason, r.Message)
				}
				if strings.Contains(r.Message, "9012345678") {
					t.Errorf("shows the whole number: %s", r.Message)
				}
				d.at(time.Minute)
				d.rang()
				if len(d.pages()) != 0 {
					t.Errorf("kept %v", d.pages())
				}
			})
		})
	}
}

func TestAStoppingGatewaySaysThatItDoesNotAccept(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, nil)
		d.Drain(t.Context())
		if r := d.refused(request("alice")); r.Reason != telgate.RefusedNotReady || !strings.HasPrefix(r.Message, "NOT accepted") {
			t.Errorf("drained: %+v", r)
		}
	})
	in(t, func(t *testing.T) {
		d := open(t, nil)
		d.stop()
		<-d.over
		if r := d.refused(request("alice")); r.Reason != telgate.RefusedNotReady {
			t.Errorf("stopped: %+v", r)
		}
	})
}

func TestAnAskerHasSoManyPagesAnHour(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(0)}, func(s *setting) { s.cfg.PerAsker = 2 })
		d.end(d.submit(request("alice")))
		d.at(30 * time.Minute)
		d.end(d.submit(request("bob")))
		if r := d.refused(request("carol")); r.Reason != telgate.RefusedLimit || !strings.Contains(r.Message, "pages_per_asker_per_hour") {
			t.Errorf("the third: %+v", r)
		}
		other := request("carol")
		other.Asker.ID = "UOTHER"
		d.end(d.submit(other)) // the limit is each asker's own
		d.at(61 * time.Minute) // the first is more than an hour ago, the second is not
		d.end(d.submit(request("alice")))
		if r := d.refused(request("alice")); r.Reason != telgate.RefusedLimit {
			t.Errorf("the third within an hour: %+v", r)
		}
	})
}

func TestANumberIsRungSoManyTimesAnHour(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{ends(time.Second, telgate.OutcomeNoAnswer, "")}, rounds(3), func(s *setting) { s.cfg.PerNumber = 2 })
		p, _ := d.end(d.submit(request("alice")))
		d.rang("0s alice +1…01 main", "21s alice +1…01 main")
		same(t, "skipped", skips(p), []telgate.SkipReason{telgate.SkipLimit})
		if p.Result != telgate.NotReached {
			t.Errorf("the page is %s", p.Result)
		}
		if r := d.refused(request("alice")); r.Reason != telgate.RefusedLimit || !strings.Contains(r.Message, "calls_per_number_per_hour") {
			t.Errorf("a page that could ring nobody: %+v", r)
		}
		if p, _ := d.end(d.submit(request("ops"))); p.Steps[0].Skip != telgate.SkipLimit || p.Steps[1].Call == nil {
			t.Errorf("a page with one number left: %+v", p.Steps)
		}
	})
}

func TestAnAdministratorMayForceTheLimitsOfNumbersOnly(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{ends(0, telgate.OutcomeNoAnswer, ""), confirms(0)}, func(s *setting) { s.cfg.PerNumber, s.cfg.PerAsker = 1, 2 })
		r := telgate.Request{Asker: telgate.Actor{ID: "UADMIN"}, Who: []string{"alice"}}
		d.end(d.submit(r))
		r.Force = true
		if p, _ := d.end(d.submit(r)); p.Result != telgate.Confirmed {
			t.Errorf("forced: %+v", p)
		}
		if got := d.refused(r); got.Reason != telgate.RefusedLimit || !strings.Contains(got.Message, "pages_per_asker_per_hour") {
			t.Errorf("a third page within an hour, forced: %+v", got)
		}
	})
}

func TestAfterAnHourANumberMayRingAgain(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(0)}, func(s *setting) { s.cfg.PerNumber = 1 })
		d.end(d.submit(request("alice")))
		d.at(59 * time.Minute)
		if r := d.refused(request("alice")); r.Reason != telgate.RefusedLimit {
			t.Errorf("within the hour: %+v", r)
		}
		d.at(60 * time.Minute)
		d.end(d.submit(request("alice")))
	})
}

func TestARepeatedRequestHasTheFirstReceipt(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(0)})
		r := request("alice")
		r.Key = "envelope-1"
		first := d.submit(r)
		if again := d.submit(r); again != first {
			t.Errorf("while it runs: %s after %s", again, first)
		}
		p, _ := d.end(first)
		if len(p.Askers) != 1 {
			t.Errorf("the repetition joined: %+v", p.Askers)
		}
		d.at(14 * time.Minute)
		if again := d.submit(r); again != first {
			t.Errorf("after its end: %s after %s", again, first)
		}
		other := r
		other.Key = "envelope-2"
		if d.submit(other) == first {
			t.Error("another request has the same page")
		}
		none := r
		none.Key = ""
		if d.submit(none) == first {
			t.Error("a request without a key has an old page")
		}
		d.at(16 * time.Minute)
		if d.submit(r) == first {
			t.Error("a key is remembered for ever")
		}
	})
}

func TestRepetitionsAtTheSameTimeMakeOnePage(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(time.Second)})
		r := request("alice")
		r.Key = "envelope-1"
		receipts := make(chan telgate.Receipt, 2)
		for range 2 {
			go func() {
				receipt, err := d.Submit(t.Context(), r)
				if err != nil {
					t.Error(err)
				}
				receipts <- receipt
			}()
		}
		if a, b := <-receipts, <-receipts; a != b {
			t.Errorf("one delivery made %+v, the other %+v", a, b)
		}
		for _, p := range d.pages() {
			d.end(p.ID)
		}
		d.rang("0s alice +1…01 main")
	})
}

func TestARequestForSomebodyWhoIsBeingPagedJoins(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{ends(10*time.Second, telgate.OutcomeNoAnswer, ""), confirms(0)}, rounds(2))
		id := d.ringing(request("ops"))
		r := telgate.Request{Key: "k", Asker: telgate.Actor{ID: "UOTHER"}, Who: []string{"bob"}, Message: "web too"}
		receipt, err := d.Submit(t.Context(), r)
		if err != nil || receipt.Page != id || !receipt.Joined || receipt.Words != "ops" {
			t.Fatalf("%+v, %v", receipt, err)
		}
		if again, err := d.Submit(t.Context(), r); err != nil || again != receipt {
			t.Errorf("the same request again: %+v, %v", again, err)
		}
		p, events := d.end(id)
		d.rang("0s alice +1…01 main", "10s bob +1…02 main")
		if len(p.Askers) != 2 || p.Askers[1].ID != "UOTHER" || p.Askers[1].Message != "web too" {
			t.Errorf("askers %+v", p.Askers)
		}
		joined := 0
		for _, ev := range events {
			if ev.Kind == telgate.EventPageJoined {
				joined++
				same(t, "who joined", ev.Asker.ID, "UOTHER")
			}
		}
		same(t, "joined events", joined, 1)
		if len(d.pages()) != 1 {
			t.Errorf("%d pages", len(d.pages()))
		}
	})
}

func TestARequestForMorePeopleThanAreBeingPagedDoesNotJoin(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(time.Second)})
		one := d.ringing(request("alice"))
		if d.submit(request("ops")) == one {
			t.Error("bob would not be called")
		}
	})
}

func TestARequestAfterTheEndMakesANewPage(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(0)})
		one := d.submit(request("alice"))
		d.end(one)
		synctest.Wait()
		if d.submit(request("alice")) == one {
			t.Error("joined a page that had ended")
		}
	})
}

func TestANumberThatRingsForOnePageIsWaitedForByAnother(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings(), confirms(0)})
		one := d.ringing(request("alice"))
		two := d.submit(anew("alice"))
		if two == one {
			t.Fatal("no page of its own")
		}
		d.until(two, telgate.EventWaiting)
		same(t, "second page meanwhile", d.page(two).State, telgate.PageWaiting)
		p1, _ := d.end(one)
		p2, _ := d.end(two)
		d.rang("0s alice +1…01 main", "25s alice +1…01 main") // the exchange looks that it is not both at once
		same(t, "first page", p1.Result, telgate.NotReached)
		same(t, "second page", p2.Result, telgate.Confirmed)
	})
}

func TestAPageThatWaitsForANumberCanBeStopped(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()})
		one := d.ringing(request("alice"))
		two := d.submit(anew("alice"))
		d.at(5 * time.Second)
		if err := d.Stop(t.Context(), two, asker()); err != nil {
			t.Fatal(err)
		}
		p, _ := d.end(two)
		if p.Result != telgate.Cancelled || !p.Ended.Equal(d.begun.Add(5*time.Second)) {
			t.Errorf("%s at %v", p.Result, p.Ended.Sub(d.begun))
		}
		same(t, "skipped", skips(p), []telgate.SkipReason{telgate.SkipEnded})
		d.end(one)
		d.rang("0s alice +1…01 main")
	})
}

func TestAPageThatCannotBeKeptIsNotAccepted(t *testing.T) {
	in(t, func(t *testing.T) {
		full := errors.New("disk full")
		d := open(t, nil, func(s *setting) { s.books = newBroken(full) })
		r := request("alice")
		r.Key = "k"
		for range 2 { // a repetition is no acceptance either
			if receipt, err := d.Submit(t.Context(), r); !errors.Is(err, full) || receipt.Page != "" {
				t.Errorf("%+v, %v", receipt, err)
			}
		}
		d.at(time.Minute)
		d.rang()
	})
}

func TestAPageThatCannotBeKeptLaterGoesOn(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(time.Second)}, func(s *setting) {
			b := newBroken(errors.New("disk full"))
			b.good = 2 // the page, and its call
			s.books = b
		})
		_, events := d.end(d.submit(request("alice")))
		last := events[len(events)-1]
		if last.Kind != telgate.EventPageEnded || last.Result != telgate.Confirmed {
			t.Errorf("the last event is %+v", last)
		}
		d.rang("0s alice +1…01 main")
	})
}

// gate is a ledger whose n-th save is held until the gate opens.
type gate struct {
	*pager.Memory
	held, open chan struct{}

	mu   sync.Mutex
	left int
}

func newGate(n int) *gate {
	return &gate{Memory: pager.NewMemory(time.Now), held: make(chan struct{}), open: make(chan struct{}), left: n}
}

func (g *gate) Save(ctx context.Context, c *pager.Change) error {
	g.mu.Lock()
	g.left--
	hold := g.left == 0
	g.mu.Unlock()
	if hold {
		close(g.held)
		select {
		case <-g.open:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return g.Memory.Save(ctx, c)
}

// broken is a ledger whose answers are errors while there is one.
type broken struct {
	*pager.Memory

	mu   sync.Mutex
	err  error
	good int // what it still does, whatever the error
}

func newBroken(err error) *broken { return &broken{Memory: pager.NewMemory(time.Now), err: err} }

// becomes changes what it answers; nil repairs it.
func (b *broken) becomes(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func (b *broken) fails() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.good > 0 {
		b.good--
		return nil
	}
	return b.err
}

func (b *broken) Accept(ctx context.Context, a *pager.Acceptance) (pager.Accepted, error) {
	if err := b.fails(); err != nil {
		return pager.Accepted{}, err
	}
	return b.Memory.Accept(ctx, a)
}

func (b *broken) Begin(ctx context.Context, x *pager.Beginning) (pager.Grant, error) {
	if err := b.fails(); err != nil {
		return pager.Grant{}, err
	}
	return b.Memory.Begin(ctx, x)
}

func (b *broken) Save(ctx context.Context, c *pager.Change) error {
	if err := b.fails(); err != nil {
		return err
	}
	return b.Memory.Save(ctx, c)
}

func (b *broken) Amend(ctx context.Context, p *telgate.Page, was int) error {
	if err := b.fails(); err != nil {
		return err
	}
	return b.Memory.Amend(ctx, p, was)
}
