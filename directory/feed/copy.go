package feed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

// copied is what a source last said, as it said it. The file's own time is when that was last seen to be true, so that an
// unchanged source costs no writing of it.
type copied struct {
	Source   string `json:"source"` // digest of the address: another source's copy is none
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
	Body     []byte `json:"body"`

	at time.Time
}

// copyPath is the file of a source's copy.
func copyPath(dir, name string) string {
	return filepath.Join(dir, strings.Map(func(r rune) rune {
		if r == '/' || r == os.PathSeparator || r == 0 {
			return '_'
		}
		return r
	}, name)+".json")
}

func digest(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:12])
}

// readCopy is the zero copied where there is none, or one of another source.
func readCopy(dir string, cfg Config) (copied, error) {
	path := copyPath(dir, cfg.Name)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return copied{}, nil
	}
	if err != nil {
		return copied{}, fmt.Errorf("read the last good copy: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return copied{}, fmt.Errorf("read the last good copy: %w", err)
	}
	var c copied
	if err := json.Unmarshal(b, &c); err != nil {
		return copied{}, fmt.Errorf("the last good copy %s: %w", path, err)
	}
	if c.Source != digest(cfg.Address) {
		return copied{}, nil
	}
	c.at = info.ModTime()
	return c, nil
}

// writeCopy keeps a copy, or only the time where it says what the one there says.
func writeCopy(dir string, cfg Config, had, c copied) error {
	path := copyPath(dir, cfg.Name)
	if had.Source == c.Source && had.ETag == c.ETag && had.Modified == c.Modified && bytes.Equal(had.Body, c.Body) {
		if err := os.Chtimes(path, c.at, c.at); err == nil {
			return nil
		}
	}
	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("keep the last good copy: %w", err)
	}
	if err := replace(path, b, c.at); err != nil {
		return fmt.Errorf("keep the last good copy: %w", err)
	}
	return nil
}

// replace writes a file so that it is there whole or as it was, whatever happens meanwhile.
func replace(path string, b []byte, at time.Time) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o600))
	if err != nil {
		return err
	}
	defer func() { _ = f.Cleanup() }()
	if _, err := f.Write(b); err != nil {
		return err
	}
	if err := os.Chtimes(f.Name(), at, at); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
