package slacktest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
)

// Click presses the first button with this action_id on a message that the user can see. Where the button asks first, confirm
// is the answer to that; without it nothing is sent. The error is ErrTimeout if no acknowledgement came within three seconds:
// the user sees a warning sign beside the button.
func (w *Workspace) Click(ctx context.Context, user, channel, ts, actionID string, confirm bool) error {
	d, err := w.click(user, channel, ts, actionID, confirm)
	if err != nil {
		return err
	}
	_, err = w.send(ctx, d) // what the acknowledgement carries is ignored (Slack docs: block_actions)
	return err
}

func (w *Workspace) click(user, channel, ts, actionID string, confirm bool) (*delivery, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u, known := w.user(user)
	if !known {
		return nil, fmt.Errorf("%s: %w", user, ErrUnknown)
	}
	for _, m := range w.messages {
		if m.Channel != channel || m.TS != ts || m.Ephemeral != "" && m.Ephemeral != user {
			continue
		}
		buttons := m.Buttons()
		i := slices.IndexFunc(buttons, func(b Button) bool { return b.ActionID == actionID })
		if i < 0 {
			break
		}
		if buttons[i].Confirm && !confirm {
			return nil, ErrNotConfirmed
		}
		return w.interaction(u, m, buttons[i])
	}
	return nil, fmt.Errorf("%s on %s in %s: %w", actionID, ts, channel, ErrNoButton)
}

// interaction makes a block_actions payload (Slack docs: block_actions). One of an ephemeral message has no message in it.
func (w *Workspace) interaction(u User, m *Message, b Button) (*delivery, error) {
	action := answer{}
	if err := json.Unmarshal(b.raw, &action); err != nil {
		return nil, err
	}
	delete(action, "confirm")
	action["action_ts"] = w.stamp()
	action["block_id"] = b.block
	if b.block == "" { // Slack makes one up (Slack docs: block_id)
		action["block_id"] = fmt.Sprintf("slack%d", b.index)
	}
	container := answer{
		"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": m.Ephemeral != "",
	}
	if b.attached { // Slack docs: block_actions, sample of a message with attachments
		container["type"], container["attachment_id"], container["is_app_unfurl"] = "message_attachment", 1, false
	}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	name := ""
	if r := w.rooms[m.Channel]; r != nil {
		name = r.name()
	}
	payload := answer{
		"type": "block_actions", "api_app_id": w.cfg.App, "token": "verification-token", "trigger_id": w.trigger(),
		"team": answer{"id": w.cfg.Team, "domain": "example"}, "enterprise": nil, "is_enterprise_install": false,
		"user":    answer{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.Team},
		"channel": answer{"id": m.Channel, "name": name}, "container": container,
		"state": answer{"values": answer{}}, "actions": []answer{action},
		"response_url": w.hook(&hook{user: u.ID, channel: m.Channel, source: m}),
	}
	if m.Ephemeral == "" {
		payload["message"] = w.messageJSON(*m)
	}
	raw, err := json.Marshal(payload)
	return &delivery{
		id: w.token("envelope"), kind: "interactive", payload: raw, path: "/slack/interactive",
		form: url.Values{"payload": {string(raw)}},
	}, err
}
