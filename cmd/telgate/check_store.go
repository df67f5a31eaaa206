package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"telgate/config"
	"telgate/store"
)

const (
	storeLimit = 10 * time.Second // for a look at the store
	enoughDisk = 1 << 30          // bytes: a million pages take about as much
)

// checkStore says whether pages can be kept. It changes nothing there, also while a gateway runs.
func checkStore(ctx context.Context, a *app, cfg config.Config, r *report) {
	kind, _, _ := strings.Cut(cfg.Store.URL.Reveal(), ":")
	if missing(cfg, "store") {
		r.add("store", kind, "fail", "is not looked at: store.url is missing", "")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	sight, err := store.Look(ctx, cfg.Store.URL.Reveal(), store.Options{Dir: a.stateDir(cfg), Now: a.env.now})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		r.add("store", kind, "warn", fmt.Sprintf("was not looked through within %v", storeLimit), "")
	case err != nil:
		r.add("store", kind, "fail", err.Error(), "")
	case sight.Tables == 0:
		r.add("store", sight.Kind, "ok", sight.At+" has no tables yet, serve makes them", "")
	default:
		r.add("store", sight.Kind, "ok", fmt.Sprintf("%s, %s, %s", sight.At, tables(sight), lastBackup(sight, a.env.now())), "")
	}
	if sight.Lossy {
		r.add("store", "commits", "warn", "synchronous_commit is off: a crash of the server may lose a page that was accepted", "set it to on for this database or its user")
	}
	if sight.Free > 0 {
		status, fix := "ok", ""
		if sight.Free < enoughDisk {
			status, fix = "warn", "make room, or lower store.keep: on a full disk no page is accepted"
		}
		r.add("store", "disk", status, size(sight.Free)+" free", fix)
	}
}

// tables says which version they have, and what serve makes of them.
func tables(s store.Sight) string {
	if s.Tables < s.Known {
		return fmt.Sprintf("tables %d, which serve brings to %d", s.Tables, s.Known)
	}
	return fmt.Sprintf("tables %d", s.Tables)
}

func lastBackup(s store.Sight, now time.Time) string {
	switch {
	case s.Kind != "sqlite":
		return "backed up by its own tools"
	case s.Backup.IsZero():
		return "telgate backup was never run"
	default:
		return "telgate backup was run " + now.Sub(s.Backup).Round(time.Minute).String() + " ago"
	}
}

// size is a number of bytes for people.
func size(bytes int64) string {
	if bytes < 1<<30 {
		return fmt.Sprintf("%d MB", bytes/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(bytes)/1e9)
}
