package pager

import (
	"context"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"telgate"
)

// askLimit is how long a page, or the ledger, is waited for on behalf of somebody who asks.
const askLimit = 2 * time.Second

// Stop ends a page, whichever gateway has it: what rings is hung up. The error is a [*telgate.Refusal], or says that the
// page could not be asked.
func (p *Pager) Stop(ctx context.Context, id telgate.PageID, by telgate.Actor) error {
	if err := p.may(ctx, id, by, telgate.ActStop, "Only who asked for a page, its target or an administrator may stop it."); err != nil {
		return err
	}
	_, err := p.say(ctx, &Message{Page: id, Stop: &by}) // false: it ended by itself meanwhile, which is as good
	return err
}

// Next goes on to the next number: what rings is hung up, and nothing is waited for. The error is as with [Pager.Stop].
func (p *Pager) Next(ctx context.Context, id telgate.PageID, by telgate.Actor) error {
	if err := p.may(ctx, id, by, telgate.ActStop, "Only who asked for a page, its target or an administrator may have the next one called."); err != nil {
		return err
	}
	_, err := p.say(ctx, &Message{Page: id, Next: &by})
	return err
}

// Confirm is "I've got it" by a target of the page, by their own Slack id. After the page's end it is kept as a late
// confirmation: a confirmation always wins. The error is as with [Pager.Stop].
func (p *Pager) Confirm(ctx context.Context, id telgate.PageID, by telgate.Actor) error {
	page, err := p.known(ctx, id)
	if err != nil {
		return err
	}
	if !p.cfg().Policy.May(by, telgate.ActConfirm, page) {
		return refuse(telgate.RefusedNotAllowed, string(id), "Only the person who is called can say \"I've got it\".")
	}
	target, _ := page.TargetBySlack(by.ID)
	if done, err := p.say(ctx, &Message{Page: id, Confirm: &target}); err != nil || done {
		return err
	}
	if err := p.amend(ctx, id, func(page *telgate.Page) *telgate.Event {
		return confirmLate(page, []string{target.Nick}, target.Slack, telgate.ViaSlack, p.env.Now())
	}); err != nil {
		return fmt.Errorf("keep a late confirmation: %w", err)
	}
	return nil
}

// known is a page that there must be.
func (p *Pager) known(ctx context.Context, id telgate.PageID) (*telgate.Page, error) {
	page, err := p.Page(ctx, id)
	if err == nil && page == nil {
		err = refuse(telgate.RefusedUnknownName, string(id), "There is no such page.")
	}
	return page, err
}

func (p *Pager) may(ctx context.Context, id telgate.PageID, by telgate.Actor, act telgate.Action, sorry string) error {
	page, err := p.known(ctx, id)
	if err != nil {
		return err
	}
	if !p.cfg().Policy.May(by, act, page) {
		return refuse(telgate.RefusedNotAllowed, string(id), sorry)
	}
	return nil
}

// say tells the owner of a page something: directly where the page is here, else it is left in the ledger. False: the page
// has ended.
func (p *Pager) say(ctx context.Context, m *Message) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	m.At = p.env.Now()
	if r := p.find(m.Page); r != nil {
		if done, err := r.ask(ctx, *m); err != nil || done {
			return done, err
		}
	}
	left, err := p.books.Leave(ctx, m)
	if err != nil {
		return false, fmt.Errorf("leave a message for the page's gateway: %w", err)
	}
	p.kick() // its owner may be this gateway after all
	return left, nil
}

// errRuns is returned for a page that has not ended: its owner changes it.
var errRuns = errors.New("the page runs")

// amend changes a page that has ended, whoever owned it; change returns what is told, nil where there is nothing to change.
func (p *Pager) amend(ctx context.Context, id telgate.PageID, change func(*telgate.Page) *telgate.Event) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	for {
		page, err := p.books.Page(ctx, id)
		if err != nil {
			return fmt.Errorf("read the page: %w", err)
		}
		if page == nil {
			return nil
		}
		if page.State != telgate.PageEnded {
			return errRuns
		}
		was := page.Version
		ev := change(page)
		if ev == nil {
			return nil
		}
		page.Version++
		err = p.books.Amend(ctx, page, was)
		if errors.Is(err, ErrFenced) && ctx.Err() == nil { // somebody else amended it
			continue
		}
		if err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
		ev.Seq, ev.Page, ev.Late = page.Version, id, true // every event of a page is a version at least
		p.watch.publish(ev)
		return nil
	}
}

// confirmLate makes a page that has ended a confirmed one, a roll call as far as everybody has confirmed. nil: it is that
// already.
func confirmLate(page *telgate.Page, nicks []string, by string, via telgate.Via, at time.Time) *telgate.Event {
	if page.Result == telgate.Confirmed {
		return nil
	}
	news := mark(page.Targets, nicks, telgate.Target{Result: telgate.Confirmed, By: by, Via: via, At: at})
	if page.Way.RollCall {
		if len(news) == 0 {
			return nil
		}
		if result := called(page.Targets); result == telgate.Partial {
			page.Result, page.Late = result, true
			return &telgate.Event{Time: at, Kind: telgate.EventPersonConfirmed, Late: true, People: news}
		}
	}
	page.Result, page.Late = telgate.Confirmed, true
	return &telgate.Event{
		Time: at, Kind: telgate.EventPageConfirmed, Result: telgate.Confirmed, Late: true, People: slices.Clone(page.Targets),
	}
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
