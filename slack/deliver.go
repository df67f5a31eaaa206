package slack

import (
	"context"
	"crypto/sha256"
	"errors"
	"net"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"telgate"
)

// deliver sends one card's newest state, or what it owes its thread, and notes how it went.
func (c *courier) deliver(ctx context.Context, k *card, stale bool) {
	page, err := c.feed.Page(ctx, k.page)
	ok := page != nil
	var p telgate.Page
	if ok {
		p = *page
	}
	switch {
	case err != nil: // later
	case ok && stale:
		err = c.show(ctx, k, p)
	case ok:
		err = c.mention(ctx, k, p)
	}
	elsewhere := errors.Is(err, ErrElsewhere)
	if c.delivered(k, p, ok, stale, err) && !elsewhere {
		elsewhere = errors.Is(c.keep(ctx, k.page), ErrElsewhere)
	}
	if elsewhere {
		c.settle(ctx, k.page)
	}
}

// delivered notes how it went. It tells whether the shelf must know: of what cannot be found out again, and of the end.
func (c *courier) delivered(k *card, p telgate.Page, ok, stale bool, err error) (news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.poke()
	c.flying--
	k.sending = false
	now := c.now()
	switch {
	case errors.Is(err, ErrElsewhere):
		k.after = now.Add(failPauseMin)
	case err != nil:
		c.failed(k, err, now)
	case !stale:
		k.fails, k.owes = 0, false
	default:
		if !k.mentioned && p.State == telgate.PageEnded && badEnd(p) {
			k.mentioned, k.owes = true, true
		}
		k.fails, k.after = 0, now.Add(mergeWindow)
		k.have = max(k.have, p.Version)
		if !ok {
			k.have = k.want
		}
	}
	before := k.last
	k.last = k.kept()
	before.Version = k.last.Version // which of the states before the end it shows need not be known
	k.dirty = k.dirty || before != k.last || k.over && !k.stale()
	return k.dirty
}

// failed decides when to try again.
func (c *courier) failed(k *card, err error, now time.Time) {
	k.fails++
	wait := min(failPauseMin<<min(k.fails-1, 10), failPauseMax)
	_, seeking := errors.AsType[seekError](err)
	switch {
	case k.edit() || seeking:
	case errors.Is(err, errHeld):
		wait = k.hold.Sub(now)
	case unsure(err): // it may stand there already: every further try may be one more card
		k.hold, wait = now.Add(unsurePause), unsurePause
		if !k.posting.IsZero() && !now.Before(c.blind[k.home()]) {
			wait = seekSoon
		}
	default:
		k.posting = time.Time{} // it surely does not
	}
	if asked, yes := limited(err); yes {
		if asked <= 0 {
			asked = limitedPause
		}
		switch {
		case seeking:
		case k.edit():
			c.budget.edit = now.Add(asked)
		default:
			c.budget.post = now.Add(asked)
		}
		wait = asked
	}
	k.after = now.Add(wait)
	c.log.Warn("card not sent", "page", k.page, "channel", k.channel, "err", describe(err), "again_in", wait)
}

// unsurePause is how long nothing is posted anew after a post of which nobody knows whether it worked.
const unsurePause = time.Minute

// unsure tells errors after which a message may have been posted all the same: the request left, its answer did not come.
func unsure(err error) bool {
	if _, is := errors.AsType[slackgo.StatusCodeError](err); is || code(err) != "" {
		return false
	}
	if _, is := limited(err); is {
		return false
	}
	at, is := errors.AsType[*net.OpError](err)
	return !is || at.Op != "dial"
}

// show makes the card look like the page: an edit, a first post, or, where the bot cannot post, a line for the asker.
func (c *courier) show(ctx context.Context, k *card, p telgate.Page) error {
	m := c.words.doubt(render(c.words, p), p, k.doubled)
	m.metadata = cardName{k.page, k.channel}.metadata()
	seen := appearance(m)
	if seen == k.seen {
		return nil
	}
	if err := c.put(ctx, k, p, m); err != nil {
		return err
	}
	k.seen = seen
	return nil
}

// appearance is what a reader sees of a message: without the version in its block ids and button values.
func appearance(m message) look {
	digest := m.digest()
	for _, b := range m.blocks {
		digest = strings.ReplaceAll(digest, b.ID(), "")
	}
	if i := strings.Index(digest, `"value":"`); i >= 0 {
		value, _, _ := strings.Cut(digest[i+len(`"value":"`):], `"`)
		digest = strings.ReplaceAll(digest, value, "")
	}
	return sha256.Sum256([]byte(digest))
}

// look is the hash of an appearance: a card is kept for as long as its page lasts, and there may be many.
type look [sha256.Size]byte

func badEnd(p telgate.Page) bool {
	return p.Result == telgate.NotReached || p.Result == telgate.Failed || p.Result == telgate.Partial
}

// put edits or posts.
func (c *courier) put(ctx context.Context, k *card, p telgate.Page, m message) error {
	switch {
	case k.mute:
		return c.whisper(ctx, k, p, m)
	case k.editable():
		err := c.api.update(ctx, k.at, m)
		switch {
		case code(err) == "message_not_found" && !k.reposted:
			k.reposted, k.at, k.posting = true, place{}, time.Time{} // somebody deleted it; once more
			return c.post(ctx, k, p, m)
		case code(err) == "message_not_found", cannotEdit(err):
			k.frozen = true
			return c.put(ctx, k, p, m)
		}
		return err
	case k.frozen:
		if p.State != telgate.PageEnded {
			return nil // the end is worth a message of its own, what comes before is not
		}
		_, err := c.api.post(ctx, k.home(), "", m)
		return unlessLost(err)
	}
	return c.post(ctx, k, p, m)
}

// home is the conversation the card is in.
func (c *card) home() string {
	if c.at.channel != "" {
		return c.at.channel
	}
	return c.channel
}

// unlessLost forgives a post that worked but cannot be edited.
func unlessLost(err error) error {
	if errors.Is(err, errNoTimestamp) {
		return nil
	}
	return err
}

// post sends the first message of a card: where it was asked for, else in the asker's DM, else as a line for the asker.
func (c *courier) post(ctx context.Context, k *card, p telgate.Page, m message) error {
	channel := k.channel
	if k.direct {
		var err error
		if channel, err = c.api.openDM(ctx, k.user); err != nil {
			return c.nowhere(ctx, k, p, m, err)
		}
	}
	told := k.doubled
	switch found, err := c.unsettled(ctx, k, channel); {
	case err != nil:
		return err
	case found:
		return c.put(ctx, k, p, m)
	}
	if err := c.announce(ctx, k); err != nil {
		return err
	}
	m = c.words.doubt(m, p, k.doubled && !told)
	at, err := c.api.post(ctx, channel, "", m)
	switch {
	case err == nil:
		k.at, k.posting = at, time.Time{}
		if k.direct {
			return c.pointAtDM(ctx, k)
		}
		return nil
	case errors.Is(err, errNoTimestamp):
		k.at, k.frozen, k.posting = place{channel: channel}, true, time.Time{}
		return nil
	case !cannotPost(err):
		return err
	case k.direct:
		return c.nowhere(ctx, k, p, m, err)
	}
	c.log.Info("card goes to the asker's direct messages", "page", k.page, "channel", k.channel, "why", describe(err))
	k.direct, k.posting = true, time.Time{}
	return c.post(ctx, k, p, m)
}

// pointAtDM tells the asker where the card is. That it fails must not keep the card from being edited.
func (c *courier) pointAtDM(ctx context.Context, k *card) error {
	if k.responseURL == "" {
		return nil
	}
	if err := c.api.respond(ctx, k.responseURL, c.words.say(
		"I cannot post in this conversation; the call is shown in your direct messages with me. Invite me to see it here.",
		"この会話には投稿できません。状況はダイレクトメッセージに表示します。ここに表示するには私を招待してください。")); err != nil {
		c.log.Warn("asker not told where the card is", "page", k.page, "err", err)
	}
	return nil
}

// nowhere gives up posting where the reason will not go away; from then on the asker gets lines.
func (c *courier) nowhere(ctx context.Context, k *card, p telgate.Page, m message, err error) error {
	if !cannotPost(err) {
		return err
	}
	c.log.Warn("no conversation for the card", "page", k.page, "channel", k.channel, "err", describe(err))
	k.mute, k.posting = true, time.Time{}
	return c.whisper(ctx, k, p, m)
}

// whisper tells a mute card's asker what matters: that the page runs without a card, and how it ended. A response_url
// takes five messages.
func (c *courier) whisper(ctx context.Context, k *card, p telgate.Page, m message) error {
	if k.responseURL == "" || k.told && p.State != telgate.PageEnded {
		return nil
	}
	if p.Ended.IsZero() || c.now().Sub(p.Accepted) < responseLife {
		if err := c.api.respond(ctx, k.responseURL, m.text); err != nil {
			return err
		}
	}
	k.told = true
	return nil
}

const (
	responseLife   = 30 * time.Minute // of a response_url
	respondTimeout = 5 * time.Second
	flushTimeout   = 100 * time.Millisecond // acks that are cancelled too soon never leave slack-go
)

// mention tells the askers of a bad end in the card's thread: an edit notifies nobody (Slack docs: chat.update).
func (c *courier) mention(ctx context.Context, k *card, p telgate.Page) error {
	if k.mute || k.at.ts == "" || !badEnd(p) { // a late confirmation came in between
		return nil
	}
	var askers string
	for _, a := range p.Askers {
		if mention := "<@" + a.ID + "> "; userID(a.ID) && !strings.Contains(askers, mention) {
			askers += mention
		}
	}
	_, state, more := c.words.ended(p)
	_, err := c.api.post(ctx, k.at.channel, k.at.ts, sentence(askers+formatless(title(p))+": "+lowerFirst(state)+c.words.say(" – ", "。")+more))
	return unlessLost(err)
}
