package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"telgate"
	"telgate/config"
	"telgate/lease"
	"telgate/pager"
	"telgate/slack"
	"telgate/store"
	"telgate/web"
)

const (
	retainEvery = 6 * time.Hour
)

// estate is what a gateway has that outlives it: the store, and its lease on what is in there. Without a store pages are kept
// in memory, and nobody else is there.
type estate struct {
	store *store.Store // nil = none
	lease *lease.Lease
	log   *slog.Logger
	keep  time.Duration
	own   func() time.Time // this machine's clock

	pager   *pager.Pager
	gateway atomic.Pointer[string] // the id of this process, another one after it was taken for dead
	held    atomic.Bool            // nobody knows whether it is taken for dead
	shared  sharers                // with register_by = "lease"
}

// opener opens the store that the configuration names.
type opener func() (*store.Store, error)

// openStore is a gateway's: for a server that cannot be reached it waits, and says so.
func openStore(ctx context.Context, cfg config.Config, state string, env *environment, log *slog.Logger) opener {
	return func() (*store.Store, error) {
		return store.Open(ctx, cfg.Store.URL.Reveal(), store.Options{
			Dir: state, Now: env.now,
			Waiting: func(err error) { log.Warn("the store cannot be reached, waiting for it", "err", err) },
		})
	}
}

// books opens what pages are kept in.
func (e *estate) books(open opener, now func() time.Time) (pager.Books, error) {
	if open == nil {
		return pager.NewMemory(now), nil
	}
	s, err := open()
	if err != nil {
		return nil, err
	}
	e.store = s
	if off := s.Ahead(); off != 0 {
		e.log.Warn("the clock of this machine is wrong: the database's is used", "behind_by", off)
	}
	return s, nil
}

// by has everything go by the store's time, which all its gateways agree on.
func (e *estate) by(env *environment) *environment {
	e.own = env.now
	inner := *env
	inner.now = func() time.Time {
		if e.store == nil {
			return e.own()
		}
		return e.store.Now()
	}
	return &inner
}

// settle makes the lease of a pager whose pages are in the store.
func (e *estate) settle(cfg config.Config, p *pager.Pager, env *environment) (err error) {
	e.pager, e.keep = p, cfg.Store.Keep
	if e.store == nil {
		return nil
	}
	self := lease.Self{Name: cfg.Gateway.Name, Version: version, Config: shared(cfg)}
	e.lease, err = lease.New(self, e.store.Gateways(), e.store.Gateways(), e, lease.Usual(), lease.Env{
		Now: e.own, Log: e.log, NewID: func() (string, error) { return processID(cfg.Gateway.Name, env.rand) },
	})
	return err
}

// processID names a process of a gateway so that no other ever has the name.
func processID(gateway string, random io.Reader) (string, error) {
	var b [10]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("name the process: %w", err)
	}
	return gateway + "-" + hex.EncodeToString(b[:]), nil
}

// news is what other gateways did to pages.
func (e *estate) news() func(context.Context) <-chan telgate.PageID {
	if e.store == nil {
		return nil
	}
	return e.store.News
}

// shelf is where cards are kept.
func (e *estate) shelf() slack.Shelf {
	if e.store == nil {
		return slack.NewMemoryShelf()
	}
	return e.store.Cards(func() string { return *cmp.Or(e.gateway.Load(), new(string)) })
}

// Hold lets nothing begin: see [lease.Work].
func (e *estate) Hold() {
	e.held.Store(true)
	e.pager.Hold()
}

// Fence gives up every page.
func (e *estate) Fence(cause error) { e.pager.Fence(cause) }

// Join goes on, as the gateway with this id.
func (e *estate) Join(id string) {
	e.gateway.Store(&id)
	e.held.Store(false)
	e.pager.Join(id)
}

// enter begins the gateway's life among the others; leave ends it, after its last page.
func (e *estate) enter(ctx context.Context) (leave func(), err error) {
	if e.lease == nil {
		return func() {}, nil
	}
	if err := e.lease.Enter(ctx); err != nil {
		return nil, err
	}
	living, stop := context.WithCancel(context.WithoutCancel(ctx))
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = e.lease.Run(living) // it ends with living only
	}()
	return func() { stop(); <-over }, nil
}

// retain forgets pages that are kept long enough, until ctx is done.
func (e *estate) retain(ctx context.Context, now func() time.Time) error {
	if e.store == nil {
		return nil
	}
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	for {
		switch n, err := e.store.Prune(ctx, now().Add(-e.keep)); {
		case err != nil && ctx.Err() == nil:
			e.log.Warn("old pages not removed, trying again", "err", err, "again_in", retainEvery)
		case n > 0:
			e.log.Info("old pages removed", "pages", n, "older_than", e.keep)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// close lets go of the store.
func (e *estate) close() {
	if e.store == nil {
		return
	}
	if err := e.store.Close(); err != nil {
		e.log.Error("store not closed well", "err", err)
	}
}

// name is what status says of where pages are kept, and health how it stands.
func (e *estate) name(cfg config.Config) string {
	if e.store == nil {
		return "memory"
	}
	kind, _, _ := strings.Cut(cfg.Store.URL.Reveal(), ":")
	return kind
}

func (e *estate) health() string {
	switch {
	case e.store == nil:
		return "memory"
	case e.held.Load():
		return "cannot be reached: calls go on, nothing begins"
	}
	return "ok"
}

// gateways are those that share the store, as status shows them, and a warning where their configurations differ.
func (e *estate) gateways(ctx context.Context, cfg config.Config) (all []web.GatewayStatus, warnings []string) {
	if e.store == nil {
		return nil, nil
	}
	peers, err := e.store.Gateways().Peers(ctx)
	if err != nil {
		return nil, []string{err.Error()}
	}
	ours, self := shared(cfg), *cmp.Or(e.gateway.Load(), new(string))
	for _, p := range peers {
		g := web.GatewayStatus{Gateway: p.Name, Version: p.Version, Started: p.Started, Self: p.ID == self, Differs: p.ID != self && p.Config != ours}
		if g.Differs {
			warnings = append(warnings, "gateway "+p.Name+" has another configuration: the same page ends differently on each")
		}
		all = append(all, g)
	}
	return all, warnings
}

// shared is a digest of what all gateways of an installation should have alike: whom they call, how, and over which trunks.
func shared(cfg config.Config) string {
	type part struct{ Calls, Limits, Trunks, People, Groups, Rotas any }
	trunks := append([]config.Trunk(nil), cfg.Trunks...)
	for i := range trunks {
		trunks[i].Bind, trunks[i].Account.Password = "", config.Secret{}
		if trunks[i].Register.By == byLease {
			continue
		}
		trunks[i].Account.User, trunks[i].Account.AuthUser, trunks[i].Register.ContactUser = "", "", "" // each gateway may have its own account
	}
	text, err := json.Marshal(part{cfg.Calls, cfg.Limits, trunks, cfg.People, cfg.Groups, cfg.Rotas})
	if err != nil { // structs of strings and numbers always marshal
		panic("telgate: the configuration does not marshal: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
