package pager_test

import (
	"context"
	"testing"
	"time"

	"telgate"
	"telgate/plan"
)

func TestEverybodyIsTriedBeforeThePauseAndTheNextRound(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, rounds(2))
		p, _ := d.end(d.submit(request("bob", "carol")))
		d.rang(
			"0s bob +1…02 main", "25s carol +1…03 main", "50s carol +1…04 main",
			"1m35s bob +1…02 main", "2m0s carol +1…03 main", "2m25s carol +1…04 main",
		)
		same(t, "results", results(p), []telgate.Result{telgate.NotReached, telgate.NotReached, telgate.NotReached})
		var numbered []int
		for _, s := range p.Steps {
			numbered = append(numbered, s.N, s.Round)
		}
		same(t, "steps and rounds", numbered, []int{1, 1, 2, 1, 3, 1, 4, 2, 5, 2, 6, 2})
		if took := p.Ended.Sub(p.Accepted); took != 170*time.Second {
			t.Errorf("ended after %v: there is no pause after the last round", took)
		}
	})
}

func TestAPageSaysWhereItStands(t *testing.T) {
	in(t, func(t *testing.T) {
		answered := make(chan telgate.Call)
		d := open(t, []answer{
			rings(),
			func(_ context.Context, emit func(telgate.Event)) telgate.Call {
				emit(telgate.Event{Kind: telgate.EventEarlyMedia, Status: 183})
				emit(telgate.Event{Kind: telgate.EventForwarded, Status: 181})
				emit(telgate.Event{Kind: telgate.EventRinging, Status: 180})
				emit(telgate.Event{Kind: telgate.EventAnswered})
				return <-answered
			},
		}, rounds(2))
		id := d.submit(request("alice"))
		d.at(time.Second)
		p := d.page(id)
		if p.State != telgate.PageCalling || p.Live() == nil || p.Live().State != telgate.CallRinging || !p.Live().Times.Alerted.Equal(d.begun) {
			t.Errorf("ringing: %s, %+v", p.State, p.Live())
		}
		d.at(30 * time.Second)
		p = d.page(id)
		if p.State != telgate.PageWaiting || !p.WaitsFor.Equal(d.begun.Add(45*time.Second)) || p.Live() != nil {
			t.Errorf("between rounds: %s for %v, %+v", p.State, p.WaitsFor.Sub(d.begun), p.Live())
		}
		d.at(46 * time.Second)
		p = d.page(id)
		if p.State != telgate.PageCalling || p.Live() == nil || p.Live().State != telgate.CallAnswered || !p.Live().Times.Answered.Equal(d.begun.Add(45*time.Second)) {
			t.Errorf("answered: %s, %+v", p.State, p.Live())
		}
		answered <- telgate.Call{Outcome: telgate.OutcomeConfirmed}
		p, _ = d.end(id)
		if p.State != telgate.PageEnded || p.Ended.IsZero() || !p.WaitsFor.IsZero() || p.Live() != nil {
			t.Errorf("ended: %+v", p)
		}
	})
}

func TestABusyNumberIsTriedAgainSoon(t *testing.T) {
	busy := ends(time.Second, telgate.OutcomeBusy, telgate.DetailStatus)
	in(t, func(t *testing.T) {
		d := open(t, []answer{busy, rings(), confirms(0)})
		p, _ := d.end(d.submit(request("ops")))
		d.rang("0s alice +1…01 main", "1s bob +1…02 main", "26s alice +1…01 main")
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.NotReached})
	})
	in(t, func(t *testing.T) {
		d := open(t, []answer{busy})
		p, events := d.end(d.submit(request("alice")))
		d.rang("0s alice +1…01 main", "6s alice +1…01 main", "12s alice +1…01 main")
		same(t, "result", p.Result, telgate.NotReached)
		for _, ev := range events {
			if ev.Kind == telgate.EventWaiting && !ev.Until.Equal(ev.Time.Add(5*time.Second)) {
				t.Errorf("waits %v", ev.Until.Sub(ev.Time))
			}
		}
	})
}

func TestANumberThatDoesNotExistIsNotCalledAgain(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{ends(0, telgate.OutcomeInvalidNumber, ""), rings()}, rounds(2))
		d.end(d.submit(request("carol")))
		d.rang("0s carol +1…03 main", "0s carol +1…04 main", "45s carol +1…04 main")
	})
}

func TestOnlyATrunkThatFailedIsFollowedByTheNextOne(t *testing.T) {
	for _, c := range []struct {
		name     string
		first    answer
		failover bool
		want     telgate.Result
	}{
		{"503", fails(telgate.DetailStatus), true, telgate.Confirmed},
		{"no response", fails(telgate.DetailNoResponse), true, telgate.Confirmed},
		{"no network", fails(telgate.DetailTransport), true, telgate.Confirmed},
		{"wrong password", fails(telgate.DetailCredentials), true, telgate.Confirmed},
		{"a 200 that cannot be used: it rang", fails(telgate.DetailUnusableAnswer), false, telgate.Failed},
		{"100 and nothing more: it may ring", fails(telgate.DetailNoFinal), false, telgate.Failed},
		{"an error after alerting", ends(time.Second, telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork), false, telgate.NotReached},
		{"nobody picks up", rings(), false, telgate.NotReached},
		{"declined", ends(0, telgate.OutcomeDeclined, telgate.DetailStatus), false, telgate.NotReached},
		{"unreachable", ends(0, telgate.OutcomeUnreachable, telgate.DetailStatus), false, telgate.NotReached},
		{"voicemail", ends(0, telgate.OutcomeVoicemail, ""), false, telgate.NotReached},
		{"redirected", ends(0, telgate.OutcomeRedirected, ""), false, telgate.NotReached},
		{"picked up without the key", ends(0, telgate.OutcomeAnswered, telgate.DetailNoKey), false, telgate.NotReached},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				d := open(t, []answer{c.first, confirms(0)})
				p, _ := d.end(d.submit(request("alice")))
				want := []string{"0s alice +1…01 main"}
				if c.failover {
					want = append(want, "0s alice +1…01 backup")
				}
				d.rang(want...)
				if p.Result != c.want {
					t.Errorf("the page is %s, want %s", p.Result, c.want)
				}
			})
		})
	}
}

func TestEachTrunkIsTriedOnceAStepAndTheLastKnowsThatItIs(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{fails(telgate.DetailStatus)})
		p, _ := d.end(d.submit(request("alice")))
		d.rang("0s alice +1…01 main", "0s alice +1…01 backup")
		if d.exchange.order(0).LastHope || !d.exchange.order(1).LastHope {
			t.Error("the wrong call is the last hope")
		}
		same(t, "results", results(p), []telgate.Result{telgate.Failed, telgate.Failed})
		if len(p.Steps) != 2 || p.Steps[1].N != 2 || p.Steps[1].Call.Step != 2 {
			t.Errorf("failing over is a call of its own: %+v", p.Steps)
		}
	})
}

func TestATrunkThatFailedIsTriedLastByTheNextStep(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{fails(telgate.DetailStatus), ends(time.Second, telgate.OutcomeNoAnswer, "")})
		d.end(d.submit(request("ops")))
		d.rang("0s alice +1…01 main", "0s alice +1…01 backup", "1s bob +1…02 backup")
	})
}

func TestANumberThatMayStillRingRests(t *testing.T) {
	in(t, func(t *testing.T) {
		mayRing := func(ctx context.Context, _ func(telgate.Event)) telgate.Call {
			until := time.Now().Add(60 * time.Second)
			c := hold(ctx, 20*time.Second, telgate.Call{Outcome: telgate.OutcomeTrunkFailed, Detail: telgate.DetailNoFinal, Scope: telgate.ScopeCall})
			c.Times.RingUntil = until
			return c
		}
		d := open(t, []answer{mayRing, rings()}, rounds(3))
		p, _ := d.end(d.submit(request("alice")))
		d.rang("0s alice +1…01 main", "1m0s alice +1…01 main", "1m45s alice +1…01 main")
		same(t, "skipped", skips(p), []telgate.SkipReason{telgate.SkipResting})
	})
}

func TestANumberRestsWhereNobodySaidThatItStoppedRinging(t *testing.T) {
	in(t, func(t *testing.T) {
		unheard := func(ctx context.Context, _ func(telgate.Event)) telgate.Call { // a 183, then nothing: not even to our CANCEL
			c := telgate.Call{Outcome: telgate.OutcomeUnreachable, Detail: telgate.DetailNoAlerting}
			c.Times.RingUntil = time.Now().Add(80 * time.Second)
			return hold(ctx, 25*time.Second, c)
		}
		d := open(t, []answer{unheard, rings()}, rounds(2))
		d.end(d.submit(request("alice")))
		d.rang("0s alice +1…01 main", "1m20s alice +1…01 main")
	})
}

func TestAPageHasFailedOnlyWhereNoCallGotBeyondATrunk(t *testing.T) {
	noFinal := func(context.Context, func(telgate.Event)) telgate.Call {
		c := telgate.Call{Outcome: telgate.OutcomeTrunkFailed, Detail: telgate.DetailNoFinal, Scope: telgate.ScopeCall}
		c.Times.RingUntil = time.Now().Add(time.Hour)
		return c
	}
	limited := func(s *setting) { nowhere(s); s.cfg.PerNumber, s.cfg.Plan.Rounds = 2, 3 }
	for _, c := range []struct {
		name   string
		who    string
		script []answer
		change func(*setting)
		want   telgate.Result
	}{
		{"every trunk failed", "ops", []answer{fails(telgate.DetailStatus)}, rounds(2), telgate.Failed},
		{"no line at all", "bob", nil, nowhere, telgate.Failed},
		{"no line, again and again", "bob", nil, limited, telgate.Failed},
		{"no final response, and the number rests", "alice", []answer{noFinal}, rounds(3), telgate.Failed},
		{"one call got through", "ops", []answer{fails(telgate.DetailStatus), fails(telgate.DetailStatus), rings()}, rounds(1), telgate.NotReached},
		{"the number rests", "alice", []answer{ends(0, telgate.OutcomeUnreachable, "")}, rounds(1), telgate.NotReached},
		{"one busy", "alice", []answer{ends(0, telgate.OutcomeBusy, ""), fails(telgate.DetailStatus)}, rounds(1), telgate.NotReached},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				d := open(t, c.script, c.change)
				p, _ := d.end(d.submit(request(c.who)))
				if p.Result != c.want {
					t.Errorf("the page is %s, want %s; %v %v", p.Result, c.want, outcomes(p), skips(p))
				}
			})
		})
	}
}

// nowhere has bob on a trunk that does not exist.
func nowhere(s *setting) {
	s.people["bob"].People[0].Numbers[0] = telgate.Number{Extension: "7100", Trunk: "nowhere"}
}

func TestAForbiddenNumberIsSkippedWhereOthersAreLeft(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(0)}, func(s *setting) {
			s.people["carol"].People[0].Numbers[0] = telgate.Number{E164: "+819012345678", Country: "81"}
		})
		p, _ := d.end(d.submit(request("carol")))
		same(t, "skipped", skips(p), []telgate.SkipReason{telgate.SkipForbidden})
		d.rang("0s carol +1…04 main")
	})
}

func TestTheKeyConfirmsThePage(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings(), confirms(3 * time.Second)}, rounds(3))
		p, events := d.end(d.submit(request("bob", "alice", "carol")))
		d.rang("0s bob +1…02 main", "25s alice +1…01 main")
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.NotReached, telgate.Confirmed, telgate.NotReached})
		alice := p.Targets[1]
		if alice.By != "+1…01" || alice.Via != telgate.ViaKey || !alice.At.Equal(d.begun.Add(29*time.Second)) || p.Late {
			t.Errorf("confirmed by %+v", alice)
		}
		confirmed := events[len(events)-3]
		if confirmed.Kind != telgate.EventPageConfirmed || confirmed.People[1].Result != telgate.Confirmed || confirmed.Late {
			t.Errorf("told as %+v", confirmed)
		}
	})
}

func TestListeningConfirmsOnlyWhereThePolicySaysSo(t *testing.T) {
	for _, c := range []struct {
		name    string
		confirm telgate.Confirm
		outcome telgate.Outcome
		detail  telgate.Detail
		want    telgate.Result
	}{
		{"listened, by policy", telgate.ConfirmAnswer, telgate.OutcomeAnswered, telgate.DetailListened, telgate.Answered},
		{"listened, and the key was needed", telgate.ConfirmKey, telgate.OutcomeAnswered, telgate.DetailListened, telgate.NotReached},
		{"picked up only", telgate.ConfirmAnswer, telgate.OutcomeAnswered, telgate.DetailHungUpEarly, telgate.NotReached},
		{"no sound path", telgate.ConfirmAnswer, telgate.OutcomeAnswered, telgate.DetailNoAudio, telgate.NotReached},
		{"a machine", telgate.ConfirmAnswer, telgate.OutcomeVoicemail, "", telgate.NotReached},
		{"the key all the same", telgate.ConfirmAnswer, telgate.OutcomeConfirmed, "", telgate.Confirmed},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				d := open(t, []answer{ends(time.Second, c.outcome, c.detail)}, func(s *setting) { s.cfg.Confirm = c.confirm })
				p, events := d.end(d.submit(request("alice")))
				same(t, "results", results(p), []telgate.Result{c.want, c.want})
				if c.want == telgate.Answered && p.Targets[0].Via != telgate.ViaPick {
					t.Errorf("reached by %q", p.Targets[0].Via)
				}
				told := false
				for _, ev := range events {
					told = told || ev.Kind == telgate.EventPageConfirmed
				}
				if told != (c.want == telgate.Confirmed) {
					t.Errorf("page_confirmed told: %v", told)
				}
			})
		})
	}
}

func TestNoStepBeginsAfterThePagesLimit(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, rounds(20), func(s *setting) { s.cfg.Plan.PageLimit = time.Minute })
		p, _ := d.end(d.submit(request("alice")))
		d.rang("0s alice +1…01 main", "45s alice +1…01 main")
		if took := p.Ended.Sub(p.Accepted); took != 70*time.Second || p.Result != telgate.NotReached {
			t.Errorf("%s after %v; the call in progress is let ring", p.Result, took)
		}
	})
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, rounds(20), func(s *setting) { s.cfg.Plan.PageLimit = 30 * time.Second })
		p, _ := d.end(d.submit(request("alice")))
		d.rang("0s alice +1…01 main")
		if took := p.Ended.Sub(p.Accepted); took != 30*time.Second {
			t.Errorf("ended after %v: the pause goes beyond the limit", took)
		}
	})
}

func TestAPageThatWaitedForANumberKeepsItsLimit(t *testing.T) {
	in(t, func(t *testing.T) {
		long := make(chan telgate.Call)
		d := open(t, []answer{deaf(long), rings()}, func(s *setting) { s.cfg.Plan.PageLimit = time.Minute })
		one := d.ringing(request("alice"))
		two := d.submit(anew("alice"))
		d.at(5 * time.Minute)
		long <- telgate.Call{Outcome: telgate.OutcomeNoAnswer}
		d.end(one)
		d.end(two)
		d.rang("0s alice +1…01 main")
	})
}

func TestAPhoneThatIsSharedIsRungOnce(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, func(s *setting) { s.people["ops"].People[1].Numbers[0] = phone(1) })
		d.end(d.submit(request("ops")))
		d.rang("0s alice +1…01 main")
	})
}

func TestSomebodyWhoIsNamedTwiceIsOneTarget(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()})
		p, _ := d.end(d.submit(request("bob", "ops")))
		d.rang("0s bob +1…02 main", "25s alice +1…01 main")
		if p.Title != "bob, ops" || len(p.Targets) != 2 {
			t.Errorf("%q for %+v", p.Title, p.Targets)
		}
	})
}

func TestAnExtensionIsRungOverItsOwnTrunkOnly(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{fails(telgate.DetailStatus)}, func(s *setting) {
			s.cfg.Trunks = []plan.Trunk{{Name: "main", Kind: plan.PBX}, {Name: "backup", Kind: plan.PBX}}
			s.people["alice"].People[0].Numbers[0] = telgate.Number{Extension: "7100", Trunk: "backup"}
		})
		d.end(d.submit(request("alice")))
		d.rang("0s alice sip:7100@backup backup")
	})
}
