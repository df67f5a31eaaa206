package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"telgate/sip"
)

// trunkLine is one trunk of "telgate trunks --json".
type trunkLine struct {
	V            int               `json:"v"`
	Trunk        string            `json:"trunk"`
	State        sip.State         `json:"state"`
	Reason       sip.DownReason    `json:"reason,omitempty"`
	Transport    string            `json:"transport"`
	Addresses    []string          `json:"addresses"` // as resolved; as configured where that failed
	LatencyMS    int64             `json:"latency_ms,omitempty"`
	Calls        *int              `json:"calls,omitempty"` // absent where another process has them
	Doubt        string            `json:"doubt,omitempty"`
	Failure      string            `json:"last_failure,omitempty"`
	FailedAt     *time.Time        `json:"last_failure_at,omitempty"`
	RestUntil    *time.Time        `json:"rest_until,omitempty"`
	Registration *registrationLine `json:"registration,omitempty"`
}

type registrationLine struct {
	Registered bool       `json:"registered"`
	By         string     `json:"by,omitempty"` // the gateway whose turn it is, with register_by = "lease"
	Until      *time.Time `json:"until,omitempty"`
	Granted    int        `json:"granted_s,omitempty"`
	Foreign    []string   `json:"foreign,omitempty"`
	Failure    string     `json:"failure,omitempty"`
}

// standing is what is known of a trunk, from its signalling and from the pager.
type standing struct {
	name, transport string
	addresses       []string
	health          sip.Health
	calls           *int // nil where a gateway beside us has them
	doubt           string
	by              string // the gateway whose turn it is to register, where they share an account
}

// showTrunks prints the state of every trunk. beside says that a gateway runs here, whose calls are not ours.
func showTrunks(ctx context.Context, a *app, g *gateway, turns *roster, beside bool) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	for _, s := range g.standings(ctx, beside) {
		foreign := slices.Clone(s.health.Registration.Foreign)
		for i := range foreign {
			foreign[i] = a.wire(foreign[i])
		}
		s.health.Registration.Foreign, s.by = foreign, turns.turns[s.name].Holder
		if a.cli.JSON {
			if err := a.printJSON(s.json(a.env.now())); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintln(a.env.out, s.text(a.env.now())); err != nil {
			return err
		}
	}
	return nil
}

func (g *gateway) standings(ctx context.Context, beside bool) []standing {
	all := make([]standing, 0, len(g.trunks))
	states := g.pager.Trunks()
	for i, t := range g.trunks {
		s := standing{name: t.Name(), transport: g.cfg.Trunks[i].Transport, addresses: resolved(ctx, t.Trunk, g.cfg.Trunks[i].Addresses), health: t.Health()}
		for _, p := range states {
			if p.Name == t.Name() {
				s.doubt = p.Doubt
			}
		}
		if missing(g.cfg, "trunks."+t.Name()) && g.cfg.Trunks[i].Register.On {
			s.health.Registration = sip.Registration{Wanted: true, Failure: errNoSecret.Error()}
		}
		if legs := t.Stats().Legs; !beside {
			s.calls = &legs
		}
		all = append(all, s)
	}
	return all
}

// resolved are the addresses a trunk is at, in the order they are tried.
func resolved(ctx context.Context, t *sip.Trunk, configured []string) []string {
	targets, err := t.Targets(ctx)
	if err != nil || len(targets) == 0 {
		return configured
	}
	all := make([]string, 0, len(targets))
	for _, target := range targets {
		all = append(all, target.Addr.String())
	}
	return all
}

func (s standing) json(now time.Time) trunkLine {
	h := s.health
	l := trunkLine{
		V: 1, Trunk: s.name, State: h.State, Reason: h.Reason, Transport: s.transport, Addresses: s.addresses, LatencyMS: h.Latency.Milliseconds(),
		Calls: s.calls, Doubt: s.doubt, Failure: h.Failure, FailedAt: moment(h.FailedAt), RestUntil: moment(h.RestUntil),
	}
	if g := h.Registration; g.Wanted {
		l.Registration = &registrationLine{
			Registered: g.Registered(now), By: s.by, Until: moment(g.Until), Granted: int(g.Granted.Seconds()), Foreign: g.Foreign, Failure: g.Failure,
		}
	}
	return l
}

// moment is a time in UTC; nil where there is none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (s standing) text(now time.Time) string {
	h := s.health
	parts := []string{string(h.State)}
	if h.Reason != "" {
		parts[0] += " (" + string(h.Reason) + ")"
	}
	parts = append(parts, s.transport+" to "+strings.Join(s.addresses, ", "))
	if h.Latency > 0 {
		parts = append(parts, fmt.Sprintf("answered in %d ms", max(1, h.Latency.Milliseconds())))
	}
	switch g := h.Registration; {
	case !g.Wanted:
	case g.Registered(now):
		parts = append(parts, fmt.Sprintf("registered for %d s", int(g.Granted.Seconds())))
	case g.Failure != "":
		parts = append(parts, "not registered: "+g.Failure)
	case s.by != "":
		parts = append(parts, "registered by gateway "+printable(s.by))
	}
	if s.calls != nil {
		parts = append(parts, fmt.Sprintf("%d calls", *s.calls))
	}
	if s.doubt != "" {
		parts = append(parts, s.doubt)
	}
	if last := "failed last at " + h.FailedAt.UTC().Format("15:04:05 UTC"); h.Failure != "" && h.Failure != h.Registration.Failure {
		parts = append(parts, last+": "+h.Failure)
	} else if h.Failure != "" {
		parts = append(parts, last)
	}
	return fmt.Sprintf("%-4s  %-8s %-18s %s", "", "state", s.name, strings.Join(parts, ", "))
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
