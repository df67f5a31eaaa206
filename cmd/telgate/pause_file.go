package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"telgate"
)

const pausedName = "paused.json"

// pauseFile keeps the brake in the state directory, for one gateway without a store.
type pauseFile struct{ path string }

func newPauseFile(state string) *pauseFile { return &pauseFile{filepath.Join(state, pausedName)} }

// Pause reads the file. One that cannot be read is a brake that is pulled: who threw the switch must not be ignored. One
// written by hand, for a restore, need not say since when: that is since the file was written.
func (f *pauseFile) Pause(context.Context) (*telgate.Pause, error) {
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // nobody threw it
	}
	if err != nil {
		return nil, fmt.Errorf("read whether calling is paused: %w", err)
	}
	p := &telgate.Pause{}
	if err := json.Unmarshal(text, p); err != nil {
		p = &telgate.Pause{By: "somebody", Why: pausedName + " cannot be read"}
	}
	if p.At.IsZero() {
		info, err := os.Stat(f.path)
		if err != nil {
			return nil, fmt.Errorf("read since when calling is paused: %w", err)
		}
		p.At = info.ModTime().UTC()
	}
	return p, nil
}

// SetPause writes the file, or takes it away.
func (f *pauseFile) SetPause(ctx context.Context, p *telgate.Pause) (was *telgate.Pause, err error) {
	was, err = f.Pause(ctx)
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return was, err
		}
		return was, nil
	}
	text, err := json.Marshal(p)
	if err != nil {
		return was, err
	}
	return was, renameio.WriteFile(f.path, append(text, '\n'), 0o600, renameio.WithTempDir(filepath.Dir(f.path)))
}
