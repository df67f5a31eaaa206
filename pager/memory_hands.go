package pager

import (
	"context"
	"slices"

	"telgate"
)

// Claim makes pages the gateway's that nobody owns. One that has ended is among them where a message came too late for its
// owner.
func (m *Memory) Claim(_ context.Context, gateway string, most int) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []*kept
	for _, id := range m.order {
		if k := m.pages[id]; k.gateway == "" && !k.due.After(m.now()) {
			due = append(due, k)
		}
	}
	slices.SortStableFunc(due, func(a, b *kept) int { return a.due.Compare(b.due) })
	var claimed []Record
	for _, k := range due[:min(most, len(due))] {
		k.gateway = gateway
		k.token++
		claimed = append(claimed, Record{
			Hold: Hold{k.page.ID, gateway, k.token}, Page: k.page.Clone(), Course: slices.Clone(k.course), Progress: slices.Clone(k.progress),
		})
	}
	return claimed, nil
}

// Leave puts a message down for whoever owns its page.
func (m *Memory) Leave(_ context.Context, msg *Message) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.pages[msg.Page]
	if !ok || k.page.State == telgate.PageEnded {
		return false, nil
	}
	if k.gateway == "" {
		k.due = earlier(k.due, m.now())
	}
	m.post(msg)
	return true, nil
}

func (m *Memory) post(msg *Message) {
	m.lastMail++
	kept := *msg
	kept.ID = m.lastMail
	m.mail = append(m.mail, kept)
	m.tell(msg.Page)
}

// Inbox are the messages for pages of the gateway, also for one that ended before they were read.
func (m *Memory) Inbox(_ context.Context, gateway string) ([]Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var mine []Message
	for _, msg := range m.mail {
		if k := m.pages[msg.Page]; k != nil && k.gateway == gateway {
			mine = append(mine, msg)
		}
	}
	return mine, nil
}

// Bury takes a gateway for dead: its pages are nobody's, and its calls are lost.
func (m *Memory) Bury(gateway string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, k := range m.pages {
		unread := slices.ContainsFunc(m.mail, func(x Message) bool { return x.Page == id })
		if k.gateway != gateway || k.page.State == telgate.PageEnded && !unread {
			continue
		}
		k.gateway, k.due = "", m.now()
		for i := range k.page.Steps {
			if c := k.page.Steps[i].Call; c != nil && c.Outcome == "" {
				lost := *c
				lost.State, lost.Outcome, lost.Detail = telgate.CallEnded, telgate.OutcomeLost, telgate.DetailMayHaveRung
				lost.Times.Ended = m.now()
				k.page.Steps[i].Call = &lost
				m.busy.lose(c.Call)
			}
		}
		k.page.Version++
		m.tell(id)
	}
}
