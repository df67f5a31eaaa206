package slack_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"telgate"
	"telgate/slack"
	"telgate/slack/slacktest"
)

func TestTokensThatSlackDoesNotTakeLeaveTheOldOnes(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	old := slack.Tokens{Bot: o.cfg.BotToken, App: o.cfg.AppToken, SigningSecret: o.cfg.SigningSecret}
	opened := o.Calls("apps.connections.open")
	for path, tokens := range map[string]slack.Tokens{
		"slack.bot_token": {Bot: "xoxb-wrong", App: old.App},
		"slack.app_token": {Bot: old.Bot, App: "xapp-wrong"},
	} {
		fault, ok := errors.AsType[telgate.Fault](o.slack.Renew(t.Context(), tokens))
		if !ok || fault.Path != path || fault.Message != "the new token was refused (invalid_auth)" {
			t.Errorf("%s: %+v", path, fault)
		}
	}
	o.Fail("auth.test", 1, slacktest.ResetAfter)
	if err := o.slack.Renew(t.Context(), slack.Tokens{Bot: "xoxb-2", App: old.App}); err == nil || !strings.Contains(err.Error(), "could not be asked") {
		t.Error(err)
	}
	if err := o.slack.Renew(t.Context(), old); err != nil || o.Calls("apps.connections.open") != opened+1 {
		t.Errorf("tokens that are the same: %v, %d connections were asked for", err, o.Calls("apps.connections.open")-opened)
	}
	o.types("U0GRACE", "C0OPS", "/tel alice")
	o.card("C0OPS", "Accepted")
}

func TestNewTokensReplaceOneConnectionAfterTheOther(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	opened := o.Calls("apps.connections.open")
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	alone, watched := false, make(chan struct{})
	go func() {
		defer close(watched)
		_ = o.Wait(ctx, func() bool {
			alone = alone || o.Sockets() == 0
			return ctx.Err() != nil
		})
	}()
	o.Rotate("xoxb-new", "xapp-new")
	if err := o.slack.Renew(t.Context(), slack.Tokens{Bot: "xoxb-new", App: "xapp-new"}); err != nil {
		t.Fatal(err)
	}
	if n := o.Calls("apps.connections.open") - opened; n != 3 { // one to try, and two
		t.Errorf("%d connections were asked for", n)
	}
	o.until("two sockets", func() bool { return o.Sockets() == 2 })
	o.types("U0GRACE", "C0OPS", "/tel alice")
	o.card("C0OPS", "Accepted")
	stop()
	if <-watched; alone {
		t.Error("no connection was open meanwhile")
	}
}

func TestATokenThatIsRefusedForGoodIsReplacedWithoutWaiting(t *testing.T) {
	t.Parallel()
	o := open(t, change{alone: true, config: func(c *slack.Config) { c.AppToken = "xapp-old" }})
	o.until("refused", func() bool { return len(o.Refused()) >= 2 })
	if err := o.slack.Renew(t.Context(), slack.Tokens{Bot: o.cfg.BotToken, App: o.Config().AppToken}); err != nil {
		t.Fatal(err)
	}
	o.until("two sockets", func() bool { return o.Sockets() == 2 }) // which has less patience than a refused connection rests
}

func TestANewSigningSecretCountsAtOnce(t *testing.T) {
	t.Parallel()
	o := open(t, change{config: func(c *slack.Config) { c.Mode = slack.ModeHTTP }})
	if err := o.slack.Renew(t.Context(), slack.Tokens{Bot: o.cfg.BotToken, SigningSecret: "other"}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Type(t.Context(), "U0GRACE", "C0OPS", "/tel alice"); err == nil || !strings.Contains(err.Error(), http.StatusText(http.StatusUnauthorized)) && !strings.Contains(err.Error(), "401") {
		t.Errorf("a request with the old signature: %v", err)
	}
}
