package store

import (
	"context"
	"fmt"
	"strconv"

	"telgate"
)

// Summaries finds pages as [Store.History] does, in short. Of a page that has ended one row is read, and nothing is decoded.
func (s *Store) Summaries(ctx context.Context, q Query) (all []telgate.Summary, next string, err error) {
	if q.Limit <= 0 {
		q.Limit = usual
	}
	which, args, err := q.statement()
	if err != nil {
		return nil, "", err
	}
	last := int64(0)
	err = s.db.read(ctx, func(t tx) error {
		all = make([]telgate.Summary, 0, min(q.Limit, some))
		var whole []int // those that run, have no summary, or an older one
		err := t.rows(ctx, func(scan scan) error {
			var row summaryRow
			if err := scan(row.columns()...); err != nil {
				return err
			}
			if !row.summed {
				whole = append(whole, len(all))
			}
			all, last = append(all, row.done()), row.entered
			return nil
		}, "select "+summaryColumns+" from page "+which, args...)
		if err != nil {
			return err
		}
		return s.inShort(ctx, t, whole, all)
	})
	if err != nil {
		return nil, "", fmt.Errorf("read the history in short: %w", err)
	}
	if len(all) == q.Limit {
		next = strconv.FormatInt(last, 10) + "." + string(all[len(all)-1].ID)
	}
	return all, next, nil
}

// inShort reads those pages whole that run, or whose summary is missing, and puts what they are in short in its place.
func (s *Store) inShort(ctx context.Context, t tx, whole []int, all []telgate.Summary) error {
	pages := make([]telgate.Page, len(whole))
	for n, i := range whole {
		x := &all[i]
		pages[n] = telgate.Page{
			ID: x.ID, Title: x.Title, Message: x.Message, State: x.State, Result: x.Result, Late: x.Late, Accepted: x.Accepted, Ended: x.Ended,
		}
	}
	if err := s.fill(ctx, t, pages); err != nil {
		return err
	}
	for n, i := range whole {
		all[i] = pages[n].Summary()
	}
	return nil
}

// summaryColumns are what a [telgate.Summary] has of a page's row, in the order of summaryRow.columns.
const summaryColumns = `page.id, page.title, page.message, page.state, page.result, page.late, page.accepted, page.ended,
	page.asker, page.joined, page.people, page.reached_nick, page.reached_by, page.reached_via, page.calls, page.picked_up,
	page.summed = page.version, page.entered`

// summaryRow reads it.
type summaryRow struct {
	telgate.Summary

	accepted, ended, pickedUp int64
	summed                    bool
	entered                   int64
}

func (r *summaryRow) columns() []any {
	return []any{
		&r.ID, &r.Title, &r.Message, &r.State, &r.Result, &r.Late, &r.accepted, &r.ended,
		&r.Asker, &r.Joined, &r.People, &r.Reached.Nick, &r.Reached.By, &r.Reached.Via, &r.Calls, &r.pickedUp,
		&r.summed, &r.entered,
	}
}

func (r *summaryRow) done() telgate.Summary {
	r.Accepted, r.Ended, r.PickedUp = moment(r.accepted), moment(r.ended), moment(r.pickedUp)
	return r.Summary
}

// sum keeps the summary of a page that has just ended, whose rows are written already. Where a call was written by a telgate
// of before there is none.
func sum(ctx context.Context, t tx, p *telgate.Page) {
	x := p.Summary()
	t.put(ctx, `update page set asker = $1, joined = $2, people = $3, reached_nick = $4, reached_by = $5, reached_via = $6,
		calls = (select count(*) from call where call.page = page.id and call.id <> ''),
		picked_up = coalesce((select min(answered) from call where call.page = page.id and answered > 0), 0),
		summed = case when exists (select 1 from call where call.page = page.id and call.id <> '' and answered is null) then 0 else version end
		where id = $7 and state = 'ended'`,
		text(x.Asker), x.Joined, x.People, text(x.Reached.Nick), text(x.Reached.By), string(x.Reached.Via), p.ID)
}
