package slack

import (
	"context"

	"telgate"
)

// Switch is the kill switch: while it is thrown nothing new is dialled.
type Switch interface {
	// Paused is who threw it, nil where nobody did.
	Paused() *telgate.Pause
	// Pause throws it; hangUp ends what is in progress, too. It tells how many pages that stopped.
	Pause(ctx context.Context, by telgate.Actor, why string, hangUp bool) (stopped int, err error)
	Resume(ctx context.Context, by telgate.Actor) error
}

// pause throws the kill switch.
func (s *Slack) pause(ctx context.Context, by telgate.Actor, why string) string {
	if refusal := s.mayRun(by); refusal != "" {
		return refusal
	}
	if _, err := s.env.Switch.Pause(ctx, by, why, false); err != nil {
		s.env.Log.Error("calling not paused as asked", "user", by.ID, "err", err)
		return s.words.say("Something went wrong; `%s status` says how it stands, the log says why.", "障害がありました。状況は `%s status`、原因はログにあります。", s.cfg.Command)
	}
	return s.words.say(":octagonal_sign: Calling is paused: nobody new is rung, calls in progress go on. `%s resume` ends it.",
		":octagonal_sign: 発信を一時停止しました。新しい発信はしません。通話中の呼び出しは続きます。再開は `%s resume`。", s.cfg.Command)
}

// resume takes the kill switch back.
func (s *Slack) resume(ctx context.Context, by telgate.Actor) string {
	if refusal := s.mayRun(by); refusal != "" {
		return refusal
	}
	if s.env.Switch.Paused() == nil {
		return s.words.say("Calling is not paused.", "一時停止中ではありません。")
	}
	if err := s.env.Switch.Resume(ctx, by); err != nil {
		s.env.Log.Error("calling not resumed", "user", by.ID, "err", err)
		return s.words.say("Calling stays paused: the log says why.", "再開できませんでした。原因はログにあります。")
	}
	return s.words.say(":telephone_receiver: Calling goes on.", ":telephone_receiver: 発信を再開しました。")
}

func (s *Slack) mayRun(by telgate.Actor) (refusal string) {
	switch {
	case s.env.Switch == nil:
		return s.words.say("This gateway has no kill switch.", "このゲートウェイに一時停止はありません。")
	case !s.policy().May(by, telgate.ActRun, nil):
		return s.words.say("Only an administrator of telgate may do that.", "telgate の管理者だけができます。")
	}
	return ""
}

// pauseLine says that calling is paused; "" where it is not.
func (s *Slack) pauseLine() string {
	if s.env.Switch == nil {
		return ""
	}
	p := s.env.Switch.Paused()
	if p == nil {
		return ""
	}
	line := s.words.say(":octagonal_sign: *Calling is paused* by %s since %s: nobody new is rung.",
		":octagonal_sign: *発信は一時停止中です* (%s、%s から)。", formatless(p.By), moment(p.At))
	if p.Why != "" {
		line += " " + formatless(p.Why)
	}
	return line
}
