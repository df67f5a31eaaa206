package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"telgate"
	"telgate/store"
	"telgate/web"
	"telgate/web/client"
)

// archive is where history is read: a gateway, or the store where none runs.
type archive interface {
	History(ctx context.Context, q web.HistoryQuery, f client.Form, each func(page []byte) error) error
	Page(ctx context.Context, id telgate.PageID, f client.Form) ([]byte, error)
	Audit(ctx context.Context, since, until time.Time, limit int, each func(entry []byte) error) error
}

// withoutGateway reads what is stored while no gateway runs on this machine: what happened is asked for in the hour in which
// the gateway is broken. It answers false where there is nothing that it could or may read.
func (a *app) withoutGateway(tell func(archive) error) (bool, error) {
	if a.cli.Server != "" {
		return false, nil
	}
	cfg, err := a.readConfig(true)
	if err != nil || missing(cfg, "store") {
		return false, nil //nolint:nilerr // that no gateway answers is the reason to be told
	}
	state := a.stateDir(cfg)
	if running, err := gatewayRuns(state); running || err != nil {
		return false, nil //nolint:nilerr // likewise
	}
	s, err := store.Read(a.ctx, cfg.Store.URL.Reveal(), store.Options{Dir: state, Now: a.env.now})
	switch {
	case errors.Is(err, store.ErrUnused):
		return true, withStatus(exitRefused, fmt.Errorf("no gateway runs on %s, and there is nothing to show: %w", absolute(state), err))
	case err != nil:
		return true, withStatus(exitRefused, fmt.Errorf("no gateway runs on %s, and its store cannot be read: %w", absolute(state), err))
	}
	_, _ = fmt.Fprintf(a.env.err, "telgate: no gateway runs on %s: this is read from its store\n", absolute(state))
	return true, errors.Join(tell(&storeArchive{keeper: &storeKeeper{store: s}}), s.Close())
}

// storeArchive writes what is stored as a gateway does.
type storeArchive struct {
	keeper *storeKeeper
}

// History gives pages to each, newest first.
func (s *storeArchive) History(ctx context.Context, q web.HistoryQuery, f client.Form, each func(page []byte) error) error {
	if f.Short {
		all, err := s.keeper.Summaries(ctx, q)
		if err != nil {
			return err
		}
		for i := range all {
			if err := each(all[i].JSON()); err != nil {
				return err
			}
		}
		return nil
	}
	pages, err := s.keeper.History(ctx, q)
	if err != nil {
		return err
	}
	for i := range pages {
		if err := each(writtenPage(&pages[i], f)); err != nil {
			return err
		}
	}
	return nil
}

// Page is a page as it was left.
func (s *storeArchive) Page(ctx context.Context, id telgate.PageID, f client.Form) ([]byte, error) {
	page, err := s.keeper.store.Page(ctx, id)
	if err != nil {
		return nil, err
	}
	if page == nil {
		return nil, &web.Error{Reason: web.ReasonNotFound, Message: "There is no such page."}
	}
	return writtenPage(page, f), nil
}

// Audit gives entries to each, newest first.
func (s *storeArchive) Audit(ctx context.Context, since, until time.Time, limit int, each func(entry []byte) error) error {
	entries, err := s.keeper.Audit(ctx, since, until, limit)
	if err != nil {
		return err
	}
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("write an entry of the audit: %w", err)
		}
		if err := each(line); err != nil {
			return err
		}
	}
	return nil
}

func writtenPage(p *telgate.Page, f client.Form) []byte {
	if f.Trace {
		return p.TracedJSON(f.Numbers)
	}
	return p.JSON(f.Numbers)
}
