package slack

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"telgate"
)

const (
	closeTimeout = 5 * time.Second        // for last states when the gateway stops
	mergeWindow  = 700 * time.Millisecond // states that follow each other faster are shown as one
	settleWindow = 150 * time.Millisecond // of an edit: what passes at once, such as choosing the next step, is not shown
	inFlight     = 6                      // requests to Slack at once
	cardsKept    = 2000                   // in memory; a shelf that outlives the process keeps more
	failPauseMin = time.Second
	failPauseMax = 30 * time.Second
)

// courier brings the newest state of every page to its cards: the state that counts is the one at the moment of sending,
// what came before is skipped. Last states go first.
type courier struct {
	api   *client
	words words
	feed  Feed
	shelf Shelf
	ours  func(*slackgo.Msg) bool // a message of this bot
	now   func() time.Time
	log   *slog.Logger

	keeping [32]sync.Mutex // of the pages whose id falls there: while their cards are being kept

	mu     sync.Mutex
	cards  []*card // oldest first
	budget *budget
	blind  map[string]time.Time // conversations that the bot may not read, and until when that is believed
	flying int
	wake   chan struct{} // a token: something may be due
}

func newCourier(api *client, w words, feed Feed, shelf Shelf, ours func(*slackgo.Msg) bool, env Env) *courier {
	return &courier{
		api: api, words: w, feed: feed, shelf: shelf, ours: ours, now: env.Now, log: env.Log, budget: newBudget(),
		blind: map[string]time.Time{}, wake: make(chan struct{}, 1),
	}
}

// add has the page shown in a conversation; false where it is shown there already.
func (c *courier) add(ctx context.Context, page telgate.PageID, channel, user, responseURL string) bool {
	c.mu.Lock()
	for _, k := range c.cards {
		if k.page == page && k.channel == channel {
			c.mu.Unlock()
			return false
		}
	}
	c.cards = append(c.cards, restored(page, Card{Channel: channel, User: user, ResponseURL: responseURL}))
	c.forget()
	c.mu.Unlock()
	if p := c.read(ctx, page); p != nil {
		c.note(p)
	}
	return true
}

// forget drops the oldest cards that have nothing left to show.
func (c *courier) forget() {
	for i := 0; len(c.cards) > cardsKept && i < len(c.cards); {
		if k := c.cards[i]; k.over && !k.due() && !k.sending {
			c.cards = append(c.cards[:i], c.cards[i+1:]...)
		} else {
			i++
		}
	}
}

// read gives the newest state of a page; nil where there is none, or where it cannot be read now: then its cards are looked at
// again.
func (c *courier) read(ctx context.Context, id telgate.PageID) *telgate.Page {
	p, err := c.feed.Page(ctx, id)
	if err != nil {
		c.log.Warn("page not read, trying again", "page", id, "err", err)
		c.behind(id)
		return nil
	}
	return p
}

// note has the cards of a page show this state or a newer one; false where its cards are not here.
func (c *courier) note(p *telgate.Page) bool {
	c.mu.Lock()
	here := c.here(p.ID)
	if here {
		c.missing(p) // somebody asked elsewhere
	}
	for _, k := range c.cards {
		if k.page != p.ID || p.Version <= k.want {
			continue
		}
		if !k.stale() && k.editable() {
			k.after = later(k.after, c.now().Add(settleWindow))
		}
		k.want, k.over = p.Version, p.State == telgate.PageEnded
	}
	c.mu.Unlock()
	c.poke()
	return here
}

// shown are the pages that have cards here and had not ended when they were last looked at.
func (c *courier) shown() []telgate.PageID {
	c.mu.Lock()
	defer c.mu.Unlock()
	var open []telgate.PageID
	for _, k := range c.cards {
		if !k.over && !slices.Contains(open, k.page) {
			open = append(open, k.page)
		}
	}
	return open
}

// behind has a page's cards sent again, whatever is new.
func (c *courier) behind(id telgate.PageID) {
	c.mu.Lock()
	for _, k := range c.cards {
		if k.page == id {
			k.want = max(k.want, k.have+1)
		}
	}
	c.mu.Unlock()
	c.poke()
}

func (c *courier) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// waiting is how many cards have something left to say.
func (c *courier) waiting() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.cards {
		if k.stale() || k.owes {
			n++
		}
	}
	return n
}

// run sends until ctx is done, and then what is left, for at most closeTimeout.
func (c *courier) run(ctx context.Context) {
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var parts sync.WaitGroup
	defer parts.Wait()
	watching, unwatch := context.WithCancel(sending)
	defer unwatch()
	news := c.feed.Changed(watching)
	parts.Go(func() {
		for id := range news {
			c.heard(watching, id)
		}
	})
	parts.Go(func() {
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for c.sweep(watching); ; c.sweep(watching) {
			select {
			case <-tick.C:
			case <-watching.Done():
				return
			}
		}
	})
	var limit <-chan time.Time // set when ctx is done
	done := ctx.Done()
	for {
		next, idle := c.start(sending, &parts, limit != nil)
		if limit != nil && idle {
			return
		}
		timer := time.NewTimer(next)
		select {
		case <-c.wake:
		case <-timer.C:
		case <-done:
			done = nil
			for _, id := range c.shown() {
				if p := c.read(sending, id); p != nil {
					c.note(p) // the feed may not have told yet
				}
			}
			last := time.NewTimer(closeTimeout)
			defer last.Stop()
			limit = last.C
		case <-limit:
			timer.Stop()
			c.log.Warn("cards not up to date when the gateway stopped", "cards", c.waiting())
			return
		}
		timer.Stop()
	}
}

// start sends what may leave now, and tells how long nothing else will and whether nothing is left.
func (c *courier) start(ctx context.Context, parts *sync.WaitGroup, closing bool) (next time.Duration, idle bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, idle = time.Hour, c.flying == 0
	for _, last := range []bool{true, false} {
		for _, k := range c.cards {
			if k.over != last || !k.due() {
				continue
			}
			idle = false
			now := c.now()
			if wait := c.when(k, now, closing).Sub(now); wait > 0 {
				next = min(next, wait)
				continue
			}
			if c.flying >= inFlight {
				return next, false // whoever lands wakes us
			}
			c.flying++
			k.sending = true
			if k.edit() {
				c.budget.updated(now)
			} else {
				c.budget.posted(k.home(), now)
			}
			stale := k.stale()
			parts.Go(func() { c.deliver(ctx, k, stale) })
		}
	}
	return max(next, time.Millisecond), idle
}

// when tells the moment from which a card's state may be sent.
func (c *courier) when(k *card, now time.Time, closing bool) time.Time {
	at := k.after
	if k.over || closing {
		at = time.Time{}
		if k.fails > 0 {
			at = k.after
		}
	}
	if k.edit() {
		return later(at, c.budget.update(now, k.over || closing))
	}
	return later(at, c.budget.message(k.home()))
}
