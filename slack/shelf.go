package slack

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"telgate"
)

// ErrElsewhere is what [Shelf.Keep] says of a page that another gateway shows by now.
var ErrElsewhere = errors.New("another gateway shows this page")

// Shelf keeps what was posted, so that any gateway can go on with a card: at the next start, or where another one died.
type Shelf interface {
	// Show makes this gateway the one that shows a page, as long as it lives or until [Shelf.Keep] says that all is shown,
	// and gives the cards that the page has. False: another gateway shows it, and the cards are its own.
	Show(ctx context.Context, id telgate.PageID) (cards []Card, mine bool, err error)
	// Keep keeps how the cards of a page stand, and up to which version of the page all of them show it. Where this gateway is
	// not the one that shows it nothing is kept, and the error is [ErrElsewhere].
	Keep(ctx context.Context, id telgate.PageID, cards []Card, shown int) error
	// Behind are pages of which something is not shown yet and that no other gateway shows, the oldest first, at most so many.
	Behind(ctx context.Context, most int) ([]telgate.PageID, error)
}

// Card is what has to be known of one message that shows one page in one conversation.
type Card struct {
	Channel     string // where it was asked for
	User        string // who asked there
	ResponseURL string // "" where it is not known any more

	PostedIn, Timestamp string    // "" until posted
	Posting             time.Time // since when a post is under way of which nobody knows yet whether it worked; zero = none is
	Doubled             bool      // it was posted though an earlier post may have worked: a second one may stand there
	Direct              bool      // the bot cannot post in Channel: the card is in the DM with User
	Mute                bool      // neither there nor in the DM: what matters goes to ResponseURL
	Frozen              bool      // Slack does not let us edit it any more
	Reposted            bool      // somebody deleted it, and it was posted anew
	Mentioned           bool      // the bad end was told in its thread, or will be
	Owes                bool      // it was not told yet
	Told                bool      // a mute card's asker knows that there is no card
	Version             int       // of the page that it shows
}

// MemoryShelf is a Shelf that lasts as long as the process, which is the only gateway.
type MemoryShelf struct {
	mu    sync.Mutex
	cards map[telgate.PageID][]Card
	order []telgate.PageID // oldest first
}

// NewMemoryShelf returns an empty shelf.
func NewMemoryShelf() *MemoryShelf { return &MemoryShelf{cards: map[telgate.PageID][]Card{}} }

// Show gives the cards of a page.
func (m *MemoryShelf) Show(_ context.Context, id telgate.PageID) (cards []Card, mine bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.cards[id]), true, nil
}

// Keep keeps them; the oldest page's make room.
func (m *MemoryShelf) Keep(_ context.Context, id telgate.PageID, cards []Card, _ int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.cards[id]; !known {
		m.order = append(m.order, id)
	}
	m.cards[id] = slices.Clone(cards)
	if len(m.order) > cardsKept {
		delete(m.cards, m.order[0])
		m.order = m.order[1:]
	}
	return nil
}

// Behind is empty: nobody showed anything before this process.
func (*MemoryShelf) Behind(context.Context, int) ([]telgate.PageID, error) { return nil, nil }
