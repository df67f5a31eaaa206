package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"telgate"
)

const (
	rotaAhead  = 14 * 24 * time.Hour // how far check looks for gaps and overlaps
	rotaFaults = 5                   // how many of them it shows of one rota
)

// checkRotas says who is on call, when nobody or several will be, and how the sources stand. Every source is read now.
func checkRotas(ctx context.Context, g *gateway, r *report) {
	if err := g.people.Load(ctx); err != nil {
		r.add("rota", "state", "warn", err.Error(), "covers and sources are as if nothing had been kept")
	}
	g.people.Refresh(ctx)
	for _, s := range g.people.Sources() {
		checkSource(s, r)
	}
	for _, o := range g.people.OnCall() {
		status, fix := "ok", ""
		if len(o.People) == 0 {
			status, fix = "warn", "a page for it is refused meanwhile: set rotas."+o.Rota+".fallback"
		}
		r.add("rota", o.Rota, status, onCallWords(o), fix)
	}
	shown := map[string]int{}
	for _, f := range g.people.RotaFaults(r.app.env.now().Add(rotaAhead)) {
		if shown[f.Rota]++; shown[f.Rota] > rotaFaults {
			continue
		}
		span := fmt.Sprintf("from %s until %s", wallClock(f.From), wallClock(f.Until))
		if len(f.People) == 0 {
			r.add("rota", f.Rota, "warn", "has nobody "+span, "plan a shift; a fallback is called meanwhile, if there is one")
		} else {
			r.add("rota", f.Rota, "warn", strings.Join(f.People, " and ")+" are on call at once "+span, "both are called, who began first comes first; if that is not meant, correct a shift")
		}
	}
	for _, rota := range slices.Sorted(maps.Keys(shown)) {
		if n := shown[rota]; n > rotaFaults {
			r.add("rota", rota, "warn", fmt.Sprintf("has %d more gaps and overlaps in the next %d days", n-rotaFaults, int(rotaAhead.Hours()/24)), "")
		}
	}
}

func checkSource(s telgate.SourceState, r *report) {
	switch {
	case s.Problem != "" && s.Fetched.IsZero():
		r.add("source", s.Of, "fail", s.From+" "+s.Problem, "nobody comes from it; see source and source_token")
	case s.Problem != "":
		r.add("source", s.Of, "warn", fmt.Sprintf("%s %s", s.From, s.Problem), "what it said "+ageWords(s, r)+" is used")
	case s.Stale:
		r.add("source", s.Of, "warn", fmt.Sprintf("%s was last read %s", s.From, ageWords(s, r)), "see source")
	default:
		r.add("source", s.Of, "ok", s.From+" is read", "")
	}
	for _, note := range s.Notes {
		r.add("source", s.Of, "warn", note, "")
	}
}

func ageWords(s telgate.SourceState, r *report) string {
	return r.app.env.now().Sub(s.Fetched).Round(time.Second).String() + " ago"
}

// onCallWords says who is on call in a rota, and until when.
func onCallWords(o telgate.OnCall) string {
	s := nickList(o.People)
	switch {
	case len(o.People) == 0:
		s = "nobody"
	case o.Fallback:
		s += " (fallback, nobody has a turn)"
	}
	for _, c := range o.Covers {
		s += fmt.Sprintf(", %s covers for %s", c.By, c.For)
	}
	if !o.Until.IsZero() {
		zone, err := time.LoadLocation(o.TimeZone)
		if err != nil {
			zone = time.UTC
		}
		s += " until " + wallClock(o.Until.In(zone))
	}
	if len(o.Next) > 0 {
		s += ", then " + nickList(o.Next)
	}
	return s
}

func nickList(people []telgate.Person) string {
	return strings.Join(nicksOf(people), ", ")
}

// wallClock is a moment as clocks show it where it is.
func wallClock(t time.Time) string { return t.Format("Mon 2006-01-02 15:04 MST") }

// listRotas prints who is on call: a line for each rota.
func listRotas(a *app, rotas []telgate.OnCall) error {
	for _, o := range rotas {
		if !a.cli.JSON {
			_, _ = fmt.Fprintf(a.env.out, "%-16s rota: %s\n", o.Rota, onCallWords(o))
			continue
		}
		line := map[string]any{"v": 1, "rota": o.Rota, "on_call": nicksOf(o.People), "next": nicksOf(o.Next), "fallback": o.Fallback, "time_zone": o.TimeZone}
		if !o.Until.IsZero() {
			line["until"] = o.Until.UTC().Format(time.RFC3339)
		}
		if err := a.printJSON(line); err != nil {
			return err
		}
	}
	return nil
}

func nicksOf(people []telgate.Person) []string {
	nicks := []string{}
	for _, p := range people {
		nicks = append(nicks, p.Nick)
	}
	return nicks
}
