package main

import (
	"fmt"
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
	LatencyMS    int64             `json:"latency_ms,omitempty"`
	Failure      string            `json:"last_failure,omitempty"`
	FailedAt     *time.Time        `json:"last_failure_at,omitempty"`
	RestUntil    *time.Time        `json:"rest_until,omitempty"`
	Registration *registrationLine `json:"registration,omitempty"`
}

type registrationLine struct {
	Registered bool       `json:"registered"`
	Until      *time.Time `json:"until,omitempty"`
	Granted    int        `json:"granted_s,omitempty"`
	Foreign    []string   `json:"foreign,omitempty"`
	Failure    string     `json:"failure,omitempty"`
}

// showTrunks prints the state of every trunk.
func showTrunks(a *app, trunks []*sip.Trunk) error {
	for _, t := range trunks {
		h := t.Health()
		if a.cli.JSON {
			if err := a.printJSON(trunkJSON(t.Name(), h, a.env.now())); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintln(a.env.out, trunkText(t.Name(), h, a.env.now())); err != nil {
			return err
		}
	}
	return nil
}

func trunkJSON(name string, h sip.Health, now time.Time) trunkLine {
	l := trunkLine{
		V: 1, Trunk: name, State: h.State, Reason: h.Reason, LatencyMS: h.Latency.Milliseconds(), Failure: h.Failure,
		FailedAt: moment(h.FailedAt), RestUntil: moment(h.RestUntil),
	}
	if g := h.Registration; g.Wanted {
		l.Registration = &registrationLine{
			Registered: g.Registered(now), Until: moment(g.Until), Granted: int(g.Granted.Seconds()), Foreign: g.Foreign, Failure: g.Failure,
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

func trunkText(name string, h sip.Health, now time.Time) string {
	parts := []string{string(h.State)}
	if h.Reason != "" {
		parts[0] += " (" + string(h.Reason) + ")"
	}
	if h.Latency > 0 {
		parts = append(parts, fmt.Sprintf("answered in %d ms", max(1, h.Latency.Milliseconds())))
	}
	switch g := h.Registration; {
	case !g.Wanted:
	case g.Registered(now):
		parts = append(parts, fmt.Sprintf("registered for %d s", int(g.Granted.Seconds())))
	case g.Failure != "":
		parts = append(parts, "not registered: "+g.Failure)
	}
	return fmt.Sprintf("%-4s  %-8s %-18s %s", "", "state", name, strings.Join(parts, ", "))
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
