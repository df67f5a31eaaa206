package slacktest

import (
	"encoding/json"
	"slices"
)

// words checks a required text object; kind is the only type it may have, "" for either.
func (c *checker) words(o object, key, at string, limit int, kind string) {
	if !present(o[key]) {
		c.say(at+"/"+key, "missing required field: %s", key)
		return
	}
	c.textObject(o[key], at+"/"+key, limit, kind)
}

// textObject checks plain_text or mrkdwn (Slack docs: text object): emoji belongs to the one, verbatim to the other.
func (c *checker) textObject(raw json.RawMessage, at string, limit int, kind string) {
	t, ok := c.object(raw, at)
	if !ok {
		return
	}
	found := c.text(t, "type", at, 0, true)
	switch {
	case found != "plain_text" && found != "mrkdwn":
		c.say(at+"/type", "unsupported type: %s", found)
	case kind != "" && found != kind:
		c.say(at+"/type", "must be %s", kind)
	case found == "mrkdwn" && present(t["emoji"]):
		c.say(at+"/emoji", "only plain_text has emoji")
	case found == "plain_text" && present(t["verbatim"]):
		c.say(at+"/verbatim", "only mrkdwn has verbatim")
	}
	c.text(t, "text", at, limit, true)
}

// contextElement is a text or an image.
func (c *checker) contextElement(raw json.RawMessage, at string) {
	e, ok := c.object(raw, at)
	if !ok {
		return
	}
	if string(e["type"]) == `"image"` {
		c.text(e, "image_url", at, maxButtonURL, true)
		c.text(e, "alt_text", at, maxAltText, true)
		return
	}
	c.textObject(raw, at, maxSectionText, "")
}

// element is a button in full; of other interactive elements only the action_id is looked at.
func (c *checker) element(raw json.RawMessage, at string) {
	e, ok := c.object(raw, at)
	if !ok {
		return
	}
	kind := c.text(e, "type", at, 0, true)
	if kind == "image" {
		c.contextElement(raw, at)
		return
	}
	if id := c.text(e, "action_id", at, maxActionID, false); id != "" {
		if c.actions[id] { // Slack docs: action_id must be unique among the elements of a block
			c.say(at+"/action_id", "action_id already exists")
		}
		c.actions[id] = true
	}
	others := []string{
		"overflow", "static_select", "users_select", "conversations_select", "channels_select", "external_select",
		"datepicker", "timepicker", "checkboxes", "radio_buttons", "workflow_button",
	}
	switch {
	case kind == "button":
		c.button(e, at)
	case !slices.Contains(others, kind):
		c.say(at+"/type", "unsupported type: %s", kind)
	}
}

func (c *checker) button(e object, at string) {
	c.words(e, "text", at, maxButtonText, "plain_text")
	c.text(e, "value", at, maxButtonValue, false)
	c.text(e, "url", at, maxButtonURL, false)
	if style := c.text(e, "style", at, 0, false); style != "" && style != "primary" && style != "danger" {
		c.say(at+"/style", "must be primary or danger")
	}
	if !present(e["confirm"]) {
		return
	}
	at += "/confirm"
	confirm, ok := c.object(e["confirm"], at)
	if !ok {
		return
	}
	c.words(confirm, "title", at, maxConfirmTitle, "plain_text")
	c.words(confirm, "text", at, maxConfirmText, "")
	c.words(confirm, "confirm", at, maxConfirmButton, "plain_text")
	c.words(confirm, "deny", at, maxConfirmButton, "plain_text")
	if style := c.text(confirm, "style", at, 0, false); style != "" && style != "primary" && style != "danger" {
		c.say(at+"/style", "must be primary or danger")
	}
}
