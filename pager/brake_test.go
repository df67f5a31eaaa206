package pager_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
)

// lever is a kill switch in a test's hand.
type lever struct {
	mu      sync.Mutex
	pause   *telgate.Pause
	resumed chan struct{}
}

func (l *lever) Paused() (*telgate.Pause, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pause, l.resumed
}

func (l *lever) pull() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pause, l.resumed = &telgate.Pause{By: "root", At: time.Now(), Why: "storm"}, make(chan struct{})
}

func (l *lever) letGo() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pause = nil
	close(l.resumed)
}

func braked(l *lever) func(*setting) { return func(s *setting) { s.brake = l } }

func TestWhileTheBrakeIsPulledNoPageIsAcceptedAndTheAskerReadsWhoPulledIt(t *testing.T) {
	in(t, func(t *testing.T) {
		l := &lever{}
		d := open(t, nil, braked(l))
		l.pull()
		_, err := d.Submit(t.Context(), request("alice"))
		r, ok := errors.AsType[*telgate.Refusal](err)
		if !ok || r.Reason != telgate.RefusedNotReady || r.Pause == nil || !strings.HasPrefix(r.Message, "NOT accepted: calling was paused by root at ") {
			t.Errorf("%v", err)
		}
	})
}

func TestACallInProgressGoesOnAndTheNextOneWaitsForTheBrake(t *testing.T) {
	in(t, func(t *testing.T) {
		l := &lever{}
		d := open(t, []answer{rings(), confirms(time.Second)}, braked(l))
		id := d.submit(request("alice", "bob"))
		synctest.Wait()
		l.pull()
		d.at(5 * time.Minute)
		page := d.page(id)
		if page.State != telgate.PageWaiting || !page.Paused || len(page.Steps) != 1 || page.Steps[0].Call.Outcome != telgate.OutcomeNoAnswer {
			t.Errorf("paused: %+v", page)
		}
		l.letGo()
		d.at(6 * time.Minute)
		page = d.page(id)
		if page.Result != telgate.Confirmed || page.Paused || len(page.Steps) != 2 {
			t.Errorf("resumed: %+v", page)
		}
	})
}

func TestAPageThatStaysPausedEndsAtItsLimitAndCanBeStoppedBefore(t *testing.T) {
	in(t, func(t *testing.T) {
		l := &lever{}
		d := open(t, []answer{rings(), rings()}, braked(l))
		first, second := d.submit(request("alice", "bob")), d.submit(request("carol"))
		synctest.Wait()
		l.pull()
		d.at(time.Minute)
		if err := d.Stop(t.Context(), second, asker()); err != nil {
			t.Error(err)
		}
		d.at(time.Hour)
		for id, want := range map[telgate.PageID]telgate.Result{first: telgate.NotReached, second: telgate.Cancelled} {
			if page := d.page(id); page.State != telgate.PageEnded || page.Result != want {
				t.Errorf("%s: %s %s, want %s", page.Title, page.State, page.Result, want)
			}
		}
	})
}

func TestAfterAReconfigurationNewPagesGoByTheNewRules(t *testing.T) {
	in(t, func(t *testing.T) {
		var cfg *setting
		d := open(t, []answer{confirms(time.Second), confirms(time.Second)}, func(s *setting) { cfg = s })
		d.submit(request("alice"))
		d.at(time.Minute)
		next := cfg.cfg
		next.PerNumber, next.Policy = 1, telgate.Policy{AllowUsers: []string{"UNEW"}}
		d.Reconfigure(next)
		if _, err := d.Submit(t.Context(), request("bob")); err == nil {
			t.Error("who is not allowed any more was listened to")
		}
		now := request("bob")
		now.Asker.ID = "UNEW"
		d.submit(now)
		d.at(2 * time.Minute)
		if _, err := d.Submit(t.Context(), now); err == nil || !strings.Contains(err.Error(), "calls_per_number_per_hour") {
			t.Errorf("the new limit does not count: %v", err)
		}
	})
}
