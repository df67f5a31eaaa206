package slack

import (
	"context"
	"errors"
	"hash/crc32"
	"slices"
	"time"

	"telgate"
)

const (
	sweepEvery   = 5 * time.Second // for pages that nobody shows; what was told of a page is only quicker
	sweepMost    = 200             // pages taken on at once
	shelfTimeout = 2 * time.Second
)

// heard has a page shown that somebody told of. One whose cards are not here, that is young and runs, is left to the gateway
// that accepted it: should that have died, the sweep finds the page.
func (c *courier) heard(ctx context.Context, id telgate.PageID) {
	p := c.read(ctx, id)
	if p != nil && !c.note(p) && (p.State == telgate.PageEnded || c.now().Sub(p.Accepted) >= sweepEvery) {
		c.adopt(ctx, p)
	}
}

// adopt takes on a page whose cards are not here: it was accepted before this process began, or elsewhere. Where another
// gateway shows it nothing happens. What there is to show is known from the page itself: every conversation in which
// somebody asked for it has a card. Who runs the page may be another gateway than who shows it.
func (c *courier) adopt(ctx context.Context, p *telgate.Page) {
	if len(conversations(p)) == 0 || !c.take(ctx, p.ID) {
		return
	}
	c.mu.Lock()
	c.missing(p)
	c.mu.Unlock()
	c.note(p)
}

// take makes this gateway the one that shows a page, with the cards that it has; false where another one does.
func (c *courier) take(ctx context.Context, id telgate.PageID) bool {
	kept, mine, err := c.onShelf(ctx, id)
	if err != nil || !mine {
		return false
	}
	c.restore(id, kept)
	return true
}

// restore puts the cards of a page here as they were kept, unless they are here.
func (c *courier) restore(id telgate.PageID, kept []Card) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.here(id) {
		for _, k := range kept {
			c.cards = append(c.cards, restored(id, k))
		}
	}
}

// onShelf are the cards of a page that are kept, and whether this gateway shows it from now on.
func (c *courier) onShelf(ctx context.Context, id telgate.PageID) (kept []Card, mine bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, shelfTimeout)
	defer cancel()
	if kept, mine, err = c.shelf.Show(ctx, id); err != nil {
		c.log.Warn("cards of a page not found, trying again", "page", id, "err", err)
	}
	return kept, mine, err
}

// showFor has the page that a command got shown where it was asked for; false where it is shown there already. A page that was
// joined and that another gateway shows gets its further card there.
func (c *courier) showFor(ctx context.Context, r telgate.Receipt, asked command) bool {
	if !c.has(r.Page) && !c.take(ctx, r.Page) {
		return true
	}
	return c.add(ctx, r.Page, asked.Channel, asked.User, asked.ResponseURL)
}

func (c *courier) has(id telgate.PageID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.here(id)
}

// here tells whether the cards of a page are here. The lock is held.
func (c *courier) here(id telgate.PageID) bool {
	return slices.ContainsFunc(c.cards, func(k *card) bool { return k.page == id })
}

// missing adds a card for every conversation of a page that has none. The lock is held.
func (c *courier) missing(p *telgate.Page) {
	for _, a := range conversations(p) {
		if !slices.ContainsFunc(c.cards, func(k *card) bool { return k.page == p.ID && k.channel == a.Channel }) {
			c.cards = append(c.cards, restored(p.ID, Card{Channel: a.Channel, User: a.ID}))
		}
	}
}

// conversations are the first askers of each conversation in which the page was asked for.
func conversations(p *telgate.Page) (first []telgate.Asker) {
	for _, a := range p.Askers {
		if a.Channel != "" && userID(a.ID) && !slices.ContainsFunc(first, func(f telgate.Asker) bool { return f.Channel == a.Channel }) {
			first = append(first, a)
		}
	}
	return first
}

// sweep keeps what could not be kept, looks at pages that others run, and takes on those that nobody shows.
func (c *courier) sweep(ctx context.Context) {
	c.mu.Lock()
	pages := map[telgate.PageID]bool{}
	for _, k := range c.cards {
		if k.dirty && !k.sending {
			pages[k.page] = true
		}
	}
	c.mu.Unlock()
	for id := range pages {
		if errors.Is(c.keep(ctx, id), ErrElsewhere) {
			c.settle(ctx, id)
		}
	}
	ask, cancel := context.WithTimeout(ctx, shelfTimeout)
	defer cancel()
	behind, err := c.shelf.Behind(ask, sweepMost)
	if err != nil && ctx.Err() == nil {
		c.log.Warn("pages that nobody shows not found, trying again", "err", err)
	}
	for _, id := range behind {
		switch p := c.read(ctx, id); {
		case p == nil || c.note(p):
		case len(conversations(p)) == 0: // asked for elsewhere than in Slack
			if c.take(ctx, id) {
				_ = c.shelve(ctx, id, nil, p.Version) // it is found again
			}
		default:
			c.adopt(ctx, p)
		}
	}
}

// keep puts the cards of a page on the shelf. When the page has ended and everything is shown they are forgotten here. What could
// not be kept is dirty, and kept later.
func (c *courier) keep(ctx context.Context, id telgate.PageID) error {
	order := &c.keeping[crc32.ChecksumIEEE([]byte(id))%uint32(len(c.keeping))] // the newest is written last
	order.Lock()
	defer order.Unlock()
	c.mu.Lock()
	var all []Card
	shown, whole := -1, true
	for _, k := range c.cards {
		if k.page != id {
			continue
		}
		k.dirty = false
		all = append(all, k.last)
		whole = whole && k.over && !k.stale() && !k.owes && !k.sending
		if shown < 0 || k.have < shown {
			shown = k.have
		}
	}
	c.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	err := c.shelve(ctx, id, all, shown)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		for _, k := range c.cards {
			k.dirty = k.dirty || k.page == id
		}
		return err
	}
	if whole {
		c.cards = slices.DeleteFunc(c.cards, func(k *card) bool { return k.page == id && !k.stale() && !k.dirty && !k.sending })
	}
	return nil
}

func (c *courier) shelve(ctx context.Context, id telgate.PageID, cards []Card, shown int) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shelfTimeout)
	defer cancel()
	err := c.shelf.Keep(ctx, id, cards, shown)
	if err != nil && !errors.Is(err, ErrElsewhere) {
		c.log.Warn("cards not kept, trying again", "page", id, "err", err)
	}
	return err
}

// kept is what the shelf has of a card.
func (c *card) kept() Card {
	return Card{
		Channel: c.channel, User: c.user, ResponseURL: c.responseURL, PostedIn: c.at.channel, Timestamp: c.at.ts, Posting: c.posting,
		Doubled: c.doubled, Direct: c.direct, Mute: c.mute, Frozen: c.frozen, Reposted: c.reposted, Mentioned: c.mentioned, Owes: c.owes, Told: c.told, Version: c.have,
	}
}

func restored(id telgate.PageID, k Card) *card {
	return &card{
		page: id, channel: k.Channel, user: k.User, responseURL: k.ResponseURL, at: place{k.PostedIn, k.Timestamp}, posting: k.Posting,
		doubled: k.Doubled, direct: k.Direct, mute: k.Mute, frozen: k.Frozen, reposted: k.Reposted, mentioned: k.Mentioned, owes: k.Owes, told: k.Told, have: k.Version, last: k,
	}
}
