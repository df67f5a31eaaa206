package slacktest_test

import (
	"fmt"
	"strings"
	"testing"
)

func times(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }

func buttonWith(fields string) string {
	return `[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"Go"}` + fields + `}]}]`
}

func sectionWith(n int) string {
	return fmt.Sprintf(`[{"type":"section","text":{"type":"mrkdwn","text":"%s"}}]`, strings.Repeat("é", n))
}

func confirmWith(title, text, yes, no int) string {
	x := func(n int) string { return `{"type":"plain_text","text":"` + strings.Repeat("x", n) + `"}` }
	return buttonWith(`,"confirm":{"title":` + x(title) + `,"text":` + x(text) + `,"confirm":` + x(yes) + `,"deny":` + x(no) + `}`)
}

func TestBlocksKeepTheLimitsOfBlockKit(t *testing.T) {
	t.Parallel()
	const text = `{"type":"mrkdwn","text":"x"}`
	quoted := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	plain := func(n int) string { return `{"type":"plain_text","text":` + quoted(n) + `}` }
	button := func(id string) string { return `{"type":"button","action_id":"` + id + `","text":` + plain(1) + `}` }
	buttons := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, button(fmt.Sprint("a", i)))
		}
		return `[{"type":"actions","elements":[` + strings.Join(all, ",") + `]}]`
	}
	for name, c := range map[string]struct{ good, bad, at string }{
		"50 blocks":               {"[" + times(50, `{"type":"divider"}`) + "]", "[" + times(51, `{"type":"divider"}`) + "]", "/blocks"},
		"section text 3000":       {sectionWith(3000), sectionWith(3001), "/blocks/0/text/text"},
		"section text not empty":  {sectionWith(1), sectionWith(0), "/blocks/0/text/text"},
		"10 fields":               {`[{"type":"section","fields":[` + times(10, text) + `]}]`, `[{"type":"section","fields":[` + times(11, text) + `]}]`, "/blocks/0/fields"},
		"field 2000":              {`[{"type":"section","fields":[` + plain(2000) + `]}]`, `[{"type":"section","fields":[` + plain(2001) + `]}]`, "/blocks/0/fields/0/text"},
		"section with something":  {sectionWith(1), `[{"type":"section"}]`, "/blocks/0"},
		"header 150":              {`[{"type":"header","text":` + plain(150) + `}]`, `[{"type":"header","text":` + plain(151) + `}]`, "/blocks/0/text/text"},
		"header is plain":         {`[{"type":"header","text":` + plain(1) + `}]`, `[{"type":"header","text":` + text + `}]`, "/blocks/0/text/type"},
		"10 in a context":         {`[{"type":"context","elements":[` + times(10, text) + `]}]`, `[{"type":"context","elements":[` + times(11, text) + `]}]`, "/blocks/0/elements"},
		"context with something":  {`[{"type":"context","elements":[` + text + `]}]`, `[{"type":"context","elements":[]}]`, "/blocks/0/elements"},
		"25 actions":              {buttons(25), buttons(26), "/blocks/0/elements"},
		"button text 75":          {`[{"type":"actions","elements":[{"type":"button","text":` + plain(75) + `}]}]`, `[{"type":"actions","elements":[{"type":"button","text":` + plain(76) + `}]}]`, "/blocks/0/elements/0/text/text"},
		"button text not null":    {buttonWith(""), `[{"type":"actions","elements":[{"type":"button","text":null}]}]`, "/blocks/0/elements/0/text"},
		"no null among elements":  {buttonWith(""), `[{"type":"actions","elements":[null]}]`, "/blocks/0/elements/0"},
		"action_id 255":           {buttonWith(`,"action_id":` + quoted(255)), buttonWith(`,"action_id":` + quoted(256)), "/blocks/0/elements/0/action_id"},
		"action_id once a block":  {`[{"type":"actions","elements":[` + button("a") + "," + button("b") + `]}]`, `[{"type":"actions","elements":[` + times(2, button("a")) + `]}]`, "/blocks/0/elements/1/action_id"},
		"value 2000":              {buttonWith(`,"value":` + quoted(2000)), buttonWith(`,"value":` + quoted(2001)), "/blocks/0/elements/0/value"},
		"url 3000":                {buttonWith(`,"url":` + quoted(3000)), buttonWith(`,"url":` + quoted(3001)), "/blocks/0/elements/0/url"},
		"style":                   {buttonWith(`,"style":"danger"`), buttonWith(`,"style":"warning"`), "/blocks/0/elements/0/style"},
		"block_id 255":            {`[{"type":"divider","block_id":` + quoted(255) + `}]`, `[{"type":"divider","block_id":` + quoted(256) + `}]`, "/blocks/0/block_id"},
		"block_id once":           {`[{"type":"divider","block_id":"a"},{"type":"divider","block_id":"b"}]`, "[" + times(2, `{"type":"divider","block_id":"a"}`) + "]", "/blocks/1/block_id"},
		"confirm title 100":       {confirmWith(100, 1, 1, 1), confirmWith(101, 1, 1, 1), "/blocks/0/elements/0/confirm/title/text"},
		"confirm text 300":        {confirmWith(1, 300, 1, 1), confirmWith(1, 301, 1, 1), "/blocks/0/elements/0/confirm/text/text"},
		"confirm 30":              {confirmWith(1, 1, 30, 1), confirmWith(1, 1, 31, 1), "/blocks/0/elements/0/confirm/confirm/text"},
		"deny 30":                 {confirmWith(1, 1, 1, 30), confirmWith(1, 1, 1, 31), "/blocks/0/elements/0/confirm/deny/text"},
		"known types":             {`[{"type":"divider"}]`, `[{"type":"fanfare"}]`, "/blocks/0/type"},
		"image with a word on it": {`[{"type":"image","image_url":"https://x.invalid/a.png","alt_text":"a"}]`, `[{"type":"image","image_url":"https://x.invalid/a.png"}]`, "/blocks/0/alt_text"},
		"emoji in plain_text":     {`[{"type":"header","text":{"type":"plain_text","text":"x","emoji":true}}]`, `[{"type":"section","text":{"type":"mrkdwn","text":"x","emoji":true}}]`, "/blocks/0/text/emoji"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			ts := o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "x", "blocks", c.good), "").TS
			for _, method := range []string{"chat.postMessage", "chat.update", "chat.postEphemeral"} {
				r := o.want(o.ask(method, "channel", "C0OPS", "ts", ts, "user", "U0ADA", "text", "x", "blocks", c.bad), "invalid_blocks")
				if len(r.Metadata.Messages) != 1 || !strings.HasSuffix(r.Metadata.Messages[0], "[json-pointer:"+c.at+"]") {
					t.Errorf("%s: %q", method, r.Metadata.Messages)
				}
			}
		})
	}
}

func TestBlocksThatAreNoListAreRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, blocks := range []string{`{"type":"divider"}`, `[{"type":`, `nonsense`} {
		o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "x", "blocks", blocks), "invalid_blocks_format")
	}
	inside := `[{"color":"#f00","blocks":` + sectionWith(0) + `}]`
	o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "x", "attachments", inside), "invalid_blocks")
}

func TestAMessageIsReadAsAPersonReadsIt(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	blocks := `[{"type":"header","text":{"type":"plain_text","text":"Calling <@U0BOB>"}},
		{"type":"section","text":{"type":"mrkdwn","text":"for <@U0ADA|ada>"},"fields":[{"type":"mrkdwn","text":"a"},{"type":"plain_text","text":"b"}],
		 "accessory":{"type":"button","text":{"type":"plain_text","text":"Why"},"action_id":"why"}},
		{"type":"divider"},
		{"type":"context","elements":[{"type":"mrkdwn","text":"12:00"},{"type":"plain_text","text":"ringing"}]},
		{"type":"actions","block_id":"b1","elements":[
		 {"type":"button","text":{"type":"plain_text","text":"Hang up"},"action_id":"stop","value":"p1","style":"danger",
		  "confirm":{"title":{"type":"plain_text","text":"Sure?"},"text":{"type":"plain_text","text":"Really?"},
		  "confirm":{"type":"plain_text","text":"Yes"},"deny":{"type":"plain_text","text":"No"}}},
		 {"type":"button","text":{"type":"plain_text","text":"Next"},"action_id":"next"}]}]`
	o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "fallback for <@U0BOB>", "blocks", blocks), "")
	m := o.only("C0OPS")
	if want := "Calling <@U0BOB>\nfor <@U0ADA|ada> a b [Why]\n---\n12:00 ringing\n[Hang up] [Next]"; m.Plain() != want {
		t.Errorf("want\n%s\ngot\n%s", want, m.Plain())
	}
	if fmt.Sprint(m.Mentions) != "[U0ADA]" {
		t.Errorf("mentions %v: plain_text mentions nobody", m.Mentions)
	}
	b := m.Buttons()
	if len(b) != 3 || b[0].ActionID != "why" || b[1].Text != "Hang up" || b[1].Value != "p1" || b[1].Style != "danger" ||
		!b[1].Confirm || b[2].Confirm {
		t.Errorf("%+v", b)
	}
}
