// Package directory knows who a word means: nicknames, aliases, groups, rotas and Slack ids, in one folded namespace.
//
// It is made once from the configuration. What changes while it lives is who has a turn in a rota, what the sources of
// groups and rotas say (package feed), and who covers for whom; [Directory.Resolve] answers for the moment. Which of a
// person's numbers may be dialled is for package plan.
package directory

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"telgate"
	"telgate/directory/rota"
)

// Entry is one person as configured.
type Entry struct {
	Person telgate.Person   // without Numbers
	Raw    []string         // the numbers as written
	Phones []telgate.Number // for each of Raw: its Label, Trunk and Ring
}

// Group is one group as configured.
type Group struct {
	telgate.Group // Members are words: people, groups and rotas

	Source Source
}

// Config is everybody.
type Config struct {
	People []Entry
	Groups []Group
	Rotas  []Rota
	Region string          // ISO 3166 region of numbers written without +
	PBX    map[string]bool // trunks by name; true where they have extensions
}

// Env is what the directory takes from outside. The zero Env is the system's, remembers nothing and logs nothing.
type Env struct {
	Now    func() time.Time
	Rand   io.Reader // for the ids of covers
	Jitter func(time.Duration) time.Duration
	HTTP   *http.Client
	TOML   func(text string) (map[string]any, error) // reads a file of a source that is a folder
	Covers Covers                                    // where covers are kept; nil = in memory
	Copies string                                    // the directory of sources' last good copies, "" = there are none
	Keeps  bool                                      // copies are written, too: only the gateway itself does
	Log    *slog.Logger
}

// Directory answers who a word means. Its methods are safe for concurrent use.
type Directory struct {
	env     Env
	people  []telgate.Person
	rosters []*roster        // groups, then rotas, in the order of the configuration
	words   map[string]entry // folded → whom it means
	slack   map[string]int   // Slack id → index in people
	names   map[string]int   // folded e-mail addresses and full names → index in people, -1 where two have the same

	mu     sync.RWMutex
	covers []telgate.Cover
}

// entry is what one word means.
type entry struct {
	word  string // as configured
	kind  string // "person", "alias", "group" or "rota"
	index int    // in people, or in rosters
}

func (e entry) person() bool { return e.kind == "person" || e.kind == "alias" }

// New checks the configuration and returns all its faults; the Directory is usable only where there are none. Nothing is
// read yet: see [Directory.Load].
func New(cfg Config, env Env) (*Directory, []telgate.Fault) {
	d := &Directory{env: env.complete(), words: make(map[string]entry), slack: make(map[string]int), names: make(map[string]int)}
	var faults []telgate.Fault
	for i, e := range cfg.People {
		faults = append(faults, d.enter(cfg, e, i)...)
	}
	for i, g := range cfg.Groups {
		faults = append(faults, d.claim("groups."+g.Nick, g.Nick, "group", i)...)
		d.rosters = append(d.rosters, &roster{kind: "group", nick: g.Nick, prompt: g.Prompt, way: g.Way})
	}
	for i, r := range cfg.Rotas {
		faults = append(faults, d.claim("rotas."+r.Nick, r.Nick, "rota", len(cfg.Groups)+i)...)
		d.rosters = append(d.rosters, &roster{kind: "rota", nick: r.Nick, prompt: r.Prompt, turns: rota.NewShifts(nil)})
	}
	for i := range cfg.Groups {
		faults = append(faults, d.fill(d.rosters[i], &cfg.Groups[i])...)
	}
	for i := range cfg.Rotas {
		faults = append(faults, d.plan(d.rosters[len(cfg.Groups)+i], &cfg.Rotas[i])...)
	}
	return d, append(faults, d.circles()...)
}

// enter takes a person in.
func (d *Directory) enter(cfg Config, e Entry, i int) []telgate.Fault {
	p, faults := e.person(cfg)
	path := "people." + p.Nick
	faults = append(faults, d.claim(path, p.Nick, "person", i)...)
	for _, a := range p.Aliases {
		faults = append(faults, d.claim(path+".aliases", a, "alias", i)...)
	}
	if p.Slack != "" {
		if j, taken := d.slack[p.Slack]; taken {
			faults = append(faults, telgate.Fault{Path: path + ".slack", Message: fmt.Sprintf("%s is already %s's", p.Slack, cfg.People[j].Person.Nick)})
		}
		d.slack[p.Slack] = i
	}
	if p.Email != "" {
		if j, taken := d.names[fold(p.Email)]; taken && j >= 0 && fold(cfg.People[j].Person.Email) == fold(p.Email) {
			faults = append(faults, telgate.Fault{Path: path + ".email", Message: fmt.Sprintf("is already %s's", cfg.People[j].Person.Nick)})
		}
		d.names[fold(p.Email)] = i
	}
	if _, twice := d.names[fold(p.Name)]; twice {
		d.names[fold(p.Name)] = -1
	} else {
		d.names[fold(p.Name)] = i
	}
	d.people = append(d.people, p)
	return faults
}

// person reads one entry's numbers.
func (e Entry) person(cfg Config) (telgate.Person, []telgate.Fault) {
	p := e.Person
	if p.Name == "" {
		p.Name = p.Nick
	}
	var faults []telgate.Fault
	for i, raw := range e.Raw {
		path := fmt.Sprintf("people.%s.phones[%d]", p.Nick, i)
		n, err := ParseNumber(raw, cfg.Region)
		if err != nil {
			faults = append(faults, telgate.Fault{Path: path, Message: err.Error()})
			continue
		}
		if n.Extension != "" {
			if pbx, known := cfg.PBX[n.Trunk]; !known {
				faults = append(faults, telgate.Fault{Path: path, Message: fmt.Sprintf("%q is not one of the trunks; write sip:EXTENSION@TRUNK", n.Trunk)})
			} else if !pbx {
				faults = append(faults, telgate.Fault{Path: path, Message: fmt.Sprintf("trunk %s has no extensions; only one with kind = \"pbx\" has", n.Trunk)})
			}
		} else if n.Trunk = e.Phones[i].Trunk; n.Trunk != "" {
			if _, known := cfg.PBX[n.Trunk]; !known {
				faults = append(faults, telgate.Fault{Path: path, Message: fmt.Sprintf("%q is not one of the trunks", n.Trunk)})
			}
		}
		n.Label, n.Ring = e.Phones[i].Label, e.Phones[i].Ring
		p.Numbers = append(p.Numbers, n)
	}
	if len(e.Raw) == 0 {
		faults = append(faults, telgate.Fault{Path: "people." + p.Nick + ".phones", Message: "nobody can be called without a number"})
	}
	return p, faults
}

// claim takes a word for somebody; two words that fold alike are one word.
func (d *Directory) claim(path, word, kind string, index int) []telgate.Fault {
	if why := unusable(word); why != "" {
		return []telgate.Fault{{Path: path, Message: fmt.Sprintf("%q cannot be a name: %s", telgate.Masked(word), why)}}
	}
	key := fold(word)
	if other, taken := d.words[key]; taken {
		return []telgate.Fault{{Path: path, Message: fmt.Sprintf("%q means the same as the %s %q; names, aliases, groups and rotas share one namespace", telgate.Masked(word), other.kind, telgate.Masked(other.word))}}
	}
	d.words[key] = entry{word, kind, index}
	return nil
}

// Resolve finds who a word means now: nickname, alias, group, rota, or a Slack mention. The error is a [*telgate.Refusal]. Words
// that mean nobody are never guessed, only suggested.
func (d *Directory) Resolve(word string) (telgate.Match, error) {
	e, err := d.somebody(word)
	if err != nil {
		return telgate.Match{}, err
	}
	return d.match(e)
}

// somebody is what a word or a mention means.
func (d *Directory) somebody(word string) (entry, error) {
	if id, ok := mention(word); ok {
		if i, known := d.slack[id]; known {
			return entry{d.people[i].Nick, "person", i}, nil
		}
		return entry{}, &telgate.Refusal{
			Reason: telgate.RefusedUnknownName, Subject: word,
			Message: "That Slack user is not in the directory: add their Slack id to somebody in config.toml.",
		}
	}
	if e, ok := d.lookup(word); ok {
		return e, nil
	}
	return entry{}, d.unknown(word)
}

// lookup finds a word of the configuration.
func (d *Directory) lookup(word string) (entry, bool) {
	e, ok := d.words[fold(strings.TrimPrefix(word, "@"))]
	return e, ok
}

func (d *Directory) match(e entry) (telgate.Match, error) {
	if e.person() {
		p := d.people[e.index]
		return telgate.Match{Title: p.Nick, People: []telgate.Person{p}}, nil
	}
	r := d.rosters[e.index]
	m := telgate.Match{Title: r.nick, Prompt: r.prompt, Way: r.way}
	for _, i := range d.expand(e, d.env.Now()) {
		m.People = append(m.People, d.people[i])
	}
	if len(m.People) == 0 {
		return telgate.Match{}, d.nobody(r)
	}
	return m, nil
}

func (d *Directory) unknown(word string) error {
	r := &telgate.Refusal{Reason: telgate.RefusedUnknownName, Subject: word, Suggestions: d.suggest(word)}
	switch {
	case len(d.people) == 0:
		r.Message = "Nobody is configured yet: add [people.NICK] to config.toml."
	case len(r.Suggestions) > 0:
		r.Message = fmt.Sprintf("Nobody is called %q. Did you mean %s?", telgate.Masked(word), telgate.Masked(strings.Join(r.Suggestions, " or ")))
	default:
		r.Message = fmt.Sprintf("Nobody is called %q.", telgate.Masked(word))
	}
	return r
}

// People are all people, in the order of the configuration.
func (d *Directory) People() []telgate.Person { return slices.Clone(d.people) }

// Groups are all groups, with the titles of those who are in them now.
func (d *Directory) Groups() []telgate.Group {
	var all []telgate.Group
	for _, r := range d.rosters {
		if r.kind != "group" {
			continue
		}
		g := telgate.Group{Nick: r.nick, Prompt: r.prompt, Way: r.way}
		for _, e := range d.direct(r, d.env.Now()) {
			if title := d.title(e); !slices.Contains(g.Members, title) {
				g.Members = append(g.Members, title)
			}
		}
		all = append(all, g)
	}
	return all
}

// Person finds somebody by nickname.
func (d *Directory) Person(nick string) (telgate.Person, bool) {
	if e, ok := d.words[fold(nick)]; ok && e.kind == "person" {
		return d.people[e.index], true
	}
	return telgate.Person{}, false
}
