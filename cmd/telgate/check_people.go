package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"telgate"
)

// checkShared finds numbers of more than one person: a shared phone is rung once and counts for all, and a slip of the
// pen looks the same.
func checkShared(g *gateway, r *report) {
	owners := map[string][]string{}
	var order []telgate.Number
	for _, p := range g.people.People() {
		for _, n := range p.Numbers {
			if owners[n.Key()] == nil {
				order = append(order, n)
			}
			if !slices.Contains(owners[n.Key()], p.Nick) {
				owners[n.Key()] = append(owners[n.Key()], p.Nick)
			}
		}
	}
	for _, n := range order {
		if who := owners[n.Key()]; len(who) > 1 {
			r.add("number", who[0], "warn", fmt.Sprintf("%s is also %s's", n, strings.Join(who[1:], "'s and ")),
				"it is rung once and whoever confirms, confirms for all; if that is not meant, correct one of them")
		}
	}
}

// checkMailboxes finds phones that ring until their mailbox answers: a call that ends there has reached nobody.
func checkMailboxes(g *gateway, r *report) {
	for i, p := range g.people.People() {
		for j, phone := range g.cfg.People[i].Phones {
			ring := cmp.Or(phone.Ring, g.cfg.Calls.Ring)
			if phone.VoicemailAfter == 0 || ring < phone.VoicemailAfter {
				continue
			}
			r.add("number", strings.TrimSpace(p.Nick+" "+phone.Label), "warn", fmt.Sprintf("%s rings for %s, and its mailbox answers after %s", p.Numbers[j], ring, phone.VoicemailAfter),
				fmt.Sprintf("set ring of this phone to %s at most", below(phone.VoicemailAfter)))
		}
	}
}

// below is a ring that ends well before a mailbox answers: it counts from when it rings itself, which we may hear late.
func below(mailbox time.Duration) time.Duration {
	return max(time.Second, (mailbox - 3*time.Second).Truncate(time.Second))
}

// checkWays finds telephone numbers that only one trunk carries: when it fails, they cannot be called at all. Where there
// is just one trunk, that is said once.
func checkWays(g *gateway, r *report) {
	for _, p := range g.people.People() {
		for _, n := range p.Numbers {
			if n.Extension != "" || n.Trunk != "" {
				continue // has one by its nature, or by choice
			}
			if len(g.routes) == 1 {
				r.add("trunk", g.routes[0].Name, "warn", "is the only trunk: when it fails, no telephone number can be called", "add a second one, of another carrier")
				return
			}
			var ways []string
			for _, t := range g.routes {
				if _, err := g.dialer.Dial(n, t); err == nil {
					ways = append(ways, t.Name)
				}
			}
			if len(ways) == 1 {
				subject := strings.TrimSpace(p.Nick + " " + n.Label)
				r.add("number", subject, "warn", fmt.Sprintf("%s goes over trunk %s only: nothing takes over when it fails", n, ways[0]), "add a second trunk that carries it, or a second phone of another kind")
			}
		}
	}
}
