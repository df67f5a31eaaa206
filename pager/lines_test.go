package pager_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
	"telgate/pager"
	"telgate/plan"
)

// limited gives trunks limits, by name.
func limited(limits map[string]plan.Limit) func(*setting) {
	return func(s *setting) {
		for i := range s.cfg.Trunks {
			s.cfg.Trunks[i].Limit = limits[s.cfg.Trunks[i].Name]
		}
	}
}

// only leaves one trunk.
func only(limit plan.Limit) func(*setting) {
	return func(s *setting) {
		s.cfg.Trunks = []plan.Trunk{{Name: "main", Kind: plan.Carrier, Limit: limit}}
	}
}

// crowd are people p0, p1, … with a phone each.
func crowd(n int) func(*setting) {
	return func(s *setting) {
		for i := range n {
			nick := fmt.Sprintf("p%d", i)
			s.people[nick] = telgate.Match{Title: nick, People: []telgate.Person{{Nick: nick, Name: nick, Slack: "U" + nick, Numbers: []telgate.Number{phone(10 + i)}}}}
		}
	}
}

func TestCallsOfATrunkAreSpacedEvenlyAndInTheOrderOfTheirPages(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(0)}, only(plan.Limit{PerSecond: 0.5}), crowd(4))
		var ids []telgate.PageID
		for i := range 4 {
			ids = append(ids, d.submit(request(fmt.Sprintf("p%d", i))))
			synctest.Wait()
		}
		for i, id := range ids {
			p, events := d.end(id)
			same(t, "result", p.Result, telgate.Confirmed)
			if waited := slices.Contains(kinds(events), telgate.EventWaitingForLine); waited != (i > 0) {
				t.Errorf("page %d: %v", i, kinds(events))
			}
		}
		d.rang("0s p0 +1…10 main", "2s p1 +1…11 main", "4s p2 +1…12 main", "6s p3 +1…13 main")
		d.at(time.Minute)
		d.end(d.submit(anew("p0")))
		d.end(d.submit(anew("p1")))
		d.rang("0s p0 +1…10 main", "2s p1 +1…11 main", "4s p2 +1…12 main", "6s p3 +1…13 main", "1m0s p0 +1…10 main", "1m2s p1 +1…11 main")
	})
}

func TestAFullTrunkIsWaitedForAndSaysSo(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{ends(7*time.Second, telgate.OutcomeNoAnswer, ""), confirms(0)}, limited(map[string]plan.Limit{"main": {Calls: 1}}))
		first := d.ringing(request("alice"))
		second := d.submit(request("bob"))
		ev := d.until(second, telgate.EventWaitingForLine)
		if ev.Order.Trunk != "main" || ev.Order.Person != "bob" || ev.Order.Step != 1 || !ev.Until.Equal(d.begun.Add(10*time.Second)) {
			t.Errorf("%+v %+v", ev, ev.Order)
		}
		if p := d.page(second); p.State != telgate.PageWaiting || p.WaitsLine != "main" {
			t.Errorf("the page is %s for %q", p.State, p.WaitsLine)
		}
		synctest.Wait()
		if s := d.Trunks()[0]; s.Name != "main" || s.Calls != 1 || s.Waiting != 1 {
			t.Errorf("%+v", s)
		}
		d.end(first)
		p, _ := d.end(second)
		d.rang("0s alice +1…01 main", "7s bob +1…02 main")
		if p.WaitsLine != "" || p.Result != telgate.Confirmed {
			t.Errorf("%+v", p)
		}
		if s := d.Trunks()[0]; s != (pager.TrunkState{Name: "main"}) {
			t.Errorf("a line is still taken: %+v", s)
		}
	})
}

func TestATrunkThatStaysFullIsLeftForTheNextOne(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings(), confirms(0)}, limited(map[string]plan.Limit{"main": {Calls: 1}}))
		d.ringing(request("alice"))
		p, events := d.end(d.submit(request("bob")))
		d.rang("0s alice +1…01 main", "10s bob +1…02 backup")
		same(t, "result", p.Result, telgate.Confirmed)
		same(t, "skipped", len(skips(p)), 0)
		if n := count(events, telgate.EventWaitingForLine); n != 1 {
			t.Errorf("told %d times", n)
		}
		if o := d.exchange.order(1); !o.LastHope || !o.Unheard {
			t.Errorf("the full trunk has not judged the number: %+v", o)
		}
	})
}

func TestWithEveryTrunkFullTheStepIsSkippedAndTheNextRoundTriesAgain(t *testing.T) {
	in(t, func(t *testing.T) {
		full := plan.Limit{Calls: 1}
		d := open(t, []answer{ends(45*time.Second, telgate.OutcomeNoAnswer, ""), ends(45*time.Second, telgate.OutcomeNoAnswer, ""), confirms(0)},
			limited(map[string]plan.Limit{"main": full, "backup": full}), rounds(2), crowd(2), func(s *setting) { s.cfg.PerNumber = 1 })
		d.ringing(request("p0"))
		d.ringing(request("p1")) // after 10 s, over backup
		bob := d.submit(request("bob"))
		p, events := d.end(bob)
		same(t, "skipped", skips(p), []telgate.SkipReason{telgate.SkipNoLine})
		same(t, "result", p.Result, telgate.Confirmed)
		if n := count(events, telgate.EventWaitingForLine); n != 2 {
			t.Errorf("told %d times, want main and backup", n)
		}
		d.rang("0s p0 +1…10 main", "10s p1 +1…11 backup", "50s bob +1…02 main") // the step that was skipped did not use up the hour's one call
	})
}

func TestNoLineAtAllIsAFailure(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{ends(time.Hour, telgate.OutcomeNoAnswer, "")}, only(plan.Limit{Calls: 1}))
		d.ringing(request("alice"))
		p, events := d.end(d.submit(request("bob")))
		same(t, "results", results(p), []telgate.Result{telgate.Failed, telgate.Failed})
		same(t, "skipped", skips(p), []telgate.SkipReason{telgate.SkipNoLine})
		if took := p.Ended.Sub(p.Accepted); took != 10*time.Second {
			t.Errorf("after %v", took)
		}
		same(t, "events", kinds(events), []telgate.EventKind{
			telgate.EventPageAccepted, telgate.EventWaitingForLine, telgate.EventStepSkipped, telgate.EventPageEnded,
		})
	})
}

func TestALineThatBecomesFreeAtTheLastMomentIsTaken(t *testing.T) {
	for range 20 { // the limit and the line's moment come together: it must not matter which is seen first
		in(t, func(t *testing.T) {
			d := open(t, []answer{confirms(0)}, only(plan.Limit{PerSecond: 0.1}), crowd(2))
			first := d.submit(request("p0"))
			synctest.Wait()
			second := d.submit(request("p1"))
			d.end(first)
			p, _ := d.end(second)
			same(t, "result", p.Result, telgate.Confirmed)
			d.rang("0s p0 +1…10 main", "10s p1 +1…11 main")
		})
	}
}

func TestAPageThatWaitsForALineCanBeStoppedConfirmedAndDrained(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(d *desk, id telgate.PageID)
		want telgate.Result
	}{
		{"stopped", func(d *desk, id telgate.PageID) {
			if err := d.Stop(d.t.Context(), id, asker()); err != nil {
				d.t.Error(err)
			}
		}, telgate.Cancelled},
		{"confirmed in Slack", func(d *desk, id telgate.PageID) {
			if err := d.Confirm(d.t.Context(), id, telgate.Actor{ID: "UBOB"}); err != nil {
				d.t.Error(err)
			}
		}, telgate.Confirmed},
		{"drained", func(d *desk, _ telgate.PageID) {
			done, enough := context.WithCancel(d.t.Context())
			enough()
			d.Drain(done)
		}, telgate.Cancelled},
		{"joined", func(d *desk, _ telgate.PageID) {
			if r, err := d.Submit(d.t.Context(), request("bob")); err != nil || !r.Joined {
				d.t.Errorf("%+v, %v", r, err)
			}
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				d := open(t, []answer{ends(7*time.Second, telgate.OutcomeNoAnswer, ""), confirms(0)}, only(plan.Limit{Calls: 1}), crowd(1))
				d.ringing(request("alice"))
				id := d.submit(request("bob"))
				d.until(id, telgate.EventWaitingForLine)
				third := d.submit(request("p0")) // behind bob
				synctest.Wait()
				c.do(d, id)
				p, _ := d.end(id)
				d.end(third)
				if c.want == "" {
					same(t, "result", p.Result, telgate.Confirmed)
					d.rang("0s alice +1…01 main", "7s bob +1…02 main", "8s p0 +1…10 main")
				} else {
					same(t, "result", p.Result, c.want)
					same(t, "skipped", skips(p), []telgate.SkipReason{telgate.SkipEnded})
				}
				if s := d.Trunks()[0]; s.Waiting != 0 {
					t.Errorf("%+v", s)
				}
				if c.name == "stopped" { // who came behind moves up
					d.rang("0s alice +1…01 main", "7s p0 +1…10 main")
				}
			})
		})
	}
}

func count(events []telgate.Event, kind telgate.EventKind) (n int) {
	for _, ev := range events {
		if ev.Kind == kind {
			n++
		}
	}
	return n
}

// given gives what the desk was opened with.
func given(at **setting) func(*setting) { return func(s *setting) { *at = s } }

// reloaded changes the trunks while pages run.
func (d *desk) reloaded(s *setting, trunks ...plan.Trunk) {
	next := s.cfg
	next.Trunks = trunks
	d.Reconfigure(next)
}

func TestLimitsCountFromAReloadOn(t *testing.T) {
	in(t, func(t *testing.T) {
		var s *setting
		d := open(t, []answer{confirms(20 * time.Second), confirms(0)}, only(plan.Limit{Calls: 1}), given(&s))
		first := d.ringing(request("alice"))
		second := d.submit(request("bob"))
		d.until(second, telgate.EventWaitingForLine)
		d.at(3 * time.Second)
		d.reloaded(s, plan.Trunk{Name: "main", Kind: plan.Carrier, Limit: plan.Limit{Calls: 2}})
		d.end(second)
		d.end(first)
		d.rang("0s alice +1…01 main", "3s bob +1…02 main")
	})
}

func TestWhoWaitsForATrunkThatIsTakenAwayTakesAnotherOne(t *testing.T) {
	in(t, func(t *testing.T) {
		var s *setting
		d := open(t, []answer{confirms(20 * time.Second), confirms(0)}, only(plan.Limit{Calls: 1}), crowd(2), given(&s))
		first := d.ringing(request("alice"))
		waiting := []telgate.PageID{d.submit(request("p0")), d.submit(request("p1"))}
		for _, id := range waiting {
			d.until(id, telgate.EventWaitingForLine)
		}
		d.at(3 * time.Second)
		d.reloaded(s, plan.Trunk{Name: "new", Kind: plan.Carrier})
		for _, id := range waiting {
			if p, _ := d.end(id); p.Result != telgate.Confirmed {
				t.Errorf("%s: %+v", p.Result, p.Steps)
			}
		}
		if p, _ := d.end(first); p.Result != telgate.Confirmed {
			t.Errorf("the call over the trunk that was taken away: %s", p.Result)
		}
		d.sameCalls("0s alice +1…01 main", "3s p0 +1…10 new", "3s p1 +1…11 new")
	})
}

func TestATrunkThatIsConfiguredAnewDoesNotRest(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{fails(telgate.DetailCredentials), confirms(0), confirms(0), confirms(0)})
		d.end(d.submit(request("alice")))
		d.end(d.submit(anew("alice")))
		d.TrunkRenewed("main")
		d.end(d.submit(anew("alice")))
		d.rang("0s alice +1…01 main", "0s alice +1…01 backup", "1s alice +1…01 backup", "2s alice +1…01 main")
	})
}
