package slacktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"telgate/slack/slacktest"
)

// commandJSON is what tests look at in a payload.
type commandJSON struct {
	Team        string `json:"team_id"`
	Channel     string `json:"channel_id"`
	ChannelName string `json:"channel_name"`
	User        string `json:"user_id"`
	Command     string `json:"command"`
	Text        string `json:"text"`
	Trigger     string `json:"trigger_id"`
	Response    string `json:"response_url"`
	App         string `json:"api_app_id"`
}

// arrives reads the next command.
func (l *link) arrives() (id string, c commandJSON) {
	l.t.Helper()
	f := l.next()
	if f.Type != "slash_commands" {
		l.t.Fatalf("%+v", f)
	}
	if err := json.Unmarshal(f.Payload, &c); err != nil {
		l.t.Fatal(err)
	}
	return f.ID, c
}

func TestACommandCarriesWhoWhereAndWhatAndShowsTheAnswer(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	done := o.types("U0ADA", "C0OPS", "/tel bob  db is down")
	id, c := l.arrives()
	if c.Team != "T0TEST" || c.App != "A0TEST" || c.Channel != "C0OPS" || c.ChannelName != "ops" || c.User != "U0ADA" ||
		c.Command != "/tel" || c.Text != "bob  db is down" || c.Trigger == "" || c.Response == "" {
		t.Errorf("%+v", c)
	}
	l.acknowledge(id, `{"text":"NOT accepted"}`)
	if got := <-done; got.err != nil || got.answer != "NOT accepted" {
		t.Errorf("%+v", got)
	}
	if m := o.only("C0OPS"); m.Ephemeral != "U0ADA" || m.Via != "ack" || m.Text != "NOT accepted" {
		t.Errorf("%+v", m)
	}
}

func TestAnEmptyAckShowsNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	for _, body := range []string{"", "null", "{}"} {
		done := o.types("U0ADA", "C0OPS", "/tel bob")
		id, _ := l.arrives()
		l.acknowledge(id, body)
		if got := <-done; got.err != nil || got.answer != "" || len(o.Seen("U0ADA", "C0OPS")) != 0 {
			t.Errorf("%q: %+v", body, got)
		}
	}
}

func TestAnAnswerInChannelAlsoShowsTheCommandToAll(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	done := o.types("U0ADA", "C0OPS", "/tel bob")
	id, _ := l.arrives()
	l.acknowledge(id, `{"response_type":"in_channel","text":"calling"}`)
	<-done
	all := o.Messages("C0OPS")
	if len(all) != 2 || all[0].Text != "/tel bob" || all[0].User != "U0ADA" || all[1].Text != "calling" {
		t.Errorf("%+v", all)
	}
}

func TestALateAckIsATimeoutForItsUser(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	done := o.types("U0ADA", "C0OPS", "/tel bob")
	id, _ := l.arrives()
	if got := <-done; !errors.Is(got.err, slacktest.ErrTimeout) {
		t.Fatalf("%+v", got)
	}
	l.acknowledge(id, `{"text":"late"}`)
	l.fence()
	if m := o.only("C0OPS"); m.Text != `/tel failed with the error "operation_timeout"` || m.Ephemeral != "U0ADA" {
		t.Errorf("%+v", m)
	}
	if o.Acked(id) {
		t.Error("late, but counted")
	}
}

func TestACommandFailsInSightWhereNoConnectionIs(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if _, err := o.Type(t.Context(), "U0ADA", "C0OPS", "/tel bob"); !errors.Is(err, slacktest.ErrDispatch) {
		t.Error(err)
	}
	if m := o.only("C0OPS"); m.Text != `/tel failed with the error "dispatch_failed"` {
		t.Errorf("%+v", m)
	}
}

func TestOnlyTheRegisteredCommandOfKnownPeopleIsSent(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, c := range []struct {
		user, channel, text string
		want                error
	}{
		{"U0ADA", "C0OPS", "/phone bob", slacktest.ErrNoCommand},
		{"U0ADA", "C0OPS", "tel bob", slacktest.ErrNoCommand},
		{"U0NONE", "C0OPS", "/tel bob", slacktest.ErrUnknown},
		{"U0ADA", "C0NONE", "/tel bob", slacktest.ErrUnknown},
	} {
		if _, err := o.Type(t.Context(), c.user, c.channel, c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}

func TestTextIsEscapedUnlessTheAppDidNotAskForIt(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"@bob db":                  "<@U0BOB|bob> db",
		"@ghost db":                "@ghost db",
		"@db now":                  "<!subteam^S0DB|@db> now",
		"<@U0BOB> hi":              "<@U0BOB> hi",
		"bob a < b & c":            "bob a &lt; b &amp; c",
		"bob see #ops and #board":  "bob see <#C0OPS|ops> and <#G0BOARD|>",
		"bob https://x.invalid/?a": "bob <https://x.invalid/?a>",
		"@bob. Ask @ada-":          "<@U0BOB|bob>. Ask <@U0ADA|ada>-",
		"@bob,@ada: help":          "<@U0BOB|bob>,<@U0ADA|ada>: help",
	} {
		for _, plain := range []bool{false, true} {
			o := newOffice(t, func(c *slacktest.Config) { c.Unescaped = plain })
			l, _ := o.connect()
			done := o.types("U0ADA", "C0OPS", "/tel "+typed)
			id, c := l.arrives()
			l.acknowledge(id, "")
			<-done
			if plain && c.Text != typed || !plain && c.Text != want {
				t.Errorf("%q became %q", typed, c.Text)
			}
		}
	}
}

func TestPlacesThatTheBotMayNotSeeHaveNoName(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	for channel, want := range map[string]string{"G0BOARD": "privategroup", "D0PAIR": "directmessage", "C0HALL": "hall"} {
		done := o.types("U0ADA", channel, "/tel bob")
		id, c := l.arrives()
		l.acknowledge(id, "")
		<-done
		if c.ChannelName != want {
			t.Errorf("%s is called %q", channel, c.ChannelName)
		}
	}
}

func TestARedeliveryIsTheSameEnvelope(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if err := o.Redeliver(t.Context()); !errors.Is(err, slacktest.ErrUnknown) {
		t.Error(err)
	}
	l, _ := o.connect()
	done := o.types("U0ADA", "C0OPS", "/tel bob")
	id, first := l.arrives()
	l.acknowledge(id, "")
	<-done
	again := make(chan error, 1)
	go func() { again <- o.Redeliver(context.WithoutCancel(t.Context())) }()
	id2, second := l.arrives()
	l.acknowledge(id2, "")
	if err := <-again; err != nil || id2 != id || second != first || o.NewestEnvelope() != id {
		t.Errorf("%v: %s %+v, then %s %+v", err, id, first, id2, second)
	}
}

func TestAnAckWithBlocksThatSlackRefusesFails(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	done := o.types("U0ADA", "C0OPS", "/tel bob")
	id, _ := l.arrives()
	l.acknowledge(id, `{"text":"x","blocks":[{"type":"section"}]}`)
	if got := <-done; !errors.Is(got.err, slacktest.ErrDispatch) {
		t.Errorf("%+v", got)
	}
}
