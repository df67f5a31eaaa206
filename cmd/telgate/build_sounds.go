package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"telgate"
	"telgate/config"
	"telgate/media"
	"telgate/prompts"
)

func newSounds(cfg config.Config) (*prompts.Library, config.Faults) {
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
	var faults config.Faults
	for _, e := range joined(err) {
		f := telgate.Fault{Path: "prompts", Message: e.Error()}
		if clip, ok := errors.AsType[*prompts.ClipError](e); ok {
			f = telgate.Fault{Path: "prompts." + clip.Name, Message: fmt.Sprintf("%s: %v", clip.Path, withoutPath(clip.Err))}
		}
		faults = append(faults, f)
	}
	if len(faults) > 0 {
		return library, faults
	}
	return library, checkScripts(cfg, library)
}

// withoutPath is an error of a file without its name, which stands before it already.
func withoutPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// checkScripts sees that every recording that is named exists, and that the longest fits twice into a call.
func checkScripts(cfg config.Config, library *prompts.Library) config.Faults {
	var faults config.Faults
	named := []struct{ path, name string }{{"calls.prompt", cfg.Calls.Prompt}}
	for _, g := range cfg.Groups {
		if g.Prompt != "" {
			named = append(named, struct{ path, name string }{"groups." + g.Name + ".prompt", g.Prompt})
		}
	}
	languages, announce := slices.Compact([]string{cfg.Gateway.Language, "en"}), cfg.Gateway.AnnouncePrompt
	if announce != "" {
		if _, err := library.Script(prompts.ScriptOptions{Prompt: announce, Languages: languages}); err != nil {
			faults, announce = append(faults, telgate.Fault{Path: "gateway.announce_prompt", Message: err.Error()}), ""
		}
	}
	for _, n := range named {
		script, err := library.Script(prompts.ScriptOptions{Prompt: n.name, Announce: announce, Languages: languages})
		if err != nil {
			faults = append(faults, telgate.Fault{Path: n.path, Message: err.Error()})
			continue
		}
		if need := 2 * (script.Alert(media.PCMU.Name).Duration + repeatPause); cfg.Calls.MaxDuration < need {
			faults = append(faults, telgate.Fault{Path: "calls.max_duration", Message: fmt.Sprintf("%s is too short: recording %q needs %s to be heard twice", cfg.Calls.MaxDuration, n.name, need)})
		}
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
