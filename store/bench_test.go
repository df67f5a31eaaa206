package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"telgate"
	"telgate/lease"
	"telgate/pager"
	"telgate/plan"
	"telgate/store"
	"telgate/store/pgtest"
)

// engines are what is measured side by side.
func engines(b *testing.B, run func(b *testing.B, s *store.Store)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) {
		s := open(b, file(b))
		enter(b, s, "g")
		run(b, s)
	})
	b.Run("postgres", func(b *testing.B) {
		s := open(b, pgtest.Start(b, "fsync=on").Database(b))
		enter(b, s, "g")
		run(b, s)
	})
}

// asked is a page as a command asks for it, with the limits that are usual.
func asked(n int) *pager.Acceptance {
	p := page(fmt.Sprint("p", n), fmt.Sprint("nick", n))
	p.Askers[0].ID = fmt.Sprint("U", n)
	return &pager.Acceptance{
		Hold: pager.Hold{Page: p.ID, Gateway: "g", Token: 1}, Key: fmt.Sprint("key", n), Page: p, Course: make([]byte, 1000), Join: true,
		Numbers: []string{fmt.Sprint("+1", n)}, PerNumber: 10, PerAsker: 20,
	}
}

// begun is the first call of that page.
func begun(a *pager.Acceptance, n int) *pager.Beginning {
	p := a.Page.Clone()
	id := telgate.CallID(fmt.Sprint("c", n))
	p.Steps = []telgate.Step{{N: 1, Round: 1, Person: p.Targets[0].Nick, At: p.Accepted, Call: &telgate.Call{
		Order: telgate.Order{Call: id, Trunk: "main"}, State: telgate.CallDialing,
	}}}
	p.State, p.Version = telgate.PageCalling, 2
	return &pager.Beginning{
		Change: pager.Change{Hold: a.Hold, Page: p}, Call: id, Number: a.Numbers[0], Trunk: "main", Lines: plan.Limit{Calls: 1000},
		PerNumber: 10, Counts: true, RingUntil: time.Now().Add(time.Minute),
	}
}

func mustAccept(b *testing.B, s *store.Store, a *pager.Acceptance) {
	b.Helper()
	if got, err := s.Accept(b.Context(), a); err != nil || got.Verdict != pager.AcceptNew {
		b.Errorf("Accept: %+v, %v", got, err)
	}
}

func mustBegin(b *testing.B, s *store.Store, x *pager.Beginning) {
	b.Helper()
	if got, err := s.Begin(b.Context(), x); err != nil || got.Verdict != pager.Granted {
		b.Errorf("Begin: %+v, %v", got, err)
	}
}

func mustEnd(b *testing.B, s *store.Store, x *pager.Beginning) {
	b.Helper()
	p := x.Page.Clone()
	p.State, p.Result, p.Version = telgate.PageEnded, telgate.Confirmed, 3
	c := p.Steps[0].Call
	c.State, c.Outcome = telgate.CallEnded, telgate.OutcomeConfirmed
	err := s.Save(b.Context(), &pager.Change{Hold: x.Hold, Page: p, Freed: []pager.Freed{{Call: x.Call, Number: x.Number}}})
	if err != nil {
		b.Error(err)
	}
}

// BenchmarkAccept is the commit between a command and its answer.
func BenchmarkAccept(b *testing.B) {
	engines(b, func(b *testing.B, s *store.Store) {
		for n := 0; b.Loop(); n++ {
			mustAccept(b, s, asked(n))
		}
	})
}

// BenchmarkAcceptAndBegin is all that is written between a command and its INVITE.
func BenchmarkAcceptAndBegin(b *testing.B) {
	engines(b, func(b *testing.B, s *store.Store) {
		for n := 0; b.Loop(); n++ {
			a := asked(n)
			mustAccept(b, s, a)
			x := begun(a, n)
			mustBegin(b, s, x)
			b.StopTimer()
			mustEnd(b, s, x)
			b.StartTimer()
		}
	})
}

// BenchmarkPages is how many pages go through, from their request to their end with one call, 16 at a time.
func BenchmarkPages(b *testing.B) {
	engines(b, func(b *testing.B, s *store.Store) {
		ids := make(chan int)
		go func() {
			defer close(ids)
			for n := 0; b.Loop(); n++ {
				ids <- n
			}
		}()
		done := make(chan struct{})
		const side = 16
		for range side {
			go func() {
				defer func() { done <- struct{}{} }()
				for n := range ids {
					a := asked(n)
					mustAccept(b, s, a)
					x := begun(a, n)
					mustBegin(b, s, x)
					mustEnd(b, s, x)
				}
			}()
		}
		for range side {
			<-done
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
		b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms-a-page")
	})
}

// idle is the work of a gateway without pages.
type idle struct{}

func (idle) Hold()       {}
func (idle) Fence(error) {}
func (idle) Join(string) {}

// BenchmarkTakingOverFromADeadGateway is the time from the last sign of life of a gateway to the moment at which another one
// has its page. The processes of testbed/crash do the same with kill -9.
func BenchmarkTakingOverFromADeadGateway(b *testing.B) {
	url := pgtest.Start(b, "fsync=on").Database(b)
	s, dead := open(b, url), open(b, url)
	env := lease.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler), NewID: func() (string, error) { return "living", nil }}
	living, err := lease.New(lease.Self{Name: "living"}, s.Gateways(), s.Gateways(), idle{}, lease.Usual(), env)
	if err != nil {
		b.Fatal(err)
	}
	if err := living.Enter(b.Context()); err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	over := make(chan struct{})
	go func() { defer close(over); _ = living.Run(ctx) }()
	news := s.News(ctx)
	var longest time.Duration
	for n := 0; b.Loop(); n++ {
		enter(b, dead, "g") // it beats no more
		began := time.Now()
		mustAccept(b, dead, asked(n))
		sweep := time.NewTicker(time.Second)
		for taken := false; !taken; {
			select {
			case <-news:
			case <-sweep.C:
			}
			records, err := s.Claim(b.Context(), "living", 1)
			if err != nil {
				b.Fatal(err)
			}
			taken = len(records) == 1
		}
		sweep.Stop()
		longest = max(longest, time.Since(began))
	}
	stop()
	<-over
	b.ReportMetric(longest.Seconds(), "s-longest")
}
