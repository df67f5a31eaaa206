package slack

import (
	"cmp"
	"slices"

	"telgate"
)

// standing is how the page stands: a symbol, a word for it, and what there is to add. The symbol never stands alone.
func (w words) standing(p telgate.Page) (symbol, state, more string) {
	if p.State == telgate.PageEnded || p.Result != "" {
		return w.ended(p)
	}
	if p.WaitsLine != "" {
		return w.lineless(p)
	}
	if all := p.Lives(); len(all) == 1 {
		return w.tallied(p, all[0])
	} else if len(all) > 1 {
		return w.sideBySide(p, all)
	}
	switch p.State {
	case telgate.PageWaiting:
		if p.Paused {
			return "octagonal_sign", w.say("Paused", "一時停止"), w.say("calling is paused, nobody is rung until it is resumed; call by hand", "再開まで発信しません。手動でかけてください")
		}
		if !p.WaitsFor.IsZero() {
			return "hourglass_flowing_sand", w.say("Waiting", "待機中"),
				w.say("next call at %s", "次の発信 %s", moment(p.WaitsFor)) + w.tally(p)
		}
		return "hourglass_flowing_sand", w.say("Waiting", "待機中"),
			w.say("the phone is in use for another page; this one waits its turn", "電話は別の呼び出しで使用中です。順番を待っています")
	case telgate.PageAccepted:
		return "inbox_tray", w.say("Accepted", "受付"), w.say("dialing in a moment", "まもなく発信します")
	case telgate.PageCalling, telgate.PageEnded:
	}
	return "hourglass_flowing_sand", w.say("Calling", "呼び出し中"), w.say("the next step is being chosen", "次の手順を選んでいます")
}

func (w words) calling(p telgate.Page, c *telgate.Call) (symbol, state, more string) {
	more = w.phone(p, c.Person, c.Number)
	if p.Rounds > 1 {
		more += w.say(", round %d of %d", "、%d / %d 巡目", c.Round, p.Rounds)
	}
	more += w.forwarded(*c)
	switch c.State {
	case telgate.CallRinging:
		return "bell", w.say("Ringing", "鳴っています"), more
	case telgate.CallEarly:
		return "loud_sound", w.say("Not answered yet", "未応答"), more + w.say(", a tone or announcement of the network is playing", "、電話会社の音か案内が流れています")
	case telgate.CallForwarded:
		return "arrow_right_hook", w.say("Forwarded", "転送中"), more + w.say(", ringing elsewhere", "、別の電話を呼んでいます")
	case telgate.CallAnswered:
		if c.KeyHeard() { // in a roll call: others have still to confirm
			return "speech_balloon", w.say("Key pressed", "キー入力あり"), more + w.say(", hears the thanks", "、確認の応答を再生中")
		}
		return "speech_balloon", w.say("Answered, not confirmed yet", "応答あり・未確認"), more + w.say(", waiting for the key", "、キー入力を待っています")
	case telgate.CallDialing, telgate.CallEnded:
	}
	return "calling", w.say("Dialing", "発信中"), more
}

// tallied is one call, and how a roll call stands.
func (w words) tallied(p telgate.Page, c *telgate.Call) (symbol, state, more string) {
	symbol, state, more = w.calling(p, c)
	return symbol, state, more + w.tally(p)
}

// furthest are calls in the order in which they matter: those that got furthest come first.
func furthest(all []*telgate.Call) []*telgate.Call {
	order := []telgate.CallState{
		telgate.CallAnswered, telgate.CallRinging, telgate.CallEarly, telgate.CallForwarded, telgate.CallDialing,
	}
	far := func(c *telgate.Call) int {
		if c.KeyHeard() {
			return len(order) // it is done with: the others are what is waited for
		}
		return slices.Index(order, c.State)
	}
	return slices.SortedStableFunc(slices.Values(all), func(a, b *telgate.Call) int { return cmp.Compare(far(a), far(b)) })
}

// sideBySide is how several calls stand: the furthest of them give the symbol and are named first, and the others each with
// their own state, so that nobody seems to have answered who did not.
func (w words) sideBySide(p telgate.Page, all []*telgate.Call) (symbol, state, more string) {
	all = furthest(all)
	symbol, state, _ = w.calling(p, all[0])
	each := make([]string, len(all))
	for i, c := range all {
		each[i] = w.phone(p, c.Person, c.Number)
		if _, other, _ := w.calling(p, c); other != state {
			each[i] += w.say(" – %s", " – %s", lowerFirst(other))
		}
	}
	more = w.list(each)
	if p.Rounds > 1 {
		more += w.say(", round %d of %d", "、%d / %d 巡目", all[0].Round, p.Rounds)
	}
	return symbol, state, more + w.tally(p)
}

// count is how many were reached.
func (words) count(p telgate.Page) (reached int) {
	for _, t := range p.Targets {
		if t.Result.Reached() {
			reached++
		}
	}
	return reached
}

// tally is how many have confirmed in a roll call.
func (w words) tally(p telgate.Page) string {
	if !p.Way.RollCall {
		return ""
	}
	return w.say("; %d of %d confirmed", "、%[2]d 人中 %[1]d 人が確認", w.count(p), len(p.Targets))
}

// phone names one phone of one person, without its number.
func (w words) phone(p telgate.Page, nick string, n telgate.Number) string {
	name := formatless(clip(displayName(p, nick), nameCells))
	if n.Label == "" {
		return name
	}
	return w.say("%s (%s)", "%s(%s)", name, formatless(clip(n.Label, nameCells)))
}

func displayName(p telgate.Page, nick string) string {
	for _, t := range p.Targets {
		if t.Nick == nick && t.Name != "" {
			return t.Name
		}
	}
	return nick
}

func (w words) ended(p telgate.Page) (symbol, state, more string) {
	switch p.Result {
	case telgate.Confirmed:
		state = w.say("Confirmed", "確認済み")
		if p.Late {
			state = w.say("Confirmed late", "遅れて確認")
		}
		return "white_check_mark", state, w.reached(p, telgate.Confirmed)
	case telgate.Answered:
		return "white_check_mark", w.say("Answered", "応答済み"), w.reached(p, telgate.Answered) +
			w.say(", which is enough for them", "(この人は応答で足ります)")
	case telgate.Partial:
		return "warning", w.say("Partly confirmed", "一部のみ確認"), w.missing(p)
	case telgate.NotReached:
		return "x", w.say("Nobody was reached", "誰にもつながりませんでした"), w.say("call by hand or try again", "手動でかけるか、もう一度お試しください")
	case telgate.Cancelled:
		if p.Stopped != "" {
			return "no_entry", w.say("Stopped", "停止"), w.say("by %s", "%s さんが停止しました", who(p.Stopped, ""))
		}
		return "no_entry", w.say("Stopped", "停止"), w.say("the gateway was stopping; nobody was reached, call by hand or try again",
			"ゲートウェイ停止のため。誰にもつながっていません。手動でかけるか、もう一度お試しください")
	case telgate.Failed:
		return "rotating_light", w.say("Failed", "発信失敗"), w.say("no call got beyond our trunks, call by hand", "どの回線からも発信できませんでした。手動でかけてください")
	}
	return "grey_question", w.say("Ended", "終了"), escape(string(p.Result))
}

// reached names who was, and how.
func (w words) reached(p telgate.Page, how telgate.Result) string {
	var all []string
	for _, t := range p.Targets {
		if t.Result != how {
			continue
		}
		s := formatless(clip(t.Name, nameCells))
		switch t.Via {
		case telgate.ViaSlack:
			s = w.say("%s in Slack", "%s さん(Slack)", s)
		case telgate.ViaKey:
			s = w.say("%s by key", "%s さん(キー)", s)
		case telgate.ViaPick:
			s = w.say("%s picked up and listened", "%s さんが応答", s)
		}
		if !t.At.IsZero() {
			s += w.say(" at %s", " %s", moment(t.At))
		}
		all = append(all, s)
	}
	return w.list(all)
}

func (w words) missing(p telgate.Page) string {
	var no []string
	for _, t := range p.Targets {
		if !t.Result.Reached() {
			no = append(no, formatless(clip(t.Name, nameCells)))
		}
	}
	return w.say("%s; missing: %s", "%s / 未確認: %s", w.reached(p, telgate.Confirmed), w.list(no))
}
