package slacktest_test

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

const divider = `[{"type":"divider"}]`

func TestTimestampsAreUniqueAndIncreaseThoughTheClockStands(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	last := ""
	for range 3 {
		ts := o.post("C0OPS", "hi")
		if !regexp.MustCompile(`^\d{10}\.\d{6}$`).MatchString(ts) || ts <= last {
			t.Errorf("%q after %q", ts, last)
		}
		last = ts
	}
}

func TestUpdateWantsTheIDThatThePostReturned(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.want(o.ask("conversations.open", "users", "U0ADA"), "")
	ts := o.post(o.DM("U0ADA"), "calling")
	o.want(o.ask("chat.update", "channel", "U0ADA", "ts", ts, "text", "done"), "channel_not_found")
	o.want(o.ask("chat.update", "channel", "C0OPS", "ts", ts, "text", "done"), "message_not_found")
	o.want(o.ask("chat.update", "channel", o.DM("U0ADA"), "ts", ts, "text", "done"), "")
	if m := o.only(o.DM("U0ADA")); m.Text != "done" || m.Edits != 1 {
		t.Errorf("%+v", m)
	}
}

func TestUpdateRefusesMessagesOfOthersAndThoseThatAreGone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	theirs := o.Say("U0ADA", "C0OPS", "good morning")
	o.want(o.ask("chat.update", "channel", "C0OPS", "ts", theirs, "text", "x"), "cant_update_message")
	o.want(o.ask("chat.delete", "channel", "C0OPS", "ts", theirs), "cant_delete_message")
	mine := o.post("C0OPS", "calling")
	if !o.Remove("C0OPS", mine) || o.Remove("C0OPS", mine) {
		t.Error("a message is removed once")
	}
	o.want(o.ask("chat.update", "channel", "C0OPS", "ts", mine, "text", "x"), "message_not_found")
}

func TestAnEphemeralMessageHasNoTimestampToUpdate(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.want(o.ask("chat.postEphemeral", "channel", "C0OPS", "user", "U0ADA", "text", "psst"), "")
	m := o.only("C0OPS")
	if m.Ephemeral != "U0ADA" || m.Via != "ephemeral" || len(o.Messages("C0OPS")) != 0 || len(o.Seen("U0BOB", "C0OPS")) != 0 {
		t.Errorf("others see it: %+v", m)
	}
	o.want(o.ask("chat.update", "channel", "C0OPS", "ts", m.TS, "text", "x"), "message_not_found")
}

func TestTextWithoutBlocksTakesTheBlocksAway(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ts := o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "calling", "blocks", divider), "").TS
	o.want(o.ask("chat.update", "channel", "C0OPS", "ts", ts, "text", "done"), "")
	if m := o.only("C0OPS"); m.Blocks != nil || m.Plain() != "done" {
		t.Errorf("%+v", m)
	}
}

func TestAMessageSaysSomethingButNotTooMuch(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ts := o.post("C0OPS", strings.Repeat("é", 4000))
	for _, method := range []string{"chat.postMessage", "chat.update", "chat.postEphemeral"} {
		o.want(o.ask(method, "channel", "C0OPS", "ts", ts, "user", "U0ADA"), "no_text")
		o.want(o.ask(method, "channel", "C0OPS", "ts", ts, "user", "U0ADA", "text", strings.Repeat("é", 4001)), "msg_too_long")
	}
}

func TestAReplyNeedsAMessageToReplyTo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	parent := o.post("C0OPS", "calling")
	reply := o.want(o.ask("chat.postMessage", "channel", "C0OPS", "thread_ts", parent, "text", "nobody answered, <@U0ADA>"), "").TS
	o.want(o.ask("chat.postMessage", "channel", "C0OPS", "thread_ts", "1.000001", "text", "x"), "thread_not_found")
	o.want(o.ask("chat.postMessage", "channel", "C0OPS", "thread_ts", reply, "text", "x"), "cannot_reply_to_message")
	all := o.Messages("C0OPS")
	if len(all) != 2 || all[1].ThreadTS != parent || len(all[1].Mentions) != 1 || all[1].Mentions[0] != "U0ADA" {
		t.Errorf("%+v", all)
	}
}

func TestAnEditNotifiesNobody(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ts := o.post("C0OPS", "calling")
	o.want(o.ask("chat.update", "channel", "C0OPS", "ts", ts, "text", "nobody answered, <@U0ADA>"), "")
	if m := o.only("C0OPS"); len(m.Mentions) != 0 {
		t.Errorf("notified %v", m.Mentions)
	}
}

func TestUpdatesArriveInOrderAndEndWithClose(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	early := o.Updates()
	ts := o.post("C0OPS", "one")
	late := o.Updates()
	o.want(o.ask("chat.update", "channel", "C0OPS", "ts", ts, "text", "two"), "")
	for _, want := range []string{"one", "two"} {
		if m := <-early; m.Text != want {
			t.Errorf("want %q, got %+v", want, m)
		}
	}
	if m := <-late; m.Text != "two" || m.Edits != 1 {
		t.Errorf("%+v", m)
	}
	o.post("C0OPS", "nobody reads this")
	o.Close()
	for range early { // whatever was under way
	}
	if _, open := <-o.Updates(); open {
		t.Error("updates of a closed workspace")
	}
}

func TestAPostIsLimitedPerChannelWithABurstOfThree(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for range 3 {
		o.post("C0OPS", "hi")
	}
	r := o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "hi"), "ratelimited")
	if r.Status != 429 || r.Header.Get("Retry-After") != "1" {
		t.Errorf("status %d, Retry-After %q", r.Status, r.Header.Get("Retry-After"))
	}
	o.post("C0HALL", "another channel")
	o.clock.forward(time.Second)
	o.post("C0OPS", "one more")
	o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "hi"), "ratelimited")
}

func TestMethodsAreLimitedByTheirTier(t *testing.T) {
	t.Parallel()
	for method, rate := range map[string]int{
		"chat.update": 50, "chat.delete": 50, "chat.postEphemeral": 100, "users.info": 100, "users.list": 20,
		"usergroups.list": 20, "usergroups.users.list": 20, "conversations.open": 50, "conversations.info": 50,
		"auth.test": 600, "chat.getPermalink": 600,
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			o.ask(method)
			o.clock.forward(20 * time.Second)
			for range rate - 1 {
				if o.ask(method).Status == 429 {
					t.Fatal("limited too early")
				}
			}
			r := o.ask(method)
			if r.Status != 429 || r.Header.Get("Retry-After") != "40" {
				t.Errorf("status %d, Retry-After %q", r.Status, r.Header.Get("Retry-After"))
			}
			o.want(o.ask("auth.test"), map[bool]string{true: "ratelimited"}[method == "auth.test"])
			o.clock.forward(40 * time.Second)
			if o.ask(method).Status == 429 {
				t.Error("limited for longer than it said")
			}
			if o.ask(method).Status != 429 {
				t.Error("only one of them is a minute old")
			}
		})
	}
}
