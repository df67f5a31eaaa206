package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"telgate"
)

const directName = "direct.jsonl"

// directNote is what a call that broke the glass leaves behind, for whoever reviews what happened.
type directNote struct {
	Time    time.Time      `json:"time"`
	Page    telgate.PageID `json:"page"`
	Asker   string         `json:"asker"`
	Who     []string       `json:"who"`
	Message string         `json:"message"`
	Result  telgate.Result `json:"result,omitempty"` // in a line of its own, when the page has ended
}

// takeDirectNotes brings the notes of calls without a gateway into the audit, and keeps them aside. What was begun and not
// finished by a gateway that died is done again: better noted twice than not at all.
func (h *house) takeDirectNotes(ctx context.Context) (taken int, err error) {
	path := filepath.Join(h.state, directName)
	for {
		if _, err := os.Stat(path + ".taking"); errors.Is(err, fs.ErrNotExist) {
			err = os.Rename(path, path+".taking") // a call from now on begins a new file
			if errors.Is(err, fs.ErrNotExist) {
				return taken, nil
			}
			if err != nil {
				return taken, fmt.Errorf("take the notes of direct calls: %w", err)
			}
		}
		n, err := h.takeNotes(ctx, path)
		taken += n
		if err != nil {
			return taken, fmt.Errorf("take the notes of direct calls: %w", err)
		}
	}
}

func (h *house) takeNotes(ctx context.Context, path string) (taken int, err error) {
	text, err := os.ReadFile(path + ".taking")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var n directNote
		if json.Unmarshal([]byte(line), &n) != nil { // cut short; it stays in the file
			continue
		}
		if err := h.audit.Note(ctx, n.entry()); err != nil {
			return taken, err
		}
		taken++
	}
	if err := appendLine(h.state, directName+".taken", []byte(strings.TrimSuffix(string(text), "\n"))); err != nil {
		return taken, err
	}
	return taken, os.Remove(path + ".taking")
}

func (n *directNote) entry() telgate.AuditEntry {
	e := telgate.AuditEntry{
		Time: n.Time, Actor: n.Asker, From: telgate.FromDirect, Act: telgate.AuditForced, Page: n.Page, Who: telgate.Masked(strings.Join(n.Who, ",")),
	}
	if n.Result != "" {
		e.Detail = "ended: " + string(n.Result)
	}
	return e
}
