package pager

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"telgate"
	"telgate/plan"
)

// Submit accepts a request, or refuses it with a [*telgate.Refusal]: then nothing is dialled.
func (p *Pager) Submit(ctx context.Context, r telgate.Request) (telgate.Receipt, error) {
	act := telgate.ActPage
	if r.Force {
		act = telgate.ActForce
	}
	if !p.cfg.Policy.May(r.Asker, act, nil) {
		return telgate.Receipt{}, refuse(telgate.RefusedNotAllowed, "", "You may not have people called. Ask an administrator of telgate.")
	}
	people, title, prompt, err := p.resolve(r.Who)
	if err != nil {
		return telgate.Receipt{}, err
	}
	select {
	case p.intake <- struct{}{}:
		defer func() { <-p.intake }()
	case <-ctx.Done():
		return telgate.Receipt{}, fmt.Errorf("accept the page: %w", context.Cause(ctx))
	}
	if receipt, done, err := p.known(ctx, r, people); err != nil {
		return telgate.Receipt{}, err
	} else if done {
		return receipt, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx == nil || p.draining || p.ctx.Err() != nil {
		return telgate.Receipt{}, refuse(telgate.RefusedNotReady, "", "NOT accepted: this gateway is stopping. Call by hand, or ask again in a minute.")
	}
	steps := plan.Build(people, p.cfg.Plan)
	if err := p.acceptable(r, steps); err != nil {
		return telgate.Receipt{}, err
	}
	page, err := p.newPage(r, people, title)
	if err != nil {
		return telgate.Receipt{}, err
	}
	if err := p.journal.Save(ctx, page); err != nil {
		return telgate.Receipt{}, fmt.Errorf("accept the page: %w", err)
	}
	p.begin(page, steps, prompt, r) //nolint:contextcheck // a page outlives the request for it
	return p.remember(r.Key, telgate.Receipt{Page: page.ID, Words: title}), nil
}

// known answers a request that needs no page of its own: one that was asked before with the same key, and one for people
// who are all being paged already.
func (p *Pager) known(ctx context.Context, r telgate.Request, people []telgate.Person) (telgate.Receipt, bool, error) {
	p.mu.Lock()
	a, asked := p.answers[r.Key]
	var same *run
	for _, x := range p.running {
		if !r.New && x.covers(people) {
			same = x
		}
	}
	draining := p.draining
	p.mu.Unlock()
	if asked && r.Key != "" && p.env.Now().Sub(a.at) < answerLife {
		return a.receipt, true, nil
	}
	if same == nil || draining {
		return telgate.Receipt{}, false, nil
	}
	asker := &telgate.Asker{Actor: r.Asker, Message: r.Message, At: p.env.Now()}
	if joined, err := same.ask(ctx, message{join: asker}); err != nil || !joined {
		return telgate.Receipt{}, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.remember(r.Key, telgate.Receipt{Page: same.id, Joined: true, Words: same.title}), true, nil
}

func (p *Pager) remember(key string, r telgate.Receipt) telgate.Receipt {
	now := p.env.Now()
	for k, a := range p.answers {
		if now.Sub(a.at) >= answerLife {
			delete(p.answers, k)
		}
	}
	if key != "" {
		p.answers[key] = answer{r, now}
	}
	return r
}

// resolve turns words into people, each once.
func (p *Pager) resolve(words []string) (people []telgate.Person, title, prompt string, err error) {
	var titles []string
	for _, w := range words {
		m, err := p.people.Resolve(w)
		if err != nil {
			return nil, "", "", err
		}
		titles = append(titles, m.Title)
		if prompt == "" {
			prompt = m.Prompt
		}
		for _, person := range m.People {
			if !slices.ContainsFunc(people, func(x telgate.Person) bool { return x.Nick == person.Nick }) {
				people = append(people, person)
			}
		}
	}
	if len(people) == 0 {
		return nil, "", "", refuse(telgate.RefusedUnknownName, "", "Say whom to call.")
	}
	if prompt == "" {
		prompt = p.cfg.Prompt
	}
	return people, strings.Join(titles, ", "), prompt, nil
}

// acceptable refuses what could only be skipped: every number forbidden, or over its limit.
func (p *Pager) acceptable(r telgate.Request, steps plan.Plan) error {
	var why error
	limited, usable := 0, 0
	for _, e := range steps.Entries {
		_, ok, err := p.cfg.Dialer.Route(e.Number, p.cfg.Trunks, nil, nil, p.env.Now())
		switch {
		case err != nil && !ok:
			why = fmt.Errorf("%s (%s): %w", e.Person.Nick, e.Number, err)
		case ok && !r.Force && p.phones.over(e.Number.Key()):
			limited++
		default:
			usable++
		}
	}
	switch {
	case usable > 0:
	case limited > 0:
		return refuse(telgate.RefusedLimit, "", "NOT accepted: every number was called too often in the last hour (limits.calls_per_number_per_hour).")
	case why != nil:
		return refuse(telgate.RefusedForbiddenNumber, "", fmt.Sprintf("NOT accepted: no number may be dialled: %v.", why))
	default:
		return refuse(telgate.RefusedForbiddenNumber, "", "NOT accepted: no number can be dialled.")
	}
	if !p.askers.take(r.Asker.ID) { // force is for the limits of a number, not of who asks
		return refuse(telgate.RefusedLimit, "", "NOT accepted: you asked for too many pages in the last hour (limits.pages_per_asker_per_hour).")
	}
	return nil
}

func refuse(reason telgate.RefusalReason, subject, message string) error {
	return &telgate.Refusal{Reason: reason, Subject: subject, Message: message}
}

// newPage is a page as accepted.
func (p *Pager) newPage(r telgate.Request, people []telgate.Person, title string) (telgate.Page, error) {
	id, err := p.newID()
	if err != nil {
		return telgate.Page{}, err
	}
	now := p.env.Now()
	page := telgate.Page{
		ID: telgate.PageID("p" + id), Version: 1, Title: title, Message: r.Message, State: telgate.PageAccepted, Accepted: now,
		Rounds: p.cfg.Plan.Rounds, Askers: []telgate.Asker{{Actor: r.Asker, Message: r.Message, At: now}},
	}
	for _, person := range people {
		page.Targets = append(page.Targets, telgate.Target{Nick: person.Nick, Name: person.Name, Slack: person.Slack})
	}
	return page, nil
}

// begin starts the goroutine that owns the page.
func (p *Pager) begin(page telgate.Page, steps plan.Plan, prompt string, req telgate.Request) {
	ctx, stop := context.WithCancelCause(p.ctx)
	r := &run{
		pager: p, id: page.ID, title: page.Title, nicks: nicknames(page), page: page, plan: steps, prompt: prompt, force: req.Force, stop: stop,
		messages: make(chan *message), drained: make(chan struct{}), over: make(chan struct{}),
	}
	r.save = func(page telgate.Page) error { return p.journal.Save(context.WithoutCancel(ctx), page) }
	p.running[r.id] = r
	p.work.Go(func() {
		defer stop(nil)
		r.own(ctx)
		p.mu.Lock()
		delete(p.running, r.id)
		p.mu.Unlock()
	})
}
