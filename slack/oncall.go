package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"telgate"
)

// onCall is who is on call in the named rotas, or in all.
func (s *Slack) onCall(names []string) string {
	rotas := s.people.OnCall()
	var lines []string
	for _, word := range names {
		if m, err := s.people.Resolve(word); err == nil {
			word = m.Title
		} else if r, ok := errors.AsType[*telgate.Refusal](err); !ok || r.Reason != telgate.RefusedNobodyOnCall {
			return s.refused(err)
		} else {
			word = r.Subject
		}
		i := slices.IndexFunc(rotas, func(o telgate.OnCall) bool { return o.Rota == word })
		if i < 0 {
			return s.words.say("*%s* is no rota. `%s oncall` shows them all.", "*%s* は当番表ではありません。`%s oncall` で一覧を表示します。", formatless(word), s.cfg.Command)
		}
		lines = append(lines, s.words.rota(rotas[i]))
	}
	if len(names) == 0 {
		for _, o := range rotas {
			lines = append(lines, s.words.rota(o))
		}
	}
	if len(rotas) == 0 {
		return s.words.say("There are no rotas: an administrator of telgate has to add [rotas.NAME].", "当番表がまだありません。telgate の管理者に依頼してください。")
	}
	if more := len(lines) - listedPeople; more > 0 {
		lines = append(lines[:listedPeople], s.words.say("… and %d more.", "… ほか %d 件。", more))
	}
	lines = append([]string{s.words.say("On call:", "いまの当番:")}, lines...)
	return strings.Join(append(lines, s.sources()...), "\n")
}

// sources says how old the lists are that come from elsewhere, after those that are too old or cannot be read.
func (s *Slack) sources() []string {
	lines := s.troubles()
	for _, x := range s.people.Sources() {
		if !x.Stale && !x.Fetched.IsZero() {
			lines = append(lines, s.words.say("_source of %s read %s_", "_%s の取得元: %s に取得_", formatless(x.Of), day(x.Fetched)))
		}
	}
	return lines
}

// troubles warns of the lists from elsewhere that are too old, or were never read.
func (s *Slack) troubles() []string {
	var lines []string
	for _, x := range s.people.Sources() {
		switch of := formatless(x.Of); {
		case x.Fetched.IsZero():
			lines = append(lines, s.words.say(":warning: the source of %s was never read: %s", ":warning: %s の取得元を一度も読めていません: %s", of, escape(x.Problem)))
		case x.Stale:
			lines = append(lines, s.words.say(":warning: the source of %s was last read %s: this may be out of date. %s", ":warning: %s の取得元は %s から読めていません。古い可能性があります。%s", of, day(x.Fetched), escape(x.Problem)))
		}
	}
	return lines
}

// rota is one rota as a line, with its covers below it.
func (w words) rota(o telgate.OnCall) string {
	lines := []string{fmt.Sprintf("• *%s*: %s", formatless(o.Rota), w.turn(o))}
	for _, c := range o.Covers {
		lines = append(lines, "    ◦ "+w.cover(c))
	}
	return strings.Join(lines, "\n")
}

// turn is who is on call, until when, and who follows.
func (w words) turn(o telgate.OnCall) string {
	var s string
	switch who := w.names(o.People); {
	case who == "":
		s = w.say(":warning: nobody", ":warning: 誰もいません")
	case o.Fallback:
		s = w.say(":warning: nobody; %s is called instead", ":warning: 当番なし。代わりに %s", who)
	default:
		s = who
	}
	if !o.Until.IsZero() {
		s += w.say(", until %s", "(%s まで)", day(o.Until))
	}
	if len(o.Next) > 0 {
		s += w.say(", then %s", "、次は %s", w.names(o.Next))
	}
	return s
}

func (w words) names(people []telgate.Person) string {
	var all []string
	for _, p := range people {
		all = append(all, formatless(clip(p.Nick, nameCells)))
	}
	return w.list(all)
}

func (w words) cover(c telgate.Cover) string {
	return w.say("%[1]s covers for %[2]s, %[3]s – %[4]s", "%[1]s が %[2]s を代わります(%[3]s – %[4]s)", formatless(c.By), formatless(c.For), day(c.From), day(c.Until))
}

// day is a moment with its date, in the reader's own time zone.
func day(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{date_short_pretty} {time}|%s>", t.Unix(), t.UTC().Format("2006-01-02 15:04 UTC"))
}

// covers lists who stands in for whom.
func (s *Slack) covers() string {
	lines := []string{s.words.say("Covers:", "当番の交代:")}
	for _, c := range s.people.Covers() {
		lines = append(lines, "• "+s.words.cover(c))
	}
	if len(lines) == 1 {
		return s.words.say("Nobody covers for anybody. `%[1]s cover WHO until 18:00` takes somebody's turns.", "交代はありません。`%[1]s cover 相手 18:00まで` で当番を代わります。", s.cfg.Command)
	}
	return strings.Join(lines, "\n")
}

// cover has the asker, or somebody they name, take somebody's turns; or ends that.
func (s *Slack) cover(ctx context.Context, by telgate.Actor, o order) string {
	if !s.policy().May(by, telgate.ActCover, nil) {
		return s.words.notAllowed()
	}
	what := telgate.CoverOrder{Asker: by, For: o.who[0], By: o.by, When: o.message}
	if o.end {
		ended, err := s.people.Uncover(ctx, what)
		if err != nil {
			return s.refused(err)
		}
		s.env.Log.Info("cover ended", "user", by.ID, "for", ended[0].For, "count", len(ended))
		return s.words.say("Over: %s has their turns back.", "終了しました。%s の当番に戻ります。", formatless(ended[0].For))
	}
	c, err := s.people.Cover(ctx, what)
	if err != nil {
		return s.refused(err)
	}
	s.env.Log.Info("cover accepted", "user", by.ID, "for", c.For, "by", c.By, "from", c.From, "until", c.Until)
	return s.words.say("Agreed: %[1]s. `%[2]s cover %[3]s end` ends it early.", "登録しました: %[1]s。`%[2]s cover %[3]s 終了` で早く終えられます。", s.words.cover(c), s.cfg.Command, formatless(c.For))
}
