package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"telgate"
	"telgate/config"
	"telgate/directory"
	"telgate/lease"
	"telgate/store"
)

func openFile(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "telgate.db"), store.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func brakeOn(t *testing.T, book pauseBook) *brake {
	t.Helper()
	b, err := openBrake(t.Context(), book)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAPauseOnOneGatewayPausesTheOthersUntilOneOfThemResumes(t *testing.T) {
	s := openFile(t)
	a, b := brakeOn(t, s), brakeOn(t, s)
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { defer close(over); b.follow(ctx, s.News(ctx), slog.New(slog.DiscardHandler)) }()
	defer func() { stop(); <-over }()
	if err := a.pull(t.Context(), telgate.Pause{By: "root", Where: "gw-a", Why: "storm"}); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	p, resumed := b.Paused()
	for ; p == nil; p, resumed = b.Paused() {
		<-tick.C
	}
	if p.By != "root" || p.Where != "gw-a" || p.Why != "storm" {
		t.Errorf("the other shows %+v", p)
	}
	if was, err := a.letGo(t.Context()); err != nil || was == nil || was.By != "root" {
		t.Errorf("it was %+v, %v", was, err)
	}
	<-resumed
	if was, err := b.letGo(t.Context()); err != nil || was != nil {
		t.Errorf("resumed twice: %+v, %v", was, err)
	}
}

// deaf is a store that may be out of reach.
type deaf struct {
	*store.Store

	is bool
}

var errDeaf = errors.New("no answer")

func (d *deaf) Pause(ctx context.Context) (*telgate.Pause, error) {
	if d.is {
		return nil, errDeaf
	}
	return d.Store.Pause(ctx)
}

func (d *deaf) SetPause(ctx context.Context, p *telgate.Pause) (*telgate.Pause, error) {
	if d.is {
		return nil, errDeaf
	}
	return d.Store.SetPause(ctx, p)
}

func TestAPauseHoldsHereWhileTheStoreIsOutOfReachAndEverywhereAfterwards(t *testing.T) {
	s := &deaf{Store: openFile(t)}
	a := brakeOn(t, s)
	s.is = true
	if err := a.pull(t.Context(), telgate.Pause{By: "root"}); !errors.Is(err, errDeaf) {
		t.Errorf("pulled: %v", err)
	}
	if _, err := a.look(t.Context()); !errors.Is(err, errDeaf) {
		t.Errorf("looked: %v", err)
	}
	if _, err := a.letGo(t.Context()); !errors.Is(err, errDeaf) {
		t.Errorf("let go: %v", err)
	}
	s.is = false
	if changed, err := a.look(t.Context()); changed || err != nil {
		t.Errorf("changed %v, %v", changed, err)
	}
	for _, b := range []*brake{a, brakeOn(t, s)} {
		if p, _ := b.Paused(); p == nil {
			t.Error("a gateway is not paused")
		}
	}
}

func TestAPauseWrittenByHandIsSinceItsFileWasWritten(t *testing.T) {
	t.Parallel()
	dir, at := t.TempDir(), time.Date(2026, 1, 31, 21, 0, 0, 0, time.UTC)
	file := filepath.Join(dir, pausedName)
	for text, by := range map[string]string{`{"by":"restore"}`: "restore", "{": "somebody"} {
		if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.Chtimes(file, at, at)); err != nil {
			t.Fatal(err)
		}
		if p, err := newPauseFile(dir).Pause(t.Context()); err != nil || p == nil || p.By != by || !p.At.Equal(at) {
			t.Errorf("%s: %+v, %v", text, p, err)
		}
	}
}

func TestAPauseFromBeforeTheStoreCountsForAll(t *testing.T) {
	s, dir := openFile(t), t.TempDir()
	h := &house{state: dir, brake: brakeOn(t, newPauseFile(dir))}
	if err := h.brake.pull(t.Context(), telgate.Pause{By: "root"}); err != nil {
		t.Fatal(err)
	}
	if err := h.shareBrake(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if p, _ := brakeOn(t, s).Paused(); p == nil || p.By != "root" {
		t.Errorf("another gateway: %+v", p)
	}
	if _, err := os.Stat(filepath.Join(dir, pausedName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file: %v", err)
	}
	if _, err := h.brake.letGo(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCoversAreSharedAndTheFileFollows(t *testing.T) {
	s, path := openFile(t), filepath.Join(t.TempDir(), "covers.json")
	now := time.Now().UTC()
	old := telgate.Cover{ID: "c1", For: "alice", By: "bob", From: now, Until: now.Add(time.Hour), Asked: now}
	if err := directory.NewCoverBook(path).SaveCover(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	here := &covers{estate: &estate{store: s}, file: directory.NewCoverBook(path)}
	there := &covers{estate: &estate{store: s}, file: directory.NewCoverBook("")}
	are := func(who string, c directory.Covers, want ...string) {
		t.Helper()
		all, err := c.Covers(t.Context(), now)
		if err != nil || len(all) != len(want) {
			t.Fatalf("%s: %v, %v, want %v", who, all, err, want)
		}
		for i := range want {
			if all[i].ID != want[i] {
				t.Errorf("%s: %v, want %v", who, all, want)
			}
		}
	}
	are("here", here, "c1")
	are("there", there, "c1")
	later := telgate.Cover{ID: "c2", For: "ops", By: "bob", From: now, Until: now.Add(time.Hour), Asked: now.Add(time.Second)}
	old.Until = now // ended early
	for _, c := range []telgate.Cover{later, old} {
		if err := there.SaveCover(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	are("here", here, "c2")
	are("a command here", directory.NewCoverBook(path), "c2")
}

func TestStatusShowsTheGatewaysBesideAndWhichDiffers(t *testing.T) {
	e, cfg := &estate{store: openFile(t)}, config.Config{}
	e.gateway.Store(new("a"))
	for _, g := range []lease.Self{{ID: "a", Name: "gw-a", Version: "1", Config: "old"}, {ID: "b", Name: "gw-b", Version: "2", Config: shared(cfg)}, {ID: "c", Name: "gw-c", Version: "2", Config: "x"}} {
		if err := e.store.Gateways().Enter(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	all, warnings := e.gateways(t.Context(), cfg)
	if len(all) != 3 || !all[0].Self || all[0].Differs || all[1].Gateway != "gw-b" || all[1].Version != "2" || all[1].Differs || !all[2].Differs {
		t.Errorf("%+v", all)
	}
	if len(warnings) != 1 || warnings[0] != "gateway gw-c has another configuration: the same page ends differently on each" {
		t.Errorf("%q", warnings)
	}
}
