package pager_test

import (
	"fmt"
	"testing"

	"telgate"
	"telgate/pager"
)

// kept is how many pages Memory promises to keep.
const kept = 1000

func put(t *testing.T, m *pager.Memory, n int, state telgate.PageState) telgate.PageID {
	t.Helper()
	id := telgate.PageID(fmt.Sprintf("p%04d", n))
	if err := m.Save(t.Context(), telgate.Page{ID: id, State: state}); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestMemoryForgetsTheOldestEndedPagesAndNoRunningOne(t *testing.T) {
	m := pager.NewMemory()
	running, oldest := put(t, m, 0, telgate.PageCalling), put(t, m, 1, telgate.PageEnded)
	for n := 2; n < kept; n++ {
		put(t, m, n, telgate.PageEnded)
	}
	if _, ok := m.Load(oldest); !ok || len(m.All()) != kept {
		t.Errorf("%d pages kept", len(m.All()))
	}
	newest := put(t, m, kept, telgate.PageWaiting)
	if _, ok := m.Load(oldest); ok {
		t.Error("the oldest page was not forgotten")
	}
	for _, id := range []telgate.PageID{running, newest, "p0002"} {
		if _, ok := m.Load(id); !ok {
			t.Errorf("%s is gone", id)
		}
	}
	all := m.All()
	if len(all) != kept || all[0].ID != newest || all[kept-1].ID != running {
		t.Errorf("%d pages from %s to %s, want the newest first", len(all), all[0].ID, all[len(all)-1].ID)
	}
}

func TestMemoryKeepsMorePagesThanItsNumberWhileTheyRun(t *testing.T) {
	m := pager.NewMemory()
	for n := range kept + 5 {
		put(t, m, n, telgate.PageCalling)
	}
	if len(m.All()) != kept+5 {
		t.Errorf("%d pages kept", len(m.All()))
	}
	put(t, m, 7, telgate.PageEnded)
	if _, ok := m.Load("p0007"); ok || len(m.All()) != kept+4 {
		t.Errorf("%d pages kept after one ended", len(m.All()))
	}
}

func TestMemoryIsNotChangedThroughWhatItGaveOrTook(t *testing.T) {
	m := pager.NewMemory()
	mine := telgate.Page{ID: "p1", Targets: []telgate.Target{{Nick: "alice"}}, Steps: []telgate.Step{{Call: &telgate.Call{Outcome: "busy"}}}}
	if err := m.Save(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	spoil := func(p telgate.Page) { p.Targets[0].Nick, p.Steps[0].Call.Outcome = "eve", "confirmed" }
	spoil(mine)
	loaded, _ := m.Load("p1")
	spoil(loaded)
	spoil(m.All()[0])
	p, ok := m.Load("p1")
	if !ok || p.Targets[0].Nick != "alice" || p.Steps[0].Call.Outcome != "busy" {
		t.Errorf("changed to %+v, %+v", p.Targets, p.Steps[0].Call)
	}
	if p, ok := m.Load("p2"); ok {
		t.Errorf("a page that was never saved: %+v", p)
	}
}
