package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"telgate"
	"telgate/pager"
)

// Save keeps what changed of a page that is held, and only the outcomes of its own calls where it is not any more: see
// [pager.Ledger].
func (s *Store) Save(ctx context.Context, c *pager.Change) error {
	fenced := false
	err := s.db.write(ctx, func(t tx) error {
		err := s.change(ctx, t, c)
		if fenced = errors.Is(err, pager.ErrFenced); fenced {
			return s.late(ctx, t, c)
		}
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("save page %s: %w", c.Hold.Page, err)
	case fenced:
		return pager.ErrFenced
	}
	return nil
}

// change writes a page as it is now, if it is held. One that has ended is written again by whoever ended it, until
// somebody else amends it.
func (s *Store) change(ctx context.Context, t tx, c *pager.Change) error {
	p := &c.Page
	owner, due, now := c.Gateway, int64(0), int64(0)
	if c.HandOver || slices.ContainsFunc(c.Freed, func(f pager.Freed) bool { return !f.Rest.IsZero() }) {
		var err error
		if now, err = t.now(ctx); err != nil {
			return err
		}
	}
	if c.HandOver {
		owner, due = "", max(1, s.there(c.Due, now))
	}
	askers, shown := 0, 0 // askers that are kept already; another gateway shows the page
	held, err := one(ctx, t, []any{&askers, &shown}, `update page set version = $1, title = $2, message = $3, state = $4, result = $5, late = $6, ended = $7,
			waits_for = $8, waits_line = $9, rounds = $10, stopped = $11, owner = $12, due = $13, progress = coalesce($14, progress), paused = $18
		where id = $15 and owner = $16 and token = $17 and (state <> 'ended' or version <= $1)
		returning (select count(*) from asker where asker.page = page.id), case when reporter in ('', $16) then 0 else 1 end`,
		p.Version, text(p.Title), text(p.Message), string(p.State), string(p.Result), p.Late, micro(p.Ended),
		micro(p.WaitsFor), text(p.WaitsLine), p.Rounds, text(p.Stopped), owner, due, c.Progress,
		c.Hold.Page, c.Gateway, c.Token, p.Paused)
	if err != nil {
		return err
	}
	if !held {
		return pager.ErrFenced
	}
	putAskers(ctx, t, p, askers, 0)
	putTargets(ctx, t, p, 0)
	putSteps(ctx, t, p, c.From, c.Token)
	s.free(ctx, t, c.Freed, now)
	for _, id := range c.Taken {
		t.put(ctx, "delete from message where id = $1 and page = $2", id, c.Hold.Page)
	}
	if p.State == telgate.PageEnded {
		t.put(ctx, "update page set course = null, progress = null where id = $1", c.Hold.Page) // nobody goes on with it
		sum(ctx, t, p)
	}
	if c.HandOver || shown > 0 {
		t.tell(ctx, string(c.Hold.Page))
	}
	return nil
}

// free lets go of phones and lines, of those that their calls still hold.
func (s *Store) free(ctx context.Context, t tx, freed []pager.Freed, now int64) {
	for _, f := range freed {
		if f.Rest.IsZero() {
			t.put(ctx, "delete from phone where number = $1 and call = $2", text(f.Number), f.Call)
		} else {
			t.put(ctx, "update phone set until = $1 where number = $2 and call = $3", s.there(f.Rest, now), text(f.Number), f.Call)
		}
		t.put(ctx, "delete from slot where call = $1 and number = $2", f.Call, text(f.Number))
	}
}

// late keeps what became of the calls that this hold began, though others go on with the page: only a call that ended
// meanwhile, or was taken for lost. A confirmation goes to them as a message.
func (s *Store) late(ctx context.Context, t tx, c *pager.Change) error {
	for i := range c.Page.Steps {
		step := &c.Page.Steps[i]
		if i < c.From || step.Call == nil || step.Call.Outcome == "" {
			continue
		}
		call := step.Call
		kept, err := t.exec(ctx, `update call set state = $1, outcome = $2, detail = $3, dialed = $4, ended = $5, facts = $6, answered = $10
			where page = $7 and id = $8 and token = $9 and outcome in ('', 'lost')`,
			string(call.State), string(call.Outcome), string(call.Detail), micro(call.Times.Dialed), micro(call.Times.Ended),
			encode(factsOf(step)), c.Hold.Page, call.Call, c.Token, micro(call.Times.Answered))
		if err != nil {
			return err
		}
		if kept == 0 || call.Outcome == telgate.OutcomeLost {
			continue
		}
		t.put(ctx, "update page set summed = 0 where id = $1", c.Hold.Page) // it may have ended meanwhile
		if call.Reached() {
			if err := s.tellLate(ctx, t, c.Hold.Page, call); err != nil {
				return err
			}
		}
	}
	now, err := t.now(ctx)
	if err != nil {
		return err
	}
	s.free(ctx, t, c.Freed, now)
	return nil
}

// tellLate leaves a confirmation to whoever has the page. Where it has ended and its owner is gone, it is claimed once more.
func (s *Store) tellLate(ctx context.Context, t tx, page telgate.PageID, call *telgate.Call) error {
	now, err := t.now(ctx)
	if err != nil {
		return err
	}
	s.put(ctx, t, &pager.Message{Page: page, At: call.Times.Ended, Late: call})
	t.put(ctx, `update page set owner = '', due = $1 where id = $2 and state = 'ended'
		and not exists (select 1 from gateway where gateway.id = page.owner)`, now, page)
	return nil
}
