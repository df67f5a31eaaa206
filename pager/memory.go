package pager

import (
	"context"
	"slices"
	"sync"

	"telgate"
)

// keptPages is how many pages Memory keeps.
const keptPages = 1000

// Memory is a [Journal] that lasts as long as the process.
type Memory struct {
	mu    sync.Mutex
	pages map[telgate.PageID]telgate.Page
	order []telgate.PageID // oldest first
}

// NewMemory returns an empty journal.
func NewMemory() *Memory { return &Memory{pages: map[telgate.PageID]telgate.Page{}} }

// Save keeps a page as it is now. The oldest page that has ended makes room.
func (m *Memory) Save(_ context.Context, p telgate.Page) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.pages[p.ID]; !known {
		m.order = append(m.order, p.ID)
	}
	m.pages[p.ID] = p.Clone()
	for i := 0; len(m.order) > keptPages && i < len(m.order); {
		if id := m.order[i]; m.pages[id].State == telgate.PageEnded {
			delete(m.pages, id)
			m.order = append(m.order[:i], m.order[i+1:]...)
		} else {
			i++
		}
	}
	return nil
}

// Load finds a page.
func (m *Memory) Load(id telgate.PageID) (telgate.Page, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.pages[id]
	return p.Clone(), ok
}

// All are the pages kept, newest first.
func (m *Memory) All() []telgate.Page {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]telgate.Page, 0, len(m.order))
	for _, v := range slices.Backward(m.order) {
		all = append(all, m.pages[v].Clone())
	}
	return all
}
