package slack

import (
	"telgate"
)

// callback says who was rung and called us since, one a line: it confirms nothing.
func (w words) callback(p telgate.Page) []string {
	var lines []string
	for _, t := range p.Targets {
		if !t.CalledBack.IsZero() {
			lines = append(lines, w.say("%s called back at %s (this confirms nothing)", "%s さんから %s に折り返しの着信(確認ではありません)",
				formatless(clip(displayName(p, t.Nick), nameCells)), moment(t.CalledBack)))
		}
	}
	return lines
}

// forwarded says that a call was sent elsewhere and followed there; "" where it was not.
func (w words) forwarded(c telgate.Call) string {
	if c.Forward == "" {
		return ""
	}
	return w.say(", forwarded to %s", "、%s へ転送", escape(c.RedirectedTo()))
}

// followed is forwarded for a call that is over; one that ended redirected says so itself.
func (w words) followed(c telgate.Call) string {
	if c.Outcome == telgate.OutcomeRedirected {
		return ""
	}
	return w.forwarded(c)
}

// redirected says where a call that was not followed was sent to.
func (w words) redirected(c telgate.Call) string {
	if c.Forward != "" && c.Signal.RedirectTo == "" {
		return w.say("forwarded to %s, which could not be reached", "%s へ転送されましたが、つながりません", escape(c.RedirectedTo()))
	}
	if to := c.RedirectedTo(); to != "" {
		return w.say("redirected to %s, not followed", "%s へ転送されました(追いません)", escape(to))
	}
	return w.say("redirected to another number, not followed", "別の番号へ転送されました(追いません)")
}

// blocked names why our caller id is not welcome, as far as the status tells (RFC 5079, RFC 8224, RFC 8688).
func (w words) blocked(c telgate.Call) string {
	switch c.Signal.Status {
	case 433:
		return w.say("blocked: withheld numbers are not accepted", "拒否: 番号非通知の着信は受け付けません")
	case 428, 436, 437, 438:
		return w.say("blocked: our caller id is not proved", "拒否: 発信者番号の証明がありません")
	case 603, 608:
		return w.say("blocked: our caller id is taken for a robocaller's", "拒否: 発信者番号が迷惑電話と判定されました")
	}
	return w.say("blocked, our caller id is not accepted", "発信者番号が拒否されました")
}

// lineless is how a page stands that waits for a line.
func (w words) lineless(p telgate.Page) (symbol, state, more string) {
	return "hourglass_flowing_sand", w.say("Waiting for a line", "回線の空き待ち"),
		w.say("trunk %s is full, at most until %s", "回線 %s は上限に達しています(最長 %s まで待ちます)", escape(p.WaitsLine), moment(p.WaitsFor))
}
