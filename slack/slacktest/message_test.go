package slacktest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"telgate/slack/slacktest"
)

func TestConversationsInfoNeedsTheScopeOfItsKind(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.AddChannel(slacktest.Channel{ID: "G0WAR", Name: "war", BotIn: true, Private: true})
	o.want(o.ask("conversations.open", "users", "U0ADA"), "")
	for channel, scope := range map[string]string{"C0OPS": "channels:read", "G0WAR": "groups:read", o.DM("U0ADA"): "im:read"} {
		if r := o.want(o.ask("conversations.info", "channel", channel), "missing_scope"); r.Needed != scope {
			t.Errorf("%s needs %s", channel, r.Needed)
		}
	}
	o.SetScopes("channels:read", "groups:read", "im:read")
	for channel, want := range map[string]string{
		"C0OPS": "", "C0HALL": "", "G0WAR": "", o.DM("U0ADA"): "", "G0BOARD": "channel_not_found", "D0PAIR": "channel_not_found",
		"C0NONE": "channel_not_found",
	} {
		r := o.want(o.ask("conversations.info", "channel", channel), want)
		if want == "" && !strings.Contains(r.Raw, `"id":"`+channel+`"`) {
			t.Error(r.Raw)
		}
	}
}

func TestUsersTellWhoIsAGuestAStrangerOrGone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, u := range []slacktest.User{
		{ID: "U0GUEST", Restricted: true},
		{ID: "U0ONE", UltraRestricted: true},
		{ID: "U0FAR", Team: "T0OTHER"},
		{ID: "U0GONE", Deleted: true},
		{ID: "U0ROBOT", Bot: true},
	} {
		o.AddUser(u)
	}
	for id, want := range map[string][]string{
		"U0ADA": nil, "U0GUEST": {"is_restricted"}, "U0ONE": {"is_restricted", "is_ultra_restricted"}, "U0FAR": {"is_stranger"},
		"U0GONE": {"deleted"}, "U0ROBOT": {"is_bot"},
	} {
		var got struct{ User map[string]any }
		if err := json.Unmarshal([]byte(o.want(o.ask("users.info", "user", id), "").Raw), &got); err != nil {
			t.Fatal(err)
		}
		var flags []string
		for _, flag := range []string{"is_restricted", "is_ultra_restricted", "is_stranger", "deleted", "is_bot"} {
			if got.User[flag] == true {
				flags = append(flags, flag)
			}
		}
		if !slices.Equal(flags, want) {
			t.Errorf("%s: %v", id, flags)
		}
	}
}

func TestMetadataComesBackWithAClick(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "x", "metadata", `{"event_payload":{}}`), "invalid_metadata_format")
	ts := o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "x", "blocks", stopBlocks,
		"metadata", `{"event_type":"page","event_payload":{"id":"p1"}}`), "").TS
	o.want(o.ask("chat.update", "channel", "C0OPS", "ts", ts, "text", "y", "blocks", stopBlocks), "")
	if c := o.clicked(l, "U0ADA", "C0OPS", ts, "next"); !strings.Contains(string(c.Message), `"event_type":"page"`) {
		t.Errorf("%s", c.Message)
	}
}

func TestADeletedMessageIsGoneForAll(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ts := o.post("C0OPS", "x")
	o.want(o.ask("chat.delete", "channel", "C0OPS", "ts", ts), "")
	o.want(o.ask("chat.delete", "channel", "C0OPS", "ts", ts), "message_not_found")
	o.want(o.ask("chat.getPermalink", "channel", "C0OPS", "message_ts", ts), "message_not_found")
	if len(o.Seen("U0ADA", "C0OPS")) != 0 {
		t.Error("still there")
	}
}

func TestAnArchivedChannelKeepsItsMessagesAsTheyAre(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ts := o.post("C0OPS", "x")
	o.AddChannel(slacktest.Channel{ID: "C0OPS", Name: "ops", BotIn: true, Archived: true})
	o.want(o.ask("chat.update", "channel", "C0OPS", "ts", ts, "text", "y"), "is_inactive")
}

func TestAHalfOpenConnectionSwallowsPayloads(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	o.Mute()
	lost, err := o.SendEnvelope("events_api", `{}`)
	if err != nil {
		t.Fatal(err)
	}
	fresh, _ := o.connect()
	o.Drop()
	if _, _, err := l.ReadMessage(); err == nil || o.Acked(lost) {
		t.Error("the payload arrived")
	}
	_ = fresh.Close()
}

func TestOddFramesArriveAsTheyWereGiven(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if err := o.SendRaw(`{`); err == nil {
		t.Error("sent to nobody")
	}
	l, _ := o.connect()
	if err := o.SendRaw(`{"type":"hello","surprise":[]}`); err != nil {
		t.Fatal(err)
	}
	if _, err := o.SendEnvelope("interactive", `{"view":{"state":{"values":[]}},"odd":}`); err != nil {
		t.Fatal(err)
	}
	if f := l.next(); f.Type != "hello" {
		t.Errorf("%+v", f)
	}
	if _, raw, err := l.ReadMessage(); err != nil || !strings.HasSuffix(string(raw), `"payload":{"view":{"state":{"values":[]}},"odd":}}`) {
		t.Errorf("%s %v", raw, err)
	}
}

func TestDefaultsAreFilledIn(t *testing.T) {
	t.Parallel()
	w, err := slacktest.New(slacktest.Config{Team: "T0MINE"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	c := w.Config()
	if c.Team != "T0MINE" || c.App != "A0TEST" || c.BotToken != "xoxb-test-bot" || c.Now == nil || c.Listener == nil || c.Command != "/tel" {
		t.Errorf("%+v", c)
	}
	if !strings.HasPrefix(w.APIURL(), "http://127.0.0.1:") || !strings.HasSuffix(w.APIURL(), "/api/") {
		t.Error(w.APIURL())
	}
}
