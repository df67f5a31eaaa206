package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"telgate/config"
	"telgate/directory/rota"
	"telgate/store"
	"telgate/web"
	"telgate/web/client"
)

// muteCmd has nobody call somebody for a while.
type muteCmd struct {
	Who   string `arg:"" optional:"" help:"Whose phones: one person, by nickname or alias. Without: list who is muted."`
	Until string `help:"Until when, by the clock of this shell: 18:00, 'tomorrow 09:00', 'fri 18:00', '2026-11-25 18:00'." placeholder:"WHEN" xor:"when"`
	For   string `help:"How long: 2h, 90m, 3d." placeholder:"LONG" xor:"when"`
}

// Help is shown below the flags.
func (muteCmd) Help() string {
	return `For example:

    telgate mute alice --until 18:00
    telgate mute alice --for 2h
    telgate mute

Nobody calls a muted person, whoever asks, and whichever of the gateways that share the store. In a page for several people they are left
out; a page for nobody else is refused. --force does not change that; only call --direct, which asks nobody, does. A call that is up goes
on. A phone that they share with somebody who is not muted still rings.

A mute ends by itself, at most 62 days from now, or by telgate unmute. A second one takes the place of the first. telgate status and telgate
people show who is muted, telgate history --audit who said so.`
}

// Run is the command.
func (c *muteCmd) Run(a *app) error {
	order := web.MuteRequest{Who: c.Who}
	switch {
	case c.Who == "" && c.Until+c.For != "":
		return withStatus(exitUsage, errors.New("say who is not to be called: telgate mute WHO --for 2h"))
	case c.Who != "" && c.Until+c.For == "":
		return withStatus(exitUsage, errors.New("say until when: --until 18:00 or --for 2h; telgate unmute "+c.Who+" ends a mute"))
	case c.For != "":
		order.When = "for " + c.For
	case c.Until != "":
		now := a.env.now()
		_, until, err := rota.ParseSpan("until "+c.Until, now, now.Location())
		if err != nil {
			return withStatus(exitUsage, fmt.Errorf("--until: %w", err))
		}
		order.Until = until
	}
	gateway, err := a.reach()
	if err != nil {
		return err
	}
	if c.Who == "" {
		listed := 0
		err := gateway.Mutes(a.ctx, func(raw []byte) error {
			var m web.MuteLine
			if err := json.Unmarshal(raw, &m); err != nil {
				return err
			}
			listed++
			return showMute(a, m, muteWords(m, a.env.now().Location()))
		})
		if err == nil && listed == 0 {
			_, _ = fmt.Fprintln(a.env.err, "telgate: nobody is muted")
		}
		return a.asked(err)
	}
	m, err := gateway.Mute(a.ctx, order)
	if err != nil {
		return a.asked(err)
	}
	return showMute(a, m, fmt.Sprintf("%s is not called until %s; telgate unmute %s ends that", m.Who, wallClock(m.Until.In(a.env.now().Location())), m.Who))
}

// unmuteCmd has somebody called again.
type unmuteCmd struct {
	Who string `arg:"" help:"Whose phones: one person, by nickname or alias."`
}

// Run is the command.
func (c *unmuteCmd) Run(a *app) error {
	gateway, err := a.reach()
	if err != nil {
		return err
	}
	m, err := gateway.Unmute(a.ctx, c.Who)
	if err != nil {
		return a.asked(err)
	}
	return showMute(a, m, m.Who+" is called again")
}

func showMute(a *app, m web.MuteLine, words string) error {
	if a.cli.JSON {
		return a.printJSON(m)
	}
	_, err := fmt.Fprintln(a.env.out, words)
	return err
}

// muteWords is a mute in a list.
func muteWords(m web.MuteLine, in *time.Location) string {
	return fmt.Sprintf("%s until %s, by %s", printable(m.Who), wallClock(m.Until.In(in)), printable(m.By))
}

// muted are those who are not called now, by nickname: as the gateway says, or, where none runs, its store. A list of people
// does not wait for either for long.
func (a *app) muted(cfg config.Config) (map[string]web.MuteLine, error) {
	found := map[string]web.MuteLine{}
	gateway, err := a.reach()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(a.ctx, submitLimit)
	defer cancel()
	err = gateway.Mutes(ctx, func(raw []byte) error {
		var m web.MuteLine
		err := json.Unmarshal(raw, &m)
		found[m.Who] = m
		return err
	})
	if !errors.Is(err, client.ErrNobody) || a.cli.Server != "" || missing(cfg, "store") {
		return found, err
	}
	s, err := store.Read(ctx, cfg.Store.URL.Reveal(), store.Options{Dir: a.stateDir(cfg), Now: a.env.now})
	if errors.Is(err, store.ErrUnused) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := s.Mutes(ctx, a.env.now())
	for _, m := range all {
		found[m.Nick] = web.MuteLineOf(m)
	}
	return found, errors.Join(err, s.Close())
}
