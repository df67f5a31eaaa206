package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"telgate"
)

// Faults is everything wrong with a file; it is an error.
type Faults []telgate.Fault

// Error lists the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// Syntax is the path of the one fault of a file that is no TOML.
const Syntax = "syntax"

// Load reads a file's text. The error is [Faults]. Beside them the Config holds what could be read, defaults elsewhere, so
// that the rooms can add their own faults (see [Faults.Without]); a fault of syntax comes alone, with no Config.
func Load(source string, secrets Secrets) (Config, error) {
	var file map[string]any
	meta, err := toml.Decode(source, &file)
	if err != nil {
		fault := telgate.Fault{Path: Syntax, Message: err.Error()}
		if at, ok := errors.AsType[toml.ParseError](err); ok {
			fault.Line, fault.Message = 1+strings.Count(source[:max(0, min(at.Position.Start, len(source)))], "\n"), telgate.Masked(at.Message)
			if isSecret(at.LastKey) { // the parser quotes what it could not read
				fault.Message = "the value of " + at.LastKey + " cannot be read; a string is written in quotes"
			}
		}
		return Config{}, Faults{fault}
	}
	w := &walker{lines: indexLines(source), secrets: secrets, cfg: Default()}
	w.top(file, meta)
	shape := w.faults
	w.faults = nil
	w.together()
	if shape = append(shape, w.faults.Without(shape)...); len(shape) > 0 {
		return w.cfg, shape
	}
	return w.cfg, nil
}

// walker goes through the decoded file.
type walker struct {
	cfg     Config
	faults  Faults
	lines   map[string]int
	secrets Secrets
}

func (w *walker) top(file map[string]any, meta toml.MetaData) {
	c := &w.cfg
	single := map[string]keys{
		"gateway": c.Gateway.keys(), "store": c.Store.keys(w.secrets), "calls": c.Calls.keys(), "limits": c.Limits.keys(), "sip": c.SIP.keys(),
		"media": c.Media.keys(), "log": c.Log.keys(), "slack": c.Slack.keys(w.secrets), "web": c.Web.keys(),
	}
	named := map[string]func(name string, table map[string]any){
		"trunks": w.trunk, "people": w.person, "groups": w.group, "rotas": w.rota, "prompts": w.prompt,
	}
	for _, section := range slices.Sorted(maps.Keys(file)) {
		table, isTable := file[section].(map[string]any)
		one, isSingle := single[section]
		many, isNamed := named[section]
		switch {
		case !isSingle && !isNamed:
			w.unknown("", section, slices.Concat(slices.Collect(maps.Keys(single)), slices.Collect(maps.Keys(named))))
		case !isTable:
			w.fault(section, "a table is needed, not "+kindOf(file[section]))
		case isSingle:
			w.walk(section, section, table, one)
		default:
			for _, name := range order(meta, section, table) {
				if entry, ok := table[name].(map[string]any); ok {
					many(name, entry)
				} else {
					w.fault(section+"."+name, "a table is needed, not "+kindOf(table[name]))
				}
			}
		}
	}
}

// together checks what keys mean to each other.
func (w *walker) together() {
	k := w.cfg.Calls.Key
	if k.ConfirmKey == k.RepeatKey {
		w.fault("calls.repeat_key", fmt.Sprintf("%q is the confirm_key", k.RepeatKey))
	}
	const why = `"answer" needs calls.accept_unknown = true: this version cannot tell people from voicemail`
	if k.Confirm == "answer" && !k.AcceptUnknown {
		w.fault("calls.confirm", why)
	}
	for _, p := range w.cfg.People {
		if p.Confirm == "answer" && !k.AcceptUnknown {
			w.fault("people."+p.Nick+".confirm", why)
		}
	}
	w.encrypted()
}

// encrypted checks what SRTP needs, and what needs SRTP.
func (w *walker) encrypted() {
	var open []string
	for _, t := range w.cfg.Trunks {
		if t.SRTP != "off" && t.Transport != "tls" {
			w.fault("trunks."+t.Name+".srtp", fmt.Sprintf(
				`%q needs transport = "tls": the keys travel inside SIP, and over %s everybody on the way could read them; set transport = "tls", or srtp = "off"`, t.SRTP, t.Transport))
		}
		if t.SRTP != "required" {
			open = append(open, "trunks."+t.Name)
		}
	}
	byKey := w.cfg.Calls.Key.Confirm == "key" || slices.ContainsFunc(w.cfg.People, func(p Person) bool { return p.Confirm == "key" })
	if w.cfg.Media.Latch == "any" && byKey && len(open) > 0 {
		w.fault("media.latch", fmt.Sprintf(`"any" needs srtp = "required" on every trunk (not so: %s): without it a stranger's packet could confirm a page`, strings.Join(open, ", ")))
	}
}

// order is the order of a section's tables in the file.
func order(meta toml.MetaData, section string, table map[string]any) []string {
	var names []string
	for _, k := range meta.Keys() {
		if len(k) >= 2 && k[0] == section && !slices.Contains(names, k[1]) {
			names = append(names, k[1])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// walk sets every key of one table.
func (w *walker) walk(section, path string, table map[string]any, k keys) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		set, known := k[name]
		full := path + "." + name
		switch {
		case !known:
			w.unknown(section, full, slices.Collect(maps.Keys(k)))
		default:
			err := set(table[name])
			_, missing := errors.AsType[missingError](err)
			switch {
			case missing:
				w.cfg.Missing = append(w.cfg.Missing, telgate.Fault{Path: full, Line: w.lines[full], Message: err.Error()})
			case errors.Is(err, errLiteral):
				w.cfg.Warnings = append(w.cfg.Warnings, full+": "+err.Error())
			case err != nil:
				w.fault(full, err.Error())
			}
		}
	}
}

func (w *walker) fault(path, message string) {
	w.faults = append(w.faults, telgate.Fault{Path: path, Line: w.lines[path], Message: message})
}

// unknown is a key that no table has: of a later version, mistyped, or nothing we know.
func (w *walker) unknown(section, path string, known []string) {
	name := path[strings.LastIndex(path, ".")+1:]
	if slices.Contains(later(section), name) {
		w.fault(path, "not in this version")
		return
	}
	f := telgate.Fault{Path: path, Line: w.lines[path], Message: "is not a key of this file"}
	f.Nearest = Nearest(name, known)
	w.faults = append(w.faults, f)
}

// Nearest is the known word that may have been meant, "" where none is near.
func Nearest(name string, known []string) string {
	nearest, best := "", min(max(2, len(name)/3)+1, len(name))
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := editDistance(name, k); d < best {
			best, nearest = d, k
		}
	}
	return nearest
}

func (w *walker) trunk(name string, table map[string]any) {
	t := NewTrunk(name)
	w.walk("trunks", "trunks."+name, table, t.keys(w.secrets))
	w.cfg.Trunks = append(w.cfg.Trunks, t)
}

func (w *walker) group(name string, table map[string]any) {
	g := Group{Name: name, Strategy: "hunt", Confirmations: "first"}
	w.walk("groups", "groups."+name, table, g.keys(w.secrets))
	w.cfg.Groups = append(w.cfg.Groups, g)
}

func (w *walker) person(nick string, table map[string]any) {
	p, path := Person{Nick: nick}, "people."+nick
	var plain []string
	tables, hasTables := table["phone"].([]map[string]any)
	rest := maps.Clone(table)
	delete(rest, "phone")
	w.walk("people", path, rest, p.keys(&plain))
	for _, n := range plain {
		p.Phones = append(p.Phones, Phone{Number: n})
	}
	if _, both := table["phones"]; both && table["phone"] != nil {
		w.fault(path+".phones", "is there beside [["+path+".phone]]; use one of the two")
	} else if table["phone"] != nil && !hasTables {
		w.fault(path+".phone", "is written as [["+path+".phone]]; for a list of numbers use phones")
	}
	for i, t := range tables {
		var ph Phone
		w.walk("phone", fmt.Sprintf("%s.phone[%d]", path, i), t, ph.keys())
		p.Phones = append(p.Phones, ph)
	}
	w.cfg.People = append(w.cfg.People, p)
}

func (w *walker) prompt(name string, table map[string]any) {
	p, path := Prompt{Name: name, Files: map[string]string{}}, "prompts."+name
	var file string
	rest := maps.Clone(table)
	delete(rest, "files")
	w.walk("prompts", path, rest, keys{"file": filePath(&file), "files": nil})
	if file != "" {
		p.Files[""] = file
	}
	if files, ok := table["files"].(map[string]any); ok {
		k := keys{}
		values := make(map[string]*string, len(files))
		for lang := range files {
			values[lang] = new(string)
			k[lang] = filePath(values[lang])
		}
		w.walk("prompts", path+".files", files, k)
		for lang, v := range values {
			p.Files[lang] = *v
		}
	} else if table["files"] != nil {
		w.fault(path+".files", "is a table by language: { en = \"…\", ja = \"…\" }")
	}
	if hasFile := table["file"] != nil && table["file"] != ""; hasFile == (table["files"] != nil) {
		w.fault(path, "needs either file or files")
	}
	w.cfg.Prompts = append(w.cfg.Prompts, p)
}

// indexLines finds the line of every key that is written once under its table's header. Inline tables and anything
// ambiguous have none.
func indexLines(source string) map[string]int {
	lines, table, n := map[string]int{}, "", 0
	for line := range strings.Lines(source) {
		n++
		line = strings.TrimSpace(line)
		if header, ok := strings.CutPrefix(line, "["); ok {
			table = ""
			if name, _, found := strings.Cut(header, "]"); found && !strings.HasPrefix(header, "[") {
				table = strings.ReplaceAll(strings.TrimSpace(name), `"`, "")
				mark(lines, table, n)
			}
			continue
		}
		key, _, found := strings.Cut(line, "=")
		key = strings.Trim(strings.TrimSpace(key), `"`)
		if found && table != "" && key != "" && !strings.HasPrefix(key, "#") && !strings.ContainsAny(key, " ,[]{}'\"") {
			mark(lines, table+"."+key, n)
		}
	}
	return lines
}

// mark keeps a line, or forgets it where the key comes twice.
func mark(lines map[string]int, key string, n int) {
	if _, twice := lines[key]; twice {
		n = 0
	}
	lines[key] = n
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		corner := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			corner, row[j] = row[j], min(row[j]+1, row[j-1]+1, corner+cost)
		}
	}
	return row[len(b)]
}
