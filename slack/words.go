package slack

import (
	"fmt"
	"strings"
	"time"

	"telgate"
)

// words are the sentences of one language. Each stands next to its translation, so that neither is forgotten.
type words struct{ japanese bool }

// wordsFor picks the language of a BCP 47 tag.
func wordsFor(tag string) words {
	t := strings.ToLower(tag)
	return words{japanese: t == "ja" || strings.HasPrefix(t, "ja-")}
}

// say formats the sentence of this language; arguments are numbered where the order differs.
func (w words) say(en, ja string, args ...any) string {
	format := en
	if w.japanese {
		format = ja
	}
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// list joins names as people write them.
func (w words) list(names []string) string {
	return strings.Join(names, w.say(", ", "、"))
}

// outcome says how a call ended, for somebody who does not know SIP.
func (w words) outcome(c telgate.Call) string {
	switch c.Outcome {
	case telgate.OutcomeConfirmed:
		return w.say("confirmed by key", "キーで確認されました")
	case telgate.OutcomeAnswered:
		return w.answered(c)
	case telgate.OutcomeVoicemail:
		if c.Detail == telgate.DetailDiversion {
			return w.say("forwarded to a mailbox", "留守番電話に転送されました")
		}
		return w.say("voicemail picked up", "留守番電話が応答しました")
	case telgate.OutcomeNoAnswer:
		return w.say("no answer after %s of ringing", "応答なし(呼び出し %s)", w.seconds(c.Times.RingFor()))
	case telgate.OutcomeBusy:
		return w.say("busy", "話し中")
	case telgate.OutcomeDeclined:
		return w.say("declined, by hand or by Do Not Disturb", "拒否されました(手動または「おやすみモード」)")
	case telgate.OutcomeUnreachable:
		return w.say("unreachable, the phone never rang", "つながりません(電話は鳴っていません)")
	case telgate.OutcomeBlocked:
		return w.blocked(c)
	case telgate.OutcomeRedirected:
		return w.redirected(c)
	case telgate.OutcomeInvalidNumber:
		return w.say("the network says that this number does not exist", "この番号は使われていないとの応答です")
	case telgate.OutcomeTrunkFailed:
		return w.trunk(c)
	case telgate.OutcomeCancelled:
		return w.say("hung up by us", "こちらで切りました")
	case telgate.OutcomeLost:
		return w.say("lost when the gateway stopped, the phone may have rung", "ゲートウェイ停止で不明(鳴った可能性があります)")
	}
	return string(c.Outcome)
}

func (w words) answered(c telgate.Call) string {
	talk := w.seconds(c.Times.TalkFor())
	switch c.Detail {
	case telgate.DetailListened:
		return w.say("picked up and listened for %s", "応答し、%s聞きました", talk)
	case telgate.DetailNoAudio:
		if c.Audio.RTP.Rejected > 0 {
			return w.say("picked up, but the sound that came was from another address or in another form than agreed", "応答しましたが、届いた音声の送信元か形式が取り決めと違い、聞き取れません")
		}
		return w.say("picked up, but no sound came from the phone", "応答しましたが、電話からの音声が届きません")
	case telgate.DetailHungUpEarly:
		return w.say("picked up, hung up before the message was heard", "応答しましたが、メッセージを聞く前に切れました")
	case telgate.DetailLateAnswer:
		return w.say("picked up at the moment we gave up", "あきらめた瞬間に応答がありました")
	case telgate.DetailHeld:
		return w.say("picked up and put us on hold", "応答後、保留されました")
	case telgate.DetailNotHuman:
		return w.say("connected, but only tones were heard", "つながりましたが、信号音だけでした")
	default:
		return w.say("connected for %s, nobody confirmed", "%sつながりましたが、確認がありません", talk)
	}
}

func (w words) trunk(c telgate.Call) string {
	name := escape(c.Trunk)
	switch c.Detail {
	case telgate.DetailCredentials:
		return w.say("trunk %s refuses our password", "回線 %s がパスワードを拒否しました", name)
	case telgate.DetailNotRegistered:
		return w.say("trunk %s does not let us register", "回線 %s に登録できません", name)
	case telgate.DetailNoResponse:
		return w.say("trunk %s does not answer", "回線 %s が応答しません", name)
	case telgate.DetailNoFinal:
		return w.say("trunk %s took the call and went silent", "回線 %s が受け付けたまま応答しません", name)
	case telgate.DetailTransport:
		return w.say("trunk %s cannot be reached", "回線 %s に接続できません", name)
	case telgate.DetailUnusableAnswer:
		return w.say("picked up, but in an audio format we do not speak", "応答しましたが、音声形式が合いません")
	case telgate.DetailLocalMedia:
		return w.say("no audio port was free here", "こちらの音声ポートに空きがありません")
	default:
		return w.say("trunk %s failed", "回線 %s の障害", name)
	}
}

// skipped says why a step was not dialled.
func (w words) skipped(r telgate.SkipReason) string {
	switch r {
	case telgate.SkipLimit:
		return w.say("not called: rung too often in the last hour, an administrator can force it", "発信せず: 1 時間の回数上限(管理者は force で発信可)")
	case telgate.SkipForbidden:
		return w.say("not called: telgate may not dial this number (emergency, short, premium, or a country that is not allowed). "+
			"Call by hand, and have an administrator correct or allow it",
			"発信せず: telgate からは発信できない番号です(緊急・短縮・有料番号、または許可されていない国)。手動でかけ、番号の訂正か許可を管理者に依頼してください")
	case telgate.SkipResting:
		return w.say("not called: it may still be ringing from a call before", "発信せず: 前の呼び出しでまだ鳴っている可能性があります")
	case telgate.SkipNoLine:
		return w.say("not called: no trunk carries the number, or all lines are in use", "発信せず: 使える回線がありません")
	case telgate.SkipMuted:
		return w.say("not called: they are muted (unmute ends that)", "発信せず: 着信停止中(unmute で解除)")
	case telgate.SkipPaused:
		return w.say("not called: calling was paused", "発信せず: 一時停止中")
	case telgate.SkipEnded:
		return w.say("not called: the page ended first", "発信せず: 先に終了しました")
	case telgate.SkipNone:
	}
	return w.say("not called", "発信せず")
}

// seconds is a duration as people say it on the phone.
func (w words) seconds(d time.Duration) string {
	return w.say("%d s", "%d 秒", int(d.Round(time.Second).Seconds()))
}
