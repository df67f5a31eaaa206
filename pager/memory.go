package pager

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"telgate"
)

// keptPages is how many pages Memory keeps.
const keptPages = 1000

// Memory is a [Ledger], a [Handover], an [Archive] and a [Finder] that last as long as the process. Pagers that share one are the
// gateways of one installation.
type Memory struct {
	now func() time.Time

	mu       sync.Mutex
	pages    map[telgate.PageID]*kept
	order    []telgate.PageID // oldest first
	accepted accepted
	busy     busy
	mail     []Message
	mutes    []telgate.Mute
	rang     *rung
	lastMail int64
	news     map[chan telgate.PageID]struct{}
}

// kept is a page, and whose it is.
type kept struct {
	page     telgate.Page
	course   []byte
	progress []byte
	gateway  string // "" = nobody's
	token    int64
	entered  time.Time
	due      time.Time
	calls    map[telgate.CallID]int64 // which hold began them
}

// NewMemory returns an empty one.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{
		now: now, pages: map[telgate.PageID]*kept{}, accepted: newAccepted(now), busy: newBusy(now), rang: newRung(),
		news: map[chan telgate.PageID]struct{}{},
	}
}

// Page finds a page.
func (m *Memory) Page(_ context.Context, id telgate.PageID) (*telgate.Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.pages[id]
	if !ok {
		return nil, nil //nolint:nilnil // the port has it so
	}
	p := k.page.Clone()
	return &p, nil
}

// Running are the pages that have not ended, newest first.
func (m *Memory) Running(context.Context) ([]telgate.Page, error) {
	return m.newest(math.MaxInt, func(p *telgate.Page) bool { return p.State != telgate.PageEnded }), nil
}

// Ended are those that have, the newest first, at most so many.
func (m *Memory) Ended(_ context.Context, most int) ([]telgate.Page, error) {
	return m.newest(most, func(p *telgate.Page) bool { return p.State == telgate.PageEnded }), nil
}

// newest are the newest pages that are wanted, at most so many.
func (m *Memory) newest(most int, wanted func(*telgate.Page) bool) (all []telgate.Page) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range slices.Backward(m.order) {
		if k := m.pages[id]; len(all) < most && wanted(&k.page) {
			all = append(all, k.page.Clone())
		}
	}
	return all
}

// Amend changes a page that has ended.
func (m *Memory) Amend(_ context.Context, p *telgate.Page, was int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.pages[p.ID]
	if !ok || k.page.State != telgate.PageEnded || k.page.Version != was {
		return ErrFenced
	}
	k.page = p.Clone()
	m.tell(p.ID)
	return nil
}

// Save keeps what changed.
func (m *Memory) Save(_ context.Context, c *Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, held := m.held(&c.Hold)
	for _, f := range c.Freed {
		m.busy.free(f)
	}
	if !held || k.page.State == telgate.PageEnded && k.page.Version > c.Page.Version {
		m.late(c)
		return ErrFenced
	}
	m.keep(k, c)
	return nil
}

// held is the page of a hold, and whether it is the newest.
func (m *Memory) held(h *Hold) (*kept, bool) {
	k, ok := m.pages[h.Page]
	return k, ok && k.gateway == h.Gateway && k.token == h.Token
}

func (m *Memory) keep(k *kept, c *Change) {
	before := k.page.Steps
	k.page = c.Page.Clone()
	copy(k.page.Steps, before[:min(c.From, len(before))])
	for i := min(c.From, len(k.page.Steps)); i < len(k.page.Steps); i++ {
		if call := k.page.Steps[i].Call; call != nil && k.calls[call.Call] == 0 {
			k.calls[call.Call] = c.Token
		}
	}
	if c.Progress != nil {
		k.progress = slices.Clone(c.Progress)
	}
	m.mail = slices.DeleteFunc(m.mail, func(x Message) bool { return slices.Contains(c.Taken, x.ID) })
	if c.HandOver {
		k.gateway, k.due = "", c.Due
	}
	if k.page.State == telgate.PageEnded {
		k.course, k.progress = nil, nil
	}
	m.makeRoom()
	m.tell(c.Hold.Page)
}

// late keeps the outcome of calls that this hold began, and that nobody else knew to have ended.
func (m *Memory) late(c *Change) {
	k, ok := m.pages[c.Hold.Page]
	if !ok {
		return
	}
	for _, s := range c.Page.Steps[min(c.From, len(c.Page.Steps)):] {
		i := slices.IndexFunc(k.page.Steps, func(x telgate.Step) bool {
			return s.Call != nil && x.Call != nil && x.Call.Call == s.Call.Call && k.calls[s.Call.Call] == c.Token &&
				(x.Call.Outcome == "" || x.Call.Outcome == telgate.OutcomeLost)
		})
		if i < 0 || s.Call.Outcome == "" || s.Call.Outcome == telgate.OutcomeLost {
			continue
		}
		call := *s.Call
		k.page.Steps[i].Call = &call
		if call.Reached() {
			m.post(&Message{Page: k.page.ID, At: m.now(), Late: &call})
		}
		m.tell(k.page.ID)
	}
}

// makeRoom forgets the oldest pages that have ended.
func (m *Memory) makeRoom() {
	for i := 0; len(m.order) > keptPages && i < len(m.order); {
		if id := m.order[i]; m.pages[id].page.State == telgate.PageEnded {
			delete(m.pages, id)
			m.order = slices.Delete(m.order, i, i+1)
		} else {
			i++
		}
	}
}

// newsRoom is how much news a slow reader may have before it; what is more is found by looking.
const newsRoom = 64

// News names pages that something happened to. Not everything is told: it only saves waiting for the next look.
func (m *Memory) News(ctx context.Context) <-chan telgate.PageID {
	c := make(chan telgate.PageID, newsRoom)
	m.mu.Lock()
	m.news[c] = struct{}{}
	m.mu.Unlock()
	context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.news, c)
		close(c)
	})
	return c
}

func (m *Memory) tell(id telgate.PageID) {
	for c := range m.news {
		select {
		case c <- id:
		default:
		}
	}
}
