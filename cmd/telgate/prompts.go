package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// promptsCmd lists the recordings, or checks them.
type promptsCmd struct {
	List  promptsListCmd `cmd:"" default:"1" help:"List the recordings: language, length, level, where they come from."`
	Check promptsListCmd `cmd:"" help:"The same; exits 2 with every recording that cannot be used."`
}

type promptsListCmd struct{}

// Run is the command.
func (promptsListCmd) Run(a *app) error {
	cfg, err := a.readConfig(true)
	if err != nil {
		return err
	}
	library, faults := newSounds(cfg)
	if len(faults) > 0 {
		return withStatus(exitUsage, cfg.File.Faulty(faults))
	}
	for _, i := range library.List() {
		from, lang := i.Path, i.Language
		if from == "" {
			from = "built-in"
		}
		if lang == "" {
			lang = "any"
		}
		if a.cli.JSON {
			if err := a.printJSON(map[string]any{
				"v": 1, "prompt": i.Name, "language": i.Language, "ms": i.Duration.Milliseconds(), "dbov": math.Round(i.Level), "from": from, "warnings": i.Warnings,
			}); err != nil {
				return err
			}
			continue
		}
		line := fmt.Sprintf("%-12s %-5s %5.1f s %6.1f dBov  %s  %s", i.Name, lang,
			i.Duration.Round(100*time.Millisecond).Seconds(), i.Level, from, strings.Join(i.Warnings, "; "))
		_, _ = fmt.Fprintln(a.env.out, strings.TrimRight(line, " "))
	}
	return nil
}
