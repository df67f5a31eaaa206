package pager

import (
	"context"
	"slices"
	"time"

	"telgate"
)

// answerLife is how long a repeated request is recognised: Slack repeats deliveries for minutes.
const answerLife = 15 * time.Minute

// accepted is what Memory knows of requests.
type accepted struct {
	now     func() time.Time
	answers map[string]answer // by idempotency key
	askers  window
}

// answer is what a request with this key was told.
type answer struct {
	receipt telgate.Receipt
	at      time.Time
}

func newAccepted(now func() time.Time) accepted {
	return accepted{now: now, answers: map[string]answer{}, askers: newWindow(now)}
}

func (a *accepted) remember(key string, r telgate.Receipt) telgate.Receipt {
	now := a.now()
	for k, x := range a.answers {
		if now.Sub(x.at) >= answerLife {
			delete(a.answers, k)
		}
	}
	if key != "" {
		a.answers[key] = answer{r, now}
	}
	return r
}

// Accept keeps a page that is owned already, or says why there is none.
func (m *Memory) Accept(_ context.Context, a *Acceptance) (Accepted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x, asked := m.accepted.answers[a.Key]; asked && a.Key != "" && m.now().Sub(x.at) < answerLife {
		return Accepted{AcceptRepeated, x.receipt}, nil
	}
	if k := m.pages[a.Hold.Page]; k != nil { // nobody heard that it was accepted
		return Accepted{AcceptRepeated, telgate.Receipt{Page: k.page.ID, Words: k.page.Title}}, nil
	}
	if k := m.running(a); k != nil && len(a.Page.Askers) > 0 {
		m.post(&Message{Page: k.page.ID, At: m.now(), Join: &a.Page.Askers[0]})
		return Accepted{AcceptJoined, m.accepted.remember(a.Key, telgate.Receipt{Page: k.page.ID, Joined: true, Words: k.page.Title})}, nil
	}
	if a.PerNumber > 0 && len(a.Numbers) > 0 && !slices.ContainsFunc(a.Numbers, func(n string) bool { return m.busy.calls.count(n) < a.PerNumber }) {
		return Accepted{Verdict: AcceptNumbersOver}, nil
	}
	if len(a.Page.Askers) > 0 {
		asker := a.Page.Askers[0].ID
		if a.PerAsker > 0 && m.accepted.askers.count(asker) >= a.PerAsker {
			return Accepted{Verdict: AcceptAskerOver}, nil
		}
		m.accepted.askers.add(asker)
	}
	m.pages[a.Hold.Page] = &kept{
		page: a.Page.Clone(), course: slices.Clone(a.Course), gateway: a.Gateway, token: a.Token, entered: m.now(),
		calls: map[telgate.CallID]int64{},
	}
	m.order = append(m.order, a.Hold.Page)
	m.makeRoom()
	m.tell(a.Hold.Page)
	return Accepted{AcceptNew, m.accepted.remember(a.Key, telgate.Receipt{Page: a.Hold.Page, Words: a.Page.Title})}, nil
}

// running is the newest page in progress that calls all of these people, if this one is to join it.
func (m *Memory) running(a *Acceptance) *kept {
	if !a.Join && !m.storm(a) {
		return nil
	}
	wanted := nicknames(&a.Page)
	for _, id := range slices.Backward(m.order) {
		k := m.pages[id]
		if k.page.State == telgate.PageEnded || k.page.Result != "" {
			continue
		}
		called := nicknames(&k.page)
		if !slices.ContainsFunc(wanted, func(nick string) bool { return !slices.Contains(called, nick) }) {
			return k
		}
	}
	return nil
}

// storm tells whether one of these people had too many pages lately.
func (m *Memory) storm(a *Acceptance) bool {
	if a.Storm == 0 {
		return false
	}
	since, pages := m.now().Add(-a.Within), map[string]int{}
	for _, k := range m.pages {
		if k.entered.After(since) {
			for _, nick := range nicknames(&k.page) {
				pages[nick]++
			}
		}
	}
	return slices.ContainsFunc(nicknames(&a.Page), func(nick string) bool { return pages[nick] >= a.Storm })
}

func nicknames(p *telgate.Page) []string {
	nicks := make([]string, len(p.Targets))
	for i := range p.Targets {
		nicks[i] = p.Targets[i].Nick
	}
	return nicks
}
