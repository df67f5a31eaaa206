package pager_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"telgate"
	"telgate/pager"
)

// kept is how many pages Memory promises to keep.
const kept = 1000

func put(t *testing.T, m *pager.Memory, n int, state telgate.PageState) telgate.PageID {
	t.Helper()
	id := telgate.PageID(fmt.Sprintf("p%04d", n))
	hold := pager.Hold{Page: id, Gateway: "one", Token: 1}
	if _, err := m.Accept(t.Context(), &pager.Acceptance{Hold: hold, Page: telgate.Page{ID: id}}); err != nil {
		t.Fatal(err)
	}
	save(t, m, n, state)
	return id
}

func save(t *testing.T, m *pager.Memory, n int, state telgate.PageState) {
	t.Helper()
	id := telgate.PageID(fmt.Sprintf("p%04d", n))
	hold := pager.Hold{Page: id, Gateway: "one", Token: 1}
	if err := m.Save(t.Context(), &pager.Change{Hold: hold, Page: telgate.Page{ID: id, State: state}}); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, m *pager.Memory, id telgate.PageID) (telgate.Page, bool) {
	t.Helper()
	p, err := m.Page(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if p == nil {
		return telgate.Page{}, false
	}
	return *p, true
}

func all(t *testing.T, m *pager.Memory) []telgate.Page {
	t.Helper()
	running, err := m.Running(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended, err := m.Ended(t.Context(), 2*kept)
	if err != nil {
		t.Fatal(err)
	}
	return slices.SortedFunc(slices.Values(append(running, ended...)), func(a, b telgate.Page) int { return cmp.Compare(b.ID, a.ID) })
}

func TestMemoryForgetsTheOldestEndedPagesAndNoRunningOne(t *testing.T) {
	m := pager.NewMemory(time.Now)
	running, oldest := put(t, m, 0, telgate.PageCalling), put(t, m, 1, telgate.PageEnded)
	for n := 2; n < kept; n++ {
		put(t, m, n, telgate.PageEnded)
	}
	if _, ok := load(t, m, oldest); !ok || len(all(t, m)) != kept {
		t.Errorf("%d pages kept", len(all(t, m)))
	}
	newest := put(t, m, kept, telgate.PageWaiting)
	if _, ok := load(t, m, oldest); ok {
		t.Error("the oldest page was not forgotten")
	}
	for _, id := range []telgate.PageID{running, newest, "p0002"} {
		if _, ok := load(t, m, id); !ok {
			t.Errorf("%s is gone", id)
		}
	}
	pages := all(t, m)
	if len(pages) != kept || pages[0].ID != newest || pages[kept-1].ID != running {
		t.Errorf("%d pages from %s to %s, want the newest first", len(pages), pages[0].ID, pages[len(pages)-1].ID)
	}
}

func TestMemoryKeepsMorePagesThanItsNumberWhileTheyRun(t *testing.T) {
	m := pager.NewMemory(time.Now)
	for n := range kept + 5 {
		put(t, m, n, telgate.PageCalling)
	}
	if len(all(t, m)) != kept+5 {
		t.Errorf("%d pages kept", len(all(t, m)))
	}
	save(t, m, 7, telgate.PageEnded)
	if _, ok := load(t, m, "p0007"); ok || len(all(t, m)) != kept+4 {
		t.Errorf("%d pages kept after one ended", len(all(t, m)))
	}
}

func TestMemoryIsNotChangedThroughWhatItGaveOrTook(t *testing.T) {
	m := pager.NewMemory(time.Now)
	mine := telgate.Page{ID: "p1", Targets: []telgate.Target{{Nick: "alice"}}, Steps: []telgate.Step{{Call: &telgate.Call{Outcome: "busy"}}}}
	if _, err := m.Accept(t.Context(), &pager.Acceptance{Hold: pager.Hold{Page: "p1", Gateway: "one", Token: 1}, Page: mine}); err != nil {
		t.Fatal(err)
	}
	spoil := func(p telgate.Page) { p.Targets[0].Nick, p.Steps[0].Call.Outcome = "eve", "confirmed" }
	spoil(mine)
	loaded, _ := load(t, m, "p1")
	spoil(loaded)
	spoil(all(t, m)[0])
	p, ok := load(t, m, "p1")
	if !ok || p.Targets[0].Nick != "alice" || p.Steps[0].Call.Outcome != "busy" {
		t.Errorf("changed to %+v, %+v", p.Targets, p.Steps[0].Call)
	}
	if p, ok := load(t, m, "p2"); ok {
		t.Errorf("a page that was never saved: %+v", p)
	}
}
