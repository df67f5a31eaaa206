package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"telgate"
	"telgate/pager"
)

// racers is how many try the same at once, half of them through each side.
const racers = 16

//nolint:gochecknoglobals // a table of tests
var racing = []test{
	{name: "a phone is rung by one page of many", run: func(s *suite) {
		var ringing atomic.Int32
		s.race(func(i int, at Side) error {
			p := page(telgate.PageID(fmt.Sprint("p", i)), "alice")
			h, err := keep(s, at, i, p)
			for n := 0; n < 10 && err == nil; n++ {
				p.Steps = nil
				b := begins(h, &p, telgate.CallID(fmt.Sprintf("c%d-%d", i, n)), number(1), "main")
				var g pager.Grant
				if g, err = at.Pages.Begin(s.Context(), b); err != nil || g.Verdict != pager.Granted {
					continue
				}
				if now := ringing.Add(1); now != 1 {
					return fmt.Errorf("%d pages ring it", now)
				}
				ringing.Add(-1)
				err = at.Pages.Save(s.Context(), &pager.Change{Hold: h, Page: p, Freed: []pager.Freed{over(&p, telgate.OutcomeBusy)}})
			}
			return err
		})
	}},
	{name: "a trunk never carries more calls than it has lines", run: func(s *suite) {
		const lines = 3
		var up, granted atomic.Int32
		s.race(func(i int, at Side) error {
			p := page(telgate.PageID(fmt.Sprint("p", i)), "alice")
			h, err := keep(s, at, i, p)
			for n := 0; n < 20 && err == nil; n++ {
				p.Steps = nil
				b := begins(h, &p, telgate.CallID(fmt.Sprintf("c%d-%d", i, n)), number(i), "main")
				b.Lines.Calls = lines
				var g pager.Grant
				if g, err = at.Pages.Begin(s.Context(), b); err != nil || g.Verdict != pager.Granted {
					continue
				}
				granted.Add(1)
				if now := up.Add(1); now > lines {
					return fmt.Errorf("%d calls over %d lines", now, lines)
				}
				up.Add(-1)
				err = at.Pages.Save(s.Context(), &pager.Change{Hold: h, Page: p, Freed: []pager.Freed{over(&p, telgate.OutcomeBusy)}})
			}
			return err
		})
		if granted.Load() < lines {
			s.Errorf("%d calls were granted", granted.Load())
		}
	}},
	{name: "a trunk begins one call a period", run: func(s *suite) {
		var granted atomic.Int32
		s.race(func(i int, at Side) error {
			p := page(telgate.PageID(fmt.Sprint("p", i)), "alice")
			h, err := keep(s, at, i, p)
			if err != nil {
				return err
			}
			b := begins(h, &p, telgate.CallID(fmt.Sprint("c", i)), number(i), "main")
			b.Lines.PerSecond = 0.001
			g, err := at.Pages.Begin(s.Context(), b)
			if g.Verdict == pager.Granted && err == nil {
				granted.Add(1)
			}
			return err
		})
		if granted.Load() != 1 {
			s.Errorf("%d calls began within the period", granted.Load())
		}
	}},
	{name: "a number is not rung more often than allowed", run: func(s *suite) {
		var granted atomic.Int32
		s.race(func(i int, at Side) error {
			p := page(telgate.PageID(fmt.Sprint("p", i)), "alice")
			h, err := keep(s, at, i, p)
			for n := 0; n < 4 && err == nil; n++ {
				p.Steps = nil
				b := begins(h, &p, telgate.CallID(fmt.Sprintf("c%d-%d", i, n)), number(1), "main")
				b.PerNumber = 5
				var g pager.Grant
				if g, err = at.Pages.Begin(s.Context(), b); err != nil || g.Verdict != pager.Granted {
					continue
				}
				granted.Add(1)
				err = at.Pages.Save(s.Context(), &pager.Change{Hold: h, Page: p, Freed: []pager.Freed{over(&p, telgate.OutcomeBusy)}})
			}
			return err
		})
		if n := granted.Load(); n < 1 || n > 5 {
			s.Errorf("%d calls, 5 are allowed", n)
		}
	}},
	{name: "each page is claimed by one", run: func(s *suite) {
		const pages = 64
		for i := range pages {
			p := page(telgate.PageID(fmt.Sprint("p", i)), fmt.Sprint("n", i))
			h := s.accept(acceptance(p))
			s.save(s.a, &pager.Change{Hold: h, Page: p, HandOver: true, Due: time.Now().Add(-time.Second)})
		}
		var mu sync.Mutex
		claimed := map[telgate.PageID]int{}
		s.race(func(i int, at Side) error {
			gateway := gatewayA
			if i%2 == 1 {
				gateway = gatewayB
			}
			for range pages {
				records, err := at.Pages.Claim(s.Context(), gateway, 3)
				if err != nil {
					return err
				}
				mu.Lock()
				for _, r := range records {
					claimed[r.Hold.Page]++
				}
				mu.Unlock()
				if len(records) == 0 {
					break
				}
			}
			return nil
		})
		for id, n := range claimed {
			if n != 1 {
				s.Errorf("%s was claimed %d times", id, n)
			}
		}
		if rest, err := s.a.Pages.Claim(s.Context(), gatewayA, pages); err != nil || len(claimed)+len(rest) != pages {
			s.Errorf("%d pages claimed and %d left, %v", len(claimed), len(rest), err)
		}
	}},
	{name: "one request becomes one page, however often it comes in", run: func(s *suite) {
		var fresh atomic.Int32
		s.race(func(i int, at Side) error {
			a := acceptance(page(telgate.PageID(fmt.Sprint("p", i)), "alice"))
			a.Key = "k"
			got, err := at.Pages.Accept(s.Context(), a)
			if got.Verdict == pager.AcceptNew {
				fresh.Add(1)
			}
			return err
		})
		if fresh.Load() != 1 {
			s.Errorf("%d pages", fresh.Load())
		}
	}},
	{name: "people who are asked for by many at once are paged once", run: func(s *suite) {
		var fresh atomic.Int32
		s.race(func(i int, at Side) error {
			nicks := []string{"alice", "bob"}
			if i%4 < 2 {
				nicks = []string{"bob", "alice"}
			}
			a := acceptance(page(telgate.PageID(fmt.Sprint("p", i)), nicks...))
			a.Join = true
			a.Page.Askers[0].ID = fmt.Sprint("U", i)
			got, err := at.Pages.Accept(s.Context(), a)
			if got.Verdict == pager.AcceptNew {
				fresh.Add(1)
			}
			return err
		})
		if fresh.Load() != 1 {
			s.Errorf("%d pages", fresh.Load())
		}
		s.inbox(s.a, gatewayA, racers-1)
	}},
	{name: "a gateway is buried by one, whatever it does meanwhile", others: true, run: func(s *suite) {
		seen := s.peer(s.b, gatewayA)
		var buried atomic.Int32
		s.race(func(i int, at Side) error {
			if i%4 == 0 {
				ok, err := at.Gateways.Bury(s.Context(), seen)
				if ok {
					buried.Add(1)
				}
				return err
			}
			p := page(telgate.PageID(fmt.Sprint("p", i)), fmt.Sprint("n", i))
			a := acceptance(p)
			if _, err := at.Pages.Accept(s.Context(), a); err != nil {
				return fenced(err)
			}
			_, err := at.Pages.Begin(s.Context(), begins(a.Hold, &p, telgate.CallID(fmt.Sprint("c", i)), number(i), "main"))
			return fenced(err)
		})
		if buried.Load() != 1 {
			s.Errorf("buried %d times", buried.Load())
		}
		records, err := s.b.Pages.Claim(s.Context(), gatewayB, 100)
		if err != nil {
			s.Fatal(err)
		}
		claimed := map[telgate.PageID]bool{}
		for _, r := range records {
			claimed[r.Hold.Page] = true
			if r.Page.Live() != nil {
				s.Errorf("%s has a call that is not lost", r.Hold.Page)
			}
		}
		all, err := s.b.Pages.Running(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		for _, p := range all {
			if !claimed[p.ID] {
				s.Errorf("%s is nobody's and was not claimed", p.ID)
			}
		}
	}},
}

// keep accepts a page for one of the racers.
func keep(s *suite, at Side, i int, p telgate.Page) (pager.Hold, error) {
	a := acceptance(p)
	if i%2 == 1 {
		a.Gateway = gatewayB
	}
	_, err := at.Pages.Accept(s.Context(), a)
	return a.Hold, err
}

// fenced forgives that others have the page.
func fenced(err error) error {
	if errors.Is(err, pager.ErrFenced) {
		return nil
	}
	return err
}

// race runs try many times at once, through both sides in turn.
func (s *suite) race(try func(i int, at Side) error) {
	s.Helper()
	errs := make([]error, racers)
	var work sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		at := s.a
		if i%2 == 1 {
			at = s.b
		}
		work.Go(func() {
			<-start
			errs[i] = try(i, at)
		})
	}
	close(start)
	work.Wait()
	if err := errors.Join(errs...); err != nil {
		s.Error(err)
	}
}
