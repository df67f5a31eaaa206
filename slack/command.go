package slack

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// verb is what a command asks for.
type verb string

// The verbs. The directory refuses them as names.
const (
	verbPage   verb = "page"
	verbStop   verb = "stop"
	verbStatus verb = "status"
	verbTest   verb = "test"
	verbWho    verb = "who"
	verbList   verb = "list"
	verbHelp   verb = "help"
	verbOnCall verb = "oncall"
	verbCover  verb = "cover"
	verbPause  verb = "pause"
	verbResume verb = "resume"
	verbMute   verb = "mute"
	verbUnmute verb = "unmute"
	verbWrong  verb = "wrong" // cannot be read; order.word names the verb it began with, if any
)

// messageLimit is how much of a message is kept, in UTF-16 units.
const messageLimit = 500

// order is a command as understood.
type order struct {
	verb    verb
	word    string   // the verb as typed, for verbWrong
	who     []string // words for the directory: names, "<@U…>"
	message string
	force   bool
	new     bool
	all     bool   // side by side, whatever the group says
	by      string // of verbCover: who takes the turns, "" = the asker; message is when
	end     bool   // of verbCover: it is over
}

// parseCommand reads what was typed after the command's name:
//
//	WHO[,WHO…] [message] · force|new|all WHO … · stop [WHO] · status · test · who NAME · list · help · oncall [ROTA] ·
//	cover [WHO [by NAME] WHEN|end] · mute [WHO|me] WHEN · unmute [WHO] · pause [why] · resume
//
// Slack's entities (&amp; &lt; &gt;) are decoded once, after its own <…> forms were read; what somebody typed as "<@U1>"
// by hand arrives as entities and is no mention.
func parseCommand(text string) order {
	p := parser{rest: strings.TrimFunc(text, blank)}
	if p.rest == "" {
		return order{verb: verbHelp}
	}
	start := p.rest
	word := p.word()
	switch v := verb(fold(word)); v {
	case verbStatus, verbTest, verbList, verbHelp:
		return order{verb: v}
	case verbStop:
		return order{verb: v, who: p.names()}
	case verbWho:
		if who := p.names(); len(who) == 1 {
			return order{verb: v, who: who}
		}
		return order{verb: verbWrong, word: "who"}
	case "force", "new", "all":
		o := order{verb: verbPage, force: v == "force", new: v == "new", all: v == "all", who: p.names(), message: p.message()}
		if len(o.who) == 0 {
			return order{verb: verbWrong, word: string(v)}
		}
		return o
	case verbOnCall:
		return order{verb: v, who: p.names()}
	case verbCover:
		return p.cover()
	case verbPause:
		return order{verb: v, message: p.message()}
	case verbResume:
		return order{verb: v}
	case verbMute, verbUnmute:
		return p.mute(v)
	default: // a name
	}
	p.rest = start
	o := order{verb: verbPage, who: p.names(), message: p.message()}
	if len(o.who) == 0 {
		return order{verb: verbWrong}
	}
	return o
}

// cover reads what stands behind "cover".
func (p *parser) cover() order {
	o := order{verb: verbCover, who: p.names()}
	switch len(o.who) {
	case 0:
		return o
	case 1:
	default:
		return order{verb: verbWrong, word: string(verbCover)}
	}
	rest := p.rest
	if fold(p.word()) == "by" {
		by := p.names()
		if len(by) != 1 {
			return order{verb: verbWrong, word: string(verbCover)}
		}
		o.by, rest = by[0], p.rest
	}
	p.rest = rest
	o.message = p.message()
	switch fold(o.message) {
	case "end", "off", "stop", "終了", "解除":
		o.end, o.message = true, ""
	}
	return o
}

// mute reads what stands behind "mute" and "unmute": a name, or "me", and until when.
func (p *parser) mute(v verb) order {
	o := order{verb: v, who: p.names(), message: p.message()}
	if len(o.who) > 1 || v == verbMute && (len(o.who) == 0 || o.message == "") {
		return order{verb: verbWrong, word: string(v)}
	}
	if len(o.who) == 1 && slices.Contains([]string{"me", "自分"}, fold(o.who[0])) {
		o.who = nil
	}
	return o
}

// parser walks over a command from left to right.
type parser struct{ rest string }

func blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\ufeff' || r == '\u200b'
}

func comma(r rune) bool { return r == ',' || r == '，' || r == '、' || r == '､' }

func (p *parser) skip() { p.rest = strings.TrimLeftFunc(p.rest, blank) }

// names reads WHO[,WHO…]: commas join, with blanks on either side or none; empty places between commas are nobody.
func (p *parser) names() []string {
	var names []string
	for {
		p.skip()
		if name := p.name(); name != "" {
			names = append(names, name)
		}
		p.skip()
		r, n := utf8.DecodeRuneInString(p.rest)
		if n == 0 || !comma(r) {
			return names
		}
		p.rest = p.rest[n:]
	}
}

// name reads one WHO: <@U…>, <@U…|name>, <!subteam^S…|@name>, @name or a plain name.
func (p *parser) name() string {
	if strings.HasPrefix(p.rest, "<") {
		if end := strings.IndexByte(p.rest, '>'); end > 0 {
			inside := p.rest[1:end]
			p.rest = p.rest[end+1:]
			return strings.TrimSpace(strings.ReplaceAll(mentioned(inside), ",", " ")) // no name holds a comma: this means nobody
		}
	}
	return strings.TrimPrefix(clean(html.UnescapeString(p.word())), "@")
}

// mentioned turns the inside of Slack's <…> into a word for the directory.
func mentioned(inside string) string {
	id, label, _ := strings.Cut(inside, "|")
	switch {
	case strings.HasPrefix(id, "@") && userID(id[1:]):
		return "<" + id + ">"
	case strings.HasPrefix(id, "!subteam^"):
		if label = strings.TrimPrefix(clean(html.UnescapeString(label)), "@"); label != "" {
			return label
		}
		return strings.TrimPrefix(id, "!subteam^")
	case label != "":
		return clean(html.UnescapeString(label)) // a name that looks like an address was made a link
	}
	return clean(html.UnescapeString(strings.TrimLeft(id, "@#!")))
}

// word reads up to a blank or comma.
func (p *parser) word() string {
	end := strings.IndexFunc(p.rest, func(r rune) bool { return blank(r) || comma(r) })
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

// message is the rest, as people would read it.
func (p *parser) message() string {
	return truncate(clean(plain(strings.TrimFunc(p.rest, blank))), messageLimit)
}

// slackForm is what Slack writes as <…>: mentions, channels, links.
func slackForm() *regexp.Regexp { return regexp.MustCompile(`<([^<>]*)>`) }

// plain takes Slack's markup out of a text: mentions become @name, links their label, entities their sign.
func plain(s string) string {
	s = slackForm().ReplaceAllStringFunc(s, func(form string) string {
		id, label, labelled := strings.Cut(form[1:len(form)-1], "|")
		switch sign := id + " "; {
		case sign[0] == '@', sign[0] == '#':
			if label == "" {
				label = id[1:]
			}
			return sign[:1] + strings.TrimPrefix(label, sign[:1])
		case sign[0] == '!':
			if label == "" {
				label = id[1:]
			}
			return "@" + strings.TrimPrefix(label, "@")
		case labelled && label != "":
			return label
		}
		return id
	})
	return html.UnescapeString(s)
}

// clean drops what would disturb a line of text: control characters and bytes that are no UTF-8.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r), bidi(r):
			return -1
		}
		return r
	}, s)
}

// bidi tells the characters that reorder text around them: a message must not rewrite the card it stands in.
func bidi(r rune) bool { return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' }

func fold(s string) string { return strings.ToLower(norm.NFKC.String(strings.TrimPrefix(s, "@"))) }

// userID tells whether s looks like a Slack user id: U or W, then capitals and digits (Enterprise Grid uses both).
func userID(s string) bool {
	if len(s) < 2 || s[0] != 'U' && s[0] != 'W' {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') }) < 0
}

// commandName tells whether s can be a slash command (2 to 32 characters in Slack's manifest).
func commandName(s string) bool {
	if len(s) < 2 || len(s) > 32 || s[0] != '/' {
		return false
	}
	return strings.IndexFunc(s[1:], func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) < 0
}
