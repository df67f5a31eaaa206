package slacktest

import (
	"fmt"
	"slices"
)

// Messages are those in a channel that all there can see, oldest first, replies in threads among them.
func (w *Workspace) Messages(channel string) []Message {
	return w.filter(func(m *Message) bool { return m.Channel == channel && m.Ephemeral == "" })
}

// Seen are the messages in a channel that this user can see: those of all, and the ones for this user alone.
func (w *Workspace) Seen(user, channel string) []Message {
	return w.filter(func(m *Message) bool { return m.Channel == channel && (m.Ephemeral == "" || m.Ephemeral == user) })
}

func (w *Workspace) filter(want func(*Message) bool) []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Message
	for _, m := range w.messages {
		if want(m) {
			out = append(out, *m)
		}
	}
	return out
}

// Say lets a person write a message, and returns its timestamp.
func (w *Workspace) Say(user, channel, text string) (ts string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.add(Message{Channel: channel, User: user, Text: text, Via: "person"}).TS
}

// Remove lets a person delete a message, the bot's too; false says that there is none.
func (w *Workspace) Remove(channel, ts string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.find(channel, ts)
	if m == nil {
		return false
	}
	w.drop(m)
	return true
}

// add shows a new message; w.mu is held.
func (w *Workspace) add(m Message) *Message {
	m.TS = w.stamp()
	m.Mentions = m.mentions()
	w.messages = append(w.messages, &m)
	w.publish(m)
	return &m
}

// change shows a message's new content; w.mu is held.
func (w *Workspace) change(m *Message, c content) {
	m.Text, m.Blocks, m.Attachments = c.text, c.blocks, c.attachments
	if c.metadata != nil {
		m.Metadata = c.metadata
	}
	m.Edits++
	w.publish(*m)
}

// drop removes a message; w.mu is held.
func (w *Workspace) drop(m *Message) {
	w.messages = slices.DeleteFunc(w.messages, func(o *Message) bool { return o == m })
	w.bump()
}

func (w *Workspace) publish(m Message) {
	for _, f := range w.feeds {
		f.push(m)
	}
	w.bump()
}

// find looks for a message that has a place in the channel: ephemeral ones have none (Slack docs: chat.postEphemeral,
// their timestamp cannot be used with chat.update). w.mu is held.
func (w *Workspace) find(channel, ts string) *Message {
	for _, m := range w.messages {
		if m.Channel == channel && m.TS == ts && m.Ephemeral == "" {
			return m
		}
	}
	return nil
}

// stamp is the next timestamp: unique in the workspace, increasing, six decimals (Slack docs: messages). w.mu is held.
func (w *Workspace) stamp() string {
	w.lastTS = max(w.lastTS+1, w.cfg.Now().UnixMicro())
	return fmt.Sprintf("%d.%06d", w.lastTS/1e6, w.lastTS%1e6)
}
