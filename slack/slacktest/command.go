package slacktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
)

// Type sends a slash command, "/tel alice db", and returns what its user saw at once: the text of the acknowledgement, ""
// for an empty one. The error is ErrTimeout if none came within three seconds, ErrDispatch if nobody was there to take it;
// the user sees that too. Custom commands cannot be used in threads (Slack docs: slash commands).
func (w *Workspace) Type(ctx context.Context, user, channel, text string) (answer string, err error) {
	d, err := w.command(user, channel, text)
	if err != nil {
		return "", err
	}
	body, err := w.send(ctx, d)
	if err == nil {
		answer, err = w.showAck(user, channel, text, body)
	}
	w.showFailure(user, channel, text, err)
	return answer, err
}

// command makes the payload of a slash command (Slack docs: slash commands; slack-go's SlashCommand).
func (w *Workspace) command(user, channel, text string) (*delivery, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u, known := w.user(user)
	r := w.rooms[channel]
	if !known || r == nil {
		return nil, fmt.Errorf("%s in %s: %w", user, channel, ErrUnknown)
	}
	name, rest := strings.TrimSpace(text), ""
	if i := strings.IndexFunc(name, unicode.IsSpace); i > 0 {
		name, rest = name[:i], name[i:]
	}
	if name != w.cfg.Command || !w.granted("commands") {
		return nil, fmt.Errorf("%s: %w", name, ErrNoCommand)
	}
	rest = strings.TrimSpace(rest)
	if !w.cfg.Unescaped {
		rest = w.escape(rest)
	}
	fields := map[string]string{
		"token": "verification-token", "team_id": u.Team, "team_domain": "example", "channel_id": r.ID, "channel_name": r.name(),
		"user_id": u.ID, "user_name": u.Name, "command": name, "text": rest, "api_app_id": w.cfg.App,
		"is_enterprise_install": "false", "trigger_id": w.trigger(),
		"response_url": w.hook(&hook{user: u.ID, channel: r.ID}),
	}
	form := url.Values{}
	for k, v := range fields {
		form.Set(k, v)
	}
	raw, err := json.Marshal(fields)
	return &delivery{id: w.token("envelope"), kind: "slash_commands", payload: raw, path: "/slack/command", form: form}, err
}

// trigger makes a trigger id; every use of a command or button has its own. w.mu is held.
func (w *Workspace) trigger() string {
	w.serial++
	return fmt.Sprintf("%d.%d.%016x", w.serial, w.cfg.Now().UnixMicro(), w.cfg.Rand.Uint64())
}

// showAck shows a message that came inside an acknowledgement: to the user alone, or with in_channel to all, who then
// also see the command (Slack docs: slash commands).
func (w *Workspace) showAck(user, channel, typed string, body json.RawMessage) (string, error) {
	if s := strings.TrimSpace(string(body)); s == "" || s == "null" || s == "{}" || s == `""` {
		return "", nil
	}
	var ack postJSON
	if err := json.Unmarshal(body, &ack); err != nil {
		ack = postJSON{Text: textOf(body)} // a bare string, as HTTP mode may answer
	}
	said := ack.content()
	if bad := said.check(); bad != nil { // assumed: people see that the command failed
		return "", fmt.Errorf("acknowledgement: %s %v: %w", bad.code, bad.messages, ErrDispatch)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	m := said.message(channel, w.cfg.BotUser, "ack")
	if ack.ResponseType == "in_channel" {
		w.add(Message{Channel: channel, User: user, Text: typed, Via: "person"})
	} else {
		m.Ephemeral = user
	}
	w.add(m)
	return m.Text, nil
}

// showFailure tells a person that the app did not answer.
func (w *Workspace) showFailure(user, channel, typed string, err error) {
	word := ErrDispatch.Error()
	switch {
	case errors.Is(err, ErrTimeout):
		word = ErrTimeout.Error()
	case !errors.Is(err, ErrDispatch):
		return
	}
	name, _, _ := strings.Cut(typed, " ")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(Message{
		Channel: channel, User: "USLACKBOT", Ephemeral: user, Via: "slack",
		Text: fmt.Sprintf("%s failed with the error %q", name, word),
	})
}
