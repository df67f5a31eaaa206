package slack

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
)

// command is one use of the slash command.
type command struct {
	Team        string `json:"team_id"`
	Channel     string `json:"channel_id"`
	User        string `json:"user_id"`
	UserName    string `json:"user_name"`
	Name        string `json:"command"`
	Text        string `json:"text"`
	ResponseURL string `json:"response_url"`
	Trigger     string `json:"trigger_id"`
}

// click is one press of a button on a card.
type click struct {
	Team        string
	Channel     string
	User        string
	UserName    string
	UserTeam    string // where the clicker is at home; differs for people of other organisations
	MessageTS   string
	Action      string
	Value       string
	ActionTS    string
	ResponseURL string
}

var errPayload = errors.New("not a payload of Slack's")

// parseCommand reads the JSON of Socket Mode. Only the fields above are looked at, so that odd types in others do no
// harm; slack-go's parser refuses such a payload as a whole.
func commandFromJSON(raw []byte) (command, error) {
	var c command
	if err := json.Unmarshal(raw, &c); err != nil {
		return command{}, errors.Join(errPayload, err)
	}
	return c, c.whole()
}

// commandFromForm reads the form of HTTP mode.
func commandFromForm(f url.Values) (command, error) {
	c := command{
		Team: f.Get("team_id"), Channel: f.Get("channel_id"), User: f.Get("user_id"), UserName: f.Get("user_name"),
		Name: f.Get("command"), Text: f.Get("text"), ResponseURL: f.Get("response_url"), Trigger: f.Get("trigger_id"),
	}
	return c, c.whole()
}

func (c command) whole() error {
	if c.Team == "" || c.User == "" || c.Name == "" {
		return errPayload
	}
	return nil
}

// keys recognise a repeated delivery. A trigger id belongs to one use of the command; so does its response_url.
func (c command) keys() []string {
	if c.Trigger != "" {
		return []string{"command " + c.Team + " " + c.Trigger}
	}
	if c.ResponseURL != "" {
		return []string{"command " + c.ResponseURL}
	}
	return nil
}

type interactionJSON struct {
	Type string `json:"type"`
	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	User struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Username string `json:"username"`
		TeamID   string `json:"team_id"`
	} `json:"user"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	Container struct {
		MessageTS string `json:"message_ts"`
		ChannelID string `json:"channel_id"`
	} `json:"container"`
	Actions []struct {
		ActionID string          `json:"action_id"`
		Value    json.RawMessage `json:"value"`
		ActionTS string          `json:"action_ts"`
	} `json:"actions"`
	ResponseURL string `json:"response_url"`
}

// clickFromJSON reads a block_actions payload, the same in both modes. Other interactions give no click and no error.
func clickFromJSON(raw []byte) (c click, found bool, err error) {
	var in interactionJSON
	if err := json.Unmarshal(raw, &in); err != nil {
		return click{}, false, errors.Join(errPayload, err)
	}
	if in.Type != "block_actions" || len(in.Actions) == 0 {
		return click{}, false, nil
	}
	a := in.Actions[0]
	c = click{
		Team: in.Team.ID, Channel: in.Channel.ID, User: in.User.ID, UserName: in.User.Username, UserTeam: in.User.TeamID,
		MessageTS: in.Container.MessageTS, Action: a.ActionID, Value: text(a.Value), ActionTS: a.ActionTS,
		ResponseURL: in.ResponseURL,
	}
	if c.Channel == "" {
		c.Channel = in.Container.ChannelID
	}
	if c.UserName == "" {
		c.UserName = in.User.Name
	}
	if c.Team == "" { // an app installed for a whole organisation has no team here
		c.Team = c.UserTeam
	}
	if c.User == "" || c.Action == "" {
		return click{}, false, errPayload
	}
	return c, true, nil
}

// text is a JSON string's content, or whatever else stands there as written.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return strings.TrimSpace(string(raw))
}

func (c click) keys() []string {
	return []string{strings.Join([]string{"click", c.Team, c.User, c.MessageTS, c.Action, c.ActionTS}, " ")}
}
