package main

import (
	"fmt"
	"time"

	"telgate"
	"telgate/web"
	"telgate/web/client"
)

// stopCmd ends a page.
type stopCmd struct {
	Page string `arg:"" optional:"" help:"Which; may be left out where one is running."`
}

// Run is the command.
func (c *stopCmd) Run(a *app) error {
	gateway, err := a.reach()
	if err != nil {
		return err
	}
	page := telgate.PageID(c.Page)
	if page == "" {
		if page, err = c.only(a, gateway); err != nil {
			return err
		}
	}
	if err := gateway.Stop(a.ctx, page); err != nil {
		return a.asked(err)
	}
	if a.cli.JSON {
		return a.printJSON(map[string]any{"v": 1, "page": page, "stopped": true})
	}
	_, err = fmt.Fprintf(a.env.out, "page %s is stopped\n", page)
	return err
}

// only is the one page that runs.
func (*stopCmd) only(a *app, gateway *client.Client) (telgate.PageID, error) {
	s, err := gateway.Status(a.ctx)
	if err != nil {
		return "", a.asked(err)
	}
	switch len(s.Pages) {
	case 0:
		return "", withStatus(exitRefused, fmt.Errorf("nothing is being called"))
	case 1:
		return s.Pages[0].Page, nil
	}
	for _, p := range s.Pages {
		_, _ = fmt.Fprintln(a.env.err, pageLine(p, a.env.now()))
	}
	return "", withStatus(exitUsage, fmt.Errorf("%d pages are running: name the one to stop", len(s.Pages)))
}

// pageLine is a page that runs, in one line.
func pageLine(p web.PageStatus, now time.Time) string {
	return fmt.Sprintf("%s  %s, %s for %s, asked by %s", p.Page, printable(p.Title), p.State, now.Sub(p.Accepted).Round(time.Second), p.Asker)
}
