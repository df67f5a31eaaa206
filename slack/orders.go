package slack

import (
	"context"
	"errors"
	"slices"
	"strings"

	"telgate"
)

// handle carries out one delivery. It runs for one delivery of a user at a time, in the order they came.
func (s *Slack) handle(ctx context.Context, d delivery) {
	if d.click != nil {
		s.clicked(ctx, *d.click, d.key())
		return
	}
	c := *d.command
	if answer := s.obey(ctx, c, d.key()); answer != "" {
		s.tell(ctx, c.ResponseURL, c.Channel, c.User, answer)
	}
}

// tell says something to one user: at the response_url, which works everywhere, else as an ephemeral message.
func (s *Slack) tell(ctx context.Context, responseURL, channel, user, text string) {
	text = truncate(text, textLimit)
	err := errors.New("slack gave no response_url")
	if responseURL != "" {
		err = s.api.respond(ctx, responseURL, text)
	}
	if err != nil {
		err = errors.Join(err, s.api.whisper(ctx, channel, user, text))
	}
	if err != nil {
		s.env.Log.Warn("slack user not answered", "user", user, "err", err)
	}
}

// obey carries a command out; "" means that the card is the answer.
func (s *Slack) obey(ctx context.Context, c command, key string) (answer string) {
	o := parseCommand(c.Text)
	if o.verb == verbHelp { // help costs nothing and tells nothing
		return s.words.help(s.cfg.Command)
	}
	actor, refusal := s.actor(ctx, telgate.Actor{ID: c.User, Name: c.UserName, Team: c.Team, Channel: c.Channel}, "")
	if refusal != "" {
		return refusal
	}
	switch o.verb {
	case verbPage:
		return s.page(ctx, c, actor, o, key)
	case verbTest:
		o.who, o.message = []string{"<@" + c.User + ">"}, s.words.say("test call", "試験発信")
		return s.page(ctx, c, actor, o, key)
	case verbStop:
		return s.stop(ctx, actor, o.who)
	case verbPause:
		return s.pause(ctx, actor, o.message)
	case verbResume:
		return s.resume(ctx, actor)
	case verbMute, verbUnmute:
		return s.mute(ctx, actor, o)
	case verbWrong:
		return s.words.wrong(s.cfg.Command, o.word)
	case verbCover:
		if len(o.who) > 0 {
			return s.cover(ctx, actor, o)
		}
	case verbStatus, verbWho, verbList, verbHelp, verbOnCall:
	}
	if !s.policy().May(actor, telgate.ActLook, nil) {
		return s.words.notAllowed()
	}
	switch o.verb {
	case verbStatus:
		return s.status(ctx)
	case verbWho:
		return s.who(actor, o.who[0])
	case verbOnCall:
		return s.onCall(o.who)
	case verbCover:
		return s.covers()
	default:
		return s.list()
	}
}

// actor is who asks, or the reason why they are not listened to.
func (s *Slack) actor(ctx context.Context, a telgate.Actor, home string) (actor telgate.Actor, refusal string) {
	foreign, known := s.workspace.foreign(ctx, a.Team)
	switch {
	case !known:
		return a, s.words.say("NOT accepted: telgate is not connected to Slack's API yet (%s). Call by hand, or try again in a minute.",
			"受け付けませんでした。Slack API に接続できていません(%s)。手動でかけるか、1 分後にもう一度お試しください。", s.Health().Problem)
	case foreign:
		s.env.Log.Warn("slack delivery of another workspace", "team", a.Team)
		return a, s.words.say("NOT accepted: this telgate belongs to another workspace.", "受け付けませんでした。この telgate は別のワークスペースのものです。")
	}
	actor, err := s.members.actor(ctx, a, s.workspace.outsider(home))
	if err != nil {
		s.env.Log.Warn("slack asker not looked up", "user", a.ID, "err", describe(err))
		return actor, s.words.say("NOT accepted: Slack did not say whether you are a full member (%s). Call by hand, or try again.",
			"受け付けませんでした。正規メンバーかどうかを Slack に確認できません(%s)。手動でかけるか、もう一度お試しください。", describe(err))
	}
	return actor, ""
}

// page has somebody called.
func (s *Slack) page(ctx context.Context, c command, by telgate.Actor, o order, key string) (answer string) {
	receipt, err := s.pages.Submit(ctx, telgate.Request{
		Key: key, Asker: by, Who: o.who, Message: o.message, New: o.new, Force: o.force, All: o.all,
	})
	if r, ok := errors.AsType[*telgate.Refusal](err); ok {
		s.env.Log.Info("page refused", "user", by.ID, "reason", r.Reason, "who", strings.Fields(telgate.Masked(strings.Join(o.who, " "))), "err", err)
		return s.words.notAccepted(s.refused(err))
	}
	if err != nil {
		s.env.Log.Error("page not accepted", "user", by.ID, "err", err)
		return s.words.say("NOT accepted: something went wrong inside telgate. Call by hand; the log says more.",
			"受け付けませんでした。telgate 内部の障害です。手動でかけてください。詳しくはログにあります。")
	}
	shown := !s.cards.showFor(ctx, receipt, c)
	switch {
	case receipt.Joined && shown:
		return s.words.say("Being called already: %s. You joined that page; its card above shows what you added.",
			"すでに呼び出し中です: %s。参加しました。追加の内容は上のカードに表示されます。", formatless(receipt.Words))
	case receipt.Joined:
		return s.words.say("Being called already: %s. You joined that page; its card follows.",
			"すでに呼び出し中です: %s。参加しました。カードを表示します。", formatless(receipt.Words))
	}
	return ""
}

// refused puts a refusal into words; any other error is ours and is told without its inside.
func (s *Slack) refused(err error) string {
	if r, ok := errors.AsType[*telgate.Refusal](err); ok {
		text := s.words.refusal(r)
		if r.Reason == telgate.RefusedUnknownName && len(r.Suggestions) == 0 {
			text += s.words.say(" `%s list` shows everybody.", " `%s list` で一覧を表示します。", s.cfg.Command)
		}
		return text
	}
	s.env.Log.Error("slack request failed", "err", err)
	return s.words.say("NOT done, as far as is known: something went wrong inside telgate. See how it stands, and try again; the log says more.",
		"実行できていない可能性があります(telgate 内部の障害)。状況を確認し、もう一度お試しください。詳しくはログにあります。")
}

// stop ends pages: the named ones, or the asker's own where there is just one.
func (s *Slack) stop(ctx context.Context, by telgate.Actor, who []string) string {
	running := s.running(ctx)
	var chosen []telgate.Page
	if len(who) == 0 {
		for _, p := range running {
			if p.Concerns(by.ID) {
				chosen = append(chosen, p)
			}
		}
		if len(chosen) > 1 {
			return s.words.say("Several calls of yours are running. Say whose to stop:\n", "呼び出しが複数あります。止める相手を指定してください:\n") +
				s.each(chosen, func(p telgate.Page) string { return "`" + s.cfg.Command + " stop " + plainName(p) + "`" })
		}
	}
	look := s.policy().May(by, telgate.ActLook, nil)
	for _, word := range who {
		m, err := s.people.Resolve(word)
		if err != nil && look {
			return s.refused(err)
		}
		for _, p := range running { // who may not look learns nothing about names, but may stop what concerns them
			if (look || p.Concerns(by.ID)) && calls(p, m) && !slices.ContainsFunc(chosen, func(c telgate.Page) bool { return c.ID == p.ID }) {
				chosen = append(chosen, p)
			}
		}
	}
	if len(chosen) == 0 {
		return s.words.say("Nothing to stop: no such call is running.", "止める呼び出しはありません。該当する呼び出しは行われていません。")
	}
	return s.each(chosen, func(p telgate.Page) string {
		if err := s.pages.Stop(ctx, p.ID, by); err != nil {
			return formatless(title(p)) + ": " + s.refused(err)
		}
		return s.words.say("Stopped: %s.", "停止しました: %s", formatless(title(p)))
	})
}

// listed are the pages that run and some that have ended; where not all are, the log says why.
func (s *Slack) listed(ctx context.Context, ended int) []telgate.Page {
	pages, err := s.feed.Recent(ctx, ended)
	if err != nil {
		s.env.Log.Error("not every page is listed", "err", err)
	}
	return pages
}

func (s *Slack) running(ctx context.Context) []telgate.Page {
	return slices.DeleteFunc(s.listed(ctx, 0), func(p telgate.Page) bool { return p.State == telgate.PageEnded })
}

func (*Slack) each(pages []telgate.Page, line func(telgate.Page) string) string {
	lines := make([]string, len(pages))
	for i, p := range pages {
		lines[i] = line(p)
	}
	return strings.Join(lines, "\n")
}

// calls tells whether the page calls any of these people.
func calls(p telgate.Page, m telgate.Match) bool {
	return slices.ContainsFunc(p.Targets, func(t telgate.Target) bool {
		return slices.ContainsFunc(m.People, func(person telgate.Person) bool { return person.Nick == t.Nick })
	})
}

func plainName(p telgate.Page) string {
	if len(p.Targets) > 0 {
		return escape(p.Targets[0].Nick)
	}
	return escape(p.Title)
}
