// Package directory knows who a word means: nicknames, aliases, groups and Slack ids, in one folded namespace.
//
// It is made once from the configuration and does not change; it reads no files and asks no servers. Which of a person's
// numbers may be dialled is for package plan.
package directory

import (
	"fmt"
	"slices"
	"strings"

	"telgate"
)

// Entry is one person as configured.
type Entry struct {
	Person telgate.Person   // without Numbers
	Raw    []string         // the numbers as written
	Phones []telgate.Number // for each of Raw: its Label, Trunk and Ring
}

// Config is everybody.
type Config struct {
	People []Entry
	Groups []telgate.Group
	Region string          // ISO 3166 region of numbers written without +
	PBX    map[string]bool // trunks by name; true where they have extensions
}

// Directory answers who a word means.
type Directory struct {
	people []telgate.Person
	groups []telgate.Group
	words  map[string]entry // folded → whom it means
	slack  map[string]int   // Slack id → index in people
}

// entry is what one word means.
type entry struct {
	word  string // as configured
	kind  string // "person", "alias" or "group"
	index int
}

// New checks the configuration and returns all its faults; the Directory is usable only where there are none.
func New(cfg Config) (*Directory, []telgate.Fault) {
	d := &Directory{words: make(map[string]entry), slack: make(map[string]int)}
	var faults []telgate.Fault
	for i, e := range cfg.People {
		p, f := e.person(cfg)
		faults = append(faults, f...)
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
		d.people = append(d.people, p)
	}
	for i, g := range cfg.Groups {
		faults = append(faults, d.claim("groups."+g.Nick, g.Nick, "group", i)...)
	}
	for _, g := range cfg.Groups {
		members, f := d.members(g)
		faults = append(faults, f...)
		g.Members = members
		d.groups = append(d.groups, g)
	}
	return d, faults
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
		return []telgate.Fault{{Path: path, Message: fmt.Sprintf("%q means the same as the %s %q; names, aliases and groups share one namespace", telgate.Masked(word), other.kind, telgate.Masked(other.word))}}
	}
	d.words[key] = entry{word, kind, index}
	return nil
}

// members resolves a group's members to nicknames, each once.
func (d *Directory) members(g telgate.Group) ([]string, []telgate.Fault) {
	var nicks []string
	var faults []telgate.Fault
	for i, m := range g.Members {
		path := fmt.Sprintf("groups.%s.members[%d]", g.Nick, i)
		e, ok := d.words[fold(m)]
		switch {
		case !ok:
			f := telgate.Fault{Path: path, Message: fmt.Sprintf("nobody is called %q", telgate.Masked(m))}
			if near := d.suggest(m); len(near) > 0 {
				f.Nearest = near[0]
			}
			faults = append(faults, f)
		case e.kind == "group":
			faults = append(faults, telgate.Fault{Path: path, Message: fmt.Sprintf("%q is a group; groups of groups are not in this version", m)})
		case slices.Contains(nicks, d.people[e.index].Nick):
			faults = append(faults, telgate.Fault{Path: path, Message: fmt.Sprintf("%s is a member already", d.people[e.index].Nick)})
		default:
			nicks = append(nicks, d.people[e.index].Nick)
		}
	}
	if len(g.Members) == 0 {
		faults = append(faults, telgate.Fault{Path: "groups." + g.Nick + ".members", Message: "a group needs members"})
	}
	return nicks, faults
}

// Resolve finds who a word means: nickname, alias, group, or a Slack mention. The error is a [*telgate.Refusal]. Words
// that mean nobody are never guessed, only suggested.
func (d *Directory) Resolve(word string) (telgate.Match, error) {
	if id, ok := mention(word); ok {
		if i, known := d.slack[id]; known {
			return d.match(entry{d.people[i].Nick, "person", i}), nil
		}
		return telgate.Match{}, &telgate.Refusal{
			Reason: telgate.RefusedUnknownName, Subject: word,
			Message: "That Slack user is not in the directory: add their Slack id to somebody in config.toml.",
		}
	}
	if e, ok := d.words[fold(strings.TrimPrefix(word, "@"))]; ok {
		return d.match(e), nil
	}
	return telgate.Match{}, d.unknown(word)
}

func (d *Directory) match(e entry) telgate.Match {
	if e.kind != "group" {
		p := d.people[e.index]
		return telgate.Match{Title: p.Nick, People: []telgate.Person{p}}
	}
	g := d.groups[e.index]
	m := telgate.Match{Title: g.Nick, Prompt: g.Prompt}
	for _, nick := range g.Members {
		if p, ok := d.Person(nick); ok {
			m.People = append(m.People, p)
		}
	}
	return m
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

// Groups are all groups.
func (d *Directory) Groups() []telgate.Group { return slices.Clone(d.groups) }

// Person finds somebody by nickname.
func (d *Directory) Person(nick string) (telgate.Person, bool) {
	if e, ok := d.words[fold(nick)]; ok && e.kind == "person" {
		return d.people[e.index], true
	}
	return telgate.Person{}, false
}
