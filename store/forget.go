package store

import (
	"context"
	"fmt"
)

// some is how many pages are changed in one transaction, so that a page that comes in meanwhile waits for milliseconds only.
const some = 200

// Forgotten counts what was erased.
type Forgotten struct {
	Pages int
	Calls int
}

// Forget erases what the history has about a person: their name, Slack id and numbers, who confirmed, and of their calls
// what was said on the wire and which keys were pressed. The pages, their results and their times stay, under the nickname.
// Pages that run are left alone.
func (s *Store) Forget(ctx context.Context, nick string) (Forgotten, error) {
	var all Forgotten
	after, page := int64(0), ""
	for {
		var one Forgotten
		var last int64
		var lastPage string
		err := s.db.write(ctx, func(t tx) (err error) {
			// Their phones by whatever number they were rung, those they are forwarded to as well.
			t.put(ctx, "delete from rung where nicks = $1", encode([]string{nick}))
			one, last, lastPage, err = s.forget(ctx, t, nick, after, page) // it may be done again: it begins where it began
			return err
		})
		if err != nil {
			return all, fmt.Errorf("forget %s: %w", nick, err)
		}
		after, page = last, lastPage
		all.Pages, all.Calls = all.Pages+one.Pages, all.Calls+one.Calls
		if one.Pages < some {
			return all, s.db.scrub(ctx)
		}
	}
}

// forget erases some pages of a person's, from the one after this on.
func (s *Store) forget(ctx context.Context, t tx, nick string, after int64, page string) (_ Forgotten, last int64, lastPage string, err error) {
	var pages []string
	err = t.rows(ctx, func(scan scan) error {
		err := scan(&last, &lastPage)
		pages = append(pages, lastPage)
		return err
	}, `select target.entered, target.page from target where target.nick = $1 and not target.open and (target.entered, target.page) > ($2, $3)
		order by target.entered, target.page limit $4`, nick, after, page, some)
	if err != nil || len(pages) == 0 {
		return Forgotten{}, after, page, err
	}
	ids := s.db.words().list(pages)
	t.put(ctx, "update target set name = '', slack = '', confirmed_by = '' where page "+s.db.words().among+" and nick = $2", ids, nick)
	t.put(ctx, "update page set reached_by = '' where id "+s.db.words().among+" and reached_nick = $2", ids, text(nick))
	type row struct {
		page   string
		n      int
		number string
		facts  stepFacts
	}
	var calls []row
	err = t.rows(ctx, func(scan scan) error {
		var r row
		var facts []byte
		if err := scan(&r.page, &r.n, &r.number, &facts); err != nil {
			return err
		}
		err := decode(facts, &r.facts)
		calls = append(calls, r)
		return err
	}, "select page, n, number, facts from call where page "+s.db.words().among+" and person = $2", ids, nick)
	if err != nil {
		return Forgotten{}, after, page, err
	}
	for _, c := range calls {
		c.facts.forget()
		t.put(ctx, "update call set number = '', facts = $1 where page = $2 and n = $3", encode(c.facts), c.page, c.n)
		t.put(ctx, "delete from rung where number = $1", c.number)
	}
	return Forgotten{len(pages), len(calls)}, last, lastPage, nil
}

// forget keeps what is counted.
func (f *stepFacts) forget() {
	f.Number = numberRow{}
	if c := f.Call; c != nil {
		c.Forward, c.Keys, c.Trace, c.Ending = "", nil, nil, nil
		c.Signal = signalRow{Status: c.Signal.Status, Q850: c.Signal.Q850, ToTags: c.Signal.ToTags, Alerting: c.Signal.Alerting}
	}
}
