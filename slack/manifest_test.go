package slack

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestTheManifestFitsTheModeItIsFor(t *testing.T) {
	socket, err := Manifest("/tel", "")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "manifest.socket.golden", string(socket))
	overHTTP, err := Manifest("/tel", "https://tel.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "manifest.http.golden", string(overHTTP))
	if strings.Contains(string(socket), "url") || strings.Contains(string(overHTTP), "socket_mode_enabled") {
		t.Error("Slack uses one way of delivery, never both")
	}
	var m struct {
		Display  struct{ Name, Description string } `json:"display_information"`
		Features struct {
			Commands []struct {
				Command, Description string
				Escape               bool   `json:"should_escape"`
				URL                  string `json:"url"`
			} `json:"slash_commands"`
		}
	}
	if err := json.Unmarshal(overHTTP, &m); err != nil {
		t.Fatal(err)
	}
	c := m.Features.Commands[0]
	if len(m.Display.Name) > 35 || len(m.Display.Description) > 140 || len(c.Command) > 32 || !c.Escape || c.URL != "https://tel.example.com/slack/command" {
		t.Errorf("beyond the schema's limits: %+v", m)
	}
}

func TestAManifestIsNotMadeOfNonsense(t *testing.T) {
	for _, c := range [][2]string{{"tel", ""}, {"/", ""}, {"/Tel me", ""}, {"/tel", "tel.example.com"}, {"/tel", "ftp://x"}, {"/tel", "https://"}} {
		if _, err := Manifest(c[0], c[1]); err == nil {
			t.Errorf("%v was taken", c)
		}
	}
}

func TestEveryFaultOfTheConfigurationIsNamed(t *testing.T) {
	_, err := New(Config{Mode: ModeSocket, BotToken: "xapp-1", AppToken: "xoxb-1", Command: "tel", APIURL: "slack.com"}, nil, nil, nil, nil, Env{})
	for _, path := range []string{"slack.bot_token", "slack.app_token", "slack.command", "slack.api_url"} {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not name %s", err, path)
		}
	}
	if err != nil && (strings.Contains(err.Error(), "xapp-1") || strings.Contains(err.Error(), "xoxb-1")) {
		t.Error("the fault shows a token")
	}
}
