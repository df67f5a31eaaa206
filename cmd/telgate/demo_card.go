package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"telgate/slack/slacktest"
)

// showCards prints every card after each edit; with last it gives the card of the first page that ended.
func (d *demo) showCards(ctx context.Context, out io.Writer, last bool) <-chan slacktest.Message {
	updates, ended := d.workspace.Updates(), make(chan slacktest.Message, 1)
	over := map[string]bool{} // cards by their time stamp
	go func() {
		for {
			select {
			case m, more := <-updates:
				if !more {
					return
				}
				_, _ = fmt.Fprint(out, framed(m))
				if b := m.Buttons(); len(b) > 0 && b[len(b)-1].Text == "Call again" {
					over[m.TS] = true
					d.ended.Store(int32(len(over))) //nolint:gosec // nobody rings that often
					if last {
						ended <- m
						return
					}
				}
			case <-ctx.Done():
				ended <- slacktest.Message{}
				return
			}
		}
	}()
	return ended
}

// framed is a message as it would be seen.
func framed(m slacktest.Message) string {
	title := "#ops"
	switch {
	case m.Ephemeral != "":
		title += ", only you see this"
	case m.ThreadTS != "":
		title += ", in the thread"
	case m.Edits > 0:
		title += fmt.Sprintf(", edit %d", m.Edits)
	}
	text := m.Plain()
	if text == "" {
		text = m.Text
	}
	return "  ┌ " + title + "\n  │ " + strings.ReplaceAll(strings.TrimRight(shown(text), "\n"), "\n", "\n  │ ") + "\n"
}

// shown is markup as Slack shows it: dates, mentions and the symbols of cards.
func shown(text string) string {
	text = regexp.MustCompile(`<!date\^[^|>]*\|([^>]*)>`).ReplaceAllString(text, "$1")
	return strings.NewReplacer(
		"<@"+demoAsker+">", "@grace", "<@"+demoAlice+">", "@alice", "<@"+demoBob+">", "@bob", "*", "",
		":telephone_receiver:", "📞", ":inbox_tray:", "📥", ":calling:", "📲", ":bell:", "🔔", ":speech_balloon:", "💬", ":loud_sound:", "🔊",
		":hourglass_flowing_sand:", "⏳", ":white_check_mark:", "✅", ":x:", "❌", ":no_entry:", "⛔", ":rotating_light:", "🚨", ":warning:", "⚠️",
		"&lt;", "<", "&gt;", ">", "&amp;", "&",
	).Replace(text)
}
