package slacktest_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestEachMethodTakesItsOwnKindOfToken(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, c := range []struct{ token, method, want string }{
		{"xoxb-test-bot", "auth.test", ""},
		{"xapp-test-app", "auth.test", "not_allowed_token_type"},
		{"xapp-test-app", "chat.postMessage", "not_allowed_token_type"},
		{"xoxb-test-bot", "apps.connections.open", "not_allowed_token_type"},
		{"xapp-test-app", "apps.connections.open", ""},
		{"xoxb-stolen", "auth.test", "invalid_auth"},
		{"", "auth.test", "not_authed"},
		{"xoxb-test-bot", "chat.shout", "unknown_method"},
	} {
		o.want(o.askAs(c.token, c.method), c.want)
	}
}

func TestATokenInTheFormDoesForTheBotButNotForSockets(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.want(o.askAs("", "auth.test", "token", "xoxb-test-bot"), "")
	o.want(o.askAs("", "apps.connections.open", "token", "xapp-test-app"), "not_authed")
}

func TestAMissingScopeIsNamed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.SetScopes("commands", "users:read")
	for method, scope := range map[string]string{
		"chat.postMessage": "chat:write", "chat.update": "chat:write", "chat.postEphemeral": "chat:write",
		"chat.delete": "chat:write", "conversations.open": "im:write", "usergroups.list": "usergroups:read",
		"usergroups.users.list": "usergroups:read",
	} {
		r := o.want(o.ask(method), "missing_scope")
		if r.Needed != scope || r.Provided != "commands,users:read" {
			t.Errorf("%s: needed %q, provided %q", method, r.Needed, r.Provided)
		}
	}
	o.want(o.ask("conversations.info", "channel", "C0OPS"), "missing_scope")
}

func TestTheHeaderTellsTheScopes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if got := o.ask("auth.test").Header.Get("x-oauth-scopes"); !strings.Contains(got, "chat:write.public") {
		t.Errorf("scopes %q", got)
	}
	o.SetScopes("commands")
	if got := o.ask("chat.postMessage").Header.Get("x-oauth-scopes"); got != "commands" {
		t.Errorf("scopes %q", got)
	}
}

func TestArgumentsComeAsFormAsJSONOrInTheQuery(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	request := func(method, path, kind, body string) reply {
		r, err := http.NewRequestWithContext(t.Context(), method, o.APIURL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer xoxb-test-bot")
		r.Header.Set("Content-Type", kind)
		return o.do(r)
	}
	said := `{"channel":"C0OPS","text":"hi","blocks":[{"type":"divider"}],"unfurl_links":false}`
	ts := o.want(request("POST", "chat.postMessage", "application/json; charset=utf-8", said), "").TS
	if got := o.only("C0OPS"); got.Text != "hi" || got.Plain() != "---" {
		t.Errorf("%+v", got)
	}
	o.want(request("GET", "chat.getPermalink?channel=C0OPS&message_ts="+ts, "application/x-www-form-urlencoded", ""), "")
	o.want(request("POST", "chat.postMessage", "application/json", `{"channel":`), "invalid_json")
	o.want(request("POST", "chat.postMessage", "text/plain", said), "invalid_post_type")
}
