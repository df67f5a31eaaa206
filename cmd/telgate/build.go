package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"telgate"
	"telgate/config"
	"telgate/directory"
	"telgate/media"
	"telgate/pager"
	"telgate/plan"
	"telgate/prompts"
	"telgate/sip"
	"telgate/slack"
	"telgate/store"
	"telgate/voice"
)

// repeatPause is the silence between two rounds of a recording.
const repeatPause = 1500 * time.Millisecond

// gateway is every room, wired.
type gateway struct {
	settings // as the command began; what counts after a reload is in live

	live   *live
	log    *slog.Logger
	clock  func() time.Time
	tells  bool // of trunks that go down and up: commands that look at them once say so themselves
	engine *media.Engine
	fleet  *fleet
	yard   *yard
	pager  *pager.Pager
	slack  *slack.Slack // nil where it is off, or cannot be without a secret that is missing
	look   *look        // nil where nobody looks at messages and packets
	house  *house       // nil where the gateway has no place on disk
	estate *estate

	reloading sync.Mutex
}

// rules are how one command's gateway differs from another's.
type rules struct {
	limits bool    // hourly limits count; false breaks the glass
	port   uint16  // of SIP, where no bind names one; 0 = any
	slack  bool    // the command speaks to Slack, if the configuration does
	store  opener  // of what pages are kept in; nil = in memory
	keeps  keeping // what it does with covers and the copies of sources
	glass  bool    // it breaks the glass: a recording that cannot be used is warned about, and the built-in alert is played

	register registering
	shares   func(trunk string) *sip.Sharing // how trunks with register_by = "lease" are; nil = the command takes part in none
	others   []string                        // trunks that another gateway may be registered with: they are asked only
	probe    bool                            // trunks are asked all the time whether they are there
	look     *look                           // who looks at messages and packets
}

// registering is what a command does on trunks with register = true.
type registering int

const (
	registerNot  registering = iota // a call that breaks the glass: the gateway's own registration stays as it is
	registerAsk                     // ask which contacts there are: a gateway runs here, and a PBX may keep one only
	registerFull                    // register, and unregister at the end
)

// build wires the rooms and gathers every fault they find in the configuration.
func build(cfg config.Config, env *environment, log *slog.Logger, r rules) (*gateway, error) {
	g, faults, err := wire(cfg, env, log, r)
	if err != nil {
		return nil, fmt.Errorf("the store is not opened: %w", err)
	}
	if len(faults) > 0 {
		return nil, withStatus(exitUsage, cfg.File.Faulty(append(faults, cfg.Missing...)))
	}
	return g, nil
}

// wire makes the rooms; with faults the gateway is of no use. The error is no fault of the file: the store's own, or ours.
func wire(cfg config.Config, env *environment, log *slog.Logger, r rules) (*gateway, config.Faults, error) {
	e := &estate{log: log}
	env = e.by(env)
	if r.store != nil {
		r.shares = e.sharing
	}
	g := &gateway{log: log, clock: env.now, tells: r.probe, look: r.look, live: newLive(), fleet: newFleet(), estate: e}
	var sounds *prompts.Library
	if r.glass {
		sounds = glassSounds(&cfg, log)
	}
	var faults, f config.Faults
	g.settings, faults = newSettings(cfg, sounds, func() (*directory.Directory, config.Faults) { return newDirectory(cfg, env, r.keeps, g.estate, log) })
	rung := func(trunk, user string) { g.pager.RungBy(trunk, user) } // there is a pager before a trunk runs
	g.yard = &yard{env: env, rules: r, live: g.live, rung: rung, log: log}
	g.trunks, f = g.yard.trunks(&g.settings)
	faults = append(faults, f...)
	var err error
	if g.engine, err = media.NewEngine(media.Config{
		PortMin: cfg.Media.PortMin, PortMax: cfg.Media.PortMax, DSCP: cfg.Media.DSCP, Rand: env.rand, Now: env.now,
		Listen: env.listenPacket, Log: log,
	}); err != nil {
		faults = append(faults, telgate.Fault{Path: "media.ports", Message: err.Error()})
	}
	if len(faults) == 0 { // rooms with faults cannot be wired
		g.use(g.settings)
		switch err := g.newPager(env, r); {
		case store.ToMend(err):
			faults = append(faults, telgate.Fault{Path: "store.url", Message: err.Error()})
		case err != nil:
			g.estate.close()
			return nil, nil, err
		}
	}
	if r.slack && cfg.Slack.Mode != "off" {
		pages := &audited{pages: g.pager, from: telgate.FromSlack, note: g.note}
		people := &auditedCovers{live: g.live, from: telgate.FromSlack, note: g.note}
		g.slack, f = newSlack(cfg, pages, g.pager, people, &killSwitch{gateway: g, from: telgate.FromSlack},
			&muting{gateway: g, from: telgate.FromSlack}, g.estate.shelf(), env, log)
		faults = append(faults, f.Without(cfg.Missing)...) // check goes on without a secret, and without Slack then
	}
	return g, faults, nil
}

// newPager opens what pages are kept in, and makes the pager that works on it.
func (g *gateway) newPager(env *environment, r rules) error {
	books, err := g.estate.books(r.store, env.now)
	if err != nil {
		return err
	}
	g.pager = pager.New(g.pagerConfig(&g.settings, r.limits), g.live, g.live, books, pager.Env{
		Now: env.now, Rand: env.rand, Log: g.log, Brake: g, Reaper: g.live, HandOver: r.store != nil, News: g.estate.news(),
	})
	if err := g.estate.settle(g.cfg, g.pager, env); err != nil {
		return err
	}
	g.estate.share(g.cfg, g.trunks)
	return nil
}

func newDialer(cfg config.Config) (plan.Dialer, config.Faults) {
	d, f := plan.NewDialer(plan.DialConfig{
		PrefixesAllowed: cfg.Limits.PrefixesAllowed, ExtraForbidden: cfg.Limits.ExtraForbidden, Region: cfg.Calls.Region,
	})
	return d, f
}

func voiceConfig(cfg config.Config, look *look) voice.Config {
	k := cfg.Calls.Key
	return voice.Config{
		Setup: cfg.Calls.Setup, FirstResponse: cfg.Calls.FirstResponse, MaxDuration: cfg.Calls.MaxDuration,
		ConfirmAfter: k.ConfirmAfter, AnswerMin: k.AnswerMin, AcceptUnknown: k.AcceptUnknown, RepeatPause: repeatPause,
		ConfirmKey: k.ConfirmKey, RepeatKey: k.RepeatKey, Announce: cfg.Gateway.AnnouncePrompt,
		Languages: []string{cfg.Gateway.Language, "en"}, Trace: look.options(),
	}
}

func (*gateway) pagerConfig(s *settings, limits bool) pager.Config {
	c := s.cfg.Calls
	p := pager.Config{
		Plan: plan.Policy{
			Ring: c.Ring, Rounds: c.Rounds, Pause: c.Pause, PageLimit: c.PageLimit, BusyRetry: c.BusyRetry, BusyMax: c.BusyMax,
		},
		Policy: policy(s.cfg), Dialer: s.dialer, Trunks: s.routes, Language: s.cfg.Gateway.Language, Prompt: c.Prompt,
		Confirm: telgate.Confirm(c.Key.Confirm), Setup: c.Setup,
	}
	if limits {
		p.PerNumber, p.PerAsker = s.cfg.Limits.PerNumberPerHour, s.cfg.Limits.PerAskerPerHour
		p.Storm, p.Within = s.cfg.Limits.PerPerson, 10*time.Minute
	}
	return p
}

// runRooms runs audio and trunks while during is at work, and returns after their last packet.
func (g *gateway) runRooms(ctx context.Context, during func(context.Context) error) error {
	return g.runRoomsUntil(ctx, context.WithoutCancel(ctx), during)
}

// runRoomsUntil is runRooms for who may not have the patience: when rooms is done, trunks and audio end under during.
func (g *gateway) runRoomsUntil(ctx, rooms context.Context, during func(context.Context) error) error {
	rooms, stop := context.WithCancel(rooms)
	defer stop()
	var group errgroup.Group
	group.Go(func() error { return g.engine.Run(rooms) })
	g.fleet.open(rooms)
	for _, t := range g.trunks {
		if err := g.fleet.run(t); err != nil { //nolint:contextcheck // they live as long as the fleet
			break // it is over before it began
		}
		g.fleet.follow(g, t) //nolint:contextcheck // as long as the fleet
	}
	err := during(ctx)
	stop()
	return errors.Join(err, group.Wait(), g.fleet.wait())
}

// ready waits until every trunk was opened, or could not be; one that could not fails its calls, and is told then.
func (g *gateway) ready(ctx context.Context) {
	for _, t := range g.trunks {
		_ = t.Ready(ctx)
	}
}
