package storetest

import (
	"time"

	"telgate"
	"telgate/pager"
	"telgate/plan"
)

//nolint:gochecknoglobals // a table of tests
var beginning = []test{
	{name: "a call is entered with its page", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.begin(s.a, begins(h, &p, "c1", number(1), "main"), pager.Granted)
		s.same(s.b, p)
	}},
	{name: "a call is granted again where the answer was not heard", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		b := begins(h, &p, "c1", number(1), "main")
		b.Lines, b.PerNumber = plan.Limit{Calls: 1, PerSecond: 0.001}, 1
		s.begin(s.a, b, pager.Granted)
		s.begin(s.a, b, pager.Granted)
	}},
	{name: "one page rings a phone", run: func(s *suite) {
		p, q := page("p1", "alice"), page("p2", "bob")
		h, i := s.accept(acceptance(p)), s.accept(acceptance(q))
		b := begins(h, &p, "c1", number(1), "main")
		b.RingUntil = time.Now().Add(time.Minute)
		s.begin(s.a, b, pager.Granted)
		busy := begins(i, &q, "c2", number(1), "other")
		if g := s.begin(s.a, busy, pager.GrantPhoneBusy); time.Until(g.Until) > time.Minute || time.Until(g.Until) < 50*time.Second {
			s.Errorf("busy until %v", g.Until)
		}
		if got, err := s.a.Pages.Page(s.Context(), "p2"); err != nil || len(got.Steps) != 0 {
			s.Errorf("a call that was not granted is kept: %+v, %v", got, err)
		}
		f := over(&p, telgate.OutcomeBusy)
		s.save(s.a, &pager.Change{Hold: h, Page: p, Freed: []pager.Freed{f}})
		s.begin(s.a, busy, pager.Granted)
	}},
	{name: "a page goes on with a phone that it holds", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		first := begins(h, &p, "c1", number(1), "main")
		s.begin(s.a, first, pager.Granted)
		f := over(&p, telgate.OutcomeTrunkFailed)
		next := begins(h, &p, "c2", number(1), "backup")
		next.From = 0
		s.begin(s.a, next, pager.Granted)
		s.save(s.a, &pager.Change{Hold: h, Page: p, From: 1, Freed: []pager.Freed{f}}) // late: the second call holds it now
		q := page("p2", "bob")
		i := s.accept(acceptance(q))
		s.begin(s.a, begins(i, &q, "c3", number(1), "main"), pager.GrantPhoneBusy)
	}},
	{name: "a phone that may ring by itself is left alone until then", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.begin(s.a, begins(h, &p, "c1", number(1), "main"), pager.Granted)
		f := over(&p, telgate.OutcomeTrunkFailed)
		f.Rest = time.Now().Add(time.Minute)
		s.save(s.a, &pager.Change{Hold: h, Page: p, Freed: []pager.Freed{f}})
		q := page("p2", "bob")
		i := s.accept(acceptance(q))
		rests := begins(i, &q, "c2", number(1), "main")
		if g := s.begin(s.a, rests, pager.GrantPhoneRests); time.Until(g.Until) > time.Minute || time.Until(g.Until) < 50*time.Second {
			s.Errorf("rests until %v", g.Until)
		}
		again := begins(h, &p, "c3", number(1), "main")
		s.begin(s.a, again, pager.GrantPhoneRests)
	}},
	{name: "a phone whose rest is over is free", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.begin(s.a, begins(h, &p, "c1", number(1), "main"), pager.Granted)
		f := over(&p, telgate.OutcomeTrunkFailed)
		f.Rest = time.Now().Add(-time.Second)
		s.save(s.a, &pager.Change{Hold: h, Page: p, Freed: []pager.Freed{f}})
		q := page("p2", "bob")
		s.begin(s.a, begins(s.accept(acceptance(q)), &q, "c2", number(1), "main"), pager.Granted)
	}},
	{name: "a number is rung so often an hour, counted by step", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		ring := func(id telgate.CallID, counts bool, want pager.GrantVerdict) {
			s.Helper()
			b := begins(h, &p, id, number(1), "main")
			b.Counts = counts
			if counts {
				b.PerNumber = 2
			}
			if s.begin(s.a, b, want); want != pager.Granted {
				p.Steps = p.Steps[:len(p.Steps)-1]
				return
			}
			f := over(&p, telgate.OutcomeBusy)
			s.save(s.a, &pager.Change{Hold: h, Page: p, From: len(p.Steps) - 1, Freed: []pager.Freed{f}})
		}
		ring("c1", true, pager.Granted)
		ring("c2", false, pager.Granted)
		ring("c3", true, pager.Granted)
		ring("c4", true, pager.GrantPhoneOver)
		ring("c5", false, pager.Granted)
	}},
	{name: "a trunk carries as many calls as it has lines, and as many as it is given", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		dial := func(id telgate.CallID, n, lines int, want pager.GrantVerdict) {
			s.Helper()
			b := begins(h, &p, id, number(n), "main")
			b.Lines.Calls = lines
			if s.begin(s.a, b, want); want != pager.Granted {
				p.Steps = p.Steps[:len(p.Steps)-1]
			}
		}
		dial("c1", 1, 2, pager.Granted)
		dial("c2", 2, 2, pager.Granted)
		dial("c3", 3, 2, pager.GrantNoLine)
		dial("c4", 4, 3, pager.Granted) // max_calls was changed
		dial("c5", 5, 2, pager.GrantNoLine)
		dial("c6", 6, 0, pager.Granted)
		other := begins(h, &p, "c7", number(7), "other")
		other.Lines.Calls = 1
		s.begin(s.a, other, pager.Granted)
	}},
	{name: "a line is free when its call is over", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		b := begins(h, &p, "c1", number(1), "main")
		b.Lines.Calls = 1
		s.begin(s.a, b, pager.Granted)
		f := over(&p, telgate.OutcomeBusy)
		next := begins(h, &p, "c2", number(1), "main")
		next.Lines.Calls, next.Freed, next.From = 1, []pager.Freed{f}, 0 // in one go
		s.begin(s.a, next, pager.Granted)
		s.same(s.a, p)
	}},
	{name: "calls over a trunk begin as far apart as it wants", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		b := begins(h, &p, "c1", number(1), "main")
		b.Lines.PerSecond = 0.01
		s.begin(s.a, b, pager.Granted)
		later := begins(h, &p, "c2", number(2), "main")
		later.Lines.PerSecond = 0.01
		if g := s.begin(s.a, later, pager.GrantLineLater); time.Until(g.Until) > 100*time.Second || time.Until(g.Until) < 50*time.Second {
			s.Errorf("later: %v", g.Until)
		}
		later.Trunk = "other"
		s.begin(s.a, later, pager.Granted)
	}},
	{name: "a call that follows a redirect holds the other phone", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		b := begins(h, &p, "c1", number(1), "main")
		b.Lines.Calls = 1
		s.begin(s.a, b, pager.Granted)
		f := pager.Freed{Call: "c1", Number: number(1).Key()}
		b.Number, b.Freed = number(2).Key(), []pager.Freed{f}
		s.begin(s.a, b, pager.Granted)
		q := page("p2", "bob")
		i := s.accept(acceptance(q))
		s.begin(s.a, begins(i, &q, "c2", number(1), "other"), pager.Granted)
		s.begin(s.a, begins(i, &q, "c3", number(2), "other"), pager.GrantPhoneBusy)
	}},
}
