package slacktest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// respond posts JSON to a response_url and returns its status and words.
func (o *office) respond(url, body string) (int, string) {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	got := o.do(r)
	return got.Status, got.Raw
}

// commandURL lets ada type and returns the response_url of that.
func (o *office) commandURL(channel string) string {
	o.t.Helper()
	l, _ := o.connect()
	defer func() {
		_ = l.Close()
		o.wait(func() bool { return o.Sockets() == 0 })
	}()
	done := o.types("U0ADA", channel, "/tel bob")
	id, c := l.arrives()
	l.acknowledge(id, "")
	<-done
	return c.Response
}

func TestAResponseURLTakesFiveMessages(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	url := o.commandURL("C0OPS")
	for range 5 {
		if status, word := o.respond(url, `{"text":"hi"}`); status != http.StatusOK || word != "ok" {
			t.Fatalf("%d %q", status, word)
		}
	}
	if status, _ := o.respond(url, `{"text":"hi"}`); status != http.StatusNotFound || len(o.Seen("U0ADA", "C0OPS")) != 5 {
		t.Errorf("status %d", status)
	}
	if got := o.Refused(); len(got) != 1 || got[0].Error != "used_url" {
		t.Errorf("%+v", got)
	}
}

func TestAResponseURLLastsThirtyMinutes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	url := o.commandURL("C0OPS")
	o.clock.forward(30*time.Minute - time.Second)
	if status, _ := o.respond(url, `{"text":"hi"}`); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	o.clock.forward(time.Second)
	if status, word := o.respond(url, `{"text":"hi"}`); status != http.StatusNotFound || word != "expired_url" {
		t.Errorf("%d %q", status, word)
	}
	if status, _ := o.respond(url+"0", `{"text":"hi"}`); status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
}

func TestAResponseURLWorksWhereTheBotIsNoMember(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, channel := range []string{"G0BOARD", "D0PAIR"} {
		url := o.commandURL(channel)
		o.respond(url, `{"text":"only for ada"}`)
		if m := o.only(channel); m.Ephemeral != "U0ADA" || m.Via != "response_url" || len(o.Messages(channel)) != 0 {
			t.Errorf("%+v", m)
		}
		o.respond(url, `{"text":"for all","response_type":"in_channel"}`)
		all := o.Messages(channel)
		if len(all) != 1 || all[0].Text != "for all" {
			t.Fatalf("%+v", all)
		}
		o.want(o.ask("chat.update", "channel", channel, "ts", all[0].TS, "text", "x"), "channel_not_found")
	}
}

func TestTheURLOfACommandReplacesNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	url := o.commandURL("C0OPS")
	o.respond(url, `{"text":"one"}`)
	o.respond(url, `{"text":"two","replace_original":true}`)
	o.respond(url, `{"delete_original":true}`)
	if seen := o.Seen("U0ADA", "C0OPS"); len(seen) != 2 || seen[0].Text != "one" || seen[0].Edits != 0 || seen[1].Text != "two" {
		t.Errorf("%+v", seen)
	}
}

func TestTheURLOfAButtonReplacesItsMessageEvenAnEphemeralOne(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	o.want(o.ask("chat.postEphemeral", "channel", "C0OPS", "user", "U0ADA", "text", "x", "blocks", stopBlocks), "")
	c := o.clicked(l, "U0ADA", "C0OPS", o.only("C0OPS").TS, "next")
	if status, word := o.respond(c.Response, `{"text":"done","replace_original":true,"response_type":"in_channel"}`); word != "ok" {
		t.Fatalf("%d %q", status, word)
	}
	if m := o.only("C0OPS"); m.Text != "done" || m.Blocks != nil || m.Edits != 1 || m.Ephemeral != "U0ADA" {
		t.Errorf("%+v", m)
	}
	o.respond(c.Response, `{"delete_original":true}`)
	if seen := o.Seen("U0ADA", "C0OPS"); len(seen) != 0 {
		t.Errorf("%+v", seen)
	}
	if status, word := o.respond(c.Response, `{"text":"again","replace_original":true}`); status != http.StatusNotFound {
		t.Errorf("%d %q", status, word)
	}
}

func TestAResponseIsCheckedLikeAMessage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	url := o.commandURL("C0OPS")
	for body, want := range map[string]string{
		`{}`: "no_text",
		`{"text":"x","blocks":[{"type":"section"}]}`:   "invalid_blocks",
		`{"text":"x","thread_ts":"1.000001"}`:          "invalid_thread_ts",
		`{"text":`:                                     "invalid_payload",
		`{"text":"` + strings.Repeat("x", 4001) + `"}`: "msg_too_long",
	} {
		if status, word := o.respond(url, body); status != http.StatusBadRequest || word != want {
			t.Errorf("%s: %d %q", body[:min(len(body), 40)], status, word)
		}
	}
	if len(o.Seen("U0ADA", "C0OPS")) != 0 {
		t.Error("something was shown")
	}
}
