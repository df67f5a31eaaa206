package main

import (
	"context"
	"errors"
	"log/slog"
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
	"telgate/voice"
)

// repeatPause is the silence between two rounds of a recording.
const repeatPause = 1500 * time.Millisecond

// gateway is every room, wired.
type gateway struct {
	cfg    config.Config
	log    *slog.Logger
	tells  bool // of trunks that go down and up: commands that look at them once say so themselves
	people *directory.Directory
	dialer plan.Dialer
	routes []plan.Trunk
	sounds *prompts.Library
	engine *media.Engine
	trunks []*sip.Trunk
	pager  *pager.Pager
	slack  *slack.Slack // nil where it is off, or cannot be without a secret that is missing
	look   *look        // nil where nobody looks at messages and packets
}

// rules are how one command's gateway differs from another's.
type rules struct {
	limits bool    // hourly limits count; false breaks the glass
	port   uint16  // of SIP, where no bind names one; 0 = any
	slack  bool    // the command speaks to Slack, if the configuration does
	keeps  keeping // what it does with covers and the copies of sources
	glass  bool    // it breaks the glass: a recording that cannot be used is warned about, and the built-in alert is played

	register registering
	probe    bool  // trunks are asked all the time whether they are there
	look     *look // who looks at messages and packets
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
	g, faults := wire(cfg, env, log, r)
	if len(faults) > 0 {
		return nil, withStatus(exitUsage, cfg.File.Faulty(append(faults, cfg.Missing...)))
	}
	return g, nil
}

// wire makes the rooms; with faults the gateway is of no use.
func wire(cfg config.Config, env *environment, log *slog.Logger, r rules) (*gateway, config.Faults) {
	g := &gateway{log: log, tells: r.probe, look: r.look}
	if r.glass {
		g.sounds = glassSounds(&cfg, log)
	}
	g.cfg = cfg
	var faults, f config.Faults
	g.dialer, f = newDialer(cfg)
	faults = append(faults, f...)
	g.routes, f = newRoutes(cfg)
	faults = append(faults, f...)
	faults = append(faults, checkTestNumbers(cfg)...)
	g.people, f = newDirectory(cfg, env, r.keeps, log)
	faults = append(faults, f.Without(cfg.Missing)...) // who can be called without a source's secret, can be
	if !r.glass {
		g.sounds, f = newSounds(cfg)
		faults = append(faults, f...)
	}
	rung := func(trunk, user string) { g.pager.RungBy(trunk, user) } // there is a pager before a trunk runs
	g.trunks, f = newTrunks(cfg, env, g.dialer, g.routes, r, rung, log)
	faults = append(faults, f...)
	var err error
	if g.engine, err = media.NewEngine(media.Config{
		PortMin: cfg.Media.PortMin, PortMax: cfg.Media.PortMax, DSCP: cfg.Media.DSCP, Rand: env.rand, Now: env.now,
		Listen: env.listenPacket, Log: log,
	}); err != nil {
		faults = append(faults, telgate.Fault{Path: "media.ports", Message: err.Error()})
	}
	if len(faults) == 0 { // rooms with faults cannot be wired
		calls := voice.New(voiceConfig(cfg, r.look), g.lines(), env.now)
		g.pager = pager.New(g.pagerConfig(r.limits), calls, g.people, pager.NewMemory(env.now), pager.Env{Now: env.now, Rand: env.rand, Log: log})
	}
	if r.slack && cfg.Slack.Mode != "off" {
		g.slack, f = newSlack(cfg, g.pager, g.people, env, log)
		faults = append(faults, f.Without(cfg.Missing)...) // check goes on without a secret, and without Slack then
	}
	return g, faults
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

func (g *gateway) pagerConfig(limits bool) pager.Config {
	c := g.cfg.Calls
	p := pager.Config{
		Plan: plan.Policy{
			Ring: c.Ring, Rounds: c.Rounds, Pause: c.Pause, PageLimit: c.PageLimit, BusyRetry: c.BusyRetry, BusyMax: c.BusyMax,
		},
		Policy: policy(g.cfg), Dialer: g.dialer, Trunks: g.routes, Language: g.cfg.Gateway.Language, Prompt: c.Prompt,
		Confirm: telgate.Confirm(c.Key.Confirm), Setup: c.Setup,
	}
	if limits {
		p.PerNumber, p.PerAsker = g.cfg.Limits.PerNumberPerHour, g.cfg.Limits.PerAskerPerHour
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
	for _, t := range g.trunks {
		group.Go(func() error { return t.Run(rooms) })
		group.Go(func() error { g.follow(rooms, t); return nil })
	}
	err := during(ctx)
	stop()
	return errors.Join(err, group.Wait())
}

// ready waits until every trunk was opened, or could not be; one that could not fails its calls, and is told then.
func (g *gateway) ready(ctx context.Context) {
	for _, t := range g.trunks {
		_ = t.Ready(ctx)
	}
}
