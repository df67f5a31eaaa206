package main

import (
	"fmt"
	"strings"
	"time"

	"telgate/web"
)

// statusCmd says how the gateway stands.
type statusCmd struct{}

// Run is the command.
func (statusCmd) Run(a *app) error {
	gateway, err := a.reach()
	if err != nil {
		return err
	}
	s, err := gateway.Status(a.ctx)
	if err != nil {
		return a.asked(err)
	}
	if a.cli.JSON {
		return a.printJSON(s)
	}
	_, err = fmt.Fprint(a.env.out, statusText(s, a.env.now()))
	return err
}

// statusText is the status for people, what is wrong first.
func statusText(s web.Status, now time.Time) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-8s "+format+"\n", append([]any{name}, args...)...)
	}
	if p := s.Paused; p != nil {
		why := ""
		if p.Why != "" {
			why = ": " + printable(p.Why)
		}
		where := ""
		if p.Where != "" {
			where = " on " + printable(p.Where)
		}
		line("PAUSED", "by %s%s since %s%s; nobody new is rung, telgate resume goes on", p.By, where, p.At.UTC().Format("2006-01-02 15:04:05 UTC"), why)
	}
	line("gateway", "%s %s, version %s, process %d, for %s", printable(s.Gateway), s.State, s.Version, s.PID, now.Sub(s.Started).Round(time.Second))
	line("config", "%s", s.Config)
	line("store", "%s", s.Store)
	for _, g := range s.Gateways {
		if !g.Self {
			line("beside", "%s, version %s, since %s", printable(g.Gateway), printable(g.Version), g.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
		}
	}
	line("slack", "%s", s.Slack)
	for _, t := range s.Trunks {
		words := fmt.Sprintf("%s %s, %d calls", t.Trunk, t.State, t.Calls)
		if t.Waiting > 0 {
			words += fmt.Sprintf(", %d pages wait for a line", t.Waiting)
		}
		if t.RegisteredBy != "" {
			words += ", registered by gateway " + printable(t.RegisteredBy)
		}
		if t.Problem != "" {
			words += ", " + t.Problem
		}
		line("trunk", "%s", words)
	}
	for _, w := range s.Warnings {
		line("warning", "%s", w)
	}
	for _, m := range s.Mutes {
		line("muted", "%s", muteWords(m, now.Location()))
	}
	if len(s.Pages) == 0 {
		line("pages", "nothing is being called")
	}
	for _, p := range s.Pages {
		line("page", "%s", pageLine(p, now))
	}
	return b.String()
}
