package slack

import (
	"context"
	"fmt"
	"strings"

	"telgate"
)

const (
	listedPages  = 5
	listedPeople = 60
)

// status is what runs, what ran lately, and how the connection stands.
func (s *Slack) status(ctx context.Context) string {
	var running, recent []string
	for _, p := range s.listed(ctx, listedPages) {
		symbol, state, more := s.words.standing(p)
		line := fmt.Sprintf("• *%s* :%s: %s", formatless(title(p)), symbol, state)
		if more != "" {
			line += ": " + more
		}
		switch {
		case p.State != telgate.PageEnded && len(running) < listedPeople:
			running = append(running, line)
		case p.State == telgate.PageEnded && len(recent) < listedPages:
			recent = append(recent, line)
		}
	}
	lines := []string{s.words.say("*%s*: nothing is being called.", "*%s*: 呼び出し中のものはありません。", formatless(s.cfg.GatewayName))}
	if paused := s.pauseLine(); paused != "" {
		lines = append([]string{paused}, lines...)
	}
	muted := s.muted()
	if len(running) > 0 {
		lines[len(lines)-1] = s.words.say("*%s* is calling:", "*%s* の呼び出し中:", formatless(s.cfg.GatewayName))
		lines = append(lines, running...)
	}
	if len(recent) > 0 {
		lines = append(append(lines, s.words.say("Lately:", "最近:")), recent...)
	}
	if muted != "" {
		lines = append(lines, muted)
	}
	if h := s.Health(); h.Problem != "" {
		lines = append(lines, ":warning: "+escape(h.Problem))
	} else if h.CardsWaiting > 0 {
		lines = append(lines, s.words.say(":warning: %d cards wait for Slack.", ":warning: %d 件のカードが更新待ちです。", h.CardsWaiting))
	}
	return strings.Join(append(lines, s.troubles()...), "\n")
}

// who tells whom a word means and how they are called, in order. Whole numbers are for those who may see them.
func (s *Slack) who(by telgate.Actor, word string) string {
	m, err := s.people.Resolve(word)
	if err != nil {
		return s.refused(err)
	}
	numbers := s.policy().May(by, telgate.ActSee, nil)
	lines := []string{s.words.say("*%s* is called in this order:", "*%s* の呼び出し順:", formatless(m.Title))}
	for _, p := range m.People {
		name := formatless(p.Nick)
		if p.Name != p.Nick {
			name += " (" + formatless(p.Name) + ")"
		}
		if p.Slack != "" {
			name += " <@" + p.Slack + ">"
		}
		lines = append(lines, "• "+name+": "+s.words.phones(p.Numbers, numbers)+s.quiet(p.Nick))
	}
	return strings.Join(lines, "\n")
}

// phones lists a person's phones: labels, and the numbers for those who may see them.
func (w words) phones(numbers []telgate.Number, whole bool) string {
	list := make([]string, len(numbers))
	for i, n := range numbers {
		label := n.Label
		if label == "" {
			label = w.say("phone %d", "電話 %d", i+1)
		}
		list[i] = formatless(label)
		if whole {
			list[i] += " " + escape(n.Whole())
		}
	}
	return w.list(list)
}

// list is everybody who can be called.
func (s *Slack) list() string {
	var lines []string
	for _, g := range s.people.Groups() {
		lines = append(lines, fmt.Sprintf("• *%s*: %s", formatless(g.Nick), formatless(clip(strings.Join(g.Members, ", "), titleCells))))
	}
	for _, r := range s.people.OnCall() {
		lines = append(lines, fmt.Sprintf("• *%s*: %s", formatless(r.Rota), s.words.turn(r)))
	}
	for _, p := range s.people.People() {
		line := "• *" + formatless(p.Nick) + "*"
		if p.Name != p.Nick {
			line += " " + formatless(clip(p.Name, nameCells))
		}
		if len(p.Aliases) > 0 {
			line += " (" + formatless(clip(strings.Join(p.Aliases, ", "), nameCells)) + ")"
		}
		lines = append(lines, line+s.quiet(p.Nick))
	}
	if more := len(lines) - listedPeople; more > 0 {
		lines = append(lines[:listedPeople], s.words.say("… and %d more; `%s who NAME` finds them.", "… ほか %d 件。`%s who 名前` で探せます。", more, s.cfg.Command))
	}
	if len(lines) == 0 {
		return s.words.say("Nobody can be called yet: an administrator of telgate has to add people.", "呼び出せる相手がまだ登録されていません。telgate の管理者に依頼してください。")
	}
	return s.words.say("You can call:\n", "呼び出せる相手:\n") + strings.Join(lines, "\n")
}
