package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"telgate"
	"telgate/config"
)

// callCmd rings somebody from the command line.
type callCmd struct {
	Who     string   `arg:"" help:"Whom: nickname, alias or group; several with commas."`
	Message []string `arg:"" optional:"" help:"What it is about, for the log."`
	Direct  bool     `help:"Break the glass: no gateway, no hourly limits; numbers from the configuration."`
}

// Help is shown below the flags.
func (callCmd) Help() string {
	return `Exit status: 0 confirmed, 3 not reached, 4 no call got beyond our trunks, 5 refused (nothing was dialled), 6 stopped by
somebody else, 130 or 143 interrupted here (the call is cancelled first). 2 is usage or configuration, 1 internal.`
}

// Run is the command.
func (c *callCmd) Run(a *app) error {
	cfg, err := a.readConfig(true)
	if err != nil {
		return err
	}
	if cfg.Log.Level == config.Default().Log.Level {
		cfg.Log.Level = "warn" // what happens is shown; the log would repeat it
	}
	log, err := a.logger(cfg.Log)
	if err != nil {
		return err
	}
	state := stateDir(cfg.Gateway.StateDir, a.env.getenv)
	if !c.Direct {
		running, err := gatewayRuns(state)
		if err != nil {
			return err
		}
		if running {
			return c.refused(a, &telgate.Refusal{Reason: telgate.RefusedNotReady, Message: beside(cfg.Slack.Mode)})
		}
		_, _ = fmt.Fprintln(a.env.err, "telgate: no gateway runs here, calling directly (as with --direct)")
	}
	g, err := build(cfg, a.env, log, rules{})
	if err != nil {
		return err
	}
	for _, w := range cfg.Warnings {
		log.Warn("configuration", "warning", w)
	}
	request := telgate.Request{
		Asker: telgate.Actor{ID: "local:" + a.env.user(), Name: a.env.user(), Local: true},
		Who:   words(c.Who), Message: strings.Join(c.Message, " "), New: true, Force: true,
	}
	return g.runRooms(a.ctx, func(ctx context.Context) error { return c.page(ctx, a, g, state, request) })
}

// beside says what to do where a gateway runs already.
func beside(slackMode string) string {
	if slackMode == "off" {
		return "a gateway runs here, and takes no commands while Slack is off: break the glass with --direct"
	}
	return "a gateway runs here: use it from Slack, or break the glass with --direct"
}

// words splits "alice,bob"; commas may have spaces around them.
func words(who string) []string {
	var out []string
	for w := range strings.SplitSeq(who, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// page has the page run and shows it to its end.
func (c *callCmd) page(ctx context.Context, a *app, g *gateway, state string, request telgate.Request) error {
	g.ready(ctx)
	pages, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	g.pager.Start(pages)
	defer g.pager.Drain(ctx)
	defer hangUp()
	receipt, err := g.pager.Submit(ctx, request)
	view := newView(a)
	if refusal, ok := errors.AsType[*telgate.Refusal](err); ok {
		return c.refused(a, refusal)
	}
	if err != nil {
		return err
	}
	c.note(a, state, receipt.Page, request)
	return c.follow(ctx, a, g, receipt.Page, view, hangUp)
}

// refused says why nothing was dialled: an event for scripts, a sentence for people.
func (*callCmd) refused(a *app, r *telgate.Refusal) error {
	if a.cli.JSON {
		newView(a).show(telgate.Event{Time: a.env.now(), Kind: telgate.EventRefused, Refuse: r})
		return withStatus(exitRefused, nil)
	}
	if r.Reason == telgate.RefusedUnknownName && len(r.Suggestions) == 0 {
		return withStatus(exitRefused, fmt.Errorf("%w \"telgate people\" lists everybody", r))
	}
	return withStatus(exitRefused, r)
}

// follow shows events until the page has ended. The first signal stops the page, the second hangs up at once.
func (c *callCmd) follow(ctx context.Context, a *app, g *gateway, id telgate.PageID, view *view, hangUp func()) error {
	signals, done := a.env.signals()
	defer done()
	events := g.pager.Follow(context.WithoutCancel(ctx), id)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	status, result := 0, telgate.Result("")
	for {
		select {
		case ev, more := <-events:
			if !more {
				view.close()
				if status == 0 {
					status = resultStatus(result)
				}
				return withStatus(status, nil)
			}
			if ev.Kind == telgate.EventPageEnded {
				result = ev.Result
			}
			view.show(ev)
		case <-tick.C:
			view.tick()
		case s := <-signals:
			if status != 0 {
				hangUp()
				continue
			}
			status = exitInterrupted
			if s != os.Interrupt { // a terminal that is gone is as good as SIGTERM
				status = exitTerminated
			}
			go func() {
				_ = g.pager.Stop(context.WithoutCancel(ctx), id, telgate.Actor{ID: "local:" + a.env.user(), Local: true})
			}()
		}
	}
}

// note leaves a line about a call that broke the glass, for whoever reviews what happened. That it cannot be written
// must not keep the phone from ringing.
func (*callCmd) note(a *app, state string, page telgate.PageID, r telgate.Request) {
	line, err := json.Marshal(map[string]any{"time": a.env.now().UTC(), "page": page, "asker": r.Asker.ID, "who": r.Who, "message": r.Message})
	if err == nil {
		err = os.MkdirAll(state, 0o700)
	}
	if err != nil {
		return
	}
	f, err := os.OpenFile(filepath.Join(state, "direct.jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		_, _ = fmt.Fprintln(a.env.err, "telgate: this call is not noted:", err)
		return
	}
	_, _ = f.Write(append(line, '\n'))
	_ = f.Close()
}
