package main

import (
	"fmt"
	"slices"
	"time"

	"telgate"
	"telgate/plan"
)

// checkNumbers dry-runs every number: over which trunk, and as what, it would be dialled, or what forbids it.
func checkNumbers(g *gateway, r *report, a *app) {
	if len(g.people.People()) == 0 {
		r.add("number", "people", "fail", "nobody is configured", "add [people.NICK] with phones")
	}
	for _, p := range g.people.People() {
		if len(p.Numbers) == 0 {
			r.add("number", p.Nick, "warn", "has no phone", "add phones to [people."+p.Nick+"]")
		}
		for _, n := range p.Numbers {
			shown := n.String()
			if a.cli.ShowNumbers {
				shown = n.Whole()
			}
			subject := p.Nick
			if n.Label != "" {
				subject += " " + n.Label
			}
			choice, ok, err := g.dialer.Route(n, g.routes, nil, nil, a.env.now())
			switch {
			case ok:
				r.add("number", subject, "ok", fmt.Sprintf("%s over %s", g.target(n, choice.Trunk, a.cli.ShowNumbers), choice.Trunk), "")
			case err != nil:
				r.add("number", subject, "fail", fmt.Sprintf("%s is not dialled: %v", shown, err), "")
			default:
				r.add("number", subject, "fail", "no trunk carries "+shown, "see prefixes of the trunks")
			}
		}
	}
	for _, group := range g.people.Groups() {
		m, err := g.people.Resolve(group.Nick)
		if err != nil {
			continue // a group's members are checked when it is loaded
		}
		c := g.cfg.Calls
		steps := plan.Build(m.People, plan.Policy{Ring: c.Ring, Way: m.Way})
		after := steps.LastRingsAfter(c.Setup)
		r.add("group", group.Nick, "ok", fmt.Sprintf("%d people, the last one rings after at most %s", len(m.People), after), "")
	}
}

// routable tells whether a trunk dials a number, and what forbids it.
func (g *gateway) routable(n telgate.Number) (bool, error) {
	_, ok, err := g.dialer.Route(n, g.routes, nil, nil, time.Time{})
	return ok, err
}

// target is the final URI; of telephone numbers the last two digits are shown, unless whole is wanted.
func (g *gateway) target(n telgate.Number, over string, whole bool) string {
	line := g.trunks[slices.IndexFunc(g.trunks, func(t *trunk) bool { return t.Name() == over })]
	user, err := g.dialer.Dial(n, routeOf(g.routes, over))
	if err != nil { // routing has just allowed it
		return n.String()
	}
	if n.Extension == "" && !whole && len(user) > 2 {
		user = "…" + user[len(user)-2:]
	}
	return line.Target(user, n.Extension == "")
}
