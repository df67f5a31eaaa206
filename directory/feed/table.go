package feed

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// names are the columns, and the keys of objects, in which something may stand.
func names(what string) []string {
	switch what {
	case "person":
		return []string{"person", "nick", "nickname", "member", "user", "username", "email", "name"}
	case "from":
		return []string{"from", "start", "begin"}
	case "until":
		return []string{"until", "end", "to"}
	}
	return []string{"members", "people", "shifts", "oncall", "on_call"}
}

// json reads a list of people or shifts, or an object that holds one.
func (g *gathering) json(text string) error {
	d := json.NewDecoder(strings.NewReader(text))
	var document any
	if err := d.Decode(&document); err != nil {
		return fmt.Errorf("is no JSON: %w", plainly(err, text))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("is no JSON: something stands behind it")
	}
	return g.document(document)
}

// document is a list, or an object with lists.
func (g *gathering) document(document any) error {
	switch d := document.(type) {
	case []any:
		return g.list(d)
	case map[string]any:
		found := false
		for _, key := range names("") {
			if list, ok := d[key].([]any); ok {
				found = true
				if err := g.list(list); err != nil {
					return fmt.Errorf("%s: %w", key, err)
				}
			} else if tables, ok := d[key].([]map[string]any); ok { // as TOML has them
				found = true
				for i, t := range tables {
					if err := g.object(t); err != nil {
						return fmt.Errorf("%s[%d]: %w", key, i, err)
					}
				}
			}
		}
		if found {
			return nil
		}
	}
	return fmt.Errorf("has no list of people: a list, or one under %s, is needed", strings.Join(names(""), ", "))
}

func (g *gathering) list(list []any) error {
	for i, entry := range list {
		var err error
		switch e := entry.(type) {
		case string:
			err = g.person(e)
		case map[string]any:
			err = g.object(e)
		default:
			err = errors.New("is neither a name nor an object")
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return nil
}

// object is somebody, with a time or without one.
func (g *gathering) object(o map[string]any) error {
	field := func(what string) string {
		for _, name := range names(what) {
			switch v := o[name].(type) {
			case string:
				if v != "" {
					return v
				}
			case time.Time: // of TOML; one without an offset has a zone of its own, named so by the library
				if strings.HasSuffix(v.Location().String(), "local") {
					return v.Format("2006-01-02T15:04:05")
				}
				return v.Format(time.RFC3339)
			}
		}
		return ""
	}
	return g.entry(field)
}

func (g *gathering) entry(field func(what string) string) error {
	who, from, until := field("person"), field("from"), field("until")
	switch {
	case who == "":
		return errNobody
	case from == "" && until == "":
		return g.person(who)
	case from == "" || until == "":
		return fmt.Errorf("%q has only one of from and until", named(who))
	}
	return g.shift(who, from, until)
}

// csv reads a table whose first line names its columns: person, and from and until where it holds shifts.
func (g *gathering) csv(text string) error {
	r := csv.NewReader(strings.NewReader(text))
	r.TrimLeadingSpace = true
	first, _, _ := strings.Cut(text, "\n")
	for _, comma := range ";\t" { // as spreadsheets write them where the comma is in numbers
		if !strings.Contains(first, ",") && strings.ContainsRune(first, comma) {
			r.Comma = comma
		}
	}
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("is no CSV: %w", plainly(err, text))
	}
	for i := range head {
		head[i] = strings.ToLower(strings.TrimSpace(head[i]))
	}
	column := func(what string) int {
		return slices.IndexFunc(head, func(h string) bool { return slices.Contains(names(what), h) })
	}
	columns := map[string]int{"person": column("person"), "from": column("from"), "until": column("until")}
	if columns["person"] < 0 {
		return fmt.Errorf("its first line names no column person (%s are others that are understood)", strings.Join(names("person")[1:], ", "))
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("is no CSV: %w", err)
		}
		line, _ := r.FieldPos(0)
		if err := g.entry(func(what string) string {
			if i := columns[what]; i >= 0 {
				return strings.TrimSpace(row[i])
			}
			return ""
		}); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// folder reads the TOML files of a folder, each with members or shifts.
func (g *gathering) folder(body []byte) error {
	var pages []page
	if err := json.Unmarshal(body, &pages); err != nil {
		return fmt.Errorf("its copy cannot be read: %w", err)
	}
	for _, p := range pages {
		document, err := g.env.TOML(p.Text)
		if err == nil {
			err = g.document(document)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return nil
}

// plainly explains an error by what is there instead.
func plainly(err error, text string) error {
	head := strings.ToLower(strings.TrimSpace(text[:min(len(text), 200)]))
	switch {
	case head == "":
		return errors.New("it is empty")
	case strings.HasPrefix(head, "<!doctype html"), strings.HasPrefix(head, "<html"):
		return errors.New("it is a web page: the address may want a login")
	}
	return err
}
