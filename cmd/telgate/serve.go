package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"telgate/config"
	"telgate/web"
)

const (
	openLimit   = 4 * time.Second // for trunks to open before commands are taken; a name may take three to resolve
	sipPort     = 5060            // of serve, where no bind names another
	hangupLimit = 5 * time.Second // for CANCEL and BYE to be answered when calls are cut off
)

// serveCmd runs the gateway.
type serveCmd struct{}

// Help is shown below the flags.
func (serveCmd) Help() string {
	return `The first SIGTERM or SIGINT drains: commands are refused, calls in progress end by themselves, no further number is rung.
A second one hangs up. Either way every card in Slack shows how its page ended. SIGHUP reads the configuration again, as telgate
reload does.`
}

// serveRules are the rules of the gateway.
func serveRules() rules {
	return rules{limits: true, port: sipPort, slack: true, keeps: keepsAll, register: registerFull, probe: true}
}

// Run is the command.
func (serveCmd) Run(a *app) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	log, err := a.logger(cfg.Log)
	if err != nil {
		return err
	}
	state := a.stateDir(cfg)
	lock, err := lockState(state)
	if errors.Is(err, errLocked) {
		return withStatus(exitRefused, fmt.Errorf("another gateway runs on %s: stop it first, or give this one its own gateway.state_dir", state))
	}
	if err != nil {
		return withStatus(exitUsage, err)
	}
	defer func() { _ = lock.Unlock() }() // the kernel frees it in any case
	signals, done := a.env.signals()
	defer done()
	g, err := a.wired(cfg, state, signals, log)
	if g == nil {
		return err
	}
	defer g.estate.close()
	if g.house, err = openHouse(state, a, g.estate, log); err != nil {
		return withStatus(exitUsage, err)
	}
	g.house.keepIn(g.estate.store)
	if err := g.house.shareBrake(a.ctx, g.estate.store); err != nil {
		return err
	}
	for _, w := range cfg.Warnings {
		log.Warn("configuration", "warning", w)
	}
	if g.slack == nil {
		log.Warn("slack is off: this gateway takes commands from its own machine only", "fix", `slack.mode = "socket"`)
	}
	g.recall(a.ctx, log)
	g.freshen(a.ctx)
	return g.runRooms(a.ctx, func(ctx context.Context) error { return g.serve(ctx, a.env, log, signals) })
}

// wired is the gateway, once its store is there; nil without an error where a signal ended the wait for it.
func (a *app) wired(cfg config.Config, state string, signals <-chan os.Signal, log *slog.Logger) (*gateway, error) {
	ctx, cancel := context.WithCancel(a.ctx)
	stop, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for {
			select {
			case s := <-signals:
				if s != syscall.SIGHUP { // there is nothing that could be read again
					cancel()
					return
				}
			case <-stop:
				return
			}
		}
	}()
	r := serveRules()
	r.store = openStore(ctx, cfg, state, a.env, log)
	g, err := build(cfg, a.env, log, r)
	close(stop)
	<-over
	stopped := ctx.Err() != nil && a.ctx.Err() == nil
	cancel()
	if !stopped {
		return g, err
	}
	if g != nil {
		g.estate.close()
	}
	log.Info("gateway stopped before it served")
	return nil, nil //nolint:nilnil // it was told to end, and nothing is wrong
}

// serve takes pages until a signal comes, and stops in phases: intake closes, calls in progress end, Slack is told how,
// and only then do the rooms below stop.
func (g *gateway) serve(ctx context.Context, env *environment, log *slog.Logger, signals <-chan os.Signal) error {
	pages, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	leave, err := g.estate.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	g.pager.Start(pages)
	front, stopFront := context.WithCancel(context.WithoutCancel(ctx))
	defer stopFront()
	var stopping atomic.Bool
	group, front := errgroup.WithContext(front)
	if g.cfg.Web.Listen != "" {
		server := web.New(g.cfg.Web.Listen, func() web.Health { return g.health(!stopping.Load()) }, g.slackHandler(), log, env.listen)
		group.Go(func() error { return server.Run(front) })
		select {
		case <-server.Listening():
		case <-front.Done(): // it cannot; Wait has the reason
		}
	}
	group.Go(func() error { return g.live.runPeople(front) })
	group.Go(func() error { return g.estate.retain(front, env.now) })
	if g.estate.store != nil && g.house != nil {
		group.Go(func() error { g.house.brake.follow(front, g.estate.store.News(front), log); return nil })
	}
	g.openTrunks(ctx) // a command that came before would find no line
	if g.slack != nil {
		group.Go(func() error { return g.slack.Run(front) })
	}
	if g.house != nil {
		g.openDoor(ctx, front, group, stopping.Load)
	}
	if front.Err() == nil {
		logTrunks(g.trunks, log)
		log.Info("gateway serves", "config", g.cfg.File.Path(), "name", g.cfg.Gateway.Name, "version", version, "trunks", len(g.trunks), "people", len(g.people.People()),
			"slack", g.cfg.Slack.Mode, "web", g.cfg.Web.Listen)
	}
	g.untilStopped(ctx, front, signals, log)
	stopping.Store(true)
	if g.slack != nil {
		g.slack.Refuse()
	}
	resigned := g.estate.resign(ctx)
	g.drain(ctx, signals, hangUp, log)
	resigned()
	stopFront()
	err = group.Wait()
	log.Info("gateway stopped")
	return err
}

// logTrunks names the address of each trunk that is open: it has to be let through by firewalls, and known to the peer.
func logTrunks(all []*trunk, log *slog.Logger) {
	for _, t := range all {
		if at := t.Listens(); at.IsValid() {
			log.Info("trunk listens", "trunk", t.Name(), "address", at.String())
		}
	}
}

// untilStopped serves until a signal asks for the end.
func (g *gateway) untilStopped(ctx, front context.Context, signals <-chan os.Signal, log *slog.Logger) {
	for {
		select {
		case s := <-signals:
			if s == syscall.SIGHUP {
				if s = g.hangup(ctx, signals); s == nil {
					continue
				}
			}
			log.Info("gateway drains; a second signal hangs up", "signal", s.String())
		case <-ctx.Done():
		case <-front.Done(): // a part that cannot work ended them all
		}
		return
	}
}

// openDoor opens the gateway's socket, and takes in what was noted while there was no gateway.
func (g *gateway) openDoor(ctx, front context.Context, group *errgroup.Group, stopping func() bool) {
	if n, err := g.house.takeDirectNotes(ctx); err != nil {
		g.log.Warn("notes of direct calls not taken into the audit", "taken", n, "err", err)
	} else if n > 0 {
		g.log.Info("notes of direct calls taken into the audit", "taken", n)
	}
	if p, _ := g.Paused(); p != nil {
		g.log.Warn("calling is paused, as before the start", "by", p.By, "since", p.At, "why", p.Why)
	}
	socket := g.socket(stopping)
	group.Go(func() error { return socket.Run(front) })
	select {
	case <-socket.Listening():
	case <-front.Done(): // it cannot; Wait has the reason
	}
}

// openTrunks waits until trunks are open or have failed to, but never long: one of them may be of no use.
func (g *gateway) openTrunks(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	g.ready(ctx)
}

// drain lets calls in progress end; a signal, or the end of the patience, hangs them up.
func (g *gateway) drain(ctx context.Context, signals <-chan os.Signal, hangUp func(), log *slog.Logger) {
	patience, cancel := context.WithTimeout(ctx, g.live.drainLimit())
	defer cancel()
	over := make(chan struct{})
	go func() {
		defer close(over)
		g.pager.Drain(patience)
	}()
	for drained := false; !drained; {
		select {
		case <-over:
			drained = true
		case s := <-signals:
			if s != syscall.SIGHUP { // too late to read a configuration
				log.Info("gateway hangs up", "signal", s.String())
				cancel()
			}
		}
	}
	hangUp()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangupLimit)
	defer cancel()
	g.pager.Drain(last)
}

func (g *gateway) slackHandler() http.Handler {
	if g.slack == nil || g.cfg.Slack.Mode != "http" {
		return nil
	}
	return g.slack.Handler()
}

// health is what /healthz says: ready while pages are taken.
func (g *gateway) health(ready bool) web.Health {
	h := web.Health{Ready: ready, Parts: map[string]string{"pager": "accepts"}}
	if !ready {
		h.Parts["pager"] = "drains"
	}
	for _, t := range g.pager.Trunks() {
		if t.Doubt != "" {
			h.Parts["trunk "+t.Name] = t.Doubt
		}
	}
	for _, s := range g.live.Sources() {
		if s.Stale || s.Fetched.IsZero() {
			h.Parts["source "+s.Of] = "is stale: " + cmp.Or(s.Problem, "not read")
		}
	}
	if h.Parts["store"] = g.estate.health(); g.estate.held.Load() {
		h.Ready = false
	}
	h.Parts["slack"] = "off"
	if g.slack != nil {
		h.Parts["slack"] = "connected"
		if p := g.slack.Health().Problem; p != "" {
			h.Parts["slack"], h.Ready = p, false
		}
	}
	return h
}
