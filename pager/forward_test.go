package pager_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"telgate"
	"telgate/pager"
	"telgate/plan"
)

// follows has main follow redirects.
func follows(s *setting) { s.cfg.Trunks[0].Redirect = true }

// moved is a 302 after so long of ringing, 0 = none.
func moved(status int, to string, ringing time.Duration) answer {
	return func(ctx context.Context, emit func(telgate.Event)) telgate.Call {
		c := telgate.Call{Outcome: telgate.OutcomeRedirected, Detail: telgate.DetailStatus}
		c.Signal.Status, c.Signal.RedirectTo = status, to
		if ringing > 0 {
			emit(telgate.Event{Kind: telgate.EventRinging, Status: 180})
			c.Times.Alerted = time.Now()
		}
		return hold(ctx, ringing, c)
	}
}

func TestARedirectIsFollowedInTheSameCallAndCountsForThePerson(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{moved(302, "+12025550189", 5*time.Second), confirms(2 * time.Second)}, follows)
		id := d.submit(request("alice"))
		ev := d.until(id, telgate.EventForwarded)
		if ev.Order.Forward != "+12025550189" || !strings.Contains(string(ev.JSON(false)), `"forwarded_to":"…89"`) || strings.Contains(string(ev.JSON(true)), "55501 89") {
			t.Errorf("%s", ev.JSON(false))
		}
		p, events := d.end(id)
		d.rang("0s alice +1…01 main", "5s alice +1…01 main")
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed})
		first, second := d.exchange.order(0), d.exchange.order(1)
		if second.Call != first.Call || second.Step != 1 || second.Forward != "+12025550189" || second.Ring != 20*time.Second || !second.LastHope {
			t.Errorf("second INVITE by %+v", second)
		}
		if len(p.Steps) != 1 || count(events, telgate.EventCallEnded) != 1 {
			t.Errorf("%d steps: a call has one outcome", len(p.Steps))
		}
		c := p.Steps[0].Call
		if c.Outcome != telgate.OutcomeConfirmed || c.RedirectedTo() != "…89" || !c.Times.Dialed.Equal(d.begun) {
			t.Errorf("%+v", c)
		}
		if s := d.Trunks()[0]; s.Calls != 0 {
			t.Errorf("lines are still taken: %+v", s)
		}
	})
}

func TestARedirectThatMayNotBeFollowedIsRedirected(t *testing.T) {
	for _, c := range []struct {
		name   string
		first  answer
		change []func(*setting)
	}{
		{"the default", moved(302, "+12025550189", 0), nil},
		{"300 offers a choice", moved(300, "+12025550189", 0), []func(*setting){follows}},
		{"305 names a proxy", moved(305, "+12025550189", 0), []func(*setting){follows}},
		{"380", moved(380, "+12025550189", 0), []func(*setting){follows}},
		{"an emergency number", moved(302, "911", 0), []func(*setting){follows}},
		{"a country that is not allowed", moved(302, "+442079460123", 0), []func(*setting){follows}},
		{"an extension of a carrier", moved(302, "7102", 0), []func(*setting){follows}},
		{"itself", moved(302, "+12025550101", 0), []func(*setting){follows}},
		{"no usable Contact", moved(302, "", 0), []func(*setting){follows}},
		{"no ring time left", moved(302, "+12025550189", 24*time.Second), []func(*setting){follows}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				d := open(t, []answer{c.first}, c.change...)
				p, events := d.end(d.submit(request("alice")))
				d.rang("0s alice +1…01 main")
				same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeRedirected})
				same(t, "result", p.Result, telgate.NotReached)
				if slices.Contains(kinds(events), telgate.EventForwarded) {
					t.Error("it is told to be forwarded")
				}
				if s := d.Trunks()[0]; s.Calls != 0 {
					t.Errorf("lines are still taken: %+v", s)
				}
			})
		})
	}
}

func TestASecondRedirectIsNotFollowed(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{moved(301, "+12025550189", 0), moved(302, "+12025550188", 0)}, follows)
		p, _ := d.end(d.submit(request("alice")))
		d.rang("0s alice +1…01 main", "0s alice +1…01 main")
		if c := p.Steps[0].Call; c.Outcome != telgate.OutcomeRedirected || c.RedirectedTo() != "…88" {
			t.Errorf("%s to %s", c.Outcome, c.RedirectedTo())
		}
	})
}

func TestWhatTheTrunkSaysOfTheNewNumberIsNotSaidOfTheFirst(t *testing.T) {
	unknown := func(context.Context, func(telgate.Event)) telgate.Call {
		c := telgate.Call{Outcome: telgate.OutcomeInvalidNumber}
		c.Signal.Status = 404
		return c
	}
	for _, second := range []answer{unknown, fails(telgate.DetailStatus)} {
		in(t, func(t *testing.T) {
			d := open(t, []answer{moved(302, "+12025550189", 0), second, confirms(0)}, follows, rounds(2))
			p, _ := d.end(d.submit(request("alice")))
			same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeRedirected, telgate.OutcomeConfirmed})
			if calls := d.exchange.calls(); len(calls) != 3 || !strings.HasPrefix(calls[2], "20s alice") {
				t.Errorf("rang %v: no other trunk in the step, and again in the next round", calls)
			}
		})
	}
}

func TestARedirectIsHeldAgainstTheHourAndAgainstOtherPages(t *testing.T) {
	in(t, func(t *testing.T) { // bob's phone rings already
		d := open(t, []answer{rings(), moved(302, "+12025550102", 0)}, follows)
		bob := d.ringing(request("bob"))
		p, _ := d.end(d.submit(request("alice")))
		same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeRedirected})
		d.end(bob)
	})
	in(t, func(t *testing.T) { // bob was called often enough
		d := open(t, []answer{confirms(0), moved(302, "+12025550102", 0)}, follows, func(s *setting) { s.cfg.PerNumber = 1 })
		d.end(d.submit(request("bob")))
		p, _ := d.end(d.submit(request("alice")))
		same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeRedirected})
		if !strings.Contains(p.Steps[0].Call.Signal.Err, "limit") {
			t.Errorf("because %q", p.Steps[0].Call.Signal.Err)
		}
	})
	in(t, func(t *testing.T) { // what the redirect rings is bob's phone: his page waits for it
		d := open(t, []answer{moved(302, "+12025550102", 0), ends(10*time.Second, telgate.OutcomeNoAnswer, ""), confirms(0)}, follows)
		alice := d.submit(request("alice"))
		d.until(alice, telgate.EventForwarded)
		d.end(d.submit(request("bob")))
		d.end(alice)
		d.rang("0s alice +1…01 main", "0s alice +1…01 main", "10s bob +1…02 main")
	})
}

func TestARedirectWaitsForALineLikeAnyCall(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{moved(302, "+12025550189", 0), confirms(0)}, follows, limited(map[string]plan.Limit{"main": {PerSecond: 0.5}}))
		p, _ := d.end(d.submit(request("alice")))
		d.rang("0s alice +1…01 main", "2s alice +1…01 main")
		same(t, "result", p.Result, telgate.Confirmed)
	})
	in(t, func(t *testing.T) {
		d := open(t, []answer{moved(302, "+12025550189", 0), confirms(0)}, follows, limited(map[string]plan.Limit{"main": {PerSecond: 0.05}}))
		p, _ := d.end(d.submit(request("alice")))
		d.rang("0s alice +1…01 main")
		same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeRedirected})
		if took := p.Ended.Sub(p.Accepted); took != 10*time.Second {
			t.Errorf("after %v", took)
		}
	})
}

func TestAFollowedRedirectCanBeStopped(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{moved(302, "+12025550189", 0), rings()}, follows)
		id := d.submit(request("alice"))
		d.until(id, telgate.EventForwarded)
		d.at(time.Second)
		if p := d.page(id); p.Live() == nil || p.Live().Forward == "" {
			t.Errorf("%+v", p.Live())
		}
		if err := d.Stop(t.Context(), id, asker()); err != nil {
			t.Fatal(err)
		}
		p, _ := d.end(id)
		same(t, "outcomes", outcomes(p), []telgate.Outcome{telgate.OutcomeCancelled})
		d.end(d.submit(anew("alice"))) // both numbers are free again
	})
}

func TestARedirectIsNotFollowedForAPageThatIsOver(t *testing.T) {
	for name, over := range map[string]func(d *desk, id telgate.PageID){
		"confirmed": func(d *desk, id telgate.PageID) { _ = d.Confirm(d.t.Context(), id, telgate.Actor{ID: "UALICE"}) },
		"stopped":   func(d *desk, id telgate.PageID) { _ = d.Stop(d.t.Context(), id, asker()) },
		"drained": func(d *desk, _ telgate.PageID) {
			done, enough := context.WithCancel(d.t.Context())
			enough()
			d.Drain(done)
		},
	} {
		in(t, func(t *testing.T) {
			crossing := make(chan telgate.Call)
			d := open(t, []answer{deaf(crossing)}, follows)
			id := d.ringing(request("alice"))
			over(d, id)
			c := telgate.Call{Outcome: telgate.OutcomeRedirected}
			c.Signal.Status, c.Signal.RedirectTo = 302, "+12025550189"
			crossing <- c
			d.end(id)
			if calls := d.exchange.calls(); len(calls) != 1 {
				t.Errorf("%s: rang %v", name, calls)
			}
		})
	}
}

func blocked(context.Context, func(telgate.Event)) telgate.Call {
	c := telgate.Call{Outcome: telgate.OutcomeBlocked, Detail: telgate.DetailStatus}
	c.Signal.Status = 608
	return c
}

func TestABlockedCallGoesOverTheNextTrunkThatShowsAnotherCaller(t *testing.T) {
	callers := func(ids ...string) func(*setting) {
		return func(s *setting) {
			s.cfg.Trunks = nil
			for i, id := range ids {
				s.cfg.Trunks = append(s.cfg.Trunks, plan.Trunk{Name: string(rune('a' + i)), Kind: plan.Carrier, CallerID: id})
			}
		}
	}
	for _, c := range []struct {
		name  string
		ids   []string
		first answer
		want  []string
	}{
		{"another caller", []string{"+1", "+2"}, blocked, []string{"a", "b"}},
		{"past one that shows the same", []string{"+1", "+1", "+2"}, blocked, []string{"a", "c"}},
		{"all show the same", []string{"+1", "+1"}, blocked, []string{"a"}},
		{"none shows any", []string{"", ""}, blocked, []string{"a"}},
		{"it rang: not again in this step", []string{"+1", "+2"}, func(context.Context, func(telgate.Event)) telgate.Call {
			b := telgate.Call{Outcome: telgate.OutcomeBlocked, Detail: telgate.DetailStatus}
			b.Times.Alerted = time.Now()
			return b
		}, []string{"a"}},
	} {
		in(t, func(t *testing.T) {
			d := open(t, []answer{c.first, confirms(0)}, callers(c.ids...))
			d.end(d.submit(request("alice")))
			var got []string
			for _, call := range d.exchange.calls() {
				got = append(got, call[strings.LastIndexByte(call, ' ')+1:])
			}
			same(t, c.name, got, c.want)
		})
	}
}

func TestThreeUnknownNumbersInARowMakeTheNotationDoubtful(t *testing.T) {
	unknown := func(status int) answer {
		return func(context.Context, func(telgate.Event)) telgate.Call {
			c := telgate.Call{Outcome: telgate.OutcomeInvalidNumber}
			c.Signal.Status = status
			return c
		}
	}
	away := func(context.Context, func(telgate.Event)) telgate.Call {
		c := telgate.Call{Outcome: telgate.OutcomeUnreachable}
		c.Signal.Status = 404
		return c
	}
	doubt := func(d *desk) string { return d.Trunks()[0].Doubt }
	call := func(d *desk, who ...string) {
		for _, w := range who {
			d.end(d.submit(anew(w)))
		}
	}
	in(t, func(t *testing.T) {
		d := open(t, []answer{unknown(404), unknown(404), unknown(404), unknown(484), confirms(0)}, only(plan.Limit{}), crowd(5))
		call(d, "p0", "p0", "p1")
		same(t, "after two different numbers", doubt(d), "")
		call(d, "p2")
		same(t, "after three", doubt(d), pager.WrongNotation)
		call(d, "p3")
		same(t, "after one that was known", doubt(d), "")
	})
	in(t, func(t *testing.T) {
		d := open(t, []answer{unknown(404), unknown(404), fails(telgate.DetailStatus), unknown(484)}, only(plan.Limit{}), crowd(5))
		call(d, "p0", "p1", "p2", "p3")
		same(t, "a trunk that failed in between says nothing", doubt(d), pager.WrongNotation)
	})
	in(t, func(t *testing.T) {
		d := open(t, []answer{unknown(404), unknown(404), confirms(0), unknown(404)}, only(plan.Limit{}), crowd(5))
		call(d, "p0", "p1", "p2", "p3", "p4")
		same(t, "in a row", doubt(d), "")
	})
	in(t, func(t *testing.T) {
		d := open(t, []answer{unknown(404), unknown(404), away, unknown(404)}, only(plan.Limit{}), crowd(5))
		call(d, "p0", "p1", "p2", "p3")
		same(t, "an extension without a telephone is known", doubt(d), "")
	})
}

func TestAfterACallWithoutSoundTheNextOneUsesAnotherTrunkOnce(t *testing.T) {
	silent := ends(5*time.Second, telgate.OutcomeAnswered, telgate.DetailNoAudio)
	in(t, func(t *testing.T) {
		d := open(t, []answer{silent, rings()}, rounds(3))
		d.end(d.submit(request("alice")))
		d.rang("0s alice +1…01 main", "25s alice +1…01 backup", "1m10s alice +1…01 main")
		if d.exchange.order(1).LastHope {
			t.Error("main is left")
		}
	})
	in(t, func(t *testing.T) {
		d := open(t, []answer{silent, rings()}, rounds(2))
		d.end(d.submit(request("ops")))
		d.rang("0s alice +1…01 main", "5s bob +1…02 main", "50s alice +1…01 backup", "1m15s bob +1…02 main")
	})
	in(t, func(t *testing.T) { // where there is no other one
		d := open(t, []answer{silent, rings()}, rounds(2), only(plan.Limit{}))
		d.end(d.submit(request("alice")))
		d.rang("0s alice +1…01 main", "25s alice +1…01 main")
	})
}
