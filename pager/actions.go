package pager

import (
	"context"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"telgate"
)

// Stop ends a page: what rings is hung up. The error is a [*telgate.Refusal].
func (p *Pager) Stop(ctx context.Context, id telgate.PageID, by telgate.Actor) error {
	page, ok := p.journal.Load(id)
	if !ok {
		return refuse(telgate.RefusedUnknownName, string(id), "There is no such page.")
	}
	if !p.cfg.Policy.May(by, telgate.ActStop, &page) {
		return refuse(telgate.RefusedNotAllowed, string(id), "Only who asked for a page, its target or an administrator may stop it.")
	}
	if r := p.find(id); r != nil {
		if _, err := r.ask(ctx, message{stopBy: &by}); err != nil { // false: it ended by itself meanwhile, which is as good
			return fmt.Errorf("stop: %w", err)
		}
	}
	return nil
}

// Confirm is "I've got it" by a target of the page, by their own Slack id. After the page's end it is kept as a late
// confirmation: a confirmation always wins. The error is a [*telgate.Refusal].
func (p *Pager) Confirm(ctx context.Context, id telgate.PageID, by telgate.Actor) error {
	page, ok := p.journal.Load(id)
	if !ok {
		return refuse(telgate.RefusedUnknownName, string(id), "There is no such page.")
	}
	if !p.cfg.Policy.May(by, telgate.ActConfirm, &page) {
		return refuse(telgate.RefusedNotAllowed, string(id), "Only the person who is called can say \"I've got it\".")
	}
	target, _ := page.TargetBySlack(by.ID)
	if r := p.find(id); r != nil {
		if done, err := r.ask(ctx, message{confirm: &target}); err != nil || done {
			return err
		}
	}
	return p.confirmLate(ctx, id, target)
}

// confirmLate changes a page that has ended; nobody owns it any more, so the pager's lock does.
func (p *Pager) confirmLate(ctx context.Context, id telgate.PageID, by telgate.Target) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	page, ok := p.journal.Load(id)
	if !ok || page.Result == telgate.Confirmed {
		return nil
	}
	page.Result, page.Late = telgate.Confirmed, true
	page.Version++
	for i := range page.Targets {
		if t := &page.Targets[i]; t.Nick == by.Nick {
			t.Result, t.By, t.Via, t.At = telgate.Confirmed, by.Slack, telgate.ViaSlack, p.env.Now()
		}
	}
	if err := p.journal.Save(ctx, page); err != nil {
		return fmt.Errorf("keep a late confirmation: %w", err)
	}
	p.watch.publish(&telgate.Event{
		Seq: page.Version - 1, Time: p.env.Now(), Kind: telgate.EventPageConfirmed, Page: id, Result: telgate.Confirmed, Late: true,
		People: page.Targets,
	})
	return nil
}

func (p *Pager) find(id telgate.PageID) *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running[id]
}

// newID is a name that sorts by time: 48 bits of milliseconds and 80 random ones, as UUIDv7 has them, in base 32.
func (p *Pager) newID() (string, error) {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(p.env.Now().UnixMilli())<<16)
	if _, err := io.ReadFull(p.env.Rand, b[6:]); err != nil {
		return "", fmt.Errorf("name a page: %w", err)
	}
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])), nil
}
