package slack

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"telgate"
)

const (
	shownSteps = 6   // of the log; the earlier ones are counted
	nameCells  = 40  // display width of one name
	titleCells = 120 // of all names together
)

// Buttons of a card.
const (
	actionHangup  = "telgate.hangup"
	actionAgain   = "telgate.again"
	actionConfirm = "telgate.confirm"
	actionNext    = "telgate.next"
)

// render draws the card of a page: what it is for, how it stands, what was tried, and what can be done. It is a pure
// function; numbers never appear in it.
func render(w words, p telgate.Page) message {
	symbol, state, more := w.standing(p)
	blocks := []slackgo.Block{section("head", p, markup(":telephone_receiver: "+w.heading(p)))}
	if said := messages(p); said != "" {
		blocks = append(blocks, section("message", p, plainText(truncate(said, sectionLimit))))
	}
	line := ":" + symbol + ": *" + state + "*"
	if more != "" {
		line += w.say(": ", ": ") + more
	}
	blocks = append(blocks, section("state", p, markup(truncate(line, sectionLimit))))
	if log := w.log(p); log != "" {
		blocks = append(blocks, slackgo.NewContextBlock(blockID("log", p), markup(truncate(log, sectionLimit))))
	}
	if b := w.buttons(p); len(b) > 0 {
		blocks = append(blocks, slackgo.NewActionBlock(blockID("act", p), b...))
	}
	return message{text: truncate(w.spoken(p, state, more), textLimit), blocks: blocks}
}

// blockID carries the version: Slack wants new ids on each update (chat.update), while action ids stay.
func blockID(part string, p telgate.Page) string {
	return fmt.Sprintf("telgate.%s.%d", part, p.Version)
}

func section(part string, p telgate.Page, t *slackgo.TextBlockObject) slackgo.Block {
	return slackgo.NewSectionBlock(t, nil, nil, slackgo.SectionBlockOptionBlockID(blockID(part, p)))
}

// messages is what the askers said: the first one, and those who joined, each with their name.
func messages(p telgate.Page) string {
	lines := []string{truncate(p.Message, messageLimit)}
	for i, a := range p.Askers {
		if i > 0 && a.Message != "" && a.Message != p.Message {
			lines = append(lines, "+ "+clip(strings.TrimPrefix(cmp.Or(a.Name, a.ID), "local:"), nameCells)+": "+truncate(a.Message, messageLimit))
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// title is whom the page is for.
func title(p telgate.Page) string {
	var names []string
	for _, t := range p.Targets {
		names = append(names, clip(t.Name, nameCells))
	}
	people := clip(strings.Join(names, ", "), titleCells)
	if len(p.Targets) == 1 || p.Title == "" || strings.Contains(p.Title, ",") {
		return people
	}
	return clip(p.Title, nameCells) + " (" + people + ")"
}

func (w words) heading(p telgate.Page) string {
	head := w.say("Calling %s", "%s さんを呼び出し", bold(title(p)))
	var askers []string
	for _, a := range p.Askers {
		if name := who(a.ID, a.Name); !slices.Contains(askers, name) {
			askers = append(askers, name)
		}
	}
	if len(askers) == 0 {
		return head + w.alerts(p)
	}
	if more := len(askers) - 5; more > 0 {
		askers = append(askers[:5], fmt.Sprintf("+%d", more))
	}
	return head + w.say(" for %s", "(依頼: %s)", w.list(askers)) + w.alerts(p)
}

// alerts is what is said of how a page was asked for: how often, and by whom past the limits.
func (w words) alerts(p telgate.Page) string {
	s := ""
	if n := len(p.Askers); n > 1 {
		s += w.say(" · %d alerts", "・%d 件の依頼", n)
	}
	if p.Forced != "" {
		s += w.say(" · past the limits (%s)", "・上限を超えて発信(%s)", who(p.Forced, ""))
	}
	return s
}

// log is the newest steps that are over, one a line, oldest first.
func (w words) log(p telgate.Page) string {
	var lines []string
	for _, s := range p.Steps {
		switch {
		case s.Call != nil && s.Call.Outcome == "":
			continue // it is the state line
		case s.Call != nil:
			at := s.Call.Times.Ended
			if at.IsZero() {
				at = s.At
			}
			lines = append(lines, w.step(p, s, at, w.outcome(*s.Call)+w.followed(*s.Call)))
		default:
			lines = append(lines, w.step(p, s, s.At, w.skipped(s.Skip)))
		}
	}
	if earlier := len(lines) - shownSteps; earlier > 0 {
		lines = append([]string{w.say("+%d earlier", "ほか %d 件", earlier)}, lines[earlier:]...)
	}
	return strings.Join(append(lines, w.callback(p)...), "\n")
}

func (w words) step(p telgate.Page, s telgate.Step, at time.Time, what string) string {
	return fmt.Sprintf("%s  %d. %s: %s", moment(at), s.N, w.phone(p, s.Person, s.Number), what)
}

func moment(t time.Time) string { return clock(t.Unix(), t.UTC().Format("15:04:05")+" UTC") }

// spoken is the card as one sentence, for notifications and screen readers; it holds no dates, which are markup.
func (w words) spoken(p telgate.Page, state, more string) string {
	s := w.say("Calling %s: %s", "%s さんを呼び出し: %s", escape(title(p)), lowerFirst(state))
	if p.Result == "" && more != "" {
		for _, c := range p.Lives() {
			if _, its, _ := w.calling(p, c); its == state { // the others did not get that far
				s = w.say("%s, %s", "%s、%s", s, w.phone(p, c.Person, c.Number))
			}
		}
	}
	if p.Result.Reached() || p.Result == telgate.Partial {
		var names []string
		for _, t := range p.Targets {
			if t.Result.Reached() {
				names = append(names, escape(clip(t.Name, nameCells)))
			}
		}
		s += w.say(" by %s", "(%s)", w.list(names))
	}
	s += w.say(".", "。")
	if p.Message != "" {
		s += w.say(" Message: %s", " メッセージ: %s", escape(truncate(p.Message, 200)))
	}
	return s
}

func lowerFirst(s string) string {
	if s != "" && s[0] >= 'A' && s[0] <= 'Z' {
		return string(s[0]+'a'-'A') + s[1:]
	}
	return s
}

// buttons are what can be done in this state.
func (w words) buttons(p telgate.Page) []slackgo.BlockElement {
	var out []slackgo.BlockElement
	value := buttonValue(p)
	over := p.State == telgate.PageEnded || p.Result != ""
	if w.claimable(p) {
		out = append(out, button(actionConfirm, value, w.say("I've got it", "対応します"), slackgo.StyleDefault))
	}
	if !over && (p.Live() != nil || !p.WaitsFor.IsZero() && p.WaitsLine == "") {
		out = append(out, button(actionNext, value, w.say("Call next", "次を呼び出す"), slackgo.StyleDefault))
	}
	if !over {
		b := button(actionHangup, value, w.say("Hang up", "停止する"), slackgo.StyleDanger)
		b.Confirm = slackgo.NewConfirmationBlockObject(
			plainText(w.say("Hang up?", "停止しますか?")),
			plainText(w.say("The phone stops ringing and nobody else is called.", "呼び出しを止め、ほかの人にもかけません。")),
			plainText(w.say("Hang up", "停止する")), plainText(w.say("Go on calling", "続ける")),
		).WithStyle(slackgo.StyleDanger)
		return append(out, b)
	}
	style := slackgo.StyleDefault
	if !p.Result.Reached() {
		style = slackgo.StylePrimary
	}
	return append(out, button(actionAgain, value, w.say("Call again", "もう一度呼び出す"), style))
}

// claimable tells whether "I've got it" would still change something: late, too, unless it is confirmed already.
func (words) claimable(p telgate.Page) bool {
	return !p.Result.Reached() && slices.ContainsFunc(p.Targets, func(t telgate.Target) bool {
		return t.Slack != "" && t.Result != telgate.Confirmed
	})
}

func button(action, value, label string, style slackgo.Style) *slackgo.ButtonBlockElement {
	return slackgo.NewButtonBlockElement(action, value, plainText(label)).WithStyle(style)
}
