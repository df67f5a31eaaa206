package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"time"

	"telgate"
	"telgate/config"
	"telgate/media"
	"telgate/prompts"
)

const (
	// shortestAlert is what an alert needs to say which key to press.
	shortestAlert = 2 * time.Second
	// keyMargin is how much of an alert must be left when the confirm key begins to count, so that somebody who presses it at
	// the end is believed.
	keyMargin = 500 * time.Millisecond
)

// newSounds reads the recordings, and sees that what calls play is among them and neither too short nor too long.
func newSounds(cfg config.Config) (*prompts.Library, config.Faults) {
	library, broken, faults := readSounds(cfg)
	return library, append(faults, checkScripts(cfg, library, broken)...)
}

// readSounds reads the recordings; broken are those of the operator's that cannot be used.
func readSounds(cfg config.Config) (library *prompts.Library, broken []*prompts.ClipError, faults config.Faults) {
	custom := make(map[string]prompts.Files, len(cfg.Prompts))
	for _, p := range cfg.Prompts {
		custom[p.Name] = prompts.Files{}
		for lang, path := range p.Files {
			custom[p.Name][lang] = cfg.File.Beside(path)
		}
	}
	library, err := prompts.New(custom, []prompts.Encoder{
		{Name: media.PCMU.Name, Encode: media.PCMU.Encode}, {Name: media.PCMA.Name, Encode: media.PCMA.Encode},
	})
	for _, e := range joined(err) {
		f := telgate.Fault{Path: "prompts", Message: e.Error()}
		if clip, ok := errors.AsType[*prompts.ClipError](e); ok {
			broken = append(broken, clip)
			f = telgate.Fault{Path: "prompts." + clip.Name, Message: fmt.Sprintf("%s: %v", clip.Path, withoutPath(clip.Err))}
		}
		faults = append(faults, f)
	}
	return library, broken, faults
}

// glassSounds are what a call that breaks the glass plays. A recording that cannot be used must not keep a phone from
// ringing: it is left out of cfg with a warning, and the built-in alert takes its place.
func glassSounds(cfg *config.Config, log *slog.Logger) *prompts.Library {
	library, broken, faults := readSounds(*cfg)
	faults = append(faults, checkScripts(*cfg, library, broken)...)
	for _, f := range faults {
		log.Warn("a recording is not as configured, calling all the same", "fault", f.Error())
	}
	if len(faults) == 0 {
		return library
	}
	var kept []config.Prompt
	for _, p := range cfg.Prompts {
		files := maps.Clone(p.Files)
		for _, b := range broken {
			if b.Name == p.Name {
				delete(files, b.Language)
			}
		}
		if len(files) > 0 {
			kept = append(kept, config.Prompt{Name: p.Name, Files: files})
		}
	}
	cfg.Prompts = kept
	library, _, _ = readSounds(*cfg)
	plays := func(name string) bool {
		_, err := library.Script(prompts.ScriptOptions{Prompt: name, Languages: languages(*cfg)})
		return err == nil
	}
	if !plays(prompts.NameAlert) { // those that are left are in no language of ours, or it is the thanks that are
		cfg.Prompts = nil
		library, _, _ = readSounds(*cfg)
	}
	if !plays(cfg.Calls.Prompt) {
		cfg.Calls.Prompt = prompts.NameAlert
	}
	if cfg.Gateway.AnnouncePrompt != "" && !plays(cfg.Gateway.AnnouncePrompt) {
		cfg.Gateway.AnnouncePrompt = ""
	}
	cfg.Groups = slices.Clone(cfg.Groups)
	for i, g := range cfg.Groups {
		if g.Prompt != "" && !plays(g.Prompt) {
			cfg.Groups[i].Prompt = prompts.NameAlert
		}
	}
	cfg.Rotas = slices.Clone(cfg.Rotas)
	for i, r := range cfg.Rotas {
		if r.Prompt != "" && !plays(r.Prompt) {
			cfg.Rotas[i].Prompt = prompts.NameAlert
		}
	}
	return library
}

// languages are those every recording is looked for in.
func languages(cfg config.Config) []string {
	return slices.Compact([]string{cfg.Gateway.Language, "en"})
}

// withoutPath is an error of a file without its name, which stands before it already.
func withoutPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// checkScripts sees that every recording that is named exists, and is long enough to be understood and short enough to be
// heard twice in a call. Those that are broken have their fault already.
func checkScripts(cfg config.Config, library *prompts.Library, broken []*prompts.ClipError) config.Faults {
	type use struct{ path, name string }
	named := []use{{"calls.prompt", cfg.Calls.Prompt}}
	for _, g := range cfg.Groups {
		if g.Prompt != "" {
			named = append(named, use{"groups." + g.Name + ".prompt", g.Prompt})
		}
	}
	for _, r := range cfg.Rotas {
		if r.Prompt != "" {
			named = append(named, use{"rotas." + r.Name + ".prompt", r.Prompt})
		}
	}
	told := func(name string) bool {
		return slices.ContainsFunc(broken, func(c *prompts.ClipError) bool { return c.Name == name })
	}
	var faults config.Faults
	announce := cfg.Gateway.AnnouncePrompt
	if announce != "" {
		if _, err := library.Script(prompts.ScriptOptions{Prompt: announce, Languages: languages(cfg)}); err != nil {
			if !told(announce) {
				faults = append(faults, unknownSound("gateway.announce_prompt", announce, err, library))
			}
			announce = ""
		}
	}
	for _, n := range named {
		if told(n.name) {
			continue
		}
		script, err := library.Script(prompts.ScriptOptions{Prompt: n.name, Announce: announce, Languages: languages(cfg)})
		if err != nil {
			faults = append(faults, unknownSound(n.path, n.name, err, library))
			continue
		}
		faults = append(faults, checkLength(cfg.Calls, n.path, n.name, script.Alert(media.PCMU.Name), library)...)
	}
	return faults
}

// unknownSound is the fault of a name that no recording has.
func unknownSound(path, name string, err error, library *prompts.Library) telgate.Fault {
	var known []string
	for _, i := range library.List() {
		known = append(known, i.Name)
	}
	f := telgate.Fault{Path: path, Message: err.Error()}
	if !slices.Contains(known, name) {
		f.Nearest = config.Nearest(name, known)
	}
	return f
}

// checkLength holds what a call plays again and again, the announcement included, against the times of a call.
func checkLength(calls config.Calls, path, name string, alert prompts.Clip, library *prompts.Library) config.Faults {
	var faults config.Faults
	for _, i := range library.List() {
		if i.Name == name && i.Duration < shortestAlert {
			faults = append(faults, telgate.Fault{Path: path, Message: fmt.Sprintf("recording %q is %s long; what says which key to press takes at least %s", name, i.Duration, shortestAlert)})
			return faults
		}
	}
	if said := alert.Duration - alert.Speech; said < calls.Key.ConfirmAfter+keyMargin {
		faults = append(faults, telgate.Fault{Path: "calls.confirm_after", Message: fmt.Sprintf("%s is too long: recording %q has %s of speech, and the key shall count %s before its end", calls.Key.ConfirmAfter, name, said, keyMargin)})
	}
	if need := 2 * (alert.Duration + repeatPause); calls.MaxDuration < need {
		faults = append(faults, telgate.Fault{Path: "calls.max_duration", Message: fmt.Sprintf("%s is too short: recording %q needs %s to be heard twice", calls.MaxDuration, name, need)})
	}
	return faults
}

// joined takes a joined error apart.
func joined(err error) []error {
	var many interface{ Unwrap() []error }
	if errors.As(err, &many) {
		return many.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
