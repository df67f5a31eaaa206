package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// version is set by the release build; a build from source says what it was built from.
const version = "0.1.0-dev"

// versionCmd prints the version.
type versionCmd struct{}

// Run is the command.
func (versionCmd) Run(a *app) error {
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				revision = s.Value[:12]
			}
		}
	}
	if a.cli.JSON {
		return a.printJSON(map[string]any{"v": 1, "version": version, "revision": revision, "go": runtime.Version()})
	}
	_, err := fmt.Fprintf(a.env.out, "telgate %s (%s, %s/%s)\n", strings.TrimSpace(version+" "+revision), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
