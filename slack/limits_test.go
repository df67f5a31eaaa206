package slack

import (
	"errors"
	"fmt"
	"unicode/utf16"

	slackgo "github.com/slack-go/slack"
)

// More limits of Slack's message surface (Block Kit reference). slack-go checks none of them.
const (
	blocksLimit  = 50
	contextLimit = 10
	actionsLimit = 25
	buttonLimit  = 75
	valueLimit   = 2000
	idLimit      = 255
	titleLimit   = 100
	dialogLimit  = 300
	choiceLimit  = 30
)

// checkMessage tells everything about a message that Slack would refuse.
func checkMessage(m message) error {
	var l limits
	l.text("text", m.text, textLimit)
	if len(m.blocks) > blocksLimit {
		l.fault("%d blocks", len(m.blocks))
	}
	for i, b := range m.blocks {
		l.at = fmt.Sprintf("blocks[%d].", i)
		l.block(b)
	}
	return errors.Join(l.faults...)
}

type limits struct {
	at     string
	faults []error
	ids    map[string]bool
}

func (l *limits) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Errorf(l.at+format, args...))
}

func (l *limits) text(name, s string, most int) {
	switch n := len(utf16.Encode([]rune(s))); {
	case n == 0:
		l.fault("%s is empty", name)
	case n > most:
		l.fault("%s has %d characters, %d are allowed", name, n, most)
	}
}

func (l *limits) object(name string, t *slackgo.TextBlockObject, most int) {
	if t == nil {
		l.fault("%s is missing", name)
		return
	}
	l.text(name, t.Text, most)
}

func (l *limits) id(id string) {
	if len(id) > idLimit {
		l.fault("block_id has %d characters", len(id))
	}
	if l.ids == nil {
		l.ids = map[string]bool{}
	}
	if id != "" && l.ids[id] {
		l.fault("block_id %q is used twice", id)
	}
	l.ids[id] = true
}

func (l *limits) block(b slackgo.Block) {
	switch b := b.(type) {
	case *slackgo.SectionBlock:
		l.id(b.BlockID)
		l.object("text", b.Text, sectionLimit)
	case *slackgo.ContextBlock:
		l.id(b.BlockID)
		if n := len(b.ContextElements.Elements); n == 0 || n > contextLimit {
			l.fault("%d elements in a context", n)
		}
		for _, e := range b.ContextElements.Elements {
			t, ok := e.(*slackgo.TextBlockObject)
			if !ok {
				l.fault("a %T in a context", e)
				continue
			}
			l.object("element", t, sectionLimit)
		}
	case *slackgo.ActionBlock:
		l.id(b.BlockID)
		if n := len(b.Elements.ElementSet); n == 0 || n > actionsLimit {
			l.fault("%d actions", n)
		}
		for _, e := range b.Elements.ElementSet {
			l.button(e)
		}
	default:
		l.fault("a %T is never sent", b)
	}
}

func (l *limits) button(e slackgo.BlockElement) {
	b, ok := e.(*slackgo.ButtonBlockElement)
	if !ok {
		l.fault("a %T is never sent", e)
		return
	}
	l.object("button", b.Text, buttonLimit)
	l.text("action_id", b.ActionID, idLimit)
	l.text("value", b.Value, valueLimit)
	if c := b.Confirm; c != nil {
		l.object("confirm.title", c.Title, titleLimit)
		l.object("confirm.text", c.Text, dialogLimit)
		l.object("confirm.confirm", c.Confirm, choiceLimit)
		l.object("confirm.deny", c.Deny, choiceLimit)
	}
}
