package slack

import (
	"strings"

	"telgate"
)

// refusal is a refusal for its asker. English comes from the room that refused, with its particulars and suggestions.
func (w words) refusal(r *telgate.Refusal) string {
	if !w.japanese {
		return escape(r.Message) + w.instead(r)
	}
	s := escape(w.refusedJapanese(r)) + w.instead(r)
	if len(r.Suggestions) > 0 {
		var names []string
		for _, n := range r.Suggestions {
			names = append(names, "*"+formatless(telgate.Masked(n))+"*")
		}
		s += " もしかして: " + w.list(names)
	}
	return s
}

// instead is what to do about a refusal that does not say so itself.
func (w words) instead(r *telgate.Refusal) string {
	urgent := w.say(" If it is urgent, call by hand.", "緊急なら手動でかけてください。")
	switch r.Reason {
	case telgate.RefusedForbiddenNumber:
		return w.say(" Call by hand, and have an administrator correct or allow the number.", "手動でかけ、番号の訂正か許可を管理者に依頼してください。")
	case telgate.RefusedLimit, telgate.RefusedMuted:
		return urgent
	case telgate.RefusedNotAllowed:
		if r.Subject == "" { // nobody in particular: it was about calling somebody
			return urgent
		}
		return ""
	case telgate.RefusedNobodyOnCall:
		return w.say(" Name a person instead.", "相手を名前で指定してください。")
	default:
		return ""
	}
}

// notAccepted says first that nobody is called; Japanese refusals do so themselves.
func (w words) notAccepted(refusal string) string {
	if w.japanese || strings.HasPrefix(refusal, "NOT accepted") {
		return refusal
	}
	return "NOT accepted: " + refusal
}

func (words) refusedJapanese(r *telgate.Refusal) string {
	switch r.Reason {
	case telgate.RefusedUnknownName:
		if r.Subject == "" {
			return "受け付けませんでした。呼び出す相手を指定してください。"
		}
		return "受け付けませんでした。「" + clip(telgate.Masked(r.Subject), nameCells) + "」は登録されていません。"
	case telgate.RefusedAmbiguous:
		return "受け付けませんでした。「" + clip(r.Subject, nameCells) + "」に当てはまる相手が複数います。"
	case telgate.RefusedForbiddenNumber:
		return "受け付けませんでした。発信できる番号がありません(発信禁止または許可範囲外)。"
	case telgate.RefusedLimit:
		return "受け付けませんでした。1 時間あたりの回数の上限に達しました。"
	case telgate.RefusedNotAllowed:
		return "受け付けませんでした。許可されていません。telgate の管理者に相談してください。"
	case telgate.RefusedMuted:
		return "受け付けませんでした。「" + clip(r.Subject, nameCells) + "」は着信停止中です。本人か管理者が解除できます(unmute)。"
	case telgate.RefusedNobodyOnCall:
		return "受け付けませんでした。「" + clip(r.Subject, nameCells) + "」はいま誰も当番ではありません。"
	case telgate.RefusedCover:
		return "交代を登録できません(" + r.Message + ")"
	case telgate.RefusedTime:
		return "時刻が読めません。例: 18:00まで、明日9:00まで、2時間"
	case telgate.RefusedNotReady:
		if r.Pause != nil {
			return "受け付けませんでした。発信は一時停止中です(" + clip(r.Pause.By, nameCells) + "、" + r.Pause.At.UTC().Format("15:04 UTC") + " から)。手動でかけてください。"
		}
		return "受け付けませんでした。ゲートウェイは停止中です。手動でかけるか、1 分後にもう一度お試しください。"
	}
	return r.Message
}

func (w words) notAllowed() string {
	return w.say("You may not use telgate here. Use a channel that is allowed, or ask an administrator. If somebody must be called now, call by hand.",
		"ここでは telgate を使えません。許可されたチャンネルで使うか、管理者に相談してください。緊急なら手動でかけてください。")
}

// wrong answers a command that cannot be read.
func (w words) wrong(command, verb string) string {
	if verb == "" {
		return w.say("Nobody is called: say whom. %s", "まだ誰も呼び出していません。相手を指定してください。 %s", w.help(command))
	}
	if verb == string(verbMute) {
		return w.say("Say who and until when: `%[1]s mute me until 18:00`.", "誰をいつまでかを指定してください。例: `%[1]s mute me 18:00まで`", command)
	}
	return w.say("`%[1]s %[2]s` needs a name, such as `%[1]s %[2]s alice`.", "`%[1]s %[2]s` には名前が要ります。例: `%[1]s %[2]s alice`", command, verb)
}

func (w words) help(command string) string {
	lines := []string{
		w.say("makes somebody's phone ring: `{} alice database is down`", "電話を鳴らします: `{} alice データベース停止`"),
		w.say("`{} WHO[,WHO] [message]` — nickname, alias, group or @mention; several are called one after another",
			"`{} 相手[,相手] [メッセージ]` — ニックネーム、別名、グループ、@メンション。複数なら順に"),
		w.say("`{} new WHO …` — a call of its own even where one is running; `{} force WHO …` — past the hourly limits (admins)",
			"`{} new 相手 …` — 呼び出し中でも別に呼び出す。`{} force 相手 …` — 回数上限を超えて(管理者)"),
		w.say("`{} all WHO …` — everybody at once; the first who confirms ends it", "`{} all 相手 …` — 全員を同時に呼び出す。最初の確認で終了"),
		w.say("`{} stop [WHO]` — hang up, and call nobody else", "`{} stop [相手]` — 停止する"),
		w.say("`{} status` — what is running", "`{} status` — いまの状況"),
		w.say("`{} test` — ring my own phone", "`{} test` — 自分の電話を鳴らす"),
		w.say("`{} who NAME`, `{} list` — who can be called", "`{} who 名前`、`{} list` — 呼び出せる相手"),
		w.say("`{} oncall [ROTA]` — who is on call, until when, and who follows", "`{} oncall [当番表]` — いまの当番、いつまで、次は誰か"),
		w.say("`{} cover WHO [by NAME] until 18:00` — take somebody's turns (`for 2h`, `until tomorrow 09:00`, `from 20:00 until 22:00`); `{} cover WHO end` gives them back, `{} cover` lists",
			"`{} cover 相手 [by 名前] 18:00まで` — 当番を代わる(`2時間`、`明日9:00まで`、`20:00から22:00まで`)。`{} cover 相手 終了` で戻し、`{} cover` で一覧"),
		w.say("`{} mute WHO until 18:00` — nobody is to call them (yourself: `me`); `{} unmute WHO` ends it", "`{} mute 相手 18:00まで` — 着信を止める(自分は `me`)。`{} unmute 相手` で解除"),
		w.say("`{} pause [why]`, `{} resume` — dial nobody new until resumed (admins)", "`{} pause [理由]`、`{} resume` — 発信の一時停止と再開(管理者)"),
	}
	return strings.ReplaceAll("`{}` "+strings.Join(lines, "\n"), "{}", command)
}
