package store

import (
	"context"
	"fmt"

	"telgate"
	"telgate/slack"
)

// Cards are the messages in Slack that show pages: a slack.Shelf for one gateway.
type Cards struct {
	s       *Store
	gateway func() string // the id of its process
}

// Cards are those of the gateway whose process has this id, which changes when it was taken for dead.
func (s *Store) Cards(gateway func() string) Cards { return Cards{s, gateway} }

// cardFacts is a card as its row has it.
type cardFacts struct {
	User        string `json:"user"`
	ResponseURL string `json:"response_url,omitempty"`
	PostedIn    string `json:"posted_in,omitempty"`
	Timestamp   string `json:"timestamp,omitempty"`
	Posting     int64  `json:"posting,omitempty"` // microseconds since 1970
	Doubled     bool   `json:"doubled,omitempty"`
	Direct      bool   `json:"direct,omitempty"`
	Mute        bool   `json:"mute,omitempty"`
	Frozen      bool   `json:"frozen,omitempty"`
	Reposted    bool   `json:"reposted,omitempty"`
	Mentioned   bool   `json:"mentioned,omitempty"`
	Owes        bool   `json:"owes,omitempty"`
	Told        bool   `json:"told,omitempty"`
	Version     int    `json:"version"`
}

// noReporter is a page that nobody shows, or a gateway that is gone. $1 is who asks.
const noReporter = `(reporter in ('', $1) or not exists (select 1 from gateway where gateway.id = page.reporter))`

// Show makes the gateway the one that shows a page, and gives its cards whoever shows it: see [slack.Shelf].
func (c Cards) Show(ctx context.Context, id telgate.PageID) (cards []slack.Card, mine bool, err error) {
	err = c.s.db.write(ctx, func(t tx) error {
		cards = nil
		n, err := t.exec(ctx, "update page set reporter = $1 where id = $2 and "+noReporter, c.gateway(), id)
		if mine = n == 1; err != nil {
			return err
		}
		return t.rows(ctx, func(scan scan) error {
			var channel string
			var facts []byte
			var f cardFacts
			if err := scan(&channel, &facts); err != nil {
				return err
			}
			if err := decode(facts, &f); err != nil {
				return err
			}
			cards = append(cards, f.card(channel))
			return nil
		}, "select channel, facts from card where page = $1 order by channel", id)
	})
	if err != nil {
		return nil, false, fmt.Errorf("find the cards of page %s: %w", id, err)
	}
	return cards, mine, nil
}

// Keep keeps how the cards of a page stand, as long as this gateway shows it: see [slack.Shelf]. A page that has ended and is
// shown whole is nobody's to show. Of one that is gone nothing is kept.
func (c Cards) Keep(ctx context.Context, id telgate.PageID, cards []slack.Card, shown int) error {
	err := c.s.db.write(ctx, func(t tx) error {
		me := c.gateway()
		for i := range cards {
			t.put(ctx, `insert into card (page, channel, facts) select $1, $2, $3 from page where id = $1 and reporter = $4
				on conflict (page, channel) do update set facts = excluded.facts`,
				id, text(cards[i].Channel), text(encode(factsOfCard(&cards[i]))), me)
		}
		n, err := t.exec(ctx, `update page set reported = $1,
			reporter = case when state = 'ended' and $1 >= version then '' else reporter end where id = $2 and reporter = $3`, shown, id, me)
		if err != nil || n == 1 {
			return err
		}
		return t.rows(ctx, func(scan) error { return slack.ErrElsewhere }, "select id from page where id = $1", id)
	})
	if err != nil {
		return fmt.Errorf("keep the cards of page %s: %w", id, err)
	}
	return nil
}

// Behind are pages of which something is not shown yet and that no other gateway shows: see [slack.Shelf].
func (c Cards) Behind(ctx context.Context, most int) ([]telgate.PageID, error) {
	var behind []telgate.PageID
	err := c.s.db.read(ctx, func(t tx) error {
		behind = nil
		return t.rows(ctx, func(scan scan) error {
			var id telgate.PageID
			err := scan(&id)
			behind = append(behind, id)
			return err
		}, "select id from page where reported < version and "+noReporter+" order by entered limit $2", c.gateway(), most)
	})
	if err != nil {
		return nil, fmt.Errorf("find pages that nobody shows: %w", err)
	}
	return behind, nil
}

func factsOfCard(c *slack.Card) cardFacts {
	return cardFacts{
		User: c.User, ResponseURL: c.ResponseURL, PostedIn: c.PostedIn, Timestamp: c.Timestamp,
		Posting: micro(c.Posting), Doubled: c.Doubled, Direct: c.Direct, Mute: c.Mute, Frozen: c.Frozen, Reposted: c.Reposted, Mentioned: c.Mentioned, Owes: c.Owes, Told: c.Told, Version: c.Version,
	}
}

func (f *cardFacts) card(channel string) slack.Card {
	return slack.Card{
		Channel: channel, User: f.User, ResponseURL: f.ResponseURL, PostedIn: f.PostedIn, Timestamp: f.Timestamp,
		Posting: moment(f.Posting), Doubled: f.Doubled, Direct: f.Direct, Mute: f.Mute, Frozen: f.Frozen, Reposted: f.Reposted, Mentioned: f.Mentioned, Owes: f.Owes, Told: f.Told, Version: f.Version,
	}
}
