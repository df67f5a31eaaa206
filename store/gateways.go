package store

import (
	"context"
	"fmt"
	"slices"

	"telgate/lease"
)

// Gateways are the rows of the gateways that run: a lease.Register and lease.Peers.
type Gateways struct{ s *Store }

// Gateways are those of this store.
func (s *Store) Gateways() Gateways { return Gateways{s} }

// Enter begins a gateway's row.
func (g Gateways) Enter(ctx context.Context, self lease.Self) error {
	err := g.s.db.write(ctx, func(t tx) error {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		t.put(ctx, "insert into gateway (id, name, version, config, beats, started, seen) values ($1, $2, $3, $4, 0, $5, $5)",
			self.ID, text(self.Name), text(self.Version), text(self.Config), now)
		return nil
	})
	if err != nil {
		return fmt.Errorf("enter the gateway: %w", err)
	}
	return nil
}

// Beat says that a gateway lives. False: others took it for dead.
func (g Gateways) Beat(ctx context.Context, id string) (bool, error) {
	var beaten int64
	err := g.s.db.write(ctx, func(t tx) error {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		g.s.noteClock(now)
		beaten, err = t.exec(ctx, "update gateway set beats = beats + 1, seen = $1 where id = $2", now, id)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("say that the gateway lives: %w", err)
	}
	return beaten == 1, nil
}

// Leave takes a gateway's row out. What it still had is nobody's then, as if it had been buried.
func (g Gateways) Leave(ctx context.Context, id string) error {
	err := g.s.db.write(ctx, func(t tx) error {
		if _, err := t.exec(ctx, "delete from gateway where id = $1", id); err != nil {
			return err
		}
		return g.s.orphan(ctx, t, id)
	})
	if err != nil {
		return fmt.Errorf("take the gateway out: %w", err)
	}
	return nil
}

// Peers are all gateways.
func (g Gateways) Peers(ctx context.Context) ([]lease.Peer, error) {
	var peers []lease.Peer
	err := g.s.db.read(ctx, func(t tx) error {
		peers = nil
		return t.rows(ctx, func(scan scan) error {
			var p lease.Peer
			var started int64
			if err := scan(&p.ID, &p.Name, &p.Version, &p.Config, &p.Beats, &started); err != nil {
				return err
			}
			p.Started = moment(started)
			peers = append(peers, p)
			return nil
		}, "select id, name, version, config, beats, started from gateway order by started, id")
	})
	if err != nil {
		return nil, fmt.Errorf("look at the gateways: %w", err)
	}
	return peers, nil
}

// Bury takes a gateway for dead if its beats stand still: see [lease.Peers].
func (g Gateways) Bury(ctx context.Context, p lease.Peer) (bool, error) {
	buried := false
	err := g.s.db.write(ctx, func(t tx) error {
		gone, err := t.exec(ctx, "delete from gateway where id = $1 and beats = $2", p.ID, p.Beats)
		if buried = gone == 1; err != nil || !buried {
			return err
		}
		return g.s.orphan(ctx, t, p.ID)
	})
	if err != nil {
		return false, fmt.Errorf("take over from gateway %s: %w", p.Name, err)
	}
	return buried, nil
}

// orphan makes a gateway's pages nobody's. Its calls are lost, and what they held is kept until nothing can ring any more.
// Pages come first: who begins a call has its page locked, and either is seen here or finds itself fenced.
func (s *Store) orphan(ctx context.Context, t tx, gateway string) error {
	now, err := t.now(ctx)
	if err != nil {
		return err
	}
	var pages []string
	err = t.rows(ctx, func(scan scan) error {
		var id string
		err := scan(&id)
		pages = append(pages, id)
		return err
	}, `update page set owner = '', due = $1, version = version + 1 where owner = $2 and state <> 'ended' returning id`, now, gateway)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(pages, chunk) {
		t.put(ctx, `update call set outcome = 'lost', detail = 'may_have_rung', state = 'ended', ended = $2
			where page `+s.db.words().among+` and outcome = '' and id <> ''`, s.db.words().list(some), now)
	}
	t.put(ctx, "update phone set until = ring_until where gateway = $1 and until = 0", gateway)
	t.put(ctx, "update slot set until = ring_until where gateway = $1 and until = 0", gateway)
	t.put(ctx, `update page set owner = '', due = $1 where owner = $2 and state = 'ended' and id in (select page from message)`, now, gateway)
	t.tell(ctx, "")
	return nil
}
