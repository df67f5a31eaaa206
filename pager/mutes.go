package pager

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"telgate"
	"telgate/plan"
)

// mutes are who is not to be called now, as the ledger had it at the last look: no step waits for it.
type mutes struct {
	now func() time.Time
	all atomic.Pointer[[]telgate.Mute]
}

// in force now, as far as is known here.
func (m *mutes) inForce() []telgate.Mute {
	all := m.all.Load()
	if all == nil {
		return nil
	}
	now := m.now()
	return slices.DeleteFunc(slices.Clone(*all), func(x telgate.Mute) bool { return !x.Until.After(now) })
}

func (m *mutes) of(nick string) (telgate.Mute, bool) {
	for _, x := range m.inForce() {
		if x.Nick == nick {
			return x, true
		}
	}
	return telgate.Mute{}, false
}

// Mutes are those who are not called now, the soonest to be called again first.
func (p *Pager) Mutes() []telgate.Mute { return p.mutes.inForce() }

// Mute keeps a person's phones quiet, for pages that run, too; a call that is up goes on. A mute that is over ends the one
// before it. The person themselves may, by their own Slack id, and administrators. The error is as with [Pager.Stop].
func (p *Pager) Mute(ctx context.Context, by telgate.Actor, m telgate.Mute) error {
	if !p.cfg().Policy.May(by, telgate.ActMute, nil) && !p.isPerson(by, m.Nick) {
		return refuse(telgate.RefusedNotAllowed, m.Nick, "Only they themselves or an administrator may do that.")
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	m.By, m.At = by.ID, p.env.Now()
	if err := p.books.PutMute(ctx, &m); err != nil {
		return fmt.Errorf("keep a mute: %w", err)
	}
	return p.readMutes(ctx)
}

// isPerson tells whether an actor is the person with this nickname.
func (p *Pager) isPerson(a telgate.Actor, nick string) bool {
	m, err := p.people.Resolve(nick)
	return err == nil && !a.Guest && a.ID != "" && len(m.People) == 1 && m.People[0].Nick == nick && m.People[0].Slack == a.ID
}

func (p *Pager) readMutes(ctx context.Context) error {
	all, err := p.books.Mutes(ctx, p.env.Now())
	if err != nil {
		return fmt.Errorf("read who is muted: %w", err)
	}
	p.mutes.all.Store(&all)
	return nil
}

// muted tells whether nobody whose phone an entry is wants to be called now. A phone that somebody shares who does is rung.
func (r *run) muted(e *plan.Entry) bool {
	quiet := func(nick string) bool { _, muted := r.pager.mutes.of(nick); return muted }
	return quiet(e.Person.Nick) && !slices.ContainsFunc(e.Also, func(nick string) bool { return !quiet(nick) })
}

// allMuted is the refusal of a page that could ring nobody, nil where it could.
func (p *Pager) allMuted(people []telgate.Person) error {
	var who []string
	for i := range people {
		m, muted := p.mutes.of(people[i].Nick)
		if !muted {
			return nil
		}
		who = append(who, fmt.Sprintf("%s (until %s)", m.Nick, m.Until.UTC().Format("15:04 UTC on 2 January")))
	}
	return refuse(telgate.RefusedMuted, people[0].Nick, "NOT accepted: muted are "+strings.Join(who, ", ")+". They or an administrator can end that (unmute).")
}
