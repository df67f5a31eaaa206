package slack_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"telgate"
	"telgate/slack"
)

// counted is a feed that counts how often one page was read.
type counted struct {
	*paper
	reads atomic.Int32
}

func (c *counted) Page(ctx context.Context, id telgate.PageID) (*telgate.Page, error) {
	c.reads.Add(1)
	return c.paper.Page(ctx, id)
}

// Each read of another gateway's page is a question to the database.
func TestAPageThatIsTakenOnIsReadOnceAndOnceMoreToDrawItsCard(t *testing.T) {
	t.Parallel()
	for name, learn := range map[string]func(*office, *board){
		"it was told of":   func(o *office, _ *board) { o.pages.turn("p0", func(*telgate.Page) {}) },
		"nobody showed it": func(_ *office, b *board) { b.set(func() { b.behind = []telgate.PageID{"p0"} }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shelf := newBoard()
			first := open(t, change{shelf: shelf})
			first.stop()
			first.pages.accept(telgate.Asker{Actor: telgate.Actor{ID: "U0GRACE", Channel: "C0OPS"}})
			first.pages.quietly("p0", func(p *telgate.Page) { p.Accepted = time.Now().Add(-time.Minute) })
			feed := &counted{paper: first.pages}
			second := *first
			second.feed = feed
			second.run()
			learn(&second, shelf)
			second.card("C0OPS", "Accepted")
			defer second.stop() // then it looks once more
			if n := feed.reads.Load(); n != 2 {
				t.Errorf("read %d times, want once to take it on and once to draw it", n)
			}
		})
	}
}

var _ slack.Feed = (*counted)(nil)
