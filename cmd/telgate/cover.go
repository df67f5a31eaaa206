package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"telgate/web"
)

// coverCmd says who stands in for whom.
type coverCmd struct {
	Who  string   `arg:"" optional:"" help:"Whose turns: a person or a rota. Without: list."`
	When []string `arg:"" optional:"" help:"until 18:00, for 2h, until tomorrow 09:00, from 20:00 until 22:00; end gives the turns back."`
	By   string   `help:"Who takes them." placeholder:"NICK"`
}

// Run is the command.
func (c *coverCmd) Run(a *app) error {
	gateway, err := a.reach()
	if err != nil {
		return err
	}
	order := web.CoverRequest{For: c.Who, By: c.By, When: strings.Join(c.When, " ")}
	ends := order.When == "end"
	show := func(line []byte) error {
		var cover web.CoverLine
		if err := json.Unmarshal(line, &cover); err != nil {
			return err
		}
		return c.show(a, cover, ends)
	}
	switch {
	case c.Who == "":
		return a.asked(gateway.Covers(a.ctx, show))
	case ends:
		return a.asked(gateway.Uncover(a.ctx, order, show))
	case order.When == "":
		return withStatus(exitUsage, errors.New("say until when, such as until 18:00; end gives the turns back"))
	case c.By == "":
		return withStatus(exitUsage, errors.New("say who takes the turns: --by NICK"))
	}
	cover, err := gateway.Cover(a.ctx, order)
	if err != nil {
		return a.asked(err)
	}
	return c.show(a, cover, ends)
}

// show tells of a cover, or that it was taken back.
func (*coverCmd) show(a *app, cover web.CoverLine, ended bool) error {
	switch {
	case a.cli.JSON:
		return a.printJSON(cover)
	case ended:
		_, err := fmt.Fprintf(a.env.out, "%s has the turns back: %s no longer covers\n", cover.For, cover.By)
		return err
	}
	in := a.env.now().Location()
	moment := func(t time.Time) string { return t.In(in).Format("Mon 2006-01-02 15:04 MST") }
	_, err := fmt.Fprintf(a.env.out, "%s covers for %s from %s until %s\n", cover.By, cover.For, moment(cover.From), moment(cover.Until))
	return err
}
