package store

import (
	"context"
	"slices"

	"telgate"
)

// pageColumns are what a [telgate.Page] has of its row, in the order of pageRow.columns.
const pageColumns = `page.id, page.version, page.title, page.message, page.state, page.result, page.late, page.accepted,
	page.ended, page.waits_for, page.waits_line, page.rounds, page.stopped, page.paused, page.side_by_side, page.roll_call, page.forced,
	page.entered`

// pageRow reads a page's row.
type pageRow struct {
	page                      telgate.Page
	accepted, ended, waitsFor int64
	entered                   int64 // by the database's clock
}

func (r *pageRow) columns() []any {
	p := &r.page
	return []any{
		&p.ID, &p.Version, &p.Title, &p.Message, &p.State, &p.Result, &p.Late, &r.accepted,
		&r.ended, &r.waitsFor, &p.WaitsLine, &p.Rounds, &p.Stopped, &p.Paused, &p.Way.All, &p.Way.RollCall, &p.Forced,
		&r.entered,
	}
}

func (r *pageRow) done() telgate.Page {
	r.page.Accepted, r.page.Ended, r.page.WaitsFor = moment(r.accepted), moment(r.ended), moment(r.waitsFor)
	return r.page
}

// chunk is how many pages are read with one statement.
const chunk = 500

// fill reads what belongs to pages: their askers, targets and steps.
func (s *Store) fill(ctx context.Context, t tx, pages []telgate.Page) error {
	for some := range slices.Chunk(pages, chunk) {
		ids, at := make([]string, len(some)), make(map[string]*telgate.Page, len(some))
		for i := range some {
			ids[i], at[string(some[i].ID)] = string(some[i].ID), &some[i]
		}
		for _, read := range []func(context.Context, tx, any, map[string]*telgate.Page) error{s.askers, s.targets, s.steps} {
			if err := read(ctx, t, s.db.words().list(ids), at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) askers(ctx context.Context, t tx, ids any, pages map[string]*telgate.Page) error {
	return t.rows(ctx, func(scan scan) error {
		var a telgate.Asker
		var page string
		var groups []byte
		var at int64
		if err := scan(&page, &a.ID, &a.Name, &a.Team, &a.Channel, &groups, &a.Guest, &a.Unknown, &a.Local, &a.Message, &at); err != nil {
			return err
		}
		a.At = moment(at)
		p := pages[page]
		p.Askers = append(p.Askers, a)
		return decode(groups, &p.Askers[len(p.Askers)-1].Groups)
	}, `select page, actor, name, team, channel, teams, guest, unknown, local, message, asked from asker
		where page `+s.db.words().among+` order by page, n`, ids)
}

func (s *Store) targets(ctx context.Context, t tx, ids any, pages map[string]*telgate.Page) error {
	return t.rows(ctx, func(scan scan) error {
		var g telgate.Target
		var page string
		var at, back int64
		if err := scan(&page, &g.Nick, &g.Name, &g.Slack, &g.Result, &g.By, &g.Via, &at, &back); err != nil {
			return err
		}
		g.At, g.CalledBack = moment(at), moment(back)
		p := pages[page]
		p.Targets = append(p.Targets, g)
		return nil
	}, `select page, nick, name, slack, result, confirmed_by, via, reached, called_back from target
		where page `+s.db.words().among+` order by page, n`, ids)
}

func (s *Store) steps(ctx context.Context, t tx, ids any, pages map[string]*telgate.Page) error {
	return t.rows(ctx, func(scan scan) error {
		var step telgate.Step
		var c telgate.Call
		var page string
		var facts []byte
		var at, dialed, ended int64
		err := scan(&page, &step.N, &step.Round, &step.Person, &at, &step.Skip, &c.Call, &c.Trunk, &c.State, &c.Outcome, &c.Detail,
			&dialed, &ended, &facts)
		if err != nil {
			return err
		}
		var f stepFacts
		if err := decode(facts, &f); err != nil {
			return err
		}
		step.Number, step.At = f.Number.number(), moment(at)
		if f.Call != nil {
			c.Page, c.Person, c.Step, c.Round, c.Number = telgate.PageID(page), step.Person, step.N, step.Round, step.Number
			c.Times.Dialed, c.Times.Ended = moment(dialed), moment(ended)
			f.Call.call(&c)
			step.Call = &c
		}
		p := pages[page]
		p.Steps = append(p.Steps, step)
		return nil
	}, `select page, n, round, person, begun, skip, id, trunk, state, outcome, detail, dialed, ended, facts from call
		where page `+s.db.words().among+` order by page, n`, ids)
}

// putAskers adds askers from the one with this index on.
func putAskers(ctx context.Context, t tx, p *telgate.Page, from int, entered int64) {
	for n := from; n < len(p.Askers); n++ {
		a := &p.Askers[n]
		t.put(ctx, `insert into asker (page, n, actor, name, team, channel, teams, guest, unknown, local, message, asked, entered)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (page, n) do nothing`,
			p.ID, n, text(a.ID), text(a.Name), text(a.Team), text(a.Channel), encode(a.Groups), a.Guest, a.Unknown, a.Local,
			text(a.Message), micro(a.At), entered)
	}
}

// putTargets writes how targets stand. Who they are does not change, and is kept from the first time.
func putTargets(ctx context.Context, t tx, p *telgate.Page, entered int64) {
	for n, g := range p.Targets {
		t.put(ctx, `insert into target (page, n, nick, name, slack, result, confirmed_by, via, reached, called_back, open, entered)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			on conflict (page, n) do update set result = excluded.result, confirmed_by = excluded.confirmed_by, via = excluded.via,
				reached = excluded.reached, called_back = excluded.called_back, open = excluded.open`,
			p.ID, n, text(g.Nick), text(g.Name), text(g.Slack), string(g.Result), text(g.By), string(g.Via), micro(g.At),
			micro(g.CalledBack), p.State != telgate.PageEnded, entered)
	}
}

// putSteps writes the steps from the one with this index on. A call that one hold began stays that hold's, and what became
// of it is not taken back by "lost".
func putSteps(ctx context.Context, t tx, p *telgate.Page, from int, token int64) {
	for i := from; i < len(p.Steps); i++ {
		s, c := &p.Steps[i], p.Steps[i].Call
		if c == nil {
			c = &telgate.Call{}
		}
		t.put(ctx, `insert into call
			(page, n, round, person, number, begun, skip, id, token, trunk, state, outcome, detail, dialed, ended, facts, answered)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
			on conflict (page, n) do update set round = excluded.round, person = excluded.person, number = excluded.number,
				begun = excluded.begun, skip = excluded.skip, id = excluded.id, trunk = excluded.trunk, state = excluded.state,
				outcome = excluded.outcome, detail = excluded.detail, dialed = excluded.dialed, ended = excluded.ended,
				facts = excluded.facts, answered = excluded.answered
			where call.id <> excluded.id or excluded.outcome <> 'lost' or call.outcome in ('', 'lost')`,
			p.ID, i+1, s.Round, text(s.Person), text(s.Number.Key()), micro(s.At), string(s.Skip), string(c.Call), token, c.Trunk,
			string(c.State), string(c.Outcome), string(c.Detail), micro(c.Times.Dialed), micro(c.Times.Ended), encode(factsOf(s)),
			micro(c.Times.Answered))
	}
}
