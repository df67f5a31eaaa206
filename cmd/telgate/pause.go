package main

import (
	"context"
	"errors"
	"fmt"

	"telgate"
)

// errNoHouse says that a gateway such as the demo's keeps nothing.
var errNoHouse = errors.New("this gateway has no state directory")

// killSwitch is the brake with what it does to pages, and its place in the audit.
type killSwitch struct {
	gateway *gateway
	from    telgate.AuditFrom
}

// Pause pulls the brake; hangUp stops every page that runs.
func (k *killSwitch) Pause(ctx context.Context, by telgate.Actor, why string, hangUp bool) (stopped int, err error) {
	g := k.gateway
	if g.house == nil {
		return 0, errNoHouse
	}
	err = g.house.brake.pull(ctx, telgate.Pause{By: nameOf(by), At: g.clock().UTC(), Where: g.cfg.Gateway.Name, Why: why})
	g.log.Warn("calling is paused", "by", by.ID, "why", why, "hang_up", hangUp)
	e := telgate.AuditEntry{Actor: by.ID, From: k.from, Act: telgate.AuditPaused, Detail: why}
	if hangUp {
		running, failed := g.running(ctx)
		err = errors.Join(err, failed)
		for _, p := range running {
			if failed := g.pager.Stop(ctx, p.ID, by); failed != nil {
				err = errors.Join(err, failed)
				continue
			}
			stopped++
		}
		e.Detail = fmt.Sprintf("%d pages stopped; %s", stopped, why)
	}
	g.note(ctx, e)
	return stopped, err
}

// Resume lets the brake go.
func (k *killSwitch) Resume(ctx context.Context, by telgate.Actor) error {
	if k.gateway.house == nil {
		return errNoHouse
	}
	was, err := k.gateway.house.brake.letGo(ctx)
	if was == nil || err != nil {
		return err
	}
	k.gateway.log.Warn("calling is resumed", "by", by.ID, "was_paused_by", was.By)
	k.gateway.note(ctx, telgate.AuditEntry{Actor: by.ID, From: k.from, Act: telgate.AuditResumed})
	return nil
}

// Paused is who pulled the brake, nil where nobody did.
func (k *killSwitch) Paused() *telgate.Pause {
	p, _ := k.gateway.Paused()
	return p
}

// Paused is who pulled the brake, and what is closed when it is let go; a gateway without a place on disk has no brake.
func (g *gateway) Paused() (*telgate.Pause, <-chan struct{}) {
	if g.house == nil {
		return nil, nil
	}
	return g.house.brake.Paused()
}

// nameOf is an actor as people know them; the id where there is no name.
func nameOf(a telgate.Actor) string {
	if a.Name == "" || a.Local {
		return a.ID
	}
	return a.Name
}
