package pager_test

import (
	"testing"
	"testing/synctest"
	"time"

	"telgate"
)

func TestWhoRingsBackIsShownOnceAndConfirmsNothing(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, rounds(2))
		id := d.ringing(request("ops"))
		d.RungBy("main", "+12025550101")
		d.RungBy("main", "12025550101")
		synctest.Wait()
		p := d.page(id)
		if !p.Targets[0].CalledBack.Equal(d.begun) || !p.Targets[1].CalledBack.IsZero() || p.Result != "" || p.State != telgate.PageCalling {
			t.Errorf("%+v", p)
		}
		d.at(10 * time.Second)
		d.RungBy("backup", "+12025550101")
		p, events := d.end(id)
		if n := count(events, telgate.EventCalledBack); n != 1 {
			t.Errorf("told %d times", n)
		}
		for _, ev := range events {
			if ev.Kind == telgate.EventCalledBack && (ev.Order.Person != "alice" || len(ev.People) != 1 || ev.Late) {
				t.Errorf("%+v %+v", ev, ev.Order)
			}
		}
		same(t, "results", results(p), []telgate.Result{telgate.NotReached, telgate.NotReached, telgate.NotReached})
		if !p.Targets[0].CalledBack.Equal(d.begun) {
			t.Errorf("called back %v later", p.Targets[0].CalledBack.Sub(d.begun))
		}
	})
}

func TestWhoRingsBackAfterTheEndIsShownOnTheNewestPage(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()})
		old, _ := d.end(d.submit(request("alice")))
		newest, _ := d.end(d.submit(request("alice")))
		changed := d.Changed(t.Context())
		d.at(2 * time.Hour)
		d.RungBy("main", "+12025550101")
		synctest.Wait()
		if got := <-changed; got != newest.ID {
			t.Errorf("%s changed, want %s", got, newest.ID)
		}
		log, n := d.Follow(t.Context(), newest.ID), 0
		for ev := range log {
			n = ev.Seq
		}
		if p := d.page(newest.ID); p.Version != n+1 {
			t.Errorf("version %d after the end, which was %d, and the late one", p.Version, n)
		}
		p := d.page(newest.ID)
		if !p.Targets[0].CalledBack.Equal(d.begun.Add(2*time.Hour)) || p.Version != newest.Version+1 || p.Result != telgate.NotReached || p.Late {
			t.Errorf("%+v", p)
		}
		if p := d.page(old.ID); !p.Targets[0].CalledBack.IsZero() {
			t.Error("the older page has it, too")
		}
		if err := d.Confirm(t.Context(), newest.ID, telgate.Actor{ID: "UALICE"}); err != nil {
			t.Error(err)
		}
		same(t, "confirmed late", d.page(newest.ID).Result, telgate.Confirmed)
	})
}

func TestStrangersAndOldPagesAreNotCalledBackFor(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()})
		d.RungBy("main", "+12025550101") // nobody was rung yet
		p, _ := d.end(d.submit(request("alice")))
		for _, user := range []string{"", "anonymous", "+12025550102", "0101", "+1202555010", "\r\n", "7101"} {
			d.RungBy("main", user)
		}
		d.RungBy("nowhere", "+12025550101")
		d.at(6*time.Hour + time.Minute)
		d.RungBy("main", "+12025550101")
		synctest.Wait()
		if got := d.page(p.ID); got.Version != p.Version {
			t.Errorf("%+v", got.Targets)
		}
	})
}

func TestASharedPhoneThatRingsBackIsEverybodysWhoseItIs(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{rings()}, func(s *setting) {
			s.people["bob"].People[0].Numbers[0] = phone(1)
		})
		id := d.ringing(request("alice", "bob"))
		d.RungBy("main", "+12025550101")
		synctest.Wait()
		for _, target := range d.page(id).Targets {
			if target.CalledBack.IsZero() {
				t.Errorf("not %s's", target.Nick)
			}
		}
		d.end(id)
	})
}

func TestThePhoneThatARedirectRangCallsBackForThePerson(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{moved(302, "+12025550189", 0), ends(time.Second, telgate.OutcomeNoAnswer, "")}, follows)
		p, _ := d.end(d.submit(request("alice")))
		d.RungBy("main", "+12025550189")
		synctest.Wait()
		if d.page(p.ID).Targets[0].CalledBack.IsZero() {
			t.Error("nobody called back")
		}
	})
}

func TestWhoRingsAnotherGatewayBackIsShownByThePagesOwner(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings()}, l.on(t))
		two := d.beside(l)
		id := d.ringing(request("ops"))
		d.at(5 * time.Second)
		for range 2 {
			two.RungBy("main", "+12025550101")
			synctest.Wait()
		}
		two.RungBy("main", "+12025550109") // a stranger
		synctest.Wait()
		d.RungBy("main", "+12025550101") // and once more where the page is
		p, events := d.end(id)
		if n := count(events, telgate.EventCalledBack); n != 1 {
			t.Errorf("told %d times", n)
		}
		if !p.Targets[0].CalledBack.Equal(d.begun.Add(5*time.Second)) || !p.Targets[1].CalledBack.IsZero() {
			t.Errorf("%+v", p.Targets)
		}
		d.at(time.Hour)
		two.RungBy("main", "+12025550102")
		synctest.Wait()
		if p := l.kept(t, id); !p.Targets[1].CalledBack.Equal(d.begun.Add(time.Hour)) || p.Late {
			t.Errorf("after the end: %+v", p.Targets)
		}
		if mail, err := l.Inbox(t.Context(), "one"); err != nil || len(mail) > 0 {
			t.Errorf("messages are left: %+v, %v", mail, err)
		}
	})
}

func TestWhoRingsBackIsShownOnTheNewestPageOfAnyGateway(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings()}, l.on(t))
		two := d.beside(l)
		older, _ := d.end(d.submit(request("alice")))
		newest, _ := two.end(two.submit(request("alice")))
		d.RungBy("main", "+12025550101")
		synctest.Wait()
		if p := l.kept(t, newest.ID); p.Targets[0].CalledBack.IsZero() {
			t.Error("it is not on the newest page")
		}
		if p := l.kept(t, older.ID); !p.Targets[0].CalledBack.IsZero() {
			t.Error("it is on the older page")
		}
	})
}

func TestWhoRingsBackInAnOutageIsShownByTheGatewayThatRang(t *testing.T) {
	in(t, func(t *testing.T) {
		l := newStrict()
		d := open(t, []answer{rings()}, l.on(t))
		id := d.ringing(request("alice"))
		for i, fault := range []func(*strict){down, hung} {
			l.becomes(fault)
			d.RungBy("main", "+12025550101")
			d.at(time.Duration(i+1) * 3 * time.Second) // the ledger is not waited for as long
		}
		if d.page(id).Targets[0].CalledBack.IsZero() {
			t.Error("nobody called back")
		}
		l.becomes(well)
		p, events := d.end(id)
		if n := count(events, telgate.EventCalledBack); n != 1 || p.Targets[0].CalledBack.IsZero() {
			t.Errorf("told %d times: %+v", n, p.Targets)
		}
	})
}
