package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
)

func TestTheKillSwitchIsThatOfEveryGateway(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		s := open(t, url())
		if p, err := s.Pause(t.Context()); p != nil || err != nil {
			t.Errorf("at first %+v, %v", p, err)
		}
		first := &telgate.Pause{By: "root", At: time.Unix(1e9, 0).UTC(), Where: "gw-a", Why: "storm"}
		second := &telgate.Pause{By: "U1", At: time.Unix(2e9, 0).UTC(), Where: "gw-b"}
		for _, step := range []struct{ set, was *telgate.Pause }{{first, nil}, {second, first}, {nil, second}, {nil, nil}} {
			was, err := s.SetPause(t.Context(), step.set)
			if err != nil || !cmp.Equal(was, step.was) {
				t.Errorf("it was %+v, %v, want %+v", was, err, step.was)
			}
			if now, err := s.Pause(t.Context()); err != nil || !cmp.Equal(now, step.set) {
				t.Errorf("it is %+v, %v, want %+v", now, err, step.set)
			}
		}
	})
}

func TestThrowingTheKillSwitchIsNews(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		s := open(t, url())
		news := s.News(t.Context())
		<-news // what came before
		if _, err := s.SetPause(t.Context(), &telgate.Pause{By: "root"}); err != nil {
			t.Fatal(err)
		}
		if page := <-news; page != "" {
			t.Errorf("news of %q", page)
		}
	})
}

func TestCoversAreThoseOfEveryGateway(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		s := open(t, url())
		tokyo := time.FixedZone("", 9*3600)
		at := time.Date(2026, 3, 1, 18, 0, 0, 0, tokyo)
		late := telgate.Cover{ID: "c2", For: "ops", By: "bob", From: at, Until: at.Add(2 * time.Hour), Asker: "U1", Asked: at.Add(-time.Hour).UTC()}
		early := telgate.Cover{ID: "c1", For: "alice", By: "bob", From: at, Until: at.Add(time.Hour), Asker: "U2", Asked: at.Add(-2 * time.Hour).UTC()}
		for _, c := range []telgate.Cover{late, early} {
			if err := s.SaveCover(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		is := func(after time.Time, want ...telgate.Cover) {
			t.Helper()
			if got, err := s.Covers(t.Context(), after); err != nil || !cmp.Equal(got, want) {
				t.Errorf("%v\n%s", err, cmp.Diff(want, got))
			}
		}
		is(at, early, late)
		is(early.Until, late)
		ended := early
		ended.Until = at
		if err := s.AddCover(t.Context(), ended); err != nil {
			t.Fatal(err)
		}
		is(at, early, late) // what is there already stays
		if err := s.SaveCover(t.Context(), ended); err != nil {
			t.Fatal(err)
		}
		is(at, late)
	})
}
