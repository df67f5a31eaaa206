package pager_test

import (
	"testing"
	"testing/synctest"
	"time"

	"telgate"
	"telgate/pager"
)

func (d *desk) mute(by telgate.Actor, nick string, until time.Duration) {
	d.t.Helper()
	if err := d.Mute(d.t.Context(), by, telgate.Mute{Nick: nick, Until: d.begun.Add(until)}); err != nil {
		d.t.Fatal(err)
	}
}

func TestWhoIsMutedIsNotCalledUntilThen(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, rounds(2))
		d.mute(alice(), "alice", 30*time.Second)
		same(t, "muted", d.Mutes(), []telgate.Mute{{Nick: "alice", Until: d.begun.Add(30 * time.Second), By: "UALICE", At: d.begun}})
		p, _ := d.end(d.submit(request("ops")))
		d.rang("0s bob +1…02 main", "45s alice +1…01 main", "1m10s bob +1…02 main")
		same(t, "skipped", skips(p), []telgate.SkipReason{telgate.SkipMuted})
		if all := d.Mutes(); len(all) > 0 {
			t.Errorf("still muted: %+v", all)
		}
	})
}

func TestAPageForPeopleWhoAreAllMutedIsRefusedEvenByForce(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(0)})
		admin := telgate.Actor{ID: "UADMIN"}
		d.mute(admin, "alice", time.Hour)
		r := request("alice")
		r.Asker, r.Force = admin, true
		if refusal := d.refused(r); refusal.Reason != telgate.RefusedMuted || refusal.Subject != "alice" {
			t.Errorf("%+v", refusal)
		}
		d.mute(alice(), "alice", 0) // she ends it
		p, _ := d.end(d.submit(r))
		same(t, "result", p.Result, telgate.Confirmed)
		same(t, "forced by", p.Forced, "UADMIN")
	})
}

func TestOnlyThePersonAndAdministratorsMayMute(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(0)})
		for _, by := range []telgate.Actor{asker(), {ID: "UBOB"}, {ID: "UALICE", Guest: true}, {}} {
			err := d.Mute(t.Context(), by, telgate.Mute{Nick: "alice", Until: d.begun.Add(time.Hour)})
			if r, ok := err.(*telgate.Refusal); !ok || r.Reason != telgate.RefusedNotAllowed { //nolint:errorlint // never wrapped
				t.Errorf("by %+v: %v", by, err)
			}
		}
		if all := d.Mutes(); len(all) > 0 {
			t.Errorf("muted: %+v", all)
		}
	})
}

func TestAMuteCountsAtEveryGatewayAndAfterARestart(t *testing.T) {
	in(t, func(t *testing.T) {
		books := pager.NewMemory(time.Now)
		one := open(t, []answer{rings()}, func(s *setting) { s.books = books })
		two := open(t, []answer{rings()}, func(s *setting) { s.books, s.gateway = books, "two" })
		one.mute(alice(), "alice", time.Hour)
		one.at(2 * time.Second)
		three := open(t, []answer{rings()}, func(s *setting) { s.books, s.gateway = books, "three" })
		for _, d := range []*desk{two, three} {
			if refusal := d.refused(request("alice")); refusal.Reason != telgate.RefusedMuted {
				t.Errorf("%+v", refusal)
			}
		}
	})
}

func TestAPhoneOfSomebodyMutedIsRungForWhoSharesIt(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(0)}, func(s *setting) { s.people["ops"].People[1].Numbers = s.people["ops"].People[0].Numbers })
		d.mute(alice(), "alice", time.Hour)
		p, _ := d.end(d.submit(request("ops")))
		same(t, "results", results(p), []telgate.Result{telgate.Confirmed, telgate.Confirmed, telgate.Confirmed})
	})
}

func TestAStormBecomesOnePage(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, func(s *setting) { s.cfg.Storm, s.cfg.Within = 2, 10*time.Minute })
		first, second := d.submit(anew("alice")), d.submit(anew("alice"))
		for range 3 {
			r, err := d.Submit(t.Context(), anew("alice"))
			if err != nil || !r.Joined || r.Page != second || second == first {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		synctest.Wait()
		d.at(2 * time.Second)
		same(t, "alerts", len(d.page(second).Askers), 4)
	})
}
