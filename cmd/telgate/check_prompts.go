package main

import (
	"cmp"
	"fmt"
	"slices"

	"telgate/prompts"
)

// checkLanguages sees what each language's listeners would hear, in every codec of the trunks, and that who calls is said
// before the alert.
func checkLanguages(g *gateway, r *report) {
	if g.cfg.Gateway.AnnouncePrompt == "" {
		r.add("prompt", "announcement", "warn", "none is recorded: the built-in alert does not name who calls", "record who calls and why, and set gateway.announce_prompt")
	}
	codecs := map[string]bool{}
	for _, t := range g.cfg.Trunks {
		for _, c := range t.Codecs {
			codecs[c] = true
		}
	}
	var told []string
	for _, p := range g.people.People() {
		language := cmp.Or(p.Language, g.cfg.Gateway.Language)
		if slices.Contains(told, language) {
			continue
		}
		told = append(told, language)
		script, err := g.sounds.Script(prompts.ScriptOptions{
			Prompt: g.cfg.Calls.Prompt, Announce: g.cfg.Gateway.AnnouncePrompt, Languages: []string{language, g.cfg.Gateway.Language, "en"},
		})
		if err != nil {
			r.add("prompt", language, "fail", fmt.Sprintf("%s hears nothing: %v", p.Nick, err), "record it, see [prompts]")
			continue
		}
		for codec := range codecs {
			if len(script.Alert(codec).Frames) == 0 {
				r.add("prompt", language, "fail", fmt.Sprintf("there is no alert in %s", codec), "see codecs of the trunks")
			}
		}
		if heard := script.Alert("PCMU").Language; heard != "" && heard != language {
			r.add("prompt", language, "warn", fmt.Sprintf("%s hears the alert in %q", p.Nick, heard), fmt.Sprintf("record it in %q, see [prompts]", language))
		}
	}
}
