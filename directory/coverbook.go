package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"telgate"
)

// CoverBook keeps covers in a file, for one gateway; without a path, in memory. It implements [Covers].
type CoverBook struct {
	path string

	mu     sync.Mutex
	covers []telgate.Cover
	read   bool
}

// NewCoverBook keeps covers in the file at path, "" = in memory only. The file is read when it is needed first.
func NewCoverBook(path string) *CoverBook { return &CoverBook{path: path, read: path == ""} }

// keptFor is how long covers that are over stay in the file, for who asks what happened.
const keptFor = 90 * 24 * time.Hour

// SaveCover writes the file anew: it is there whole or as it was.
func (b *CoverBook) SaveCover(_ context.Context, c telgate.Cover) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.load(); err != nil {
		return err
	}
	covers := slices.DeleteFunc(slices.Clone(b.covers), func(x telgate.Cover) bool { return c.Asked.Sub(x.Until) > keptFor })
	if i := slices.IndexFunc(covers, func(x telgate.Cover) bool { return x.ID == c.ID }); i >= 0 {
		covers[i] = c
	} else {
		covers = append(covers, c)
	}
	if b.path != "" {
		if err := writeWhole(b.path, covers); err != nil {
			return err
		}
	}
	b.covers = covers
	return nil
}

// Covers are those that end after a moment.
func (b *CoverBook) Covers(_ context.Context, after time.Time) ([]telgate.Cover, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.load(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(b.covers), func(c telgate.Cover) bool { return !c.Until.After(after) }), nil
}

func (b *CoverBook) load() error {
	if b.read {
		return nil
	}
	text, err := os.ReadFile(b.path)
	if err == nil {
		err = json.Unmarshal(text, &b.covers)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("covers %s: %w", b.path, err)
	}
	b.read = true
	return nil
}

// writeWhole replaces a file in one step.
func writeWhole(path string, covers []telgate.Cover) error {
	text, err := json.MarshalIndent(covers, "", " ")
	if err != nil {
		return fmt.Errorf("covers: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("covers: %w", err)
	}
	if err := renameio.WriteFile(path, append(text, '\n'), 0o600, renameio.WithTempDir(filepath.Dir(path))); err != nil {
		return fmt.Errorf("covers: %w", err)
	}
	return nil
}
