package slacktest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"telgate/slack/slacktest"
)

// reads asks for a conversation's history, and gives the texts.
func (o *office) reads(pairs ...string) (texts []string, r reply) {
	o.t.Helper()
	r = o.want(o.ask("conversations.history", pairs...), "")
	var page struct {
		Messages []struct {
			Text     string          `json:"text"`
			Metadata json.RawMessage `json:"metadata"`
		} `json:"messages"`
	}
	if err := json.Unmarshal([]byte(r.Raw), &page); err != nil {
		o.t.Fatal(err)
	}
	for _, m := range page.Messages {
		texts = append(texts, m.Text+string(m.Metadata))
	}
	return texts, r
}

func (o *office) same(got []string, want ...string) {
	o.t.Helper()
	if len(got) != len(want) {
		o.t.Fatalf("%q, want %q", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			o.t.Fatalf("%q, want %q", got, want)
		}
	}
}

func historian(c *slacktest.Config) {
	c.Scopes = []string{"chat:write", "chat:write.public", "im:write", "channels:history", "groups:history", "im:history"}
}

func TestHistoryTakesTheScopeOfItsKindOfConversation(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.AddChannel(slacktest.Channel{ID: "G0TEAM", Private: true, BotIn: true})
	o.want(o.ask("conversations.open", "users", "U0ADA"), "")
	for channel, scope := range map[string]string{"C0OPS": "channels:history", "G0TEAM": "groups:history", o.DM("U0ADA"): "im:history"} {
		o.SetScopes("chat:write", "chat:write.public")
		if r := o.want(o.ask("conversations.history", "channel", channel), "missing_scope"); r.Needed != scope {
			t.Errorf("%s needs %s, want %s", channel, r.Needed, scope)
		}
		o.SetScopes(scope)
		o.want(o.ask("conversations.history", "channel", channel), "")
	}
}

func TestHistoryIsReadOnlyWhereTheBotIsAMember(t *testing.T) {
	t.Parallel()
	o := newOffice(t, historian)
	o.post("C0HALL", "posting is allowed here")
	o.want(o.ask("conversations.history", "channel", "C0HALL"), "not_in_channel")
	for _, channel := range []string{"G0BOARD", "D0PAIR", "C0NONE", "U0ADA"} {
		o.want(o.ask("conversations.history", "channel", channel), "channel_not_found")
	}
}

func TestHistoryGivesTheNewestFirstAPageAtATime(t *testing.T) {
	t.Parallel()
	o := newOffice(t, historian)
	first := o.post("C0OPS", "one")
	for _, text := range []string{"two", "three"} {
		o.clock.forward(time.Second)
		o.post("C0OPS", text)
	}
	o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "aside", "thread_ts", first), "")
	o.want(o.ask("chat.postEphemeral", "channel", "C0OPS", "user", "U0ADA", "text", "psst"), "")
	got, r := o.reads("channel", "C0OPS", "limit", "2")
	o.same(got, "three", "two")
	got, r = o.reads("channel", "C0OPS", "limit", "2", "cursor", r.Metadata.Next)
	o.same(got, "one")
	if r.Metadata.Next != "" {
		t.Errorf("more than all: %s", r.Raw)
	}
	for key, bad := range map[string]string{"limit": "1000", "cursor": "x", "oldest": "yesterday"} {
		if r := o.ask("conversations.history", "channel", "C0OPS", key, bad); r.OK {
			t.Errorf("%s=%s is taken", key, bad)
		}
	}
}

func TestHistoryHasBordersAndMetadataOnRequest(t *testing.T) {
	t.Parallel()
	o := newOffice(t, historian)
	first := o.post("C0OPS", "one")
	o.clock.forward(time.Second)
	meta := `{"event_type":"x","event_payload":{"a":"b"}}`
	second := o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "two", "metadata", meta), "").TS
	got, _ := o.reads("channel", "C0OPS", "oldest", first)
	o.same(got, "two")
	got, _ = o.reads("channel", "C0OPS", "latest", second, "oldest", first, "inclusive", "1")
	o.same(got, "two", "one")
	got, _ = o.reads("channel", "C0OPS", "latest", second)
	o.same(got, "one")
	got, _ = o.reads("channel", "C0OPS", "oldest", first, "include_all_metadata", "1")
	o.same(got, "two"+meta)
}

func TestAnAnswerThatNeverComesIsOfARequestThatWasCarriedOut(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.Fail("chat.postMessage", 1, slacktest.HangAfter)
	ctx, giveUp := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, o.APIURL()+"chat.postMessage?channel=C0OPS&text=calling", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer xoxb-test-bot")
	answered := make(chan reply)
	go func() { answered <- o.do(r) }()
	o.wait(func() bool { return len(o.Messages("C0OPS")) == 1 })
	giveUp()
	if got := <-answered; got.OK || got.Status != 0 {
		t.Errorf("answered all the same: %+v", got)
	}
}
