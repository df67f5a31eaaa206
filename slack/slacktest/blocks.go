package slacktest

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Limits of Block Kit (Slack docs: Reference, Blocks and Block elements). Lengths are counted in characters, assumed to be
// code points.
const (
	maxBlocks        = 50 // of a message
	maxBlockID       = 255
	maxActionID      = 255
	maxActions       = 25
	maxContext       = 10
	maxSectionText   = 3000
	maxFields        = 10
	maxFieldText     = 2000
	maxHeaderText    = 150
	maxButtonText    = 75
	maxButtonValue   = 2000
	maxButtonURL     = 3000
	maxAltText       = 2000
	maxConfirmTitle  = 100
	maxConfirmText   = 300
	maxConfirmButton = 30
)

// object is a JSON object that is being checked; null is nil.
type object map[string]json.RawMessage

// checker collects what is wrong with blocks.
type checker struct {
	problems []string
	blockIDs map[string]bool
	actions  map[string]bool // in the block at hand
}

func (c *checker) say(at, format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf("[ERROR] %s [json-pointer:%s]", fmt.Sprintf(format, args...), at))
}

// checkBlocks tells what Slack would find wrong with a list of blocks.
func checkBlocks(raw json.RawMessage, at string) *failure {
	if raw == nil {
		return nil
	}
	var blocks []json.RawMessage
	if json.Unmarshal(raw, &blocks) != nil {
		return fail("invalid_blocks_format")
	}
	c := &checker{blockIDs: map[string]bool{}}
	if len(blocks) > maxBlocks {
		c.say(at, "no more than %d items allowed", maxBlocks)
	}
	for i, b := range blocks {
		c.block(b, fmt.Sprintf("%s/%d", at, i))
	}
	if len(c.problems) > 0 {
		return &failure{code: "invalid_blocks", messages: c.problems}
	}
	return nil
}

// checkAttachments checks the blocks inside; they count for themselves, assumed.
func checkAttachments(raw json.RawMessage) *failure {
	if raw == nil {
		return nil
	}
	var attachments []struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	if json.Unmarshal(raw, &attachments) != nil {
		return fail("invalid_attachments")
	}
	for i, a := range attachments {
		if bad := checkBlocks(list(string(a.Blocks)), fmt.Sprintf("/attachments/%d/blocks", i)); bad != nil {
			return bad
		}
	}
	return nil
}

func (c *checker) block(raw json.RawMessage, at string) {
	b, ok := c.object(raw, at)
	if !ok {
		return
	}
	c.actions = map[string]bool{}
	if id := c.text(b, "block_id", at, maxBlockID, false); id != "" {
		if c.blockIDs[id] {
			c.say(at+"/block_id", "block_id already exists")
		}
		c.blockIDs[id] = true
	}
	switch kind := c.text(b, "type", at, 0, true); kind {
	case "section":
		c.section(b, at)
	case "header":
		c.words(b, "text", at, maxHeaderText, "plain_text")
	case "context":
		c.each(b, at, maxContext, c.contextElement)
	case "actions":
		c.each(b, at, maxActions, c.element)
	case "image":
		c.text(b, "image_url", at, maxButtonURL, true)
		c.text(b, "alt_text", at, maxAltText, true)
	case "divider":
	default:
		c.say(at+"/type", "unsupported type: %s", kind)
	}
}

func (c *checker) section(b object, at string) {
	hasText, hasFields := present(b["text"]), present(b["fields"])
	if !hasText && !hasFields {
		c.say(at, "must have text or fields")
	}
	if hasText {
		c.words(b, "text", at, maxSectionText, "")
	}
	if hasFields {
		var fields []json.RawMessage
		if json.Unmarshal(b["fields"], &fields) != nil || len(fields) == 0 {
			c.say(at+"/fields", "must be a list with something in it")
		}
		if len(fields) > maxFields {
			c.say(at+"/fields", "no more than %d items allowed", maxFields)
		}
		for i, f := range fields {
			c.textObject(f, fmt.Sprintf("%s/fields/%d", at, i), maxFieldText, "")
		}
	}
	if present(b["accessory"]) {
		c.element(b["accessory"], at+"/accessory")
	}
}

// each checks the elements of a block: at least one, at most limit.
func (c *checker) each(b object, at string, limit int, check func(json.RawMessage, string)) {
	var elements []json.RawMessage
	at += "/elements"
	if json.Unmarshal(b["elements"], &elements) != nil || len(elements) == 0 {
		c.say(at, "must be a list with something in it")
	}
	if len(elements) > limit {
		c.say(at, "no more than %d items allowed", limit)
	}
	for i, e := range elements {
		check(e, fmt.Sprintf("%s/%d", at, i))
	}
}

func (c *checker) object(raw json.RawMessage, at string) (object, bool) {
	var o object
	if json.Unmarshal(raw, &o) != nil || o == nil {
		c.say(at, "must be an object")
		return nil, false
	}
	return o, true
}

// text checks a string: at most limit characters (0 for no limit), and not empty where it is required.
func (c *checker) text(o object, key, at string, limit int, required bool) string {
	var s string
	if present(o[key]) && json.Unmarshal(o[key], &s) != nil {
		c.say(at+"/"+key, "must be a string")
		return ""
	}
	if required && s == "" {
		c.say(at+"/"+key, "missing required field: %s", key)
	}
	if limit > 0 && utf8.RuneCountInString(s) > limit {
		c.say(at+"/"+key, "must be less than %d characters", limit+1)
	}
	return s
}

func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }
