package pager

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"telgate"
	"telgate/plan"
)

// Submit accepts a request, or refuses it with a [*telgate.Refusal]: then nothing is dialled.
func (p *Pager) Submit(ctx context.Context, r telgate.Request) (telgate.Receipt, error) {
	act := telgate.ActPage
	if r.Force {
		act = telgate.ActForce
	}
	if !p.cfg().Policy.May(r.Asker, act, nil) {
		return telgate.Receipt{}, refuse(telgate.RefusedNotAllowed, "", "You may not have people called. Ask an administrator of telgate.")
	}
	if pause, _ := p.paused(); pause != nil {
		return telgate.Receipt{}, pause.Refusal()
	}
	to, err := p.resolve(r.Who)
	if err != nil {
		return telgate.Receipt{}, err
	}
	if err := p.allMuted(to.People); err != nil {
		return telgate.Receipt{}, err
	}
	if !p.enter() {
		return telgate.Receipt{}, refuse(telgate.RefusedNotReady, "", "NOT accepted: this gateway is stopping. Call by hand, or ask again in a minute.")
	}
	defer p.work.Done()
	policy := p.cfg().Plan
	policy.Way = to.Way
	policy.Way.All = policy.Way.All || r.All
	c := course{plan: plan.Build(to.People, policy), prompt: to.Prompt, force: r.Force}
	numbers, err := p.diallable(&c.plan)
	if err != nil {
		return telgate.Receipt{}, err
	}
	page, err := p.newPage(r, to.People, to.Title, policy.Way)
	if err != nil {
		return telgate.Receipt{}, err
	}
	return p.accept(ctx, &r, &c, page, numbers)
}

// acceptLimit is how long the ledger has to accept a page: the asker is told within a second.
const acceptLimit = 900 * time.Millisecond

// accept has the ledger keep the page, and begins it.
func (p *Pager) accept(ctx context.Context, r *telgate.Request, c *course, page telgate.Page, numbers []string) (telgate.Receipt, error) {
	a := &Acceptance{
		Hold: Hold{Page: page.ID, Gateway: p.gateway(), Token: 1}, Key: r.Key, Page: page, Course: c.encode(), Numbers: numbers,
		Join: !r.New, PerNumber: p.cfg().PerNumber, PerAsker: p.cfg().PerAsker,
		Storm: p.cfg().Storm, Within: p.cfg().Within, // force is for the limits of a number, not of who asks
	}
	if r.Force {
		a.PerNumber = 0
	}
	limited, cancel := context.WithTimeout(ctx, acceptLimit)
	defer cancel()
	got, err := p.books.Accept(limited, a)
	if err != nil {
		p.withdraw(a) //nolint:contextcheck // whoever asked has gone
		return telgate.Receipt{}, fmt.Errorf("accept the page: %w", err)
	}
	switch got.Verdict {
	case AcceptNumbersOver:
		return telgate.Receipt{}, refuse(telgate.RefusedLimit, "", "NOT accepted: every number was called too often in the last hour (limits.calls_per_number_per_hour).")
	case AcceptAskerOver:
		return telgate.Receipt{}, refuse(telgate.RefusedLimit, "", "NOT accepted: you asked for too many pages in the last hour (limits.pages_per_asker_per_hour).")
	case AcceptJoined:
		p.kick() // its owner may be this gateway
	case AcceptRepeated:
	case AcceptNew:
		p.begin(&run{hold: a.Hold, course: *c, page: page, seq: 0}) //nolint:contextcheck // a page outlives the request for it
	}
	return got.Receipt, nil
}

// withdraw ends a page of which nobody knows whether it is kept: its asker was told that it was NOT accepted, so it must not
// be found and begun by whoever goes on after this gateway.
func (p *Pager) withdraw(a *Acceptance) {
	w := p.newWriter(func() {}) // fenced: it was never kept
	page := a.Page.Clone()
	page.Version++
	page.State, page.Result, page.Ended = telgate.PageEnded, telgate.Cancelled, p.env.Now()
	for i := range page.Targets {
		page.Targets[i].Result = telgate.Cancelled
	}
	w.keep(&Change{Hold: a.Hold, Page: page}, nil)
	p.work.Go(func() { p.settle(w) })
}

// resolve turns words into people, each once. A group's way of being called is its own: where several words are named they
// are called one after another, until the first confirms.
func (p *Pager) resolve(words []string) (to telgate.Match, err error) {
	var titles []string
	for _, w := range words {
		m, err := p.people.Resolve(w)
		if err != nil {
			return telgate.Match{}, err
		}
		titles = append(titles, m.Title)
		if to.Prompt == "" {
			to.Prompt = m.Prompt
		}
		if len(words) == 1 {
			to.Way = m.Way
		}
		for _, person := range m.People {
			if !slices.ContainsFunc(to.People, func(x telgate.Person) bool { return x.Nick == person.Nick }) {
				to.People = append(to.People, person)
			}
		}
	}
	if len(to.People) == 0 {
		return telgate.Match{}, refuse(telgate.RefusedUnknownName, "", "Say whom to call.")
	}
	to.Title, to.Prompt = strings.Join(titles, ", "), cmp.Or(to.Prompt, p.cfg().Prompt)
	return to, nil
}

// diallable are the keys of the numbers that some trunk may carry. Where there are none the page is refused: it could only
// be skipped.
func (p *Pager) diallable(steps *plan.Plan) ([]string, error) {
	var why error
	var usable []string
	for i := range steps.Entries {
		e := &steps.Entries[i]
		_, ok, err := p.cfg().Dialer.Route(e.Number, p.cfg().Trunks, nil, nil, p.env.Now())
		if err != nil && !ok {
			why = fmt.Errorf("%s (%s): %w", e.Person.Nick, e.Number, err)
			continue
		}
		usable = append(usable, e.Number.Key())
	}
	switch {
	case len(usable) > 0:
		return usable, nil
	case why != nil:
		return nil, refuse(telgate.RefusedForbiddenNumber, "", fmt.Sprintf("NOT accepted: no number may be dialled: %v.", why))
	default:
		return nil, refuse(telgate.RefusedForbiddenNumber, "", "NOT accepted: no number can be dialled.")
	}
}

func refuse(reason telgate.RefusalReason, subject, message string) error {
	return &telgate.Refusal{Reason: reason, Subject: subject, Message: message}
}

// newPage is a page as accepted.
func (p *Pager) newPage(r telgate.Request, people []telgate.Person, title string, way telgate.Way) (telgate.Page, error) {
	id, err := p.newID()
	if err != nil {
		return telgate.Page{}, err
	}
	now := p.env.Now()
	page := telgate.Page{
		ID: telgate.PageID("p" + id), Version: 1, Title: title, Message: r.Message, State: telgate.PageAccepted, Accepted: now,
		Rounds: p.cfg().Plan.Rounds, Way: way, Askers: []telgate.Asker{{Actor: r.Asker, Message: r.Message, At: now}},
	}
	if r.Force {
		page.Forced = r.Asker.ID
	}
	for _, person := range people {
		page.Targets = append(page.Targets, telgate.Target{Nick: person.Nick, Name: person.Name, Slack: person.Slack})
	}
	return page, nil
}
