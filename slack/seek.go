package slack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	slackgo "github.com/slack-go/slack"

	"telgate"
)

// Slack takes no key by which it would know a post that comes twice. So a post is announced to the shelf before it leaves, and
// every card names its page in the message's metadata. Where a post was announced and nobody knows what became of it, as after
// a crash, the conversation is searched for it: where the bot may read (the scopes channels:history, groups:history and
// im:history are optional), and for as long as that takes no longer than a new card would be worth.
const (
	seekMargin   = 10 * time.Minute // around the announced moment: clocks differ
	seekPage     = 200              // messages of one answer
	seekPages    = 5                // answers
	seekTries    = 3                // that fail, before a new card is posted all the same
	seekPatience = 10 * time.Second // with a Slack that asks to wait
	seekSoon     = 5 * time.Second  // after a post without an answer: Slack may still be at it
	blindFor     = time.Hour        // a conversation that the bot may not read is not asked for again
)

var (
	errBlind = errors.New("the bot may not read this conversation")
	errHeld  = errors.New("a card may stand there already")
)

// seekError is a search that failed, not a post.
type seekError struct{ error }

func (e seekError) Unwrap() error { return e.error }

// announce has the shelf know that a post is about to leave. What is not kept keeps nobody from posting, but that another
// gateway shows the page by now.
func (c *courier) announce(ctx context.Context, k *card) error {
	c.mu.Lock()
	k.posting = c.now().UTC().Truncate(time.Microsecond)
	k.hold, k.sought = time.Time{}, 0
	k.last = k.kept()
	c.mu.Unlock()
	if err := c.keep(ctx, k.page); errors.Is(err, ErrElsewhere) {
		return err
	}
	return nil
}

// unsettled tells whether a post was announced of which nobody knows what became of it, and looks for it. found says that it
// stands there and is the card from now on. With an error the card is not to be posted now.
func (c *courier) unsettled(ctx context.Context, k *card, channel string) (found bool, err error) {
	if k.posting.IsZero() {
		return false, nil
	}
	all, err := c.seek(ctx, k, channel)
	switch {
	case err == nil && len(all) == 0:
		return false, nil
	case err == nil:
		k.at, k.posting, k.hold = all[0], time.Time{}, time.Time{}
		c.log.Info("card found that was posted and not kept", "page", k.page, "channel", channel)
		for _, second := range all[1:] {
			c.pointTo(ctx, second, k.at)
		}
		return true, nil
	case ctx.Err() != nil:
		return false, seekError{err}
	case errors.Is(err, errBlind):
		if c.now().Before(k.hold) {
			return false, errHeld
		}
	default:
		k.sought++
		asked, busy := limited(err)
		if k.sought < seekTries && (!busy || 0 < asked && asked <= seekPatience) {
			return false, seekError{err}
		}
	}
	c.log.Warn("a second card may be posted", "page", k.page, "channel", channel, "why", describe(err))
	k.doubled = true
	return false, nil
}

// seek gives the places where the card of a page stands in a conversation, the oldest first.
func (c *courier) seek(ctx context.Context, k *card, channel string) (all []place, err error) {
	c.mu.Lock()
	blind := c.now().Before(c.blind[channel])
	c.mu.Unlock()
	if blind {
		return nil, errBlind
	}
	cursor := ""
	for range seekPages {
		var messages []slackgo.Message
		messages, cursor, err = c.api.history(ctx, channel, k.posting.Add(-seekMargin), k.posting.Add(seekMargin), cursor)
		switch {
		case cannotRead(err):
			c.cannotSee(channel)
			return nil, fmt.Errorf("%w: %s", errBlind, describe(err))
		case err != nil:
			return nil, err
		}
		for i := range messages {
			if m := &messages[i].Msg; cardOf(m) == (cardName{k.page, k.channel}) && c.ours(m) {
				all = append(all, place{channel, m.Timestamp})
			}
		}
		if cursor == "" {
			slices.Reverse(all)
			return all, nil
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: too many messages", errBlind)
	}
	slices.Reverse(all)
	return all, nil
}

// cannotSee remembers that the bot may not read a conversation.
func (c *courier) cannotSee(channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	maps.DeleteFunc(c.blind, func(_ string, until time.Time) bool { return !now.Before(until) })
	c.blind[channel] = now.Add(blindFor)
}

// cannotRead are Slack's words for a conversation whose messages the bot may not see (conversations.history).
func cannotRead(err error) bool {
	return slices.Contains([]string{
		"missing_scope", "not_in_channel", "channel_not_found", "not_allowed_token_type", "no_permission", "access_denied",
		"ekm_access_denied", "team_access_not_granted", "method_not_supported_for_channel_type", "enterprise_is_restricted",
	}, code(err))
}

// Names in the metadata of our messages (Slack docs: message metadata).
const (
	eventCard    = "telgate_card"    // the card of a page
	eventPointer = "telgate_pointer" // what became of a second one
)

// cardName is which card a message is: of a page, for a conversation, though it may stand in somebody's direct messages.
type cardName struct {
	page    telgate.PageID
	channel string
}

func (n cardName) metadata() slackgo.SlackMetadata {
	return slackgo.SlackMetadata{EventType: eventCard, EventPayload: map[string]any{"page": string(n.page), "conversation": n.channel}}
}

// cardOf tells which card a message is, by its metadata; of any other message it is empty.
func cardOf(m *slackgo.Msg) (n cardName) {
	if m.Metadata.EventType != eventCard {
		return n
	}
	page, _ := m.Metadata.EventPayload["page"].(string)
	n.channel, _ = m.Metadata.EventPayload["conversation"].(string)
	n.page = telgate.PageID(page)
	return n
}
