package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"telgate"
	"telgate/pager"
)

//nolint:gochecknoglobals // a table of tests
var hands = []test{
	{name: "a page that was handed over is claimed once, with what its owner needs", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.save(s.a, &pager.Change{Hold: h, Page: p, Progress: []byte("half")})
		s.save(s.a, &pager.Change{Hold: h, Page: p}) // progress as it was
		r := s.handOver(h, p)
		if string(r.Course) != "course of p1" || string(r.Progress) != "half" {
			s.Errorf("course %q, progress %q", r.Course, r.Progress)
		}
		if diff := cmp.Diff(p, r.Page, cmpopts.EquateEmpty()); diff != "" {
			s.Errorf("page (-want +got):\n%s", diff)
		}
		if again, err := s.a.Pages.Claim(s.Context(), gatewayA, 10); err != nil || len(again) != 0 {
			s.Errorf("claimed twice: %v, %v", again, err)
		}
	}},
	{name: "a page is confirmed while its call is up, and calls nobody for whoever joins it", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.begin(s.a, begins(h, &p, "c1", number(1), "main"), pager.Granted)
		heard(&p)
		s.save(s.a, &pager.Change{Hold: h, Page: p})
		s.same(s.b, p)
		a := acceptance(page("p2", "alice"))
		a.Join = true
		s.accept(a)
		f := over(&p, telgate.OutcomeConfirmed)
		s.save(s.a, &pager.Change{Hold: h, Page: p, Freed: []pager.Freed{f}})
		p.State, p.Version, p.Ended = telgate.PageEnded, p.Version+1, accepted().Add(2*time.Minute)
		s.save(s.a, &pager.Change{Hold: h, Page: p, From: 1})
		s.same(s.b, p)
	}},
	{name: "pages are claimed when they are due, the longest due first, so many", run: func(s *suite) {
		for id, due := range map[telgate.PageID]time.Duration{"p1": -time.Minute, "p2": -time.Hour, "p3": time.Hour, "p4": -time.Second} {
			p := page(id, "alice")
			h := s.accept(acceptance(p))
			s.save(s.a, &pager.Change{Hold: h, Page: p, HandOver: true, Due: time.Now().Add(due)})
		}
		var got []telgate.PageID
		for range 3 {
			records, err := s.b.Pages.Claim(s.Context(), gatewayB, 2)
			if err != nil || len(records) > 2 {
				s.Fatalf("Claim: %v, %v", records, err)
			}
			for _, r := range records {
				got = append(got, r.Hold.Page)
			}
		}
		if diff := cmp.Diff([]telgate.PageID{"p2", "p1", "p4"}, got); diff != "" {
			s.Errorf("claimed (-want +got):\n%s", diff)
		}
	}},
	{name: "messages wait for the owner of their page, oldest first, until they are done with", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		sent := []pager.Message{
			{Stop: &telgate.Actor{ID: "U2", Name: "Bob", Groups: []string{"S1"}, Guest: true, Unknown: true, Local: true}},
			{Confirm: &telgate.Target{Nick: "alice", Name: "Alice", Slack: "UA", Result: telgate.Confirmed, By: "UA", Via: telgate.ViaSlack, At: accepted(), CalledBack: accepted()}},
			{Join: &telgate.Asker{Actor: telgate.Actor{ID: "U3", Team: "T", Channel: "C"}, Message: "more", At: accepted()}},
			{Next: &telgate.Actor{ID: "U4"}},
			{Back: &pager.CalledBack{Nicks: []string{"alice"}, Number: number(1), Trunk: "main"}},
		}
		for i := range sent {
			sent[i].Page, sent[i].At = "p1", accepted().Add(time.Duration(i))
			sent[i].At = sent[i].At.Truncate(time.Microsecond)
			if left, err := s.b.Pages.Leave(s.Context(), &sent[i]); err != nil || !left {
				s.Fatalf("Leave: %v, %v", left, err)
			}
		}
		got := s.inbox(s.a, gatewayA, len(sent))
		if diff := cmp.Diff(sent, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(pager.Message{}, "ID")); diff != "" {
			s.Errorf("messages (-want +got):\n%s", diff)
		}
		s.inbox(s.b, gatewayB, 0)
		s.save(s.a, &pager.Change{Hold: h, Page: p, Taken: []int64{got[0].ID, got[2].ID}})
		left := s.inbox(s.a, gatewayA, 3)
		if left[0].ID != got[1].ID || left[1].Next == nil {
			s.Errorf("left: %+v", left)
		}
		s.handOver(h, p)
		s.inbox(s.b, gatewayB, 3) // they go with the page
		s.inbox(s.a, gatewayA, 0)
	}},
	{name: "who joins is an asker of the page when its owner says so, each once", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		for _, who := range []string{"U2", "U3"} {
			p.Askers = append(p.Askers, telgate.Asker{Actor: telgate.Actor{ID: who}, Message: "me too", At: accepted()})
			p.Version++
			for range 2 {
				s.save(s.a, &pager.Change{Hold: h, Page: p})
			}
		}
		s.same(s.b, p)
	}},
	{name: "there is no message for a page that is not there or has ended", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		if left, err := s.b.Pages.Leave(s.Context(), &pager.Message{Page: "p1", Next: &telgate.Actor{ID: "U"}}); err != nil || !left {
			s.Fatalf("Leave: %v, %v", left, err)
		}
		p.State, p.Result, p.Version = telgate.PageEnded, telgate.NotReached, 2
		s.save(s.a, &pager.Change{Hold: h, Page: p})
		for _, id := range []telgate.PageID{"p1", "p0"} {
			if left, err := s.b.Pages.Leave(s.Context(), &pager.Message{Page: id, Stop: &telgate.Actor{ID: "U"}}); err != nil || left {
				s.Errorf("Leave for %s: %v, %v", id, left, err)
			}
		}
		s.inbox(s.a, gatewayA, 1) // what was there before the end is still its owner's
	}},
	{name: "a message makes a page due that nobody owns", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.save(s.a, &pager.Change{Hold: h, Page: p, HandOver: true, Due: time.Now().Add(time.Hour)})
		if left, err := s.b.Pages.Leave(s.Context(), &pager.Message{Page: "p1", Stop: &telgate.Actor{ID: "U"}}); err != nil || !left {
			s.Fatalf("Leave: %v, %v", left, err)
		}
		if records, err := s.b.Pages.Claim(s.Context(), gatewayB, 10); err != nil || len(records) != 1 {
			s.Errorf("Claim: %v, %v", records, err)
		}
		s.inbox(s.b, gatewayB, 1)
	}},
}
