package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"telgate"
)

const (
	auditName  = "audit.jsonl"
	auditBytes = 16 << 20 // then the file is put aside as audit.jsonl.1, and the one before that is gone
)

// auditFile keeps the audit in the state directory, one entry a line.
type auditFile struct {
	dir string
	mu  sync.Mutex
}

// Note adds an entry.
func (f *auditFile) Note(_ context.Context, e telgate.AuditEntry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("note in the audit: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	path := filepath.Join(f.dir, auditName)
	if info, err := os.Stat(path); err == nil && info.Size() > auditBytes {
		if err := os.Rename(path, path+".1"); err != nil {
			return fmt.Errorf("put the audit aside: %w", err)
		}
	}
	if err := appendLine(f.dir, auditName, line); err != nil {
		return fmt.Errorf("note in the audit: %w", err)
	}
	return nil
}

// Audit reads entries of a time, newest first.
func (f *auditFile) Audit(_ context.Context, since, until time.Time, limit int) ([]telgate.AuditEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []telgate.AuditEntry
	for _, name := range []string{auditName + ".1", auditName} {
		lines, err := readLines(filepath.Join(f.dir, name))
		if err != nil {
			return nil, fmt.Errorf("read the audit: %w", err)
		}
		for _, line := range lines {
			var e telgate.AuditEntry
			if json.Unmarshal(line, &e) != nil { // cut short by a full disk
				continue
			}
			if !e.Time.Before(since) && (until.IsZero() || e.Time.Before(until)) {
				found = append(found, e)
			}
		}
	}
	slices.Reverse(found)
	return found[:min(limit, len(found))], nil
}

// readLines reads a file of the state directory; none has no lines.
func readLines(path string) (lines [][]byte, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		lines = append(lines, slices.Clone(in.Bytes()))
	}
	return lines, in.Err()
}

// note keeps what was done. That it cannot be kept must not undo it.
func (h *house) note(ctx context.Context, log *slog.Logger, now time.Time, e telgate.AuditEntry) {
	if h == nil || h.audit == nil {
		return
	}
	e.Time = now.UTC()
	if err := h.audit.Note(context.WithoutCancel(ctx), e); err != nil {
		log.Error("audit not kept", "actor", e.Actor, "act", e.Act, "page", e.Page, "err", err)
	}
}

// pagesPort is what takes requests for pages.
type pagesPort interface {
	Submit(ctx context.Context, r telgate.Request) (telgate.Receipt, error)
	Stop(ctx context.Context, id telgate.PageID, by telgate.Actor) error
	Confirm(ctx context.Context, id telgate.PageID, by telgate.Actor) error
	Next(ctx context.Context, id telgate.PageID, by telgate.Actor) error
}

// audited is a pagesPort that notes who asked for what, and from where.
type audited struct {
	pages pagesPort
	from  telgate.AuditFrom
	note  func(ctx context.Context, e telgate.AuditEntry)
}

// Submit asks for a page.
func (a *audited) Submit(ctx context.Context, r telgate.Request) (telgate.Receipt, error) {
	receipt, err := a.pages.Submit(ctx, r)
	e := telgate.AuditEntry{Actor: r.Asker.ID, From: a.from, Act: telgate.AuditPaged, Page: receipt.Page, Who: telgate.Masked(strings.Join(r.Who, ","))}
	refusal, refused := errors.AsType[*telgate.Refusal](err)
	switch {
	case refused:
		e.Act, e.Detail = telgate.AuditRefused, string(refusal.Reason)
	case err != nil: // a fault of ours is in the log
		return receipt, err
	case receipt.Joined:
		e.Act, e.Who = telgate.AuditJoined, receipt.Words
	case r.Force:
		e.Act, e.Who = telgate.AuditForced, receipt.Words
	default:
		e.Who = receipt.Words
	}
	a.note(ctx, e)
	return receipt, err
}

// auditedCovers are covers of which it is noted who arranged and ended them.
type auditedCovers struct {
	*live

	from telgate.AuditFrom
	note func(ctx context.Context, e telgate.AuditEntry)
}

// Cover has somebody stand in for somebody else.
func (a *auditedCovers) Cover(ctx context.Context, o telgate.CoverOrder) (telgate.Cover, error) {
	c, err := a.live.Cover(ctx, o)
	if err == nil {
		a.note(ctx, telgate.AuditEntry{Actor: o.Asker.ID, From: a.from, Act: telgate.AuditCovered, Who: c.For, Detail: "by " + c.By + " until " + c.Until.UTC().Format(time.RFC3339)})
	}
	return c, err
}

// Uncover ends covers.
func (a *auditedCovers) Uncover(ctx context.Context, o telgate.CoverOrder) ([]telgate.Cover, error) {
	ended, err := a.live.Uncover(ctx, o)
	for _, c := range ended {
		a.note(ctx, telgate.AuditEntry{Actor: o.Asker.ID, From: a.from, Act: telgate.AuditCovered, Who: c.For, Detail: "by " + c.By + " ended"})
	}
	return ended, err
}

// Stop ends a page.
func (a *audited) Stop(ctx context.Context, id telgate.PageID, by telgate.Actor) error {
	return a.acted(ctx, telgate.AuditStopped, id, by, a.pages.Stop(ctx, id, by))
}

// Next has the next step begin.
func (a *audited) Next(ctx context.Context, id telgate.PageID, by telgate.Actor) error {
	return a.acted(ctx, telgate.AuditNext, id, by, a.pages.Next(ctx, id, by))
}

// Confirm is "I've got it".
func (a *audited) Confirm(ctx context.Context, id telgate.PageID, by telgate.Actor) error {
	return a.acted(ctx, telgate.AuditConfirmed, id, by, a.pages.Confirm(ctx, id, by))
}

func (a *audited) acted(ctx context.Context, act telgate.AuditAct, id telgate.PageID, by telgate.Actor, err error) error {
	if err == nil {
		a.note(ctx, telgate.AuditEntry{Actor: by.ID, From: a.from, Act: act, Page: id})
	}
	return err
}
