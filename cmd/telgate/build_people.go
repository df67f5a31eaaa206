package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"telgate"
	"telgate/config"
	"telgate/directory"
	"telgate/plan"
)

// keeping is what a command does with covers and the copies of sources in the state directory.
type keeping int

const (
	keepsNothing keeping = iota // as if there were none: the demo reads no file
	keepsRead                   // they are the gateway's: only read
	keepsAll
)

func newDirectory(cfg config.Config, env *environment, keeps keeping, estate *estate, log *slog.Logger) (*directory.Directory, config.Faults) {
	dir := directory.Config{Region: cfg.Calls.Region, PBX: map[string]bool{}}
	for _, t := range cfg.Trunks {
		dir.PBX[t.Name] = t.Kind == string(plan.PBX)
	}
	for _, p := range cfg.People {
		e := directory.Entry{Person: telgate.Person{
			Nick: p.Nick, Name: p.Name, Aliases: p.Aliases, Slack: p.Slack, Email: p.Email, Language: p.Language, TimeZone: p.TimeZone,
			Confirm: telgate.Confirm(p.Confirm),
		}}
		for _, ph := range p.Phones {
			e.Raw = append(e.Raw, ph.Number)
			e.Phones = append(e.Phones, telgate.Number{Label: ph.Label, Trunk: ph.Trunk, Ring: ph.Ring})
		}
		dir.People = append(dir.People, e)
	}
	for _, g := range cfg.Groups {
		dir.Groups = append(dir.Groups, directory.Group{
			Group: telgate.Group{Nick: g.Name, Members: g.Members, Prompt: g.Prompt, Way: way(g)}, Source: source(cfg.File, g.Source),
		})
	}
	for _, r := range cfg.Rotas {
		dir.Rotas = append(dir.Rotas, directory.Rota{
			Nick: r.Name, Prompt: r.Prompt, People: r.People, Every: r.Every, HandOver: r.HandOver, TimeZone: r.TimeZone, Begins: r.Begins,
			Only: r.Only, Fallback: r.Fallback, Source: source(cfg.File, r.Source),
		})
	}
	d, faults := directory.New(dir, peopleEnv(cfg, env, keeps, estate, log))
	return d, faults
}

// way is how a group's members are called.
func way(g config.Group) telgate.Way {
	return telgate.Way{All: g.Strategy == "all", RollCall: g.Confirmations == "all"}
}

// source is a source as the directory wants it: a path begins at the configuration file.
func source(file config.File, s config.Source) directory.Source {
	address := s.Address.Reveal()
	if !strings.Contains(address, "://") {
		address = file.Beside(address)
	}
	return directory.Source{
		Address: address, Format: s.Format, Token: s.Token.Reveal(), Refresh: s.Refresh, StaleAfter: s.StaleAfter,
	}
}

func peopleEnv(cfg config.Config, env *environment, keeps keeping, estate *estate, log *slog.Logger) directory.Env {
	e := directory.Env{
		Now: env.now, Rand: env.rand, Log: log, Jitter: tenth, TOML: config.Table,
		HTTP: &http.Client{Transport: &http.Transport{
			DialContext: env.dial, Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: dialTimeout,
			DisableKeepAlives: true, // minutes pass between two requests
		}},
	}
	if keeps != keepsNothing {
		state := stateDir(cfg.File.Beside(cfg.Gateway.StateDir), env.getenv)
		e.Covers = &covers{estate: estate, file: directory.NewCoverBook(filepath.Join(state, "covers.json"))}
		e.Copies = filepath.Join(state, "sources")
		e.Keeps = keeps == keepsAll
	}
	return e
}

// tenth spreads a time by a tenth of it to both sides: gateways that were started together do not ask together.
func tenth(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1) //nolint:gosec // jitter
}

// recall takes up covers and the copies of sources.
func (s *settings) recall(ctx context.Context, log *slog.Logger) {
	if err := s.people.Load(ctx); err != nil {
		log.Warn("not all that was kept can be read", "err", err)
	}
}

// freshen reads the sources, for a moment, where one of them has no copy: a gateway that starts for the first time would not
// know who is on call.
func (s *settings) freshen(ctx context.Context) {
	if slices.ContainsFunc(s.people.Sources(), func(x telgate.SourceState) bool { return x.Fetched.IsZero() }) {
		ctx, cancel := context.WithTimeout(ctx, openLimit)
		defer cancel()
		s.people.Refresh(ctx)
	}
}

// person tells whether a word means one person, whoever is on call.
func (g *gateway) person(word string) bool {
	m, err := g.people.Resolve(word)
	if err != nil {
		return false
	}
	_, ok := g.people.Person(m.Title)
	return ok
}
