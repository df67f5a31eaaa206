package slack

import (
	"context"
	"fmt"
	"strings"

	"telgate"
)

// clicked carries out a click on a card.
func (s *Slack) clicked(ctx context.Context, c click, key string) {
	answer := func(text string) {
		if text != "" {
			s.tell(ctx, c.ResponseURL, c.Channel, c.User, text)
		}
	}
	actor, refusal := s.actor(ctx, telgate.Actor{ID: c.User, Name: c.UserName, Team: c.Team, Channel: c.Channel}, c.UserTeam)
	own := c.Action == actionConfirm || c.Action == actionHangup || c.Action == actionNext // needs no more than the clicker's id
	if refusal != "" && (!actor.Unknown || !own) {
		answer(refusal)
		return
	}
	page, err := s.feed.Page(ctx, pageOf(c.Value))
	if err != nil {
		answer(s.refused(err))
		return
	}
	if page == nil {
		answer(s.words.say("telgate does not know this call any more.", "この呼び出しの記録はもうありません。"))
		return
	}
	p := *page
	s.cards.clicked(ctx, page, place{c.Channel, c.MessageTS})
	switch c.Action {
	case actionHangup:
		answer(s.onRunning(ctx, p, actor, s.pages.Stop))
	case actionNext:
		answer(s.onRunning(ctx, p, actor, s.pages.Next)) // what rings is hung up, and the next step begins
	case actionConfirm:
		answer(s.confirm(ctx, p, actor))
	case actionAgain:
		answer(s.again(ctx, c, p, actor, key))
	default:
		s.env.Log.Warn("slack click on an unknown button", "action", c.Action)
	}
}

// onRunning does something to a page that has not ended.
func (s *Slack) onRunning(
	ctx context.Context, p telgate.Page, by telgate.Actor, do func(context.Context, telgate.PageID, telgate.Actor) error,
) string {
	if p.State == telgate.PageEnded {
		return s.words.say("This call has ended already.", "この呼び出しはすでに終了しています。")
	}
	if err := do(ctx, p.ID, by); err != nil {
		return s.refused(err)
	}
	return ""
}

func (s *Slack) confirm(ctx context.Context, p telgate.Page, by telgate.Actor) string {
	if p.Result == telgate.Confirmed {
		return s.words.say("Confirmed already: %s.", "すでに確認済みです: %s", s.words.reached(p, telgate.Confirmed))
	}
	if err := s.pages.Confirm(ctx, p.ID, by); err != nil {
		return s.refused(err)
	}
	return ""
}

// again is a new page by the clicker, with their own permission and limits, for the same people.
func (s *Slack) again(ctx context.Context, c click, p telgate.Page, by telgate.Actor, key string) string {
	var who []string
	for name := range strings.SplitSeq(p.Title, ",") { // as resolved: a group keeps its recording
		if name = strings.TrimSpace(name); name != "" {
			who = append(who, name)
		}
	}
	return s.page(ctx, command{Channel: c.Channel, User: c.User, ResponseURL: c.ResponseURL}, by,
		order{verb: verbPage, who: who, message: p.Message, all: p.Way.All}, key)
}

// buttonValue names the page and its version; nothing else about it leaves the gateway.
func buttonValue(p telgate.Page) string { return fmt.Sprintf("%s %d", p.ID, p.Version) }

func pageOf(value string) telgate.PageID {
	id, _, _ := strings.Cut(value, " ")
	return telgate.PageID(id)
}
