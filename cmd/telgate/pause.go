package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"telgate"
)

const pausedName = "paused.json"

// brake is the kill switch. It is kept in the state directory, so that a restart stays paused.
type brake struct {
	path string

	mu      sync.Mutex
	pause   *telgate.Pause
	resumed chan struct{} // closed when the brake is let go
}

// openBrake reads how the brake stands. One that cannot be read is pulled: who threw the switch must not be ignored.
func openBrake(state string) (*brake, error) {
	b := &brake{path: filepath.Join(state, pausedName), resumed: make(chan struct{})}
	text, err := os.ReadFile(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read whether calling is paused: %w", err)
	}
	b.pause = &telgate.Pause{}
	if err := json.Unmarshal(text, b.pause); err != nil {
		b.pause = &telgate.Pause{By: "somebody", Why: pausedName + " cannot be read"}
	}
	return b, nil
}

// Paused is who pulled the brake, nil where nobody did, and what is closed when it is let go.
func (b *brake) Paused() (*telgate.Pause, <-chan struct{}) {
	if b == nil {
		return nil, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pause, b.resumed
}

// pull stops dialling from now on, whether or not that can be kept; then the error says so.
func (b *brake) pull(p telgate.Pause) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pause = &p
	text, err := json.Marshal(p)
	if err == nil {
		err = replaceFile(b.path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("calling is paused, and will not be after a restart: %w", err)
	}
	return nil
}

// letGo dials again. Where the file cannot be taken away nothing changes.
func (b *brake) letGo() (was *telgate.Pause, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := os.Remove(b.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return b.pause, fmt.Errorf("calling stays paused: %w", err)
	}
	if was = b.pause; was != nil {
		b.pause = nil
		close(b.resumed)
		b.resumed = make(chan struct{})
	}
	return was, nil
}

// replaceFile writes a file that is either the old one or the new one, whatever happens meanwhile.
func replaceFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".telgate-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

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
	err = g.house.brake.pull(telgate.Pause{By: nameOf(by), At: g.clock().UTC(), Why: why})
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
	was, err := k.gateway.house.brake.letGo()
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
