package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telgate/web"
)

func TestTokensAreTriedBeforeTheOldOnesAreDropped(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	text := mainTrunk + alicesPhone + slackSocket
	s.file("config.toml", text)
	w := s.works()
	connected := func() {
		t.Helper()
		if err := s.workspace.Wait(s.ctx, func() bool { return s.workspace.Sockets() == 2 }); err != nil {
			t.Fatal(err)
		}
	}
	connected()
	s.vars["APP"] = "xapp-wrong"
	want := web.Reloaded{Changed: []string{}, Kept: []string{"slack.app_token: the new token was refused (invalid_auth): the old tokens stay"}}
	for range 2 { // named as long as it is so
		if diff := cmp.Diff(want, w.reloads(text)); diff != "" {
			t.Error(diff)
		}
	}
	s.vars["APP"], s.vars["BOT"] = "xapp-new", "xoxb-new"
	s.workspace.Rotate("xoxb-new", "xapp-new")
	want = web.Reloaded{Changed: []string{"slack.app_token", "slack.bot_token"}}
	if diff := cmp.Diff(want, w.reloads(text)); diff != "" {
		t.Error(diff)
	}
	connected()
	for _, refused := range s.workspace.Refused()[2:] {
		t.Errorf("with the new tokens %+v", refused)
	}
	if p := w.slack.Health().Problem; p != "" || !strings.HasPrefix(w.health(true).Parts["slack"], "connected") {
		t.Errorf("slack is %q", p)
	}
}
