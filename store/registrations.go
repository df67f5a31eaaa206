package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"telgate/lease"
	"telgate/pager"
)

// Turns tells whose turn it is to register with trunks, where anybody ever had one. What a gateway had that is gone is nobody's.
func (g Gateways) Turns(ctx context.Context, trunks []string) (all []lease.Turn, err error) {
	err = g.s.db.read(ctx, func(t tx) error {
		all, err = g.turns(ctx, t, trunks)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look whose turn it is to register: %w", err)
	}
	return all, nil
}

func (g Gateways) turns(ctx context.Context, t tx, trunks []string) (all []lease.Turn, err error) {
	now, err := t.now(ctx)
	if err != nil {
		return nil, err
	}
	err = t.rows(ctx, func(scan scan) error {
		var one lease.Turn
		var seen int64
		err := scan(&one.Name, &one.Token, &one.Word, &one.Gateway, &one.Holder, &seen)
		if one.Gateway != "" {
			one.Silent = max(0, micros(now-seen))
		}
		all = append(all, one)
		return err
	}, `select registration.trunk, registration.token, registration.contact, coalesce(gateway.id, ''), coalesce(gateway.name, ''), coalesce(gateway.seen, 0)
		from registration left join gateway on gateway.id = registration.gateway
		where registration.trunk `+g.s.db.words().among+` order by registration.trunk`, g.s.db.words().list(trunks))
	return all, err
}

// Take gives a gateway the turns that nobody has: see [lease.Turns]. It writes only where there is one.
func (g Gateways) Take(ctx context.Context, gateway string, trunks []string) ([]lease.Turn, error) {
	all, err := g.Turns(ctx, trunks)
	if err != nil || len(vacant(trunks, all)) == 0 {
		return all, err
	}
	err = g.s.db.write(ctx, func(t tx) error {
		if err := g.s.alive(ctx, t, gateway); err != nil {
			return err
		}
		locks := make([]string, len(trunks))
		for i, trunk := range trunks {
			locks[i] = "register " + trunk
		}
		if err := t.lock(ctx, locks...); err != nil { // of two who come at once the second sees what the first one did
			return err
		}
		for _, trunk := range trunks {
			t.put(ctx, "insert into registration (trunk, gateway, token, contact) values ($1, '', 0, '') on conflict (trunk) do nothing", trunk)
			t.put(ctx, `update registration set gateway = $1, token = token + 1
				where trunk = $2 and not exists (select 1 from gateway where gateway.id = registration.gateway)`, gateway, trunk)
		}
		all, err = g.turns(ctx, t, trunks)
		return err
	})
	if errors.Is(err, pager.ErrFenced) {
		return all, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take a turn to register: %w", err)
	}
	return all, nil
}

// vacant are the trunks with which nobody registers.
func vacant(trunks []string, turns []lease.Turn) (free []string) {
	for _, trunk := range trunks {
		if !slices.ContainsFunc(turns, func(t lease.Turn) bool { return t.Name == trunk && t.Gateway != "" }) {
			free = append(free, trunk)
		}
	}
	return free
}

// Sign keeps the contact that a gateway registered, while it is its turn.
func (g Gateways) Sign(ctx context.Context, gateway, trunk, contact string) error {
	err := g.s.db.write(ctx, func(t tx) error {
		t.put(ctx, "update registration set contact = $1 where trunk = $2 and gateway = $3", text(contact), trunk, gateway)
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep what is registered: %w", err)
	}
	return nil
}

// Give makes a gateway's turns nobody's, all of them where no trunk is named.
func (g Gateways) Give(ctx context.Context, gateway string, trunks ...string) error {
	err := g.s.db.write(ctx, func(t tx) error {
		if len(trunks) == 0 {
			t.put(ctx, "update registration set gateway = '' where gateway = $1", gateway)
		}
		for _, trunk := range trunks {
			t.put(ctx, "update registration set gateway = '' where gateway = $1 and trunk = $2", gateway, trunk)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("give up the turn to register: %w", err)
	}
	return nil
}
