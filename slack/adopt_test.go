package slack_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"telgate"
	"telgate/slack"
)

// board is a shelf that the test looks at and spoils.
type board struct {
	*slack.MemoryShelf
	mu     sync.Mutex
	theirs bool // another gateway shows everything
	broken int  // so many times Keep fails
	behind []telgate.PageID
	stays  []telgate.PageID // behind, whatever was kept
	shown  map[telgate.PageID]int
}

func newBoard() *board {
	return &board{MemoryShelf: slack.NewMemoryShelf(), shown: map[telgate.PageID]int{}}
}

func (b *board) Show(ctx context.Context, id telgate.PageID) ([]slack.Card, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.theirs {
		return nil, false, nil
	}
	return b.MemoryShelf.Show(ctx, id)
}

func (b *board) Keep(ctx context.Context, id telgate.PageID, cards []slack.Card, shown int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken > 0 {
		b.broken--
		return errors.New("the database is down")
	}
	b.shown[id] = shown
	b.behind = slices.DeleteFunc(b.behind, func(x telgate.PageID) bool { return x == id })
	return b.MemoryShelf.Keep(ctx, id, cards, shown)
}

func (b *board) Behind(context.Context, int) ([]telgate.PageID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Concat(b.behind, b.stays), nil
}

func (b *board) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func TestAGatewayThatComesLaterGoesOnWithTheCardOfTheOneBefore(t *testing.T) {
	t.Parallel()
	shelf := newBoard()
	first := open(t, change{shelf: shelf})
	first.types("U0GRACE", "C0OPS", "/tel alice")
	card := first.card("C0OPS", "Accepted")
	first.stop()
	shelf.set(func() { shelf.behind = []telgate.PageID{"p0"} })
	first.pages.ends("p0", telgate.NotReached)
	second := first.next()
	if last := second.card("C0OPS", "[Call again]"); last.TS != card.TS {
		t.Errorf("another card: %s", second.plain("C0OPS"))
	}
	second.until("the asker is told in the thread", func() bool { return len(second.Messages("C0OPS")) == 2 })
	second.pages.turn("p0", func(p *telgate.Page) { confirmed(p, telgate.ViaSlack); p.Late = true })
	if last := second.card("C0OPS", "Confirmed late"); last.TS != card.TS {
		t.Errorf("another card: %s", second.plain("C0OPS"))
	}
	second.stop()
	if page, _ := second.pages.Page(t.Context(), "p0"); shelf.shown["p0"] != page.Version || len(shelf.behind) != 0 {
		t.Errorf("the shelf says that version %d is shown, behind is %v", shelf.shown["p0"], shelf.behind)
	}
}

func TestAPageWithoutACardGetsOneWhereItWasAskedFor(t *testing.T) {
	t.Parallel()
	shelf := newBoard()
	first := open(t, change{shelf: shelf})
	first.stop()
	first.pages.accept(telgate.Asker{Actor: telgate.Actor{ID: "U0GRACE", Channel: "C0OPS"}}, telgate.Asker{Actor: telgate.Actor{ID: "U0ALICE", Channel: "C0HALL"}})
	first.pages.accept(telgate.Asker{Actor: telgate.Actor{ID: "local:root"}})
	shelf.behind = []telgate.PageID{"p0", "p1"}
	second := first.next()
	second.card("C0OPS", "Accepted")
	second.card("C0HALL", "Accepted")
	second.until("the page of the command line counts as shown", func() bool {
		shelf.mu.Lock()
		defer shelf.mu.Unlock()
		return shelf.shown["p1"] == 1
	})
}

func TestWhatAnotherGatewayShowsIsLeftToIt(t *testing.T) {
	t.Parallel()
	shelf := newBoard()
	shelf.theirs = true
	o := open(t, change{shelf: shelf})
	o.pages.accept(telgate.Asker{Actor: telgate.Actor{ID: "U0GRACE", Channel: "C0OPS"}})
	o.pages.turn("p0", func(*telgate.Page) {})
	o.types("U0GRACE", "C0HALL", "/tel help") // answered after the change was told
	o.stop()
	if seen := o.plain("C0OPS"); seen != "" {
		t.Errorf("shown all the same: %s", seen)
	}
}

func TestAPageThatAnotherGatewayRunsIsShownThoughNobodyTellsOfIt(t *testing.T) {
	t.Parallel()
	shelf := newBoard()
	o := open(t, change{shelf: shelf})
	o.types("U0GRACE", "C0OPS", "/tel alice")
	o.card("C0OPS", "Accepted")
	o.pages.quietly("p0", func(p *telgate.Page) { p.State, p.Result, p.Ended = telgate.PageEnded, telgate.NotReached, time.Now() })
	shelf.set(func() { shelf.stays = []telgate.PageID{"p0"} })
	o.card("C0OPS", "[Call again]")
}

func TestACardThatCouldNotBeKeptIsKeptLater(t *testing.T) {
	t.Parallel()
	shelf := newBoard()
	shelf.broken = 2
	o := open(t, change{shelf: shelf})
	o.types("U0GRACE", "C0OPS", "/tel alice")
	o.card("C0OPS", "Accepted")
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	for {
		if cards, _, _ := shelf.MemoryShelf.Show(ctx, "p0"); len(cards) == 1 && cards[0].Timestamp != "" {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("never kept")
		case <-time.NewTimer(50 * time.Millisecond).C:
		}
	}
}
