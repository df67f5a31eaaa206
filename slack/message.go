package slack

import (
	"encoding/json"
	"fmt"
	"strings"

	slackgo "github.com/slack-go/slack"
)

// Limits of texts (chat.update, Block Kit reference).
const (
	textLimit    = 4000
	sectionLimit = 3000
)

// message is what is sent to Slack. text is what notifications and screen readers use: always a full sentence.
type message struct {
	text     string
	blocks   []slackgo.Block
	metadata slackgo.SlackMetadata // for us alone; nobody sees it
}

func (m message) options() []slackgo.MsgOption {
	o := []slackgo.MsgOption{
		slackgo.MsgOptionText(m.text, false), // escaped where it was written
		slackgo.MsgOptionDisableLinkUnfurl(), slackgo.MsgOptionDisableMediaUnfurl(),
	}
	if len(m.blocks) > 0 {
		o = append(o, slackgo.MsgOptionBlocks(m.blocks...))
	}
	if m.metadata.EventType != "" {
		o = append(o, slackgo.MsgOptionMetadata(m.metadata))
	}
	return o
}

// digest is equal for messages that look the same.
func (m message) digest() string {
	b, err := json.Marshal(m.blocks)
	if err != nil { // blocks are made here of strings
		panic("slack: blocks do not marshal: " + err.Error())
	}
	return m.text + "\n" + string(b)
}

// sentence is a message without blocks.
func sentence(text string) message { return message{text: truncate(text, textLimit)} }

// entities are what Slack reads as markup, and inert what it reads as formatting beside what looks the same.
//
//nolint:gochecknoglobals // constants that Go cannot spell
var (
	entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	inert    = strings.NewReplacer("*", "∗", "~", "∼", "`", "ˋ")
)

// escape makes text safe where Slack reads markup: & < > as entities, so that nothing in it mentions or links.
func escape(s string) string { return entities.Replace(s) }

// bold is a configured name in markup; its own stars would end the bold.
func bold(s string) string { return "*" + formatless(s) + "*" }

// formatless is escaped text in which the signs of formatting look the same and do nothing.
func formatless(s string) string { return inert.Replace(escape(s)) }

// who shows an actor by id: a mention of a Slack user, or a name.
func who(id, name string) string {
	if userID(id) {
		return "<@" + id + ">"
	}
	if name == "" {
		name = strings.TrimPrefix(id, "local:")
	}
	return formatless(clip(name, nameCells))
}

// clock shows a moment in the reader's own time zone; the fallback is UTC.
func clock(unix int64, fallback string) string {
	return fmt.Sprintf("<!date^%d^{time_secs}|%s>", unix, fallback)
}

func markup(s string) *slackgo.TextBlockObject {
	return slackgo.NewTextBlockObject(slackgo.MarkdownType, s, false, true)
}

func plainText(s string) *slackgo.TextBlockObject {
	return slackgo.NewTextBlockObject(slackgo.PlainTextType, s, false, false)
}
