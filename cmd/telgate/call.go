package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"telgate"
	"telgate/config"
	"telgate/web/client"
)

// callCmd rings somebody from the command line.
type callCmd struct {
	Who     string   `arg:"" help:"Whom: a nickname, alias, group or rota; several with commas, who are called one after another until somebody confirms. telgate people lists them."`
	Message []string `arg:"" optional:"" help:"What it is about: kept with the page and shown on its card. The recording does not say it."`
	All     bool     `help:"Everybody at once, each by their own phones in order; the first who confirms has the others hung up."`
	New     bool     `help:"A page of its own, even where one runs for the same people; without it that one is joined."`
	Force   bool     `help:"Past the hourly limits of numbers. Forbidden numbers stay forbidden, and muted people muted."`
	Direct  bool     `help:"Break the glass: call from here, without gateway, Slack and hourly limits; numbers from the configuration."`
	Trace   string   `help:"Write the SIP messages of each call to FILE, drawn as a ladder; - is stderr." placeholder:"FILE"`
	Pcap    string   `help:"Write SIP and RTP of each call to FILE, for Wireshark; needs no root, but --direct." placeholder:"FILE"`
}

// Help is shown below the flags.
func (callCmd) Help() string {
	return `For example:

    telgate call alice db is down
    telgate call --all alice,bob db is down

The gateway of this machine calls, and the page is shown here to its end, also where another gateway goes on with it. Where no gateway
runs the command calls by itself, as with --direct. People who are being called already are not called twice: their page is joined, and
shown. Ctrl-C stops the page, hangs up and waits for its end; a second one waits no more. A page that was joined goes on.

Exit status: 0 somebody confirmed; 3 nobody was reached, or not everybody who had to be; 4 no call got beyond our trunks; 5 refused,
nothing was dialled; 6 stopped by somebody else; 130 or 143 interrupted here before anybody confirmed; 2 usage or configuration; 1
something went wrong inside, or nobody can tell how the page goes on.

A file of --trace or --pcap that cannot be opened is a fault of usage, before anything is dialled. One that cannot be written to its
end is told on stderr and changes no exit status: that is about the call.`
}

// Validate holds flags against each other.
func (c *callCmd) Validate() error { return checkPaths(c.Trace, c.Pcap) }

// Run is the command.
func (c *callCmd) Run(a *app) error {
	if c.Direct {
		return c.direct(a)
	}
	gateway, err := a.reach()
	if err != nil {
		return err
	}
	starts, cancel := context.WithTimeout(a.ctx, startLimit)
	defer cancel()
	for {
		if err = c.through(a, gateway); !errors.Is(err, client.ErrNobody) {
			return err
		}
		if a.cli.Server != "" || errors.Is(err, fs.ErrPermission) {
			return a.asked(err)
		}
		running, err := gatewayRuns(a.stateHere())
		if err != nil {
			return err
		}
		if !running {
			return c.direct(a)
		}
		if !rest(starts, backFirst) { // it is not just starting
			return c.refused(a, &telgate.Refusal{Reason: telgate.RefusedNotReady, Message: beside})
		}
	}
}

// beside says what to do where a gateway runs that does not answer.
const beside = "a gateway runs here, and its socket does not answer: use it from Slack, or break the glass with --direct"

// direct rings without a gateway.
func (c *callCmd) direct(a *app) error {
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
	state := a.stateDir(cfg)
	look, err := openLook(a, c.Trace, c.Pcap)
	if err != nil {
		return err
	}
	defer look.close()
	g, err := build(cfg, a.env, log, rules{glass: true, keeps: keepsRead, look: look})
	if err != nil {
		return err
	}
	for _, w := range cfg.Warnings {
		log.Warn("configuration", "warning", w)
	}
	for _, f := range cfg.Missing {
		log.Warn("configuration", "warning", f.Error())
	}
	g.recall(a.ctx, log)
	if slices.ContainsFunc(words(c.Who), func(w string) bool { return !g.person(w) }) { // who calls a person waits for no source
		g.freshen(a.ctx)
	}
	request := telgate.Request{
		Asker: telgate.Actor{ID: "local:" + a.env.user(), Name: a.env.user(), Local: true},
		Who:   words(c.Who), Message: strings.Join(c.Message, " "), New: true, Force: true, All: c.All,
	}
	signals, done := a.env.signals() // before anything can ring: from here on a signal finds who cancels
	defer done()
	rooms, stop := context.WithCancel(context.WithoutCancel(a.ctx))
	defer stop()
	w := &vigil{app: a, gateway: g, state: state, signals: signals, cut: stop}
	return g.runRoomsUntil(a.ctx, rooms, func(ctx context.Context) error { return c.page(ctx, w, request) })
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
func (c *callCmd) page(ctx context.Context, w *vigil, request telgate.Request) error {
	if s := w.open(ctx); s != nil {
		return withStatus(signalStatus(s), nil)
	}
	pages, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	w.gateway.pager.Start(pages)
	receipt, err := w.gateway.pager.Submit(ctx, request)
	if refusal, ok := errors.AsType[*telgate.Refusal](err); ok {
		return c.refused(w.app, refusal)
	}
	if err != nil {
		return err
	}
	if !c.Direct {
		w.say("no gateway runs here, calling directly (as with --direct)")
	}
	w.note(receipt.Page, request, "")
	err = w.follow(ctx, receipt.Page, hangUp)
	hangUp()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastMoment)
	defer cancel()
	w.gateway.pager.Drain(last)
	if page, lost := w.gateway.pager.Page(last, receipt.Page); lost == nil && page != nil {
		w.note(page.ID, request, page.Result)
	}
	return err
}

// refused says why nothing was dialled: an event for scripts, a sentence for people.
func (*callCmd) refused(a *app, r *telgate.Refusal) error {
	if a.cli.ShowNumbers {
		r = unmasked(r)
	}
	if a.cli.JSON {
		newView(a).show(telgate.Event{Time: a.env.now(), Kind: telgate.EventRefused, Refuse: r})
		return withStatus(exitRefused, nil)
	}
	if r.Reason == telgate.RefusedUnknownName && len(r.Suggestions) == 0 {
		return withStatus(exitRefused, fmt.Errorf("%w \"telgate people\" lists everybody", r))
	}
	return withStatus(exitRefused, r)
}

// unmasked is a refusal whose sentence has the words it is about as they are.
func unmasked(r *telgate.Refusal) *telgate.Refusal {
	shown := *r
	for _, w := range []string{r.Subject, strings.Join(r.Suggestions, " or ")} {
		shown.Message = strings.Replace(shown.Message, telgate.Masked(w), w, 1)
	}
	return &shown
}
