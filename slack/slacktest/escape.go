package slacktest

import (
	"regexp"
	"slices"
	"strings"
)

// escape is what should_escape makes of a command's text (Slack docs: slash commands, escaping): @name, #channel and
// addresses become references, other special characters entities (assumed, as in messages). References that are there
// already stay: a person who picks a name from the list sends them so.
func (w *Workspace) escape(text string) string {
	words := regexp.MustCompile(`(?s)<[@#!][^<>\s]+>|https?://[^\s<>]+|[@#][\pL\pN_]([\pL\pN_.-]*[\pL\pN_])?|[^@#<h]+|.`)
	return words.ReplaceAllStringFunc(text, w.escapeWord)
}

func (w *Workspace) escapeWord(s string) string {
	switch {
	case len(s) > 2 && s[0] == '<' && s[len(s)-1] == '>':
		return s
	case strings.HasPrefix(s, "http://"), strings.HasPrefix(s, "https://"):
		return "<" + entities(s) + ">"
	case len(s) > 1 && s[0] == '@':
		return w.reference(s)
	case len(s) > 1 && s[0] == '#':
		for _, r := range w.rooms {
			if r.Name != s[1:] {
				continue
			}
			if r.Private {
				return "<#" + r.ID + "|>"
			}
			return "<#" + r.ID + "|" + r.Name + ">"
		}
	}
	return entities(s)
}

// reference makes a mention of @name if there is such a user or user group.
func (w *Workspace) reference(s string) string {
	if i := slices.IndexFunc(w.users, func(u User) bool { return u.Name == s[1:] }); i >= 0 {
		return "<@" + w.users[i].ID + "|" + w.users[i].Name + ">"
	}
	if i := slices.IndexFunc(w.groups, func(g group) bool { return g.handle == s[1:] }); i >= 0 {
		return "<!subteam^" + w.groups[i].id + "|@" + w.groups[i].handle + ">"
	}
	return entities(s)
}

func entities(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
