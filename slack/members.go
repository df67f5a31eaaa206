package slack

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"telgate"
)

const (
	memberLife    = 15 * time.Minute // how long what Slack said about a user counts as fresh
	memberMax     = 10000
	groupsRefresh = 5 * time.Minute        // usergroups.users.list is tier 2
	lookupLimit   = 800 * time.Millisecond // of whoever waits for an answer
)

// members knows who may be an asker: guests and people of other organisations never are, and user groups may allow.
type members struct {
	policy func() telgate.Policy
	api    *client
	now    func() time.Time
	read   chan struct{} // closed when every group was asked for once
	again  chan struct{}

	mu     sync.Mutex
	people map[string]member
	groups map[string][]string // user ids by user group, last good copy
}

type member struct {
	guest bool
	at    time.Time
}

// errUnknownMember says that Slack did not tell in time who the asker is.
var errUnknownMember = errors.New("slack did not say whether the asker is a full member")

func newMembers(policy func() telgate.Policy, api *client, now func() time.Time) *members {
	return &members{policy: policy, api: api, now: now, read: make(chan struct{}), again: make(chan struct{}, 1), people: map[string]member{}, groups: map[string][]string{}}
}

// refresh keeps the user groups of the policy up to date until ctx is done. A group that cannot be read keeps its last
// good list; where there never was one it allows nobody.
func (m *members) refresh(ctx context.Context, log *slog.Logger) {
	first := sync.OnceFunc(func() { close(m.read) })
	defer first()
	for {
		for _, id := range m.policy().AllowGroups {
			users, err := m.api.groupMembers(ctx, id)
			if err != nil {
				if ctx.Err() == nil {
					log.Warn("slack user group not read", "group", id, "err", describe(err))
				}
				continue
			}
			m.mu.Lock()
			m.groups[id] = users
			m.mu.Unlock()
		}
		first()
		if !m.untilDue(ctx) {
			return
		}
	}
}

// untilDue waits until the groups are to be read again; false where ctx is done.
func (m *members) untilDue(ctx context.Context) bool {
	timer := time.NewTimer(groupsRefresh)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-m.again:
	case <-ctx.Done():
		return false
	}
	return true
}

// readAgain has the groups read without waiting: others count now.
func (m *members) readAgain() {
	select {
	case m.again <- struct{}{}:
	default: // they are about to be
	}
}

// actor is who does something in Slack. home is the team the user is at home in where Slack said so. The error means
// that it is not known whether they are a full member.
func (m *members) actor(ctx context.Context, a telgate.Actor, outsider bool) (telgate.Actor, error) {
	m.firstRead(ctx)
	a.Groups = m.groupsOf(a.ID)
	if outsider {
		a.Guest = true
		return a, nil
	}
	guest, err := m.guest(ctx, a.ID)
	if err != nil && !slices.Contains(m.policy().AllowUsers, a.ID) && !slices.Contains(m.policy().Admins, a.ID) {
		a.Guest, a.Unknown = true, true // what needs their own id only, they may still do
		return a, err
	}
	a.Guest = err == nil && guest
	return a, nil
}

// firstRead gives the groups a moment when the gateway has just started.
func (m *members) firstRead(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	select {
	case <-m.read:
	case <-ctx.Done():
	}
}

func (m *members) groupsOf(user string) (in []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, users := range m.groups {
		if slices.Contains(users, user) {
			in = append(in, id)
		}
	}
	slices.Sort(in)
	return in
}

// guest looks a user up, at most once in memberLife; what was known before is good enough where Slack does not answer.
func (m *members) guest(ctx context.Context, user string) (bool, error) {
	m.mu.Lock()
	old, known := m.people[user]
	m.mu.Unlock()
	if known && m.now().Sub(old.at) < memberLife {
		return old.guest, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	guest, err := m.api.guest(ctx, user)
	if err != nil {
		if known {
			return old.guest, nil
		}
		return false, errors.Join(errUnknownMember, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.people) >= memberMax {
		clear(m.people)
	}
	m.people[user] = member{guest, m.now()}
	return guest, nil
}
