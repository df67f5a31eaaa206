package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"telgate/config"
	"telgate/sip/siptest"
	"telgate/slack"
	"telgate/slack/slacktest"
)

// demoCmd plays everything on loopback: the gateway is the real one, the phone and Slack are stand-ins.
type demoCmd struct {
	Once  bool   `help:"Play one page by itself: exit 0 if the phone heard the alert and the card says confirmed."`
	Heard string `help:"With --once: write what the phone heard to this WAV file." placeholder:"FILE" type:"path"`
}

// Help is shown below the flags.
func (demoCmd) Help() string {
	return `Reads no configuration, needs no network and rings no real phone: a telephone and Slack are played in this process.
With --once --json events go to stdout and cards to stderr.`
}

// Who is there in the demo.
const (
	demoAsker   = "U0GRACE"
	demoAlice   = "U0ALICE"
	demoBob     = "U0BOB"
	demoChannel = "C0OPS"
)

// demo is the little world of the demo.
type demo struct {
	app       *app
	gateway   *gateway
	phone     *siptest.Phone
	workspace *slacktest.Workspace
	log       *slog.Logger
	ended     atomic.Int32 // cards of pages that have ended, as shown
}

// Run is the command.
func (c *demoCmd) Run(a *app) error {
	if c.Heard != "" && !c.Once {
		return withStatus(exitUsage, errors.New("--heard needs --once"))
	}
	if a.cli.JSON && !c.Once {
		return withStatus(exitUsage, errors.New("--json needs --once"))
	}
	var heard *os.File
	if c.Heard != "" {
		var err error
		if heard, err = os.Create(c.Heard); err != nil {
			return withStatus(exitUsage, fmt.Errorf("write what is heard: %w", err))
		}
	}
	d, err := newDemo(a)
	if err != nil {
		return err
	}
	defer d.close()
	if c.Once {
		return d.live(func(ctx context.Context) error { return d.once(ctx, heard) })
	}
	return d.live(d.play)
}

// newDemo makes the phone, the workspace, and a gateway between them.
func newDemo(a *app) (*demo, error) {
	log, err := a.logger(config.Log{Level: "error", Format: "text"})
	if err != nil {
		return nil, err
	}
	d := &demo{app: a, log: log}
	if d.phone, err = siptest.NewPhone(); err != nil {
		return nil, err
	}
	if d.workspace, err = newDemoWorkspace(); err != nil {
		d.close()
		return nil, err
	}
	if d.gateway, err = build(d.config(), loopback(a.env), log, rules{limits: true, slack: true}); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func newDemoWorkspace() (*slacktest.Workspace, error) {
	w, err := slacktest.New(slacktest.Config{})
	if err != nil {
		return nil, err
	}
	for id, name := range map[string]string{demoAsker: "grace", demoAlice: "alice", demoBob: "bob"} {
		w.AddUser(slacktest.User{ID: id, Name: name, Team: w.Config().Team})
	}
	w.AddChannel(slacktest.Channel{ID: demoChannel, Name: "ops", BotIn: true})
	return w, nil
}

func (d *demo) close() {
	if d.workspace != nil {
		d.workspace.Close()
	}
	d.phone.Close()
}

// config is the demo's configuration: two people on one phone system, and a group.
func (d *demo) config() config.Config {
	cfg := config.Default()
	cfg.Gateway.Name = "demo"
	cfg.Calls.Rounds, cfg.Calls.Pause = 2, 5*time.Second
	cfg.SIP.Bind = "127.0.0.1"
	cfg.Web.Listen = ""
	slackAs := d.workspace.Config()
	cfg.Slack = config.Slack{
		Mode: slack.ModeSocket, BotToken: config.NewSecret(slackAs.BotToken), AppToken: config.NewSecret(slackAs.AppToken),
		Command: "/tel", AllowChannels: []string{demoChannel}, Admins: []string{demoAsker}, APIURL: d.workspace.APIURL(),
	}
	cfg.Trunks = []config.Trunk{config.NewTrunk("main")}
	cfg.Trunks[0].Kind, cfg.Trunks[0].Addresses = "pbx", []string{d.phone.Addr()}
	cfg.People = []config.Person{
		{Nick: "alice", Name: "Alice", Aliases: []string{"アリス"}, Slack: demoAlice, Phones: []config.Phone{{Number: "sip:7101@main", Label: "desk"}}},
		{Nick: "bob", Name: "Bob", Slack: demoBob, Phones: []config.Phone{{Number: "sip:7102@main", Label: "desk"}}},
	}
	cfg.Groups = []config.Group{{Name: "ops", Members: []string{"alice", "bob"}, Strategy: "hunt"}}
	return cfg
}

// live runs the gateway while play is at work.
func (d *demo) live(play func(context.Context) error) error {
	signals, done := d.app.env.signals()
	defer done()
	return d.gateway.runRooms(d.app.ctx, func(ctx context.Context) error {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		served := make(chan error, 1)
		go func() {
			served <- d.gateway.serve(ctx, d.app.env, d.log, nil)
		}()
		played := make(chan error, 1)
		go func() { played <- d.whenConnected(ctx, play) }()
		var err error
		select {
		case err = <-played:
		case <-signals:
			err = withStatus(exitInterrupted, nil)
		}
		stop()
		if failed := <-served; err == nil {
			err = failed
		}
		return err
	})
}

// whenConnected waits for the gateway's connections to Slack.
func (d *demo) whenConnected(ctx context.Context, play func(context.Context) error) error {
	limit, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	if !until(limit, func() bool { return d.gateway.slack.Health().Problem == "" }) {
		return fmt.Errorf("the gateway does not connect to the workspace of the demo: %s", d.gateway.slack.Health().Problem)
	}
	return play(ctx)
}

// until waits for what nothing announces; false where ctx ended first.
func until(ctx context.Context, done func() bool) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return done()
		}
	}
	return true
}

// demoPatience is how long the demo waits for what takes a moment.
const demoPatience = 10 * time.Second

// loopback is the environment without anything outside this machine: no variables, and no address but loopback.
func loopback(e *environment) *environment {
	inside := *e
	inside.getenv = func(string) string { return "" }
	inside.listenPacket = func(ctx context.Context, network, address string) (net.PacketConn, error) {
		if err := isLoopback(address); err != nil {
			return nil, err
		}
		return e.listenPacket(ctx, network, address)
	}
	inside.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if err := isLoopback(address); err != nil {
			return nil, err
		}
		return e.dial(ctx, network, address)
	}
	inside.dialFrom = func(ctx context.Context, network string, local netip.Addr, address string) (net.Conn, error) {
		if err := isLoopback(address); err != nil {
			return nil, err
		}
		return e.dialFrom(ctx, network, local, address)
	}
	return &inside
}

func isLoopback(address string) error {
	if at, err := netip.ParseAddrPort(address); err != nil || !at.Addr().IsLoopback() {
		return fmt.Errorf("the demo refuses %s: it is not loopback", address)
	}
	return nil
}
