package slacktest

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

const (
	historyUsual = 100 // messages, without a limit (Slack docs: conversations.history)
	historyMost  = 999
)

// history gives the messages of a conversation that the bot is a member of, the newest first, replies in threads left out
// (Slack docs: conversations.history). Which scope it takes depends on the kind of conversation. oldest and latest are left out
// themselves unless inclusive; metadata is there on request only.
func (w *Workspace) history(c call) (answer, *failure) {
	r := w.rooms[c.Get("channel")]
	if bad := w.need(r.historyScope(), nil); bad != nil {
		return nil, bad
	}
	switch {
	case r == nil || r.DM || r.Private && !r.BotIn:
		return nil, fail("channel_not_found")
	case r.with == "" && !r.BotIn: // Slack docs: a bot token reads only where the bot is a member, chat:write.public or not
		return nil, fail("not_in_channel")
	}
	limit, err := strconv.Atoi(c.Get("limit"))
	if c.Get("limit") == "" {
		limit = historyUsual
	} else if err != nil || limit < 1 || limit > historyMost {
		return nil, fail("invalid_limit")
	}
	for _, key := range []string{"oldest", "latest"} {
		if !timestamp(c.Get(key)) {
			return nil, fail("invalid_ts_" + key)
		}
	}
	from := 0
	all := w.between(r.ID, c.Get("oldest"), c.Get("latest"), yes(c.Get("inclusive")))
	if cursor := c.Get("cursor"); cursor != "" {
		at, found := strings.CutPrefix(cursor, "bmV4dF90")
		if from, err = strconv.Atoi(at); !found || err != nil || from > len(all) {
			return nil, fail("invalid_cursor")
		}
	}
	to := min(from+limit, len(all))
	messages := []answer{}
	for _, m := range all[from:to] {
		one := w.messageJSON(*m)
		if !yes(c.Get("include_all_metadata")) { // reports: brave/security-action#919, python-slack-sdk#1501
			delete(one, "metadata")
		}
		messages = append(messages, one)
	}
	out := answer{"messages": messages, "has_more": to < len(all), "pin_count": 0}
	if to < len(all) {
		out["response_metadata"] = answer{"next_cursor": "bmV4dF90" + strconv.Itoa(to)}
	}
	return out, nil
}

// historyScope is what reading a conversation takes; of one that is not there that of channels, assumed.
func (r *room) historyScope() string {
	switch {
	case r == nil:
		return "channels:history"
	case r.DM || r.with != "":
		return "im:history"
	case r.Private:
		return "groups:history"
	}
	return "channels:history"
}

// between are the messages that all can see with a timestamp between two, the newest first; w.mu is held.
func (w *Workspace) between(channel, oldest, latest string, inclusive bool) []*Message {
	var found []*Message
	for _, m := range slices.Backward(w.messages) {
		switch {
		case m.Channel != channel, m.Ephemeral != "", m.ThreadTS != "" && m.ThreadTS != m.TS:
		case oldest != "" && (m.TS < oldest || m.TS == oldest && !inclusive):
		case latest != "" && (m.TS > latest || m.TS == latest && !inclusive):
		default:
			found = append(found, m)
		}
	}
	return found
}

// timestamp tells whether s is empty or seconds since 1970 with a fraction or without.
func timestamp(s string) bool {
	var n json.Number
	return s == "" || json.Unmarshal([]byte(s), &n) == nil && !strings.HasPrefix(s, "-")
}

func yes(s string) bool { return s == "1" || s == "true" }
