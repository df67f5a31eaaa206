package slacktest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Message is what people see.
type Message struct {
	Channel, TS, ThreadTS string
	User                  string // the author
	Text                  string
	Blocks                json.RawMessage // as they were sent, nil where there are none
	Attachments           json.RawMessage // the old way to a coloured bar; blocks may sit inside
	Metadata              json.RawMessage
	Ephemeral             string   // the only user who sees it, "" for all
	Edits                 int      // how often it was changed
	Mentions              []string // users who were notified because the message named them when it was posted; an edit notifies nobody
	Via                   string   // "post", "response_url", "ephemeral", "ack" for the answer inside an acknowledgement, "person", or "slack" for Slack's own word
}

// Button is a button on a message.
type Button struct {
	ActionID, Text, Value, Style, URL string
	Confirm                           bool // it asks before it acts

	block    string
	index    int
	attached bool
	raw      json.RawMessage
}

// textJSON is a text object (Slack docs: composition objects).
type textJSON struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// elementJSON is a block element, or the text object that stands in its place in a context block.
type elementJSON struct {
	Type     string          `json:"type"`
	ActionID string          `json:"action_id"`
	Text     json.RawMessage `json:"text"` // an object in a button, a string in a text object
	Value    string          `json:"value"`
	URL      string          `json:"url"`
	Style    string          `json:"style"`
	Alt      string          `json:"alt_text"`
	Confirm  json.RawMessage `json:"confirm"`
}

// blockJSON is a block, as far as people read it.
type blockJSON struct {
	Type      string            `json:"type"`
	BlockID   string            `json:"block_id"`
	Text      json.RawMessage   `json:"text"`
	Fields    []textJSON        `json:"fields"`
	Elements  []json.RawMessage `json:"elements"`
	Accessory json.RawMessage   `json:"accessory"`
	Alt       string            `json:"alt_text"`
}

// layout is the blocks of a message: its own, then those inside attachments.
func (m Message) layout() (blocks []blockJSON, attached int) {
	blocks = parseBlocks(m.Blocks)
	attached = len(blocks)
	var attachments []struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	_ = json.Unmarshal(m.Attachments, &attachments) // checked when it came
	for _, a := range attachments {
		blocks = append(blocks, parseBlocks(a.Blocks)...)
	}
	return blocks, attached
}

func parseBlocks(raw json.RawMessage) []blockJSON {
	var blocks []blockJSON
	_ = json.Unmarshal(raw, &blocks) // checked when it came
	return blocks
}

// Plain is the text of all blocks as a person reads it, one line per block, buttons as [Label]; the message's text where
// there are no blocks. Markup and entities stay as they were sent.
func (m Message) Plain() string {
	blocks, _ := m.layout()
	if len(blocks) == 0 {
		return m.Text
	}
	var lines []string
	for _, b := range blocks {
		if line := b.plain(); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func (b blockJSON) plain() string {
	if b.Type == "divider" {
		return "---"
	}
	parts := []string{textOf(b.Text)}
	for _, f := range b.Fields {
		parts = append(parts, f.Text)
	}
	for _, raw := range append(slices.Clone(b.Elements), b.Accessory) {
		parts = append(parts, plainElement(raw))
	}
	parts = append(parts, b.Alt)
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

func plainElement(raw json.RawMessage) string {
	var e elementJSON
	if json.Unmarshal(raw, &e) != nil {
		return ""
	}
	switch e.Type {
	case "button":
		return "[" + textOf(e.Text) + "]"
	case "image":
		return e.Alt
	}
	return textOf(e.Text)
}

// textOf is the text in a text object, or a bare string.
func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var t textJSON
	_ = json.Unmarshal(raw, &t)
	return t.Text
}

// Buttons are the buttons in sight, in order.
func (m Message) Buttons() []Button {
	var out []Button
	blocks, attached := m.layout()
	for i, b := range blocks {
		for _, raw := range append(slices.Clone(b.Elements), b.Accessory) {
			var e elementJSON
			if json.Unmarshal(raw, &e) != nil || e.Type != "button" {
				continue
			}
			out = append(out, Button{
				ActionID: e.ActionID, Text: textOf(e.Text), Value: e.Value, Style: e.Style, URL: e.URL,
				Confirm: len(e.Confirm) > 0 && string(e.Confirm) != "null",
				block:   b.BlockID, index: i, attached: i >= attached, raw: raw,
			})
		}
	}
	return out
}

// mentions are the users that a new message notifies: those in the mrkdwn of its blocks, or in its text where there are no
// blocks; assumed, Slack does not say which of the two counts.
func (m Message) mentions() []string {
	read := m.Text
	if blocks, _ := m.layout(); len(blocks) > 0 {
		var b strings.Builder
		for _, blk := range blocks {
			blk.mrkdwn(&b)
		}
		read = b.String()
	}
	var out []string
	for _, found := range regexp.MustCompile(`<@([UW][A-Z0-9]+)(\|[^>]*)?>`).FindAllStringSubmatch(read, -1) {
		if !slices.Contains(out, found[1]) {
			out = append(out, found[1])
		}
	}
	return out
}

// mrkdwn writes the texts in which markup has a meaning; plain_text shows it as it is.
func (b blockJSON) mrkdwn(to *strings.Builder) {
	var texts []textJSON
	for _, raw := range append(slices.Clone(b.Elements), b.Text) {
		var t textJSON
		if json.Unmarshal(raw, &t) == nil {
			texts = append(texts, t)
		}
	}
	for _, t := range append(texts, b.Fields...) {
		if t.Type == "mrkdwn" {
			to.WriteString(t.Text + "\n")
		}
	}
}
