package store_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
	"telgate/pager"
	"telgate/store"
)

// alter changes rows behind the store's back.
func alter(t *testing.T, url, statement string) {
	t.Helper()
	driver, name := "pgx", url
	if file, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, name = "sqlite", "file:"+file+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// inShort wants the history in short to be what the whole one is in short.
func inShort(t *testing.T, s *store.Store, when string) []telgate.Summary {
	t.Helper()
	pages, _, err := s.History(t.Context(), store.Query{})
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	want := make([]telgate.Summary, len(pages))
	for i := range pages {
		want[i] = pages[i].Summary()
	}
	got, _, err := s.Summaries(t.Context(), store.Query{})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%s: %v (-whole +short):\n%s", when, err, diff)
	}
	return got
}

// someOfEach keeps a page that runs, one that was confirmed by its second call, and one that nobody was called for.
func someOfEach(t *testing.T, s *store.Store) (confirmed telgate.Page, h pager.Hold) {
	t.Helper()
	enter(t, s, "g")
	p := page("p1", "alice", "bob")
	h = accept(t, s, p)
	ring(t, s, h, &p, time.Now())
	p.Steps[0].Call.Times.Answered = p.Accepted.Add(9 * time.Second)
	p.Askers = append(p.Askers, telgate.Asker{Actor: telgate.Actor{ID: "U2"}, Message: "too", At: p.Accepted})
	p.Targets[1].Result, p.Targets[1].By, p.Targets[1].Via = telgate.Confirmed, "+1…01", telgate.ViaKey
	p = end(t, s, h, p, telgate.Confirmed)
	runs := page("p2", "carol")
	at := accept(t, s, runs)
	p.Version++ // written again, as what was left for its owner is
	p.Steps = append(p.Steps, telgate.Step{N: 2, Round: 1, Person: "bob", Skip: telgate.SkipEnded, At: p.Accepted})
	if err := s.Save(t.Context(), &pager.Change{Hold: h, Page: p, From: 1}); err != nil {
		t.Fatal(err)
	}
	free := telgate.Number{E164: "+12025550109", Country: "1"}
	runs.Steps = []telgate.Step{{N: 1, Round: 1, Person: "carol", Number: free, At: runs.Accepted, Call: &telgate.Call{
		Order: telgate.Order{Call: "c9", Page: "p2", Person: "carol", Step: 1, Round: 1, Number: free, Trunk: "main"}, State: telgate.CallAnswered,
		Times: telgate.CallTimes{Dialed: runs.Accepted, Answered: runs.Accepted.Add(time.Second)},
	}}}
	runs.State, runs.Version = telgate.PageCalling, 2
	if err := s.Save(t.Context(), &pager.Change{Hold: at, Page: runs}); err != nil {
		t.Fatal(err)
	}
	none := page("p3", "dave")
	end(t, s, accept(t, s, none), none, telgate.NotReached)
	return p, h
}

func TestAListIsThePagesInShort(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		at := url()
		s := open(t, at)
		p, _ := someOfEach(t, s)
		got := inShort(t, s, "as written")
		want := telgate.Summary{
			ID: "p1", Title: "alice", State: telgate.PageEnded, Result: telgate.Confirmed, Accepted: p.Accepted, Ended: p.Ended, Asker: "Ann", Joined: 1,
			People: 2, Reached: telgate.Target{Nick: "bob", By: "+1…01", Via: telgate.ViaKey}, Calls: 1, PickedUp: p.Accepted.Add(9 * time.Second),
		}
		if len(got) != 3 || got[2] != want {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		if some, next, err := s.Summaries(t.Context(), store.Query{Limit: 2}); err != nil || len(some) != 2 || next == "" {
			t.Errorf("the first two: %+v, %q, %v", some, next, err)
		} else if rest, _, err := s.Summaries(t.Context(), store.Query{Limit: 2, After: next}); err != nil || len(rest) != 1 || rest[0].ID != "p1" {
			t.Errorf("the rest: %+v, %v", rest, err)
		}
		late := p.Clone()
		late.Late, late.Version = true, p.Version+1
		late.Targets[0].Result, late.Targets[0].By, late.Targets[0].Via = telgate.Confirmed, "UA", telgate.ViaSlack
		if err := s.Amend(t.Context(), &late, p.Version); err != nil {
			t.Fatal(err)
		}
		if got := inShort(t, s, "amended"); got[2].Reached.Nick != "alice" || got[2].Calls != 1 || got[2].PickedUp.IsZero() {
			t.Errorf("amended: %+v", got[2])
		}
		if _, err := s.Forget(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		if got := inShort(t, s, "forgotten"); got[2].Reached != (telgate.Target{Nick: "alice", Via: telgate.ViaSlack}) {
			t.Errorf("forgotten: %+v", got[2])
		}
	})
}

func TestAListOfWhatHasEndedDecodesNoCall(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		at := url()
		s := open(t, at)
		someOfEach(t, s)
		want := inShort(t, s, "as written")
		alter(t, at, `update call set facts = '{"number": 5}' where page = 'p1'`) // which cannot be read
		if _, _, err := s.History(t.Context(), store.Query{}); err == nil {
			t.Error("the whole history is read")
		}
		got, _, err := s.Summaries(t.Context(), store.Query{})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestAListIsRightAboutWhatATelgateOfBeforeHasWritten(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		at := url()
		s := open(t, at)
		p, _ := someOfEach(t, s)
		alter(t, at, "update target set result = '', confirmed_by = '' where nick = 'bob'")
		alter(t, at, "update page set version = version + 1")
		if got := inShort(t, s, "with a version that it did not sum up"); got[2].Reached.Nick != "" {
			t.Errorf("the older summary is shown: %+v", got[2])
		}
		alter(t, at, "update page set summed = 0, calls = 0, picked_up = 0")
		alter(t, at, "update call set answered = null")
		inShort(t, s, "without summaries")
		p.Version += 2
		if err := s.Amend(t.Context(), &p, p.Version-1); err != nil {
			t.Fatal(err)
		}
		if got := inShort(t, s, "amended by this one"); got[2].Calls != 1 || got[2].PickedUp.IsZero() {
			t.Errorf("amended: %+v", got[2])
		}
	})
}

func TestAListTellsOfAnAnswerThatCameTooLateForItsPage(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		s := open(t, url())
		enter(t, s, "g")
		p := page("p1", "alice")
		h := accept(t, s, p)
		ring(t, s, h, &p, time.Now())
		late := p.Clone()
		c := *p.Steps[0].Call
		c.State, c.Outcome = telgate.CallEnded, telgate.OutcomeLost
		p.Steps[0].Call = &c
		p.Version++
		if err := s.Save(t.Context(), &pager.Change{Hold: h, Page: p, HandOver: true, Due: time.Now().Add(-time.Minute)}); err != nil {
			t.Fatal(err)
		}
		records, err := s.Claim(t.Context(), "g", 1)
		if err != nil || len(records) != 1 {
			t.Fatalf("Claim: %v, %v", records, err)
		}
		p.State, p.Result, p.Ended, p.Version = telgate.PageEnded, telgate.NotReached, p.Accepted.Add(time.Minute), p.Version+1
		if err := s.Save(t.Context(), &pager.Change{Hold: records[0].Hold, Page: p, From: 1}); err != nil {
			t.Fatal(err)
		}
		call := late.Steps[0].Call
		call.State, call.Outcome, call.Times.Answered = telgate.CallEnded, telgate.OutcomeConfirmed, p.Accepted.Add(3*time.Second)
		if err := s.Save(t.Context(), &pager.Change{Hold: h, Page: late}); err == nil {
			t.Error("who is fenced writes")
		}
		if got := inShort(t, s, "too late"); !got[0].PickedUp.Equal(p.Accepted.Add(3 * time.Second)) {
			t.Errorf("%+v", got[0])
		}
	})
}
