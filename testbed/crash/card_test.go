//go:build crash

package crash

import (
	"context"
	"slices"
	"testing"
	"time"

	"telgate/slack/slacktest"
)

// A gateway that dies between posting a card and writing down where it is leaves one that nobody knows of. The next one finds it
// where the bot may read the conversation; where it may not, it posts another one.
func TestAGatewayDiesAsItPostsACard(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		story string
		reads bool
	}{{"SQLite, one gateway: kill -9 as it posts a card, may read", true}, {"SQLite, one gateway: kill -9 as it posts a card, may not read", false}} {
		t.Run(c.story, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 30)
			if c.reads {
				w.office.SetScopes(append(slices.Clone(w.office.Config().Scopes), "channels:history")...)
			}
			g := w.newGateway(t)
			w.begin(t, g)
			for i := range amount("TELGATE_POSTS", 20) {
				w.posts(t, g, i)
			}
			if n := w.settles(t, c.story, 3*time.Minute).twice; c.reads && n > 0 {
				t.Errorf("%d pages have a second card", n)
			}
		})
	}
}

// posts has a gateway die when Slack has a new card and the gateway does not know it yet.
func (w *world) posts(t *testing.T, g *gateway, person int) {
	t.Helper()
	if !within(t, 10*time.Second, func() bool { return w.office.Sockets() == 2 }) {
		t.Fatalf("%d connections to Slack", w.office.Sockets())
	}
	w.office.Fail("chat.postMessage", 1, slacktest.HangAfter)
	before := len(w.office.Messages(channel(person)))
	w.office.ask(t.Context(), person)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := w.office.Wait(ctx, func() bool { return len(w.office.Messages(channel(person))) > before }); err != nil {
		t.Fatalf("no card: %v", err)
	}
	g.kill()
	g.start()
	if !g.ready(30 * time.Second) {
		t.Fatalf("%s does not come back", g.name)
	}
}
