package storetest

import (
	"errors"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
	"telgate/lease"
	"telgate/pager"
)

//nolint:gochecknoglobals // a table of tests
var burying = []test{
	{name: "a gateway says that it lives until it leaves", others: true, run: func(s *suite) {
		for range 2 {
			if alive, err := s.a.Gateways.Beat(s.Context(), gatewayA); !alive || err != nil {
				s.Fatalf("Beat: %v, %v", alive, err)
			}
		}
		p := s.peer(s.b, gatewayA)
		if p.Self != (lease.Self{ID: gatewayA, Name: "a", Version: "1", Config: "c"}) || p.Beats != 2 || time.Since(p.Started).Abs() > time.Minute {
			s.Errorf("peer %+v", p)
		}
		if err := s.a.Gateways.Leave(s.Context(), gatewayA); err != nil {
			s.Fatal(err)
		}
		if alive, err := s.a.Gateways.Beat(s.Context(), gatewayA); alive || err != nil {
			s.Errorf("Beat: %v, %v", alive, err)
		}
	}},
	{name: "a gateway that beats is not buried, and a dead one once", others: true, run: func(s *suite) {
		seen := s.peer(s.b, gatewayA)
		if _, err := s.a.Gateways.Beat(s.Context(), gatewayA); err != nil {
			s.Fatal(err)
		}
		for i, p := range []lease.Peer{seen, s.peer(s.b, gatewayA), s.peer(s.b, gatewayA)} {
			if buried, err := s.b.Gateways.Bury(s.Context(), p); err != nil || buried != (i == 1) {
				s.Errorf("Bury %+v: %v, %v", p, buried, err)
			}
		}
		if alive, err := s.a.Gateways.Beat(s.Context(), gatewayA); alive || err != nil {
			s.Errorf("Beat of who was buried: %v, %v", alive, err)
		}
	}},
	{name: "the pages of a dead gateway are claimed, its calls are lost, and their phones and lines kept", others: true, run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		b := begins(h, &p, "c1", number(1), "main")
		b.Lines.Calls, b.RingUntil = 1, time.Now().Add(time.Minute)
		s.begin(s.a, b, pager.Granted)
		s.bury(gatewayA)
		records, err := s.b.Pages.Claim(s.Context(), gatewayB, 10)
		if err != nil || len(records) != 1 || records[0].Token != 2 {
			s.Fatalf("Claim: %+v, %v", records, err)
		}
		r := records[0]
		if c := r.Page.Steps[0].Call; c.Outcome != telgate.OutcomeLost || c.Detail != telgate.DetailMayHaveRung || c.State != telgate.CallEnded || c.Times.Ended.IsZero() || r.Page.Version <= p.Version {
			s.Errorf("call %+v of version %d", c, r.Page.Version)
		}
		rests := begins(r.Hold, &r.Page, "c2", number(1), "other")
		if g := s.begin(s.b, rests, pager.GrantPhoneRests); time.Until(g.Until) > time.Minute || time.Until(g.Until) < 50*time.Second {
			s.Errorf("rests until %v", g.Until)
		}
		r.Page.Steps = r.Page.Steps[:1]
		other := begins(r.Hold, &r.Page, "c3", number(2), "main")
		other.Lines.Calls = 1
		s.begin(s.b, other, pager.GrantNoLine)
	}},
	{name: "a page whose gateway died while it said thanks is claimed as confirmed, and whoever goes on says so of its call", others: true, run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.begin(s.a, begins(h, &p, "c1", number(1), "main"), pager.Granted)
		heard(&p)
		s.save(s.a, &pager.Change{Hold: h, Page: p})
		s.bury(gatewayA)
		records, err := s.b.Pages.Claim(s.Context(), gatewayB, 10)
		if err != nil || len(records) != 1 {
			s.Fatalf("Claim: %+v, %v", records, err)
		}
		r := records[0]
		if diff := cmp.Diff(p.Targets, r.Page.Targets); diff != "" || r.Page.Result != telgate.Confirmed || r.Page.State == telgate.PageEnded {
			s.Errorf("%s %s, targets (-want +got):\n%s", r.Page.State, r.Page.Result, diff)
		}
		if c := r.Page.Steps[0].Call; c.Outcome != telgate.OutcomeLost || !c.KeyHeard() {
			s.Errorf("call %+v", c)
		}
		over(&r.Page, telgate.OutcomeConfirmed)
		r.Page.State, r.Page.Ended = telgate.PageEnded, accepted().Add(2*time.Minute)
		s.save(s.b, &pager.Change{Hold: r.Hold, Page: r.Page})
		over(&p, telgate.OutcomeAnswered) // the first one was not dead after all, and is late
		if err := s.a.Pages.Save(s.Context(), &pager.Change{Hold: h, Page: p}); !errors.Is(err, pager.ErrFenced) {
			s.Errorf("Save: %v", err)
		}
		s.same(s.b, r.Page)
		s.inbox(s.b, gatewayB, 0)
	}},
	{name: "what a dead gateway held is free when it cannot ring any more", others: true, run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		b := begins(h, &p, "c1", number(1), "main")
		b.Lines.Calls, b.RingUntil = 1, time.Now().Add(-time.Second)
		s.begin(s.a, b, pager.Granted)
		q := page("p2", "bob")
		a := acceptance(q)
		a.Gateway = gatewayB
		held := begins(s.accept(a), &q, "c2", number(1), "other")
		s.begin(s.b, held, pager.GrantPhoneBusy) // while it lives its call goes on, however long
		s.bury(gatewayA)
		held.Trunk, held.Lines.Calls = "main", 1
		s.begin(s.b, held, pager.Granted)
	}},
	{name: "a gateway that was buried is fenced, and its late confirmation reaches who took over", others: true, run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.begin(s.a, begins(h, &p, "c1", number(1), "main"), pager.Granted)
		s.bury(gatewayA)
		f := over(&p, telgate.OutcomeConfirmed)
		if err := s.a.Pages.Save(s.Context(), &pager.Change{Hold: h, Page: p, Freed: []pager.Freed{f}}); !errors.Is(err, pager.ErrFenced) {
			s.Errorf("Save: %v", err)
		}
		records, err := s.b.Pages.Claim(s.Context(), gatewayB, 10)
		if err != nil || len(records) != 1 || records[0].Page.Steps[0].Call.Outcome != telgate.OutcomeConfirmed {
			s.Fatalf("Claim: %+v, %v", records, err)
		}
		if m := s.inbox(s.b, gatewayB, 1)[0]; m.Late == nil || m.Late.Outcome != telgate.OutcomeConfirmed {
			s.Errorf("message %+v", m)
		}
		// The next owner writes all it has: what became of the call stays.
		r := records[0]
		r.Page.Steps[0].Call = &telgate.Call{Order: r.Page.Steps[0].Call.Order, State: telgate.CallEnded, Outcome: telgate.OutcomeLost}
		s.save(s.b, &pager.Change{Hold: r.Hold, Page: r.Page})
		if got, err := s.b.Pages.Page(s.Context(), "p1"); err != nil || got.Steps[0].Call.Outcome != telgate.OutcomeConfirmed {
			s.Errorf("Page: %+v, %v", got, err)
		}
	}},
	{name: "a confirmation too late for a page that has ended, whose owner is gone, is claimed", others: true, run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.begin(s.a, begins(h, &p, "c1", number(1), "main"), pager.Granted)
		r := s.handOver(h, p)
		r.Page.State, r.Page.Result, r.Page.Version = telgate.PageEnded, telgate.NotReached, 9
		s.save(s.b, &pager.Change{Hold: r.Hold, Page: r.Page, From: 1})
		if err := s.b.Gateways.Leave(s.Context(), gatewayB); err != nil {
			s.Fatal(err)
		}
		over(&p, telgate.OutcomeConfirmed)
		if err := s.a.Pages.Save(s.Context(), &pager.Change{Hold: h, Page: p}); !errors.Is(err, pager.ErrFenced) {
			s.Errorf("Save: %v", err)
		}
		records, err := s.a.Pages.Claim(s.Context(), gatewayA, 10)
		if err != nil || len(records) != 1 || records[0].Page.State != telgate.PageEnded {
			s.Fatalf("Claim: %+v, %v", records, err)
		}
		m := s.inbox(s.a, gatewayA, 1)[0]
		done := records[0].Page
		done.Result, done.Late, done.Version = telgate.Confirmed, true, done.Version+1
		s.save(s.a, &pager.Change{Hold: records[0].Hold, Page: done, From: 1, Taken: []int64{m.ID}})
		s.same(s.a, done)
		s.inbox(s.a, gatewayA, 0)
	}},
	{name: "a gateway that was buried claims nothing", others: true, run: func(s *suite) {
		s.accept(acceptance(page("p1", "alice")))
		s.bury(gatewayA)
		if records, err := s.a.Pages.Claim(s.Context(), gatewayA, 10); !errors.Is(err, pager.ErrFenced) || len(records) != 0 {
			s.Errorf("Claim: %v, %v", records, err)
		}
	}},
}

func (s *suite) peer(at Side, id string) lease.Peer {
	s.Helper()
	peers, err := at.Gateways.Peers(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	for _, p := range peers {
		if p.ID == id {
			return p
		}
	}
	return lease.Peer{Self: lease.Self{ID: id}}
}

// bury has gateway B take another for dead.
func (s *suite) bury(id string) {
	s.Helper()
	if buried, err := s.b.Gateways.Bury(s.Context(), s.peer(s.b, id)); err != nil || !buried {
		s.Fatalf("Bury %s: %v, %v", id, buried, err)
	}
}
