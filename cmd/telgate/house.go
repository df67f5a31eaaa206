package main

import (
	"context"
	"log/slog"
	"os/user"
	"strconv"
	"time"

	"telgate"
	"telgate/config"
	"telgate/directory"
	"telgate/web"
)

// house is what a gateway that serves has beside its rooms: its place on disk, and what is done to it from outside.
type house struct {
	state   string // the state directory; "" where there is none, and no socket then
	started time.Time
	audit   auditBook
	history web.History // nil = what the pager keeps
	keeper  web.Keeper  // nil = nothing is kept that could be backed up
	brake   *brake
	load    func() (config.Config, error) // reads the configuration again

	settings func(config.Config) (settings, config.Faults) // what a configuration means
}

// auditBook keeps who did what.
type auditBook interface {
	Note(ctx context.Context, e telgate.AuditEntry) error
	Audit(ctx context.Context, since, until time.Time, limit int) ([]telgate.AuditEntry, error)
}

// openHouse readies the state directory, whose lock is held.
func openHouse(state string, a *app, estate *estate, log *slog.Logger) (*house, error) {
	h := &house{state: state, started: a.env.now(), audit: &auditFile{dir: state}, load: a.loadWhole}
	h.settings = func(cfg config.Config) (settings, config.Faults) {
		return newSettings(cfg, nil, func() (*directory.Directory, config.Faults) { return newDirectory(cfg, a.env, keepsAll, estate, log) })
	}
	var err error
	if h.brake, err = openBrake(a.ctx, newPauseFile(state)); err != nil {
		return nil, err
	}
	return h, nil
}

// userName names a user of this machine, "" where it has no name.
func userName(uid uint32) string {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return ""
	}
	return u.Username
}
