package storetest

import (
	"slices"
	"sync"
	"time"

	"telgate/lease"
)

//nolint:gochecknoglobals // a table of tests
var turning = []test{
	{name: "who comes first has a turn, and the other one does not", others: true, run: func(s *suite) {
		if got := s.take(s.a, gatewayA); got.Gateway != gatewayA || got.Holder != "a" || got.Token != 1 || got.Word != "" {
			s.Errorf("%+v", got)
		}
		for range 2 {
			if got := s.take(s.b, gatewayB); got.Gateway != gatewayA || got.Holder != "a" || got.Token != 1 || got.Silent > time.Minute {
				s.Errorf("%+v", got)
			}
		}
		if got := s.take(s.a, gatewayA); got.Gateway != gatewayA || got.Token != 1 {
			s.Errorf("%+v", got)
		}
	}},
	{name: "turns are taken one by one", others: true, run: func(s *suite) {
		s.take(s.a, gatewayA)
		all, err := s.b.Gateways.Take(s.Context(), gatewayB, []string{"other", "main"})
		if err != nil || len(all) != 2 || all[0].Name != "main" || all[0].Gateway != gatewayA || all[1].Name != "other" || all[1].Gateway != gatewayB {
			s.Errorf("%+v, %v", all, err)
		}
	}},
	{name: "a turn that is given up is the next one's, with the word that was left", others: true, run: func(s *suite) {
		s.take(s.a, gatewayA)
		s.sign(s.a, gatewayA, "sip:a@192.0.2.1")
		s.sign(s.b, gatewayB, "sip:b@192.0.2.2") // it is not its turn
		if err := s.b.Gateways.Give(s.Context(), gatewayB); err != nil {
			s.Fatal(err)
		}
		if got := s.take(s.b, gatewayB); got.Gateway != gatewayA {
			s.Errorf("%+v", got)
		}
		if err := s.a.Gateways.Give(s.Context(), gatewayA); err != nil {
			s.Fatal(err)
		}
		if got := s.take(s.b, gatewayB); got.Gateway != gatewayB || got.Token != 2 || got.Word != "sip:a@192.0.2.1" {
			s.Errorf("%+v", got)
		}
	}},
	{name: "one turn of several is given up", others: true, run: func(s *suite) {
		s.take(s.a, gatewayA)
		if _, err := s.a.Gateways.Take(s.Context(), gatewayA, []string{"other"}); err != nil {
			s.Fatal(err)
		}
		if err := s.a.Gateways.Give(s.Context(), gatewayA, "other"); err != nil {
			s.Fatal(err)
		}
		all, err := s.b.Gateways.Take(s.Context(), gatewayB, []string{"main", "other"})
		if err != nil || len(all) != 2 || all[0].Gateway != gatewayA || all[1].Gateway != gatewayB {
			s.Errorf("%+v, %v", all, err)
		}
	}},
	{name: "the turn of a dead gateway is free when it is buried, and that gateway has none any more", others: true, run: func(s *suite) {
		s.take(s.a, gatewayA)
		s.sign(s.a, gatewayA, "sip:a@192.0.2.1")
		s.bury(gatewayA)
		if got := s.take(s.a, gatewayA); got.Gateway != "" {
			s.Errorf("who was buried: %+v", got)
		}
		s.sign(s.a, gatewayA, "sip:late@192.0.2.1")
		if got := s.take(s.b, gatewayB); got.Gateway != gatewayB || got.Token != 2 {
			s.Errorf("%+v", got)
		}
		s.sign(s.a, gatewayA, "sip:later@192.0.2.1")
		if err := s.a.Gateways.Give(s.Context(), gatewayA); err != nil {
			s.Fatal(err)
		}
		s.enter(s.a, "gateway-a2")
		if got := s.take(s.a, "gateway-a2"); got.Gateway != gatewayB || got.Token != 2 || got.Word == "sip:later@192.0.2.1" {
			s.Errorf("%+v", got)
		}
	}},
	{name: "the turn of a gateway that leaves is free", others: true, run: func(s *suite) {
		s.take(s.a, gatewayA)
		if err := s.a.Gateways.Leave(s.Context(), gatewayA); err != nil {
			s.Fatal(err)
		}
		if got := s.take(s.b, gatewayB); got.Gateway != gatewayB {
			s.Errorf("%+v", got)
		}
	}},
	{name: "of many who want a turn at once one gets it", others: true, run: func(s *suite) {
		for range 10 {
			var all sync.WaitGroup
			winners := make(chan string, 8)
			for i := range 8 {
				side, gateway := s.a, gatewayA
				if i%2 == 1 {
					side, gateway = s.b, gatewayB
				}
				all.Go(func() {
					turns, err := side.Gateways.Take(s.Context(), gateway, []string{"main"})
					if err != nil || len(turns) != 1 {
						s.Errorf("Take: %+v, %v", turns, err)
						return
					}
					winners <- turns[0].Gateway
				})
			}
			all.Wait()
			close(winners)
			var seen []string
			for w := range winners {
				if !slices.Contains(seen, w) {
					seen = append(seen, w)
				}
			}
			if len(seen) != 1 || seen[0] == "" {
				s.Errorf("it is the turn of %q", seen)
			}
			for _, gateway := range []string{gatewayA, gatewayB} {
				if err := s.a.Gateways.Give(s.Context(), gateway); err != nil {
					s.Fatal(err)
				}
			}
		}
	}},
}

// take asks for the turn, and returns how it stands.
func (s *suite) take(at Side, gateway string) lease.Turn {
	s.Helper()
	all, err := at.Gateways.Take(s.Context(), gateway, []string{"main"})
	if err != nil || len(all) != 1 || all[0].Name != "main" {
		s.Fatalf("Take: %+v, %v", all, err)
	}
	return all[0]
}

func (s *suite) sign(at Side, gateway, word string) {
	s.Helper()
	if err := at.Gateways.Sign(s.Context(), gateway, "main", word); err != nil {
		s.Fatal(err)
	}
}
