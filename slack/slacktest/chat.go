package slacktest

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxText is how long a message's text may be (Slack docs: chat.update; for new messages it is what they recommend).
const maxText = 4000

// content is what a message says.
type content struct {
	text                          string
	blocks, attachments, metadata json.RawMessage
}

// readContent takes text, blocks and attachments from arguments and checks them.
func readContent(v url.Values) (content, *failure) {
	c := content{text: v.Get("text"), blocks: list(v.Get("blocks")), attachments: list(v.Get("attachments"))}
	if meta := v.Get("metadata"); meta != "" {
		var m struct {
			Type    string         `json:"event_type"`
			Payload map[string]any `json:"event_payload"`
		}
		if json.Unmarshal([]byte(meta), &m) != nil || m.Type == "" && m.Payload != nil {
			return c, fail("invalid_metadata_format")
		}
		c.metadata = json.RawMessage(meta)
	}
	return c, c.check()
}

// list is a JSON list, nil for none or an empty one.
func list(s string) json.RawMessage {
	if s = strings.TrimSpace(s); s == "" || s == "[]" || s == "null" {
		return nil
	}
	return json.RawMessage(s)
}

func (c content) check() *failure {
	if c.text == "" && c.blocks == nil && c.attachments == nil {
		return fail("no_text")
	}
	if utf8.RuneCountInString(c.text) > maxText {
		return fail("msg_too_long")
	}
	if bad := checkBlocks(c.blocks, "/blocks"); bad != nil {
		return bad
	}
	return checkAttachments(c.attachments)
}

// author names who writes a new message of this content.
func (c content) message(channel, author, via string) Message {
	return Message{
		Channel: channel, User: author, Text: c.text, Blocks: c.blocks, Attachments: c.attachments, Metadata: c.metadata, Via: via,
	}
}

func (w *Workspace) postMessage(c call) (answer, *failure) {
	r, bad := w.place(c.Get("channel"))
	if bad != nil {
		return nil, bad
	}
	said, bad := readContent(c.Values)
	if bad != nil {
		return nil, bad
	}
	thread := c.Get("thread_ts")
	if thread != "" {
		switch parent := w.find(r.ID, thread); {
		case parent == nil:
			return nil, fail("thread_not_found") // assumed: the page only warns to use the parent's timestamp
		case parent.ThreadTS != "":
			return nil, fail("cannot_reply_to_message") // assumed: the same
		}
	}
	if wait := w.limits.post(r.ID, w.cfg.Pace()); wait > 0 {
		return nil, tooFast(seconds(wait))
	}
	m := said.message(r.ID, w.cfg.BotUser, "post")
	m.ThreadTS = thread
	shown := w.add(m)
	return answer{"channel": r.ID, "ts": shown.TS, "message": w.messageJSON(*shown)}, nil
}

// update replaces text and blocks: text alone takes the blocks away (Slack docs: chat.update), and blocks alone the text,
// assumed. It wants the id that chat.postMessage returned, so a user's is refused (reports: goalert#2889, #2864).
func (w *Workspace) update(c call) (answer, *failure) {
	m, bad := w.own(c.Get("channel"), c.Get("ts"), "cant_update_message")
	if bad != nil {
		return nil, bad
	}
	if w.rooms[m.Channel].Archived {
		return nil, fail("is_inactive")
	}
	said, bad := readContent(c.Values)
	if bad != nil {
		return nil, bad
	}
	w.change(m, said)
	return answer{"channel": m.Channel, "ts": m.TS, "text": m.Text, "message": w.messageJSON(*m)}, nil
}

// own finds one of the bot's messages.
func (w *Workspace) own(channel, ts, foreign string) (*Message, *failure) {
	r := w.rooms[channel]
	if r == nil || r.DM || r.Private && !r.BotIn && r.with == "" {
		return nil, fail("channel_not_found")
	}
	m := w.find(channel, ts)
	switch {
	case m == nil:
		return nil, fail("message_not_found")
	case m.User != w.cfg.BotUser, m.Via != "post": // what a response_url posted is not ours to change, assumed
		return nil, fail(foreign)
	}
	return m, nil
}

// postEphemeral needs the same place as chat.postMessage, assumed. Its timestamp is good for nothing else.
func (w *Workspace) postEphemeral(c call) (answer, *failure) {
	r, bad := w.place(c.Get("channel"))
	if bad != nil {
		return nil, bad
	}
	u, known := w.user(c.Get("user"))
	if !known || u.Deleted || r.with != "" && r.with != u.ID {
		return nil, fail("user_not_in_channel")
	}
	said, bad := readContent(c.Values)
	if bad != nil {
		return nil, bad
	}
	m := said.message(r.ID, w.cfg.BotUser, "ephemeral")
	m.Ephemeral, m.ThreadTS = u.ID, c.Get("thread_ts")
	return answer{"message_ts": w.add(m).TS}, nil
}

func (w *Workspace) delete(c call) (answer, *failure) {
	m, bad := w.own(c.Get("channel"), c.Get("ts"), "cant_delete_message")
	if bad != nil {
		return nil, bad
	}
	w.drop(m)
	return answer{"channel": m.Channel, "ts": m.TS}, nil
}

func (w *Workspace) getPermalink(c call) (answer, *failure) {
	r := w.rooms[c.Get("channel")]
	if r == nil || r.DM || r.Private && !r.BotIn {
		return nil, fail("channel_not_found")
	}
	m := w.find(r.ID, c.Get("message_ts"))
	if m == nil {
		return nil, fail("message_not_found")
	}
	link := "https://example.slack.com/archives/" + r.ID + "/p" + strings.ReplaceAll(m.TS, ".", "")
	return answer{"channel": r.ID, "permalink": link}, nil
}

// messageJSON is a message as the API shows it.
func (w *Workspace) messageJSON(m Message) answer {
	out := answer{"type": "message", "user": m.User, "ts": m.TS, "text": m.Text, "team": w.cfg.Team}
	if m.User == w.cfg.BotUser {
		out["bot_id"], out["app_id"] = w.botID(), w.cfg.App
	}
	if m.ThreadTS != "" {
		out["thread_ts"] = m.ThreadTS
	}
	if m.Edits > 0 && m.Blocks == nil { // Slack docs: chat.update, no mark where blocks are used
		out["edited"] = answer{"user": m.User, "ts": m.TS}
	}
	for key, raw := range map[string]json.RawMessage{"blocks": m.Blocks, "attachments": m.Attachments, "metadata": m.Metadata} {
		if raw != nil {
			out[key] = raw
		}
	}
	return out
}

func (w *Workspace) botID() string { return "B" + strings.TrimPrefix(w.cfg.BotUser, "U") }
