package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telgate"
	"telgate/pager"
)

// hour is the time of the hourly limits.
const hour = int64(time.Hour / time.Microsecond)

// Accept keeps a page, repeats an answer, joins or refuses: see [pager.Ledger]. A gateway that is not entered gets
// [pager.ErrFenced]: nobody would notice that it is dead.
func (s *Store) Accept(ctx context.Context, a *pager.Acceptance) (pager.Accepted, error) {
	var answer pager.Accepted
	err := s.db.write(ctx, func(t tx) error {
		var err error
		answer, err = s.accept(ctx, t, a)
		return err
	})
	if err != nil && !errors.Is(err, pager.ErrFenced) {
		return pager.Accepted{}, fmt.Errorf("keep the page: %w", err)
	}
	return answer, err
}

func (s *Store) accept(ctx context.Context, t tx, a *pager.Acceptance) (answer pager.Accepted, err error) {
	names := []string{"asker " + firstAsker(&a.Page), "key " + a.Key}
	for _, g := range a.Page.Targets {
		names = append(names, "person "+g.Nick)
	}
	if err := t.lock(ctx, names...); err != nil { // whoever asks for the same at the same time waits here
		return answer, err
	}
	if err := s.alive(ctx, t, a.Gateway); err != nil {
		return answer, err
	}
	if answer, known, err := s.repeated(ctx, t, a); known || err != nil {
		return answer, err
	}
	now, err := t.now(ctx)
	if err != nil {
		return answer, err
	}
	if answer, joined, err := s.join(ctx, t, a, now); joined || err != nil {
		return answer, err
	}
	over, err := s.over(ctx, t, a, now)
	if err != nil || over != pager.AcceptNew {
		return pager.Accepted{Verdict: over}, err
	}
	p := &a.Page
	_, err = t.exec(ctx, `insert into page (id, version, title, message, state, result, late, accepted, entered, ended, waits_for,
		waits_line, rounds, stopped, owner, token, due, course, progress, paused, side_by_side, roll_call, forced)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, $17, null, $18, $19, $20, $21)`,
		p.ID, p.Version, text(p.Title), text(p.Message), string(p.State), string(p.Result), p.Late, micro(p.Accepted), now,
		micro(p.Ended), micro(p.WaitsFor), text(p.WaitsLine), p.Rounds, text(p.Stopped), a.Gateway, a.Token, a.Course, p.Paused,
		p.Way.All, p.Way.RollCall, text(p.Forced))
	if err != nil {
		return answer, err
	}
	putAskers(ctx, t, p, 0, now)
	putTargets(ctx, t, p, now)
	putSteps(ctx, t, p, 0, a.Token)
	answer = pager.Accepted{Verdict: pager.AcceptNew, Receipt: telgate.Receipt{Page: p.ID, Words: p.Title}}
	s.remember(ctx, t, a.Key, answer.Receipt, now)
	return answer, nil
}

func firstAsker(p *telgate.Page) string {
	if len(p.Askers) == 0 {
		return ""
	}
	return text(p.Askers[0].ID)
}

// alive keeps the gateway from being buried until the transaction is over.
func (s *Store) alive(ctx context.Context, t tx, gateway string) error {
	var id string
	found, err := one(ctx, t, []any{&id}, "select id from gateway where id = $1"+s.db.words().keyShare, gateway)
	if err == nil && !found {
		return pager.ErrFenced
	}
	return err
}

// repeated finds the first answer to a request: by its key, or by the page's id where nobody knew whether it was kept.
func (s *Store) repeated(ctx context.Context, t tx, a *pager.Acceptance) (pager.Accepted, bool, error) {
	answer := pager.Accepted{Verdict: pager.AcceptRepeated}
	r := &answer.Receipt
	if a.Key != "" {
		found, err := one(ctx, t, []any{&r.Page, &r.Joined, &r.Words}, "select page, joined, words from seen where key = $1", text(a.Key))
		if found || err != nil {
			return answer, found, err
		}
	}
	found, err := one(ctx, t, []any{&r.Page, &r.Words}, "select id, title from page where id = $1", a.Page.ID)
	return answer, found, err
}

// remember keeps the first answer.
func (s *Store) remember(ctx context.Context, t tx, key string, r telgate.Receipt, now int64) {
	if key != "" {
		t.put(ctx, "insert into seen (key, page, joined, words, at) values ($1, $2, $3, $4, $5)", text(key), r.Page, r.Joined, text(r.Words), now)
	}
}

// join adds the asker to a page that runs for all of these people.
func (s *Store) join(ctx context.Context, t tx, a *pager.Acceptance, now int64) (pager.Accepted, bool, error) {
	answer := pager.Accepted{Verdict: pager.AcceptJoined}
	if len(a.Page.Targets) == 0 || len(a.Page.Askers) == 0 {
		return answer, false, nil
	}
	if storm, err := s.storm(ctx, t, a, now); err != nil || !a.Join && !storm {
		return answer, false, err
	}
	nicks := make([]string, len(a.Page.Targets))
	for i, g := range a.Page.Targets {
		nicks[i] = text(g.Nick)
	}
	r := &answer.Receipt
	found, err := one(ctx, t, []any{&r.Page, &r.Words}, `select page.id, page.title from page join (
			select target.page as id from target where target.open and target.nick `+s.db.words().among+`
			group by target.page having count(distinct target.nick) = $2
		) same on same.id = page.id where page.state <> 'ended' and page.result = '' order by page.entered desc, page.id desc limit 1`,
		s.db.words().list(nicks), distinct(nicks))
	if !found || err != nil {
		return answer, false, err
	}
	r.Joined = true
	left, err := s.leave(ctx, t, &pager.Message{Page: r.Page, At: a.Page.Accepted, Join: &a.Page.Askers[0]}, now)
	if !left || err != nil {
		return answer, false, err
	}
	s.remember(ctx, t, a.Key, *r, now)
	return answer, true, nil
}

func distinct(words []string) int {
	seen := map[string]bool{}
	for _, w := range words {
		seen[w] = true
	}
	return len(seen)
}

// storm tells whether one of the people was paged so often lately that this request joins.
func (s *Store) storm(ctx context.Context, t tx, a *pager.Acceptance, now int64) (bool, error) {
	if a.Storm == 0 || a.Join {
		return false, nil
	}
	for _, g := range a.Page.Targets {
		var pages int
		_, err := one(ctx, t, []any{&pages}, "select count(*) from target where nick = $1 and entered > $2",
			text(g.Nick), now-a.Within.Microseconds())
		if err != nil || pages >= a.Storm {
			return err == nil, err
		}
	}
	return false, nil
}

// over tells which hourly limit refuses the page, AcceptNew if none.
func (s *Store) over(ctx context.Context, t tx, a *pager.Acceptance, now int64) (pager.AcceptVerdict, error) {
	if a.PerNumber > 0 && len(a.Numbers) > 0 {
		full := true
		for _, number := range a.Numbers {
			rung, err := s.rung(ctx, t, number, now)
			if err != nil {
				return 0, err
			}
			full = full && rung >= a.PerNumber
		}
		if full {
			return pager.AcceptNumbersOver, nil
		}
	}
	if a.PerAsker > 0 {
		var pages int
		_, err := one(ctx, t, []any{&pages}, "select count(*) from asker where n = 0 and actor = $1 and entered > $2",
			firstAsker(&a.Page), now-hour)
		if err != nil || pages >= a.PerAsker {
			return pager.AcceptAskerOver, err
		}
	}
	return pager.AcceptNew, nil
}

// rung is how many calls a number had within the last hour.
func (s *Store) rung(ctx context.Context, t tx, number string, now int64) (int, error) {
	var calls int
	_, err := one(ctx, t, []any{&calls}, "select count(*) from rung where number = $1 and at > $2", text(number), now-hour)
	return calls, err
}
