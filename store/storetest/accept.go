package storetest

import (
	"errors"
	"fmt"
	"time"

	"telgate"
	"telgate/pager"
)

//nolint:gochecknoglobals // a table of tests
var accepting = []test{
	{name: "a page is kept as it was accepted", run: func(s *suite) {
		p := page("p1", "alice", "bob")
		s.accept(acceptance(p))
		s.same(s.a, p)
		s.same(s.b, p)
	}},
	{name: "hostile text is kept and harms nothing", run: func(s *suite) {
		p := page("p1", "alice")
		p.Message, p.Askers[0].Message = "a\x00b\xffc', $1 \u2028 {}", "\x00\xff"
		s.accept(acceptance(p))
		if got, err := s.a.Pages.Page(s.Context(), "p1"); err != nil || got.Message == "" || got.Title != p.Title {
			s.Errorf("Page: %+v, %v", got, err)
		}
	}},
	{name: "a key gets the first answer again", run: func(s *suite) {
		first := acceptance(page("p1", "alice"))
		first.Key = "k1"
		s.accept(first)
		again := acceptance(page("p2", "bob"))
		again.Key = "k1"
		if r := s.answer(again, pager.AcceptRepeated); r.Page != "p1" || r.Joined || r.Words != "alice" {
			s.Errorf("receipt %+v", r)
		}
		if p, err := s.a.Pages.Page(s.Context(), "p2"); p != nil || err != nil {
			s.Errorf("a page was kept: %v, %v", p, err)
		}
	}},
	{name: "a key gets the answer of a join again, and joins once", run: func(s *suite) {
		s.accept(acceptance(page("p1", "alice")))
		join := acceptance(page("p2", "alice"))
		join.Key, join.Join = "k2", true
		first := s.answer(join, pager.AcceptJoined)
		if again := s.answer(join, pager.AcceptRepeated); again != first || !first.Joined || first.Page != "p1" {
			s.Errorf("receipts %+v, %+v", first, again)
		}
		s.inbox(s.a, gatewayA, 1)
	}},
	{name: "the same page is accepted once though nobody heard that it was", run: func(s *suite) {
		a := acceptance(page("p1", "alice"))
		s.accept(a)
		if r := s.answer(a, pager.AcceptRepeated); r.Page != "p1" || r.Joined {
			s.Errorf("receipt %+v", r)
		}
	}},
	{name: "a request for people who are all being paged joins their page", run: func(s *suite) {
		s.accept(acceptance(page("p1", "alice", "bob")))
		for i, c := range []struct {
			nicks []string
			want  pager.AcceptVerdict
		}{{[]string{"bob"}, pager.AcceptJoined}, {[]string{"bob", "alice"}, pager.AcceptJoined}, {[]string{"bob", "carol"}, pager.AcceptNew}} {
			a := acceptance(page(telgate.PageID(fmt.Sprint("q", i)), c.nicks...))
			a.Join = true
			a.Page.Askers[0].Message = "me too"
			if r := s.answer(a, c.want); c.want == pager.AcceptJoined && (!r.Joined || r.Page != "p1" || r.Words != "alice, bob") {
				s.Errorf("%v: receipt %+v", c.nicks, r)
			}
		}
		for _, m := range s.inbox(s.a, gatewayA, 2) {
			if m.Page != "p1" || m.Join == nil || m.Join.Message != "me too" || m.Join.ID != "U1" || len(m.Join.Groups) != 1 || m.ID == 0 {
				s.Errorf("message %+v", m)
			}
		}
	}},
	{name: "nobody joins a page that has ended, or without wanting to", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.answer(acceptance(page("p2", "alice")), pager.AcceptNew)
		for _, id := range []telgate.PageID{"p1", "p2"} {
			p.ID, p.State, p.Result, p.Version = id, telgate.PageEnded, telgate.NotReached, 2
			h.Page = id
			s.save(s.a, &pager.Change{Hold: h, Page: p})
		}
		a := acceptance(page("p3", "alice"))
		a.Join = true
		s.answer(a, pager.AcceptNew)
	}},
	{name: "many pages for one person become one", run: func(s *suite) {
		storm := func(id telgate.PageID) *pager.Acceptance {
			a := acceptance(page(id, "alice"))
			a.Storm, a.Within = 3, 10*time.Minute
			return a
		}
		for _, id := range []telgate.PageID{"p1", "p2", "p3"} {
			s.answer(storm(id), pager.AcceptNew)
		}
		if r := s.answer(storm("p4"), pager.AcceptJoined); r.Page != "p3" || !r.Joined {
			s.Errorf("receipt %+v, want the newest page joined", r)
		}
		other := storm("p5")
		other.Page.Targets[0].Nick = "bob"
		s.answer(other, pager.AcceptNew)
	}},
	{name: "an asker has so many pages an hour, joins apart", run: func(s *suite) {
		ask := func(id telgate.PageID, who string) *pager.Acceptance {
			a := acceptance(page(id, "alice"))
			a.Page.Askers[0].ID, a.PerAsker = who, 2
			return a
		}
		s.answer(ask("p1", "U1"), pager.AcceptNew)
		s.answer(ask("p2", "U1"), pager.AcceptNew)
		s.answer(ask("p3", "U1"), pager.AcceptAskerOver)
		s.answer(ask("p4", "U2"), pager.AcceptNew)
		join := ask("p5", "U1")
		join.Join = true
		s.answer(join, pager.AcceptJoined)
		if p, err := s.a.Pages.Page(s.Context(), "p3"); p != nil || err != nil {
			s.Errorf("a page that was refused is kept: %v, %v", p, err)
		}
	}},
	{name: "a page is refused where each of its numbers was rung too often", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		b := begins(h, &p, "c1", number(1), "main")
		s.begin(s.a, b, pager.Granted)
		ask := func(id telgate.PageID, want pager.AcceptVerdict, numbers ...string) {
			s.Helper()
			a := acceptance(page(id, "bob"))
			a.PerNumber, a.Numbers = 1, numbers
			s.answer(a, want)
		}
		ask("p2", pager.AcceptNumbersOver, number(1).Key())
		ask("p3", pager.AcceptNew, number(1).Key(), number(2).Key())
		ask("p4", pager.AcceptNew)
	}},
	{name: "what is handed in is not kept", run: func(s *suite) {
		p := page("p1", "alice")
		a := acceptance(p.Clone())
		s.accept(a)
		a.Page.Targets[0].Nick, a.Page.Askers[0].Groups[0], a.Course[0] = "eve", "eve", 'X'
		s.same(s.a, p)
		r := s.handOver(a.Hold, p)
		if string(r.Course) != "course of p1" {
			s.Errorf("course %q", r.Course)
		}
	}},
	{name: "a gateway that is not entered keeps no page", others: true, run: func(s *suite) {
		a := acceptance(page("p1", "alice"))
		a.Gateway = "nobody"
		if got, err := s.a.Pages.Accept(s.Context(), a); !errors.Is(err, pager.ErrFenced) {
			s.Errorf("Accept: %+v, %v", got, err)
		}
	}},
}
