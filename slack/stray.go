package slack

import (
	"context"
	"slices"

	slackgo "github.com/slack-go/slack"

	"telgate"
)

// A stray is a card of ours beside the one that counts: of a gateway that died between posting it and keeping where it is, or
// that was taken for dead. Nobody edits it any more, so it would say "ringing" for ever: it is made a pointer to the other one.

// pointTo makes a stray card a pointer to the one that counts. That it fails must not keep that one from being shown.
func (c *courier) pointTo(ctx context.Context, stray, card place) {
	link, err := c.api.permalink(ctx, card)
	if err != nil {
		c.log.Info("no link to a card", "channel", card.channel, "err", describe(err)) // it stands near
	}
	if err := c.api.update(ctx, stray, c.words.pointer(link)); err != nil {
		c.log.Warn("second card of a page still stands", "channel", stray.channel, "err", describe(err))
	}
}

// doubt adds to a card, above its buttons, that a second one of the page may stand in the conversation.
func (w words) doubt(m message, p telgate.Page, doubled bool) message {
	if !doubled {
		return m
	}
	line := slackgo.NewContextBlock(blockID("doubt", p), markup(w.say(
		":information_source: Posted again after an interruption. If another card of this call stands above, this one counts.",
		":information_source: 中断のため再投稿しました。上に同じ呼び出しのカードが残っていても、こちらが最新です。")))
	last := len(m.blocks)
	if last > 0 && m.blocks[last-1].BlockType() == slackgo.MBTAction {
		last--
	}
	m.blocks = slices.Insert(slices.Clone(m.blocks), last, slackgo.Block(line))
	return m
}

// pointer is what a stray card says.
func (w words) pointer(link string) message {
	text := w.say(":arrow_right: This card is out of date: a telgate gateway stopped while posting it.",
		":arrow_right: このカードは更新されません(投稿中に telgate が停止したため)。")
	if link != "" {
		text += w.say(" <%s|The call's card>", " <%s|最新のカード>", link)
	} else {
		text += w.say(" Look for the call's other card in this conversation.", " この会話にある最新のカードをご覧ください。")
	}
	m := sentence(text)
	m.metadata.EventType, m.metadata.EventPayload = eventPointer, map[string]any{}
	return m
}

// settle takes back what this gateway has of a page that another one shows by now. A card that it posted beside the other's
// becomes a pointer; where the other has none yet it may find ours, so nothing is done before that is known.
func (c *courier) settle(ctx context.Context, id telgate.PageID) {
	kept, mine, err := c.onShelf(ctx, id)
	if err != nil {
		return
	}
	strays, done := c.taken(id, kept, mine)
	for _, s := range strays {
		c.pointTo(ctx, s.at, s.card)
	}
	if p := c.read(ctx, id); done && mine && p != nil {
		c.note(p)
	}
}

// stray is where one stands, and where the card is that counts.
type stray struct{ at, card place }

// taken puts what the shelf has of a page in place of what is here. It does nothing where that is too early.
func (c *courier) taken(id telgate.PageID, kept []Card, mine bool) (strays []stray, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var here []*card
	for _, k := range c.cards {
		if k.page != id {
			continue
		}
		if k.sending {
			k.dirty = true
			return nil, false
		}
		here = append(here, k)
	}
	for _, k := range here {
		i := slices.IndexFunc(kept, func(x Card) bool { return x.Channel == k.channel })
		switch {
		case k.at.ts == "":
		case i >= 0 && kept[i].Timestamp == "" && mine:
			kept[i] = k.kept()
		case i < 0 && mine:
			kept = append(kept, k.kept())
		case i < 0, kept[i].Timestamp == "" && !kept[i].Mute:
			k.dirty = true // the other is about to post, or to find ours
			return nil, false
		case kept[i].Timestamp != "" && k.at != (place{kept[i].PostedIn, kept[i].Timestamp}):
			strays = append(strays, stray{k.at, place{kept[i].PostedIn, kept[i].Timestamp}})
		}
	}
	c.cards = slices.DeleteFunc(c.cards, func(k *card) bool { return k.page == id })
	if mine {
		for _, k := range kept {
			c.cards = append(c.cards, restored(id, k))
		}
	}
	return strays, true
}

// clicked has a stray card on which somebody pressed a button point to the card that counts: that much is found out without the
// right to read the conversation.
func (c *courier) clicked(ctx context.Context, p *telgate.Page, on place) {
	if on.ts == "" || on.channel == "" {
		return
	}
	here, known := c.standing(p.ID)
	if !known {
		kept, mine, err := c.onShelf(ctx, p.ID)
		if err != nil {
			return
		}
		if mine {
			c.restore(p.ID, kept)
			c.note(p)
			defer func() { _ = c.keep(ctx, p.ID) }() // it is nobody's again where nothing is left to show
		}
		here = kept
	}
	if slices.ContainsFunc(here, func(k Card) bool { return k.PostedIn == on.channel && (k.Timestamp == on.ts || k.Frozen) }) {
		return // of a frozen one the end is a message of its own
	}
	if i := slices.IndexFunc(here, func(k Card) bool { return k.PostedIn == on.channel && k.Timestamp != "" }); i >= 0 {
		c.pointTo(ctx, on, place{here[i].PostedIn, here[i].Timestamp})
	}
}

// standing are the cards of a page as they were when nothing was on its way; known is false where they are not here.
func (c *courier) standing(id telgate.PageID) (cards []Card, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.cards {
		if k.page == id {
			cards = append(cards, k.last)
		}
	}
	return cards, len(cards) > 0
}
