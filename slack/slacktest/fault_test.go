package slacktest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"telgate/slack/slacktest"
)

func TestPlannedFaultsComeInOrderAndOnlyForTheirMethod(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.Fail("chat.postMessage", 1, slacktest.HTTP500)
	o.Fail("chat.postMessage", 2, slacktest.ErrorCode("is_archived"))
	o.want(o.ask("auth.test"), "")
	if r := o.ask("chat.postMessage", "channel", "C0OPS", "text", "x"); r.Status != 500 || !strings.Contains(r.Raw, "<html>") {
		t.Errorf("%+v", r)
	}
	for range 2 {
		o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "x"), "is_archived")
	}
	o.post("C0OPS", "x")
	if n := o.Calls("chat.postMessage"); n != 4 || len(o.Messages("C0OPS")) != 1 {
		t.Errorf("%d calls, %+v", n, o.Messages("C0OPS"))
	}
}

func TestFaultsOfHTTP(t *testing.T) {
	t.Parallel()
	for fault, want := range map[slacktest.Fault]struct {
		status int
		retry  string
	}{
		slacktest.HTTP503: {503, ""}, slacktest.RateLimited: {429, "1"}, slacktest.RateLimitedBare: {429, ""},
	} {
		o := newOffice(t)
		o.Fail("chat.postMessage", 1, fault)
		r := o.ask("chat.postMessage", "channel", "C0OPS", "text", "x")
		if r.Status != want.status || r.Header.Get("Retry-After") != want.retry || len(o.Messages("C0OPS")) != 0 {
			t.Errorf("%s: %d %v", fault, r.Status, r.Header)
		}
	}
}

func TestFaultsAfterTheMessageIsPosted(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.Fail("chat.postMessage", 1, slacktest.OKWithoutTS)
	o.Fail("chat.postMessage", 1, slacktest.ResetAfter)
	if r := o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "one"), ""); r.TS != "" {
		t.Errorf("%+v", r)
	}
	if r := o.ask("chat.postMessage", "channel", "C0OPS", "text", "two"); !strings.HasPrefix(r.Error, "transport") {
		t.Errorf("%+v", r)
	}
	if all := o.Messages("C0OPS"); len(all) != 2 {
		t.Errorf("%+v", all)
	}
}

func TestAHangingRequestEndsWithItsClientOrTheWorkspace(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.Fail("auth.test", 2, slacktest.Hang)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan reply, 2)
	ask := func(ctx context.Context) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, o.APIURL()+"auth.test", nil)
		if err != nil {
			ended <- reply{Error: err.Error()}
			return
		}
		ended <- o.do(r)
	}
	go ask(ctx)
	o.wait(func() bool { return o.Calls("auth.test") == 1 })
	cancel()
	<-ended
	go ask(context.WithoutCancel(ctx))
	o.wait(func() bool { return o.Calls("auth.test") == 2 })
	o.Close()
	if r := <-ended; r.OK {
		t.Errorf("%+v", r)
	}
}

func TestAResponseURLFailsToo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	url := o.commandURL("C0OPS")
	o.Fail("response_url", 1, slacktest.HTTP500)
	if status, _ := o.respond(url, `{"text":"x"}`); status != 500 || len(o.Seen("U0ADA", "C0OPS")) != 0 {
		t.Errorf("status %d", status)
	}
	if status, _ := o.respond(url, `{"text":"x"}`); status != 200 || o.Calls("response_url") != 2 {
		t.Errorf("status %d", status)
	}
}
