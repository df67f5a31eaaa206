package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telgate/pager"
)

// errNotGranted takes back what a transaction did.
var errNotGranted = errors.New("not granted")

// Begin enters a call, and takes its phone and a line of its trunk: see [pager.Ledger]. A call that was entered already is
// granted again.
func (s *Store) Begin(ctx context.Context, b *pager.Beginning) (pager.Grant, error) {
	var grant pager.Grant
	fenced := false
	err := s.db.write(ctx, func(t tx) error {
		err := s.change(ctx, t, &b.Change)
		if fenced = errors.Is(err, pager.ErrFenced); fenced {
			return s.late(ctx, t, &b.Change)
		}
		if err != nil {
			return err
		}
		if grant, err = s.grant(ctx, t, b); err == nil && grant.Verdict != pager.Granted {
			err = errNotGranted
		}
		return err
	})
	switch {
	case errors.Is(err, errNotGranted):
		return grant, nil
	case err != nil:
		return pager.Grant{}, fmt.Errorf("begin call %s: %w", b.Call, err)
	case fenced:
		return pager.Grant{}, pager.ErrFenced
	}
	return grant, nil
}

func (s *Store) grant(ctx context.Context, t tx, b *pager.Beginning) (pager.Grant, error) {
	again, err := s.began(ctx, t, b)
	if again || err != nil {
		return pager.Grant{}, err
	}
	now, err := t.now(ctx)
	if err != nil {
		return pager.Grant{}, err
	}
	if grant, err := s.phone(ctx, t, b, now); err != nil || grant.Verdict != pager.Granted {
		return grant, err
	}
	if b.PerNumber > 0 {
		rung, err := s.rung(ctx, t, b.Number, now)
		if err != nil || rung >= b.PerNumber {
			return pager.Grant{Verdict: pager.GrantPhoneOver}, err
		}
	}
	if b.Counts {
		t.put(ctx, "delete from rung where number = $1 and at <= $2", text(b.Number), now-kept)
		t.put(ctx, "insert into rung (number, call, at, nicks) values ($1, $2, $3, $4) on conflict (number, call) do nothing",
			text(b.Number), b.Call, now, text(encode(b.Nicks)))
	}
	return s.line(ctx, t, b, now)
}

// began tells whether the call was entered before, by a try whose answer did not come back.
func (s *Store) began(ctx context.Context, t tx, b *pager.Beginning) (bool, error) {
	var call string
	return one(ctx, t, []any{&call}, `select slot.call from slot join phone on phone.number = slot.number and phone.call = slot.call
		where slot.call = $1 and slot.number = $2 and slot.trunk = $3 and slot.until = 0 and phone.until = 0`,
		b.Call, text(b.Number), b.Trunk)
}

// phone takes the phone. A row whose time is over is free, and so is the page's own.
func (s *Store) phone(ctx context.Context, t tx, b *pager.Beginning, now int64) (pager.Grant, error) {
	taken, err := t.exec(ctx, `insert into phone (number, page, call, gateway, ring_until, until) values ($1, $2, $3, $4, $5, 0)
		on conflict (number) do update set page = excluded.page, call = excluded.call, gateway = excluded.gateway,
			ring_until = excluded.ring_until, until = 0
		where phone.until between 1 and $6 or phone.until = 0 and phone.page = excluded.page`,
		text(b.Number), b.Hold.Page, b.Call, b.Gateway, max(1, s.there(b.RingUntil, now)), now)
	if err != nil || taken == 1 {
		return pager.Grant{}, err
	}
	var ring, rest int64
	if _, err := one(ctx, t, []any{&ring, &rest}, "select ring_until, until from phone where number = $1", text(b.Number)); err != nil {
		return pager.Grant{}, err
	}
	if rest > 0 {
		return pager.Grant{Verdict: pager.GrantPhoneRests, Until: s.here(rest, now)}, nil
	}
	return pager.Grant{Verdict: pager.GrantPhoneBusy, Until: s.here(ring, now)}, nil
}

// line takes a line of the trunk, and then its turn. Whoever has the trunk's row locked counts: a count in the statement that
// waits for the lock would see what was before it.
func (s *Store) line(ctx context.Context, t tx, b *pager.Beginning, now int64) (pager.Grant, error) {
	if b.Lines.Calls > 0 || b.Lines.PerSecond > 0 {
		if grant, err := s.limited(ctx, t, b); err != nil || grant.Verdict != pager.Granted {
			return grant, err
		}
	}
	t.put(ctx, `insert into slot (call, number, trunk, gateway, ring_until, until) values ($1, $2, $3, $4, $5, 0)
		on conflict (call, number) do update set trunk = excluded.trunk, gateway = excluded.gateway, ring_until = excluded.ring_until, until = 0`,
		b.Call, text(b.Number), b.Trunk, b.Gateway, max(1, s.there(b.RingUntil, now)))
	return pager.Grant{}, nil
}

func (s *Store) limited(ctx context.Context, t tx, b *pager.Beginning) (pager.Grant, error) {
	var next int64
	t.put(ctx, "insert into trunk (name, next) values ($1, 0) on conflict (name) do nothing", b.Trunk)
	if _, err := one(ctx, t, []any{&next}, "select next from trunk where name = $1"+s.db.words().forUpdate, b.Trunk); err != nil {
		return pager.Grant{}, err
	}
	now, err := t.now(ctx) // the lock may have taken a while
	if err != nil {
		return pager.Grant{}, err
	}
	if b.Lines.Calls > 0 {
		var calls int
		_, err := one(ctx, t, []any{&calls}, `select count(*) from slot where trunk = $1 and (until = 0 or until > $2)
			and not (call = $3 and number = $4)`, b.Trunk, now, b.Call, text(b.Number))
		if err != nil || calls >= b.Lines.Calls {
			return pager.Grant{Verdict: pager.GrantNoLine}, err
		}
	}
	if b.Lines.PerSecond > 0 {
		if next > now {
			return pager.Grant{Verdict: pager.GrantLineLater, Until: s.here(next, now)}, nil
		}
		period := time.Duration(float64(time.Second) / b.Lines.PerSecond)
		t.put(ctx, "update trunk set next = $1 where name = $2", now+period.Microseconds(), b.Trunk)
	}
	return pager.Grant{}, nil
}
