package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"telgate"
	"telgate/store"
	"telgate/web"
)

// keepIn has the history and the audit be those of a store, from before the socket opens.
func (h *house) keepIn(s *store.Store) {
	k := &storeKeeper{store: s}
	h.audit, h.history, h.keeper = k, k, k
}

// storeKeeper is the store as the API sees it.
type storeKeeper struct {
	store *store.Store
}

// History finds pages of every gateway.
func (k *storeKeeper) History(ctx context.Context, q web.HistoryQuery) ([]telgate.Page, error) {
	pages, _, err := k.store.History(ctx, asStored(q))
	return pages, err
}

// Summaries finds the same pages in short.
func (k *storeKeeper) Summaries(ctx context.Context, q web.HistoryQuery) ([]telgate.Summary, error) {
	all, _, err := k.store.Summaries(ctx, asStored(q))
	return all, err
}

func asStored(q web.HistoryQuery) store.Query {
	return store.Query{Since: q.Since, Until: q.Until, Person: q.Person, Result: q.Result, Limit: q.Limit}
}

// Backup writes everything to a new file.
func (k *storeKeeper) Backup(ctx context.Context, by telgate.Actor, file string) error {
	if err := k.store.Backup(ctx, file); err != nil {
		return &web.Error{Reason: telgate.RefusedNotReady, Message: err.Error()}
	}
	return k.Note(ctx, telgate.AuditEntry{Actor: by.ID, From: telgate.FromSocket, Act: telgate.AuditBackedUp, Detail: file})
}

// Forget erases what the history has about a person.
func (k *storeKeeper) Forget(ctx context.Context, by telgate.Actor, nick string) (pages int, err error) {
	all, err := k.store.Forget(ctx, nick)
	if err != nil {
		return all.Pages, err
	}
	return all.Pages, k.Note(ctx, telgate.AuditEntry{
		Actor: by.ID, From: telgate.FromSocket, Act: telgate.AuditForgot, Who: nick, Detail: fmt.Sprintf("%d pages, %d calls", all.Pages, all.Calls),
	})
}

// Note keeps an entry. The store writes its own time: what was done long before says so.
func (k *storeKeeper) Note(ctx context.Context, e telgate.AuditEntry) error {
	if e.From == telgate.FromDirect {
		e.Detail = cmp.Or(e.Detail, "called") + " at " + e.Time.UTC().Format(time.RFC3339)
	}
	return k.store.Note(ctx, store.AuditEntry{
		Actor: e.Actor, Action: string(e.Act), Page: e.Page, Subject: e.Who, Source: string(e.From), Detail: e.Detail,
	})
}

// Audit reads entries of a time, newest first.
func (k *storeKeeper) Audit(ctx context.Context, since, until time.Time, limit int) (found []telgate.AuditEntry, err error) {
	entries, err := k.store.Noted(ctx, since, until, limit)
	for _, e := range entries {
		found = append(found, telgate.AuditEntry{
			Time: e.At.UTC(), Actor: e.Actor, From: telgate.AuditFrom(e.Source), Act: telgate.AuditAct(e.Action), Page: e.Page, Who: e.Subject, Detail: e.Detail,
		})
	}
	return found, err
}
