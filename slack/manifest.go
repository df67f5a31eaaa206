package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	slackgo "github.com/slack-go/slack"
)

// Scopes of the bot token, and what each is for. Without the first two nothing works.
func scopes() []scope {
	return []scope{
		{"commands", true, "the slash command"},
		{"chat:write", true, "the card of a page"},
		{"chat:write.public", false, "the card in public channels that the bot was not invited to"},
		{"im:write", false, "the card in a direct message, where the bot cannot post"},
		{"users:read", false, "telling guests and other organisations' people from members"},
		{"usergroups:read", false, "slack.allow_groups"},
	}
}

// extras are scopes that whoever installs the app may refuse (Slack docs: optional scopes): each lets the bot read one kind of
// conversation that it is a member of, and is used for nothing but to find a card again that was posted in a crash.
func extras() []string { return []string{"channels:history", "groups:history", "im:history"} }

type scope struct {
	name  string
	must  bool
	gives string
}

// Manifest is the description of the Slack app to create (Slack docs: App manifests), as JSON. command is the slash
// command; httpURL is where Slack reaches the gateway, "" for Socket Mode. The app-level token of Socket Mode cannot be
// part of it.
func Manifest(command, httpURL string) ([]byte, error) {
	if !commandName(command) {
		return nil, fmt.Errorf("%q is not a slash command: a slash, then 1 to 31 of a-z, 0-9, - and _", command)
	}
	base := strings.TrimSuffix(httpURL, "/")
	if u, err := url.Parse(base); base != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return nil, fmt.Errorf("%q is not an https address", httpURL)
	}
	m := slackgo.Manifest{
		Metadata: slackgo.ManifestMetadata{MajorVersion: 1},
		Display: slackgo.Display{
			Name: "telgate", Description: "Makes somebody's phone ring, and tells the truth about what happened.",
			BackgroundColor: "#1d3557",
		},
	}
	m.Features.BotUser = slackgo.BotUser{DisplayName: "telgate", AlwaysOnline: true}
	m.Features.AppHome.MessagesTabEnabled = true // without it the bot's direct messages are refused
	m.Features.AppHome.MessagesTabReadOnlyEnabled = true
	slash := slackgo.ManifestSlashCommand{
		Command: command, Description: "Make somebody's phone ring", ShouldEscape: true,
		UsageHint: "WHO[,WHO] [message] | stop | status | test | who NAME | list | oncall | cover | help",
	}
	m.Settings.Interactivity = &slackgo.Interactivity{IsEnabled: true}
	if base == "" {
		m.Settings.SocketModeEnabled = true
	} else {
		slash.Url = base + "/slack/command"
		m.Settings.Interactivity.RequestUrl = base + "/slack/interactive"
	}
	m.Features.SlashCommands = []slackgo.ManifestSlashCommand{slash}
	for _, s := range scopes() {
		m.OAuthConfig.Scopes.Bot = append(m.OAuthConfig.Scopes.Bot, s.name)
	}
	m.OAuthConfig.Scopes.Bot = append(m.OAuthConfig.Scopes.Bot, extras()...)
	m.OAuthConfig.Scopes.BotOptional = extras()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(m); err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	return out.Bytes(), nil
}
