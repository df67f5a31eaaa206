package storetest

import (
	"errors"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
	"telgate/pager"
)

//nolint:gochecknoglobals // a table of tests
var fencing = []test{
	{name: "who had the page before changes nothing", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		r := s.handOver(h, p)
		late := r.Page.Clone()
		late.Message, late.Version = "changed", 9
		changes := map[string]pager.Hold{
			"old token": {Page: "p1", Gateway: gatewayB, Token: 1}, "old owner": {Page: "p1", Gateway: gatewayA, Token: 2},
			"old hold": h, "no such page": {Page: "p0", Gateway: gatewayB, Token: 2},
		}
		for name, old := range changes {
			c := pager.Change{Hold: old, Page: late, HandOver: true, Due: time.Now()}
			if err := s.a.Pages.Save(s.Context(), &c); !errors.Is(err, pager.ErrFenced) {
				s.Errorf("%s: Save: %v", name, err)
			}
			q := late.Clone()
			g, err := s.a.Pages.Begin(s.Context(), begins(old, &q, "c9", number(9), "main"))
			if !errors.Is(err, pager.ErrFenced) || g != (pager.Grant{}) {
				s.Errorf("%s: Begin: %+v, %v", name, g, err)
			}
		}
		s.same(s.a, r.Page)
		if again, err := s.b.Pages.Claim(s.Context(), gatewayB, 10); err != nil || len(again) != 0 {
			s.Errorf("Claim: %v, %v", again, err)
		}
		begun := begins(r.Hold, &r.Page, "c1", number(9), "main")
		s.begin(s.b, begun, pager.Granted) // the phone is free
	}},
	{name: "a page that was handed over is not its owner's any more, before anybody claims it", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.save(s.a, &pager.Change{Hold: h, Page: p, HandOver: true, Due: time.Now()})
		if err := s.a.Pages.Save(s.Context(), &pager.Change{Hold: h, Page: p}); !errors.Is(err, pager.ErrFenced) {
			s.Errorf("Save: %v", err)
		}
	}},
	{name: "the outcome of a call is kept though others have the page", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.begin(s.a, begins(h, &p, "c1", number(1), "main"), pager.Granted)
		r := s.handOver(h, p)
		f := over(&p, telgate.OutcomeBusy)
		mine := p.Clone()
		mine.Message = "changed"
		for range 2 { // it is tried again where nobody knows whether it was written
			if err := s.a.Pages.Save(s.Context(), &pager.Change{Hold: h, Page: mine, Freed: []pager.Freed{f}}); !errors.Is(err, pager.ErrFenced) {
				s.Errorf("Save: %v", err)
			}
		}
		got, err := s.b.Pages.Page(s.Context(), "p1")
		if err != nil || got.Message == "changed" {
			s.Fatalf("Page: %+v, %v", got, err)
		}
		if diff := cmp.Diff(p.Steps, got.Steps); diff != "" {
			s.Errorf("steps (-want +got):\n%s", diff)
		}
		s.inbox(s.b, gatewayB, 0)
		s.begin(s.b, begins(r.Hold, got, "c2", number(1), "main"), pager.Granted) // the phone is quiet
	}},
	{name: "the outcome of a call is kept with the next that may not begin", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.begin(s.a, begins(h, &p, "c1", number(1), "main"), pager.Granted)
		r := s.handOver(h, p)
		f := over(&p, telgate.OutcomeBusy)
		next := begins(h, &p, "c2", number(2), "main")
		next.From, next.Freed = 0, []pager.Freed{f}
		if g, err := s.a.Pages.Begin(s.Context(), next); !errors.Is(err, pager.ErrFenced) {
			s.Errorf("Begin: %+v, %v", g, err)
		}
		got, err := s.b.Pages.Page(s.Context(), "p1")
		if err != nil || len(got.Steps) != 1 || got.Steps[0].Call.Outcome != telgate.OutcomeBusy {
			s.Fatalf("Page: %+v, %v", got, err)
		}
		s.begin(s.b, begins(r.Hold, got, "c3", number(1), "main"), pager.Granted)
	}},
	{name: "a confirmation that comes too late for its owner is left to the next", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.begin(s.a, begins(h, &p, "c1", number(1), "main"), pager.Granted)
		s.handOver(h, p)
		over(&p, telgate.OutcomeConfirmed)
		for range 2 {
			if err := s.a.Pages.Save(s.Context(), &pager.Change{Hold: h, Page: p}); !errors.Is(err, pager.ErrFenced) {
				s.Errorf("Save: %v", err)
			}
		}
		m := s.inbox(s.b, gatewayB, 1)[0]
		if diff := cmp.Diff(p.Steps[0].Call, m.Late); diff != "" || m.Page != "p1" {
			s.Errorf("message %+v (-want +got):\n%s", m, diff)
		}
	}},
	{name: "a key that was heard by who had the page before confirms it when its call has ended", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.begin(s.a, begins(h, &p, "c1", number(1), "main"), pager.Granted)
		r := s.handOver(h, p)
		heard(&p)
		if err := s.a.Pages.Save(s.Context(), &pager.Change{Hold: h, Page: p}); !errors.Is(err, pager.ErrFenced) {
			s.Errorf("Save: %v", err)
		}
		s.same(s.a, r.Page)
		s.inbox(s.b, gatewayB, 0)
		over(&p, telgate.OutcomeConfirmed)
		if err := s.a.Pages.Save(s.Context(), &pager.Change{Hold: h, Page: p}); !errors.Is(err, pager.ErrFenced) {
			s.Errorf("Save: %v", err)
		}
		if m := s.inbox(s.b, gatewayB, 1)[0]; m.Late == nil || !m.Late.KeyHeard() {
			s.Errorf("message %+v", m)
		}
	}},
	{name: "a call of the next owner is not the last one's to write", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		r := s.handOver(h, p)
		s.begin(s.b, begins(r.Hold, &r.Page, "c1", number(1), "main"), pager.Granted)
		forged := r.Page.Clone()
		f := over(&forged, telgate.OutcomeConfirmed)
		if err := s.a.Pages.Save(s.Context(), &pager.Change{Hold: h, Page: forged, Freed: []pager.Freed{f}}); !errors.Is(err, pager.ErrFenced) {
			s.Errorf("Save: %v", err)
		}
		s.same(s.a, r.Page)
		s.inbox(s.b, gatewayB, 0)
	}},
	{name: "the end of a page is written again until somebody amends it", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		p.State, p.Result, p.Version, p.Ended = telgate.PageEnded, telgate.NotReached, 2, accepted().Add(time.Hour)
		end := pager.Change{Hold: h, Page: p.Clone()}
		s.save(s.a, &end)
		s.save(s.a, &end)
		p.Result, p.Late, p.Version = telgate.Confirmed, true, 3
		if err := s.b.Pages.Amend(s.Context(), &p, 2); err != nil {
			s.Fatal(err)
		}
		if err := s.a.Pages.Save(s.Context(), &end); !errors.Is(err, pager.ErrFenced) {
			s.Errorf("Save: %v", err)
		}
		s.same(s.a, p)
	}},
}
