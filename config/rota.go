package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Rota is [rotas.NAME]: people who take turns, or the source of their shifts.
type Rota struct {
	Name     string
	People   []string
	Every    string
	HandOver string
	TimeZone string
	Begins   string // "2026-01-05"
	Only     []string
	Fallback []string
	Prompt   string
	Source   Source
}

// Source is where a group or rota gets people from, beside this file. The zero Address is none.
type Source struct {
	Address    Secret // a URL or a path: that of a calendar is often its password
	Format     string // "" = by the address
	Token      Secret
	Refresh    time.Duration // 0 = the directory's default, as StaleAfter
	StaleAfter time.Duration
}

func (r *Rota) keys(s Secrets) keys {
	return keys{
		"people": list(&r.People), "every": text(&r.Every), "hand_over": text(&r.HandOver), "time_zone": zone(&r.TimeZone),
		"begins": date(&r.Begins), "only": list(&r.Only), "fallback": list(&r.Fallback), "prompt": text(&r.Prompt),
	}.with(r.Source.keys(s))
}

func (c *Source) keys(s Secrets) keys {
	return keys{
		"source": place(&c.Address, s), "source_format": oneOf(&c.Format, "ical", "json", "csv", "toml"), "source_token": secret(&c.Token, s),
		"refresh": duration(&c.Refresh, 30*time.Second, 24*time.Hour), "stale_after": duration(&c.StaleAfter, time.Minute, 366*24*time.Hour),
	}
}

func (w *walker) rota(name string, table map[string]any) {
	r := Rota{Name: name}
	w.walk("rotas", "rotas."+name, table, r.keys(w.secrets))
	w.cfg.Rotas = append(w.cfg.Rotas, r)
}

// place is a URL or a path, or where one is to be had, as with secrets. Written into the file it is no fault: many are no
// password.
func place(at *Secret, s Secrets) setter {
	return func(v any) error {
		var name string
		if err := text(&name)(v); err != nil {
			return err
		}
		for _, kind := range []string{"env:", "file:", "cred:"} {
			if strings.HasPrefix(name, kind) && !strings.HasPrefix(name, kind+"//") {
				return secret(at, s)(v)
			}
		}
		if err := homeless(name); err != nil {
			return err
		}
		*at = Secret{name}
		return nil
	}
}

// date is a day, written as a string or as a date of TOML.
func date(at *string) setter {
	return func(v any) error {
		if t, ok := v.(time.Time); ok {
			*at = t.Format(time.DateOnly)
			return nil
		}
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return fmt.Errorf("%q is not a day such as \"2026-01-05\"", s)
		}
		*at = s
		return nil
	}
}

// Table reads a TOML file of its own, such as those in a folder that is a source.
func Table(source string) (map[string]any, error) {
	var table map[string]any
	if _, err := toml.Decode(source, &table); err != nil {
		if at, ok := errors.AsType[toml.ParseError](err); ok {
			return nil, fmt.Errorf("line %d: %s", at.Position.Line, at.Message)
		}
		return nil, err
	}
	return table, nil
}
