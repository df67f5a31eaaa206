package slack

import (
	"context"

	"telgate"
)

// Mutes knows and changes who is not called. Errors that are a [*telgate.Refusal] carry a sentence for the asker.
type Mutes interface {
	Mutes() []telgate.Mute
	Mute(ctx context.Context, o telgate.MuteOrder) (telgate.Mute, error)
}

// mute keeps somebody's phones quiet, or ends that.
func (s *Slack) mute(ctx context.Context, by telgate.Actor, o order) string {
	if s.env.Mutes == nil {
		return s.words.say("This gateway mutes nobody.", "このゲートウェイに着信停止はありません。")
	}
	if len(o.who) > 0 && !s.policy().May(by, telgate.ActLook, nil) { // whoever they are, they may mute themselves
		return s.words.notAllowed()
	}
	what := telgate.MuteOrder{Asker: by, When: o.message, End: o.verb == verbUnmute}
	if len(o.who) > 0 {
		what.Who = o.who[0]
	}
	m, err := s.env.Mutes.Mute(ctx, what)
	if err != nil {
		return s.refused(err)
	}
	s.env.Log.Info("mute", "user", by.ID, "who", m.Nick, "until", m.Until, "over", what.End)
	if what.End {
		return s.words.say(":bell: *%s* is called again.", ":bell: *%s* さんの着信を再開しました。", formatless(m.Nick))
	}
	return s.words.say(":no_bell: *%[1]s* is not called until %[2]s, whoever asks. `%[3]s unmute %[1]s` ends that.",
		":no_bell: *%[1]s* さんへは %[2]s まで、誰の依頼でも発信しません。解除は `%[3]s unmute %[1]s`。", formatless(m.Nick), day(m.Until), s.cfg.Command)
}

// muted lists who is not called now; "" where everybody is.
func (s *Slack) muted() string {
	if s.env.Mutes == nil {
		return ""
	}
	var all []string
	for _, m := range s.env.Mutes.Mutes() {
		all = append(all, s.words.say("*%s* until %s", "*%s*(%s まで)", formatless(m.Nick), day(m.Until)))
	}
	if len(all) == 0 {
		return ""
	}
	return s.words.say(":no_bell: Muted: %s", ":no_bell: 着信停止: %s", s.words.list(all))
}

// quiet is what is added to somebody's name who is muted.
func (s *Slack) quiet(nick string) string {
	if s.env.Mutes == nil {
		return ""
	}
	for _, m := range s.env.Mutes.Mutes() {
		if m.Nick == nick {
			return s.words.say(" :no_bell: muted until %s", " :no_bell: %s まで着信停止", day(m.Until))
		}
	}
	return ""
}
