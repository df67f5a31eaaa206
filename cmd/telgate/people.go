package main

import (
	"fmt"
	"log/slog"
	"strings"

	"telgate"
)

// peopleCmd lists who can be called.
type peopleCmd struct{}

// Run is the command.
func (peopleCmd) Run(a *app) error {
	cfg, err := a.readConfig(true)
	if err != nil {
		return err
	}
	g, err := build(cfg, a.env, slog.New(slog.DiscardHandler), rules{glass: true, keeps: keepsRead}) // who is listed here can be called with it
	if err != nil {
		return err
	}
	people := g.people
	if err := people.Load(a.ctx); err != nil {
		_, _ = fmt.Fprintln(a.env.err, "telgate:", err)
	}
	muted, err := a.muted(cfg)
	if err != nil {
		_, _ = fmt.Fprintln(a.env.err, "telgate: who is muted is not known:", err)
	}
	show := func(n telgate.Number) string {
		if a.cli.ShowNumbers {
			return n.Whole()
		}
		return n.String()
	}
	if len(people.People()) == 0 {
		_, _ = fmt.Fprintln(a.env.err, "telgate: nobody is configured: add [people.NICK] with phones")
	}
	for _, p := range people.People() {
		numbers := make([]string, len(p.Numbers))
		for i, n := range p.Numbers {
			numbers[i] = show(n)
		}
		if a.cli.JSON {
			line := map[string]any{"v": 1, "nick": p.Nick, "name": p.Name, "aliases": p.Aliases, "numbers": numbers, "slack": p.Slack}
			if m, quiet := muted[p.Nick]; quiet {
				line["muted_until"] = m.Until
			}
			if err := a.printJSON(line); err != nil {
				return err
			}
			continue
		}
		name := p.Name
		if len(p.Aliases) > 0 {
			name += " (" + strings.Join(p.Aliases, ", ") + ")"
		}
		quiet := ""
		if m, ok := muted[p.Nick]; ok {
			quiet = ", muted until " + wallClock(m.Until.In(a.env.now().Location()))
		}
		_, _ = fmt.Fprintf(a.env.out, "%-16s %-24s %s%s\n", p.Nick, name, strings.Join(numbers, ", "), quiet)
	}
	for _, g := range people.Groups() {
		if a.cli.JSON {
			if err := a.printJSON(map[string]any{"v": 1, "group": g.Nick, "members": g.Members}); err != nil {
				return err
			}
			continue
		}
		_, _ = fmt.Fprintf(a.env.out, "%-16s group: %s\n", g.Nick, strings.Join(g.Members, ", "))
	}
	return listRotas(a, people.OnCall())
}
