package config

import (
	"slices"
	"strings"

	"telgate"
)

// Without is the faults that are faults of their own: what only follows from one of known is left out. Where the value of a
// key could not be read its default stands in the Config, and whatever a room says about that default, or misses because
// a table could not be read, would send somebody to the wrong line.
func (f Faults) Without(known Faults) Faults {
	return slices.DeleteFunc(slices.Clone(f), func(x telgate.Fault) bool {
		return slices.ContainsFunc(known, func(k telgate.Fault) bool { return follows(x, k) })
	})
}

// follows tells whether x would not be there without the fault at.
func follows(x, at telgate.Fault) bool {
	for _, path := range meant(at) {
		if within(x.Path, path) || within(path, x.Path) || strings.Contains(path, ".") && strings.Contains(x.Message, path) {
			return true
		}
		if dot := strings.LastIndex(path, "."); dot > 0 && within(x.Path, path[:dot]) && strings.Contains(x.Message, path[dot+1:]+" = ") {
			return true // it asks for another value of this key
		}
		section, rest, _ := strings.Cut(path, ".")
		name, key, _ := strings.Cut(rest, ".")
		if missed(x, section, name, key) {
			return true
		}
	}
	return false
}

// missed tells whether x misses what a table holds that could not be read: the whole section where name is "", one of its
// tables, or the key of one that others depend on.
func missed(x telgate.Fault, section, name, key string) bool {
	named := strings.Contains(x.Message, `"`+name+`"`)
	switch section {
	case "trunks":
		if name == "" {
			return within(x.Path, "calls.trunks") || strings.Contains(x.Message, "of the trunks")
		}
		return key == "" && (named || strings.Contains(x.Message, "[trunks."+name+"]")) ||
			key == "kind" && strings.Contains(x.Message, "trunk "+name+" has no extensions")
	case "groups", "rotas":
		return key == "" && nobody(x) && (name == "" || named)
	case "people":
		nobody := nobody(x)
		return nobody && (name == "" || key == "" && named || within(key, "aliases"))
	case "prompts":
		return strings.Contains(x.Message, "recording") && (name == "" || named)
	}
	return false
}

// nobody tells whether a group or rota names somebody who is not there.
func nobody(x telgate.Fault) bool {
	return (within(x.Path, "groups") || within(x.Path, "rotas")) && strings.Contains(x.Message, "nobody is called")
}

// meant are the paths a fault is about: its own, the key that was mistyped, and the other way to write the same.
func meant(f telgate.Fault) []string {
	paths := []string{f.Path}
	above := f.Path[:strings.LastIndex(f.Path, ".")+1]
	if f.Nearest != "" {
		paths = append(paths, above+f.Nearest)
	}
	if strings.HasSuffix(f.Path, ".phone") {
		paths = append(paths, f.Path+"s")
	}
	return paths
}

// within tells whether path is at, or in, the key or table above.
func within(path, above string) bool {
	rest, ok := strings.CutPrefix(path, above)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
