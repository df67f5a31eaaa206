package main

import (
	"context"
	"os"
	"slices"

	"telgate"
	"telgate/pager"
	"telgate/web"
)

// desk is the gateway as its API sees it.
type desk struct {
	gateway  *gateway
	stopping func() bool
}

// Page finds a page; nil where there is none.
func (d *desk) Page(ctx context.Context, id telgate.PageID) (*telgate.Page, error) {
	return d.gateway.pager.Page(ctx, id)
}

// Running are the pages that have not ended.
func (d *desk) Running(ctx context.Context) ([]telgate.Page, error) { return d.gateway.running(ctx) }

// Follow gives the events of a page.
func (d *desk) Follow(ctx context.Context, id telgate.PageID) <-chan telgate.Event {
	return d.gateway.pager.Follow(ctx, id)
}

// History finds pages among those that the pager keeps.
func (d *desk) History(ctx context.Context, q web.HistoryQuery) (found []telgate.Page, err error) {
	all, err := d.gateway.pager.Pages(ctx)
	for _, p := range all {
		if len(found) < q.Limit && asked(p, q) {
			found = append(found, p)
		}
	}
	return found, err
}

// Summaries are the same pages in short.
func (d *desk) Summaries(ctx context.Context, q web.HistoryQuery) ([]telgate.Summary, error) {
	found, err := d.History(ctx, q)
	all := make([]telgate.Summary, len(found))
	for i := range found {
		all[i] = found[i].Summary()
	}
	return all, err
}

func asked(p telgate.Page, q web.HistoryQuery) bool {
	return !p.Accepted.Before(q.Since) && (q.Until.IsZero() || p.Accepted.Before(q.Until)) && (q.Result == "" || p.Result == q.Result) &&
		(q.Person == "" || slices.ContainsFunc(p.Targets, func(t telgate.Target) bool { return t.Nick == q.Person }))
}

// Status is how the gateway stands.
func (d *desk) Status(ctx context.Context) web.Status {
	g := d.gateway
	s := web.Status{
		Gateway: g.cfg.Gateway.Name, Version: version, PID: os.Getpid(), Started: g.house.started.UTC(), Config: g.cfg.File.Path(),
		State: web.Serving, Store: g.estate.name(g.cfg), Slack: g.health(true).Parts["slack"], Trunks: []web.TrunkStatus{}, Pages: []web.PageStatus{},
	}
	if p, _ := g.Paused(); p != nil {
		s.State, s.Paused = web.Paused, p
	}
	if d.stopping() {
		s.State = web.Draining
	}
	states, registrars := g.pager.Trunks(), g.estate.registrars(ctx)
	for _, t := range g.live.now().trunks {
		h := t.Health()
		trunk := web.TrunkStatus{Trunk: t.Name(), State: string(h.State), Problem: h.Failure, RegisteredBy: registrars[t.Name()].Holder}
		if i := slices.IndexFunc(states, func(s pager.TrunkState) bool { return s.Name == t.Name() }); i >= 0 {
			trunk.Calls, trunk.Waiting = states[i].Calls, states[i].Waiting
			if states[i].Doubt != "" {
				trunk.Problem = states[i].Doubt
			}
		}
		s.Trunks = append(s.Trunks, trunk)
	}
	running, err := g.running(ctx)
	for _, p := range running {
		s.Pages = append(s.Pages, web.PageStatus{Page: p.ID, Title: p.Title, State: p.State, Accepted: p.Accepted.UTC(), Asker: p.Askers[0].ID})
	}
	s.Warnings = slices.Clone(g.cfg.Warnings)
	if err != nil {
		s.Warnings = append(s.Warnings, err.Error())
	}
	for _, m := range g.pager.Mutes() {
		s.Mutes = append(s.Mutes, web.MuteLineOf(m))
	}
	var warnings []string
	s.Gateways, warnings = g.estate.gateways(ctx, g.cfg)
	s.Warnings = append(s.Warnings, warnings...)
	return s
}

// Reload takes the configuration anew.
func (d *desk) Reload(ctx context.Context, by telgate.Actor) (web.Reloaded, error) {
	return d.gateway.reload(ctx, by, telgate.FromSocket)
}

// running are the pages that have not ended, newest first.
func (g *gateway) running(ctx context.Context) ([]telgate.Page, error) {
	return g.pager.Running(ctx)
}

// note keeps what was done in the audit.
func (g *gateway) note(ctx context.Context, e telgate.AuditEntry) {
	g.house.note(ctx, g.log, g.clock(), e)
}

// socket is the gateway's own socket.
func (g *gateway) socket(stopping func() bool) *web.Socket {
	d := &desk{gateway: g, stopping: stopping}
	ports := web.Ports{
		Pages: &audited{pages: g.pager, from: telgate.FromSocket, note: g.note}, Feed: d, Gateway: d, History: d,
		Switch: &killSwitch{gateway: g, from: telgate.FromSocket}, Keeper: g.house.keeper, Audit: g.house.audit,
		Covers: &auditedCovers{live: g.live, from: telgate.FromSocket, note: g.note},
		Mutes:  &muting{gateway: g, from: telgate.FromSocket},
	}
	if g.house.history != nil {
		ports.History = g.house.history
	}
	api := web.NewAPI(ports, g.live.policy, g.log)
	return web.NewSocket(g.house.state, api, userName, g.log)
}
