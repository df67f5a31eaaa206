package slacktest_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"telgate/slack/slacktest"
)

const stopBlocks = `[{"type":"actions","block_id":"b7","elements":[
	{"type":"button","action_id":"stop","value":"p1.3","text":{"type":"plain_text","text":"Hang up"},
	 "confirm":{"title":{"type":"plain_text","text":"Sure?"},"text":{"type":"plain_text","text":"Really?"},
	  "confirm":{"type":"plain_text","text":"Yes"},"deny":{"type":"plain_text","text":"No"}}},
	{"type":"button","action_id":"next","text":{"type":"plain_text","text":"Next"}}]}]`

// clickJSON is what tests look at in a payload.
type clickJSON struct {
	Type string `json:"type"`
	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	User struct {
		ID     string `json:"id"`
		TeamID string `json:"team_id"`
	} `json:"user"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	Container struct {
		Type      string `json:"type"`
		TS        string `json:"message_ts"`
		Channel   string `json:"channel_id"`
		Thread    string `json:"thread_ts"`
		Ephemeral bool   `json:"is_ephemeral"`
	} `json:"container"`
	Message json.RawMessage `json:"message"`
	Actions []struct {
		ID    string `json:"action_id"`
		Block string `json:"block_id"`
		Value string `json:"value"`
		TS    string `json:"action_ts"`
	} `json:"actions"`
	Response string `json:"response_url"`
	Trigger  string `json:"trigger_id"`
}

// clicked lets a click arrive and acknowledges it.
func (o *office) clicked(l *link, user, channel, ts, action string) clickJSON {
	o.t.Helper()
	done := make(chan error, 1)
	go func() { done <- o.Click(o.t.Context(), user, channel, ts, action, true) }()
	f := l.next()
	l.acknowledge(f.ID, "")
	var c clickJSON
	if err := json.Unmarshal(f.Payload, &c); err != nil || f.Type != "interactive" || c.Type != "block_actions" {
		o.t.Fatalf("%v: %+v", err, f)
	}
	if err := <-done; err != nil {
		o.t.Fatal(err)
	}
	return c
}

func TestAClickTellsWhoPressedWhatOnWhichMessage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.AddUser(slacktest.User{ID: "U0EVE", Name: "eve", Team: "T0OTHER"})
	l, _ := o.connect()
	ts := o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "x", "blocks", stopBlocks), "").TS
	c := o.clicked(l, "U0EVE", "C0OPS", ts, "stop")
	if c.Team.ID != "T0TEST" || c.User.ID != "U0EVE" || c.User.TeamID != "T0OTHER" || c.Channel.ID != "C0OPS" ||
		c.Container.TS != ts || c.Container.Channel != "C0OPS" || c.Container.Ephemeral || c.Message == nil || c.Trigger == "" {
		t.Errorf("%+v", c)
	}
	if a := c.Actions[0]; a.ID != "stop" || a.Block != "b7" || a.Value != "p1.3" || a.TS == "" {
		t.Errorf("%+v", a)
	}
	if again := o.clicked(l, "U0EVE", "C0OPS", ts, "stop"); again.Actions[0].TS == c.Actions[0].TS {
		t.Error("two clicks with one action_ts")
	}
}

func TestAButtonThatAsksFirstNeedsAnAnswer(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ts := o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "x", "blocks", stopBlocks), "").TS
	if err := o.Click(t.Context(), "U0ADA", "C0OPS", ts, "stop", false); !errors.Is(err, slacktest.ErrNotConfirmed) {
		t.Error(err)
	}
	if err := o.Click(t.Context(), "U0ADA", "C0OPS", ts, "stop", true); !errors.Is(err, slacktest.ErrDispatch) {
		t.Error(err)
	}
	if err := o.Click(t.Context(), "U0ADA", "C0OPS", ts, "dance", true); !errors.Is(err, slacktest.ErrNoButton) {
		t.Error(err)
	}
	o.want(o.ask("chat.update", "channel", "C0OPS", "ts", ts, "text", "done"), "")
	if err := o.Click(t.Context(), "U0ADA", "C0OPS", ts, "stop", true); !errors.Is(err, slacktest.ErrNoButton) {
		t.Error(err)
	}
}

func TestOnlyItsReaderPressesAButtonOfAnEphemeralMessage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	o.want(o.ask("chat.postEphemeral", "channel", "C0OPS", "user", "U0ADA", "text", "x", "blocks", stopBlocks), "")
	ts := o.only("C0OPS").TS
	if err := o.Click(t.Context(), "U0BOB", "C0OPS", ts, "next", true); !errors.Is(err, slacktest.ErrNoButton) {
		t.Error(err)
	}
	if c := o.clicked(l, "U0ADA", "C0OPS", ts, "next"); !c.Container.Ephemeral || c.Message != nil {
		t.Errorf("%+v", c)
	}
}

func TestAClickInsideAnAttachmentSaysSo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	ts := o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "x", "attachments", `[{"color":"#f00","blocks":`+stopBlocks+`}]`), "").TS
	if c := o.clicked(l, "U0ADA", "C0OPS", ts, "next"); c.Container.Type != "message_attachment" || c.Container.TS != ts {
		t.Errorf("%+v", c)
	}
}

func TestAClickThatIsNotAcknowledgedTimesOut(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	ts := o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "x", "blocks", stopBlocks), "").TS
	begun := time.Now()
	if err := o.Click(t.Context(), "U0ADA", "C0OPS", ts, "next", true); !errors.Is(err, slacktest.ErrTimeout) {
		t.Error(err)
	}
	if took := time.Since(begun); took < 2900*time.Millisecond {
		t.Errorf("gave up after %v", took)
	}
	l.next()
}
