package store_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"telgate"
	"telgate/lease"
	"telgate/pager"
	"telgate/slack"
	"telgate/store"
	"telgate/store/pgtest"
)

var _ slack.Shelf = store.Cards{}

func TestCardsOutliveTheirGateway(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { s := open(t, file(t)); cardsOutlive(t, s, s) })
	t.Run("PostgreSQL", func(t *testing.T) {
		url := pgtest.Start(t).Database(t)
		cardsOutlive(t, open(t, url), open(t, url))
	})
}

// gate enters a gateway and gives its cards.
func gate(t *testing.T, s *store.Store, id string) store.Cards {
	t.Helper()
	if err := s.Gateways().Enter(t.Context(), lease.Self{ID: id, Name: id}); err != nil {
		t.Fatal(err)
	}
	return s.Cards(func() string { return id })
}

// shows asks to show the page, and wants these cards and this answer.
func shows(t *testing.T, c store.Cards, mine bool, want ...slack.Card) {
	t.Helper()
	got, ok, err := c.Show(t.Context(), "p1")
	if err != nil || ok != mine || !reflect.DeepEqual(got, want) {
		t.Errorf("mine %v, cards %+v, %v; want %v, %+v", ok, got, err, mine, want)
	}
}

func behind(t *testing.T, c store.Cards, want ...telgate.PageID) {
	t.Helper()
	if got, err := c.Behind(t.Context(), 10); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("behind are %v, %v; want %v", got, err, want)
	}
}

func cardsOutlive(t *testing.T, first, second *store.Store) {
	t.Helper()
	a, b := gate(t, first, "a"), gate(t, second, "b")
	page := telgate.Page{
		ID: "p1", Version: 1, State: telgate.PageAccepted, Askers: []telgate.Asker{{Actor: telgate.Actor{ID: "U1", Channel: "C1"}}},
		Targets: []telgate.Target{{Nick: "alice"}},
	}
	hold := pager.Hold{Page: "p1", Gateway: "a", Token: 1}
	if _, err := first.Accept(t.Context(), &pager.Acceptance{Hold: hold, Page: page}); err != nil {
		t.Fatal(err)
	}
	behind(t, b, "p1") // nobody has taken it on yet
	shows(t, a, true)
	shows(t, a, true)
	shows(t, b, false)
	behind(t, b)
	behind(t, a, "p1") // whoever shows it may not have been told
	card := slack.Card{
		Channel: "C1", User: "U1", ResponseURL: "https://hooks.slack.com/x", PostedIn: "D1", Timestamp: "1.2",
		Posting: time.Date(2026, 3, 1, 3, 0, 0, 5000, time.UTC), Doubled: true, Direct: true, Mute: true, Frozen: true,
		Reposted: true, Mentioned: true, Owes: true, Told: true, Version: 1,
	}
	keep := func(c store.Cards, shown int) {
		t.Helper()
		card.Version = shown
		if err := c.Keep(t.Context(), "p1", []slack.Card{card, {Channel: "C2", User: "U2", Version: shown}}, shown); err != nil {
			t.Error(err)
		}
	}
	keep(a, 1)
	if err := first.Gateways().Leave(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	behind(t, b, "p1") // that it has no owner is news too
	records, err := second.Claim(t.Context(), "b", 10)
	if err != nil || len(records) != 1 {
		t.Fatalf("claimed %v, %v", records, err)
	}
	page.Version, page.State, page.Result = 5, telgate.PageEnded, telgate.Cancelled
	if err := second.Save(t.Context(), &pager.Change{Hold: records[0].Hold, Page: page}); err != nil {
		t.Fatal(err)
	}
	behind(t, b, "p1")
	shows(t, b, true, card, slack.Card{Channel: "C2", User: "U2", Version: 1})
	card.Version = 9
	if err := a.Keep(t.Context(), "p1", []slack.Card{card}, 9); !errors.Is(err, slack.ErrElsewhere) {
		t.Errorf("whoever does not show a page any more is told %v", err)
	}
	card.Version = 1
	shows(t, a, false, card, slack.Card{Channel: "C2", User: "U2", Version: 1}) // b's
	keep(b, 4)
	behind(t, b, "p1")
	behind(t, gate(t, first, "c")) // b is at it
	keep(b, 5)
	late := page
	late.Version, late.Result = 6, telgate.Confirmed
	if err := second.Amend(t.Context(), &late, 5); err != nil {
		t.Fatal(err)
	}
	behind(t, b, "p1") // nobody's, since it had ended and was shown
	if err := b.Keep(t.Context(), "p1", nil, 6); !errors.Is(err, slack.ErrElsewhere) {
		t.Errorf("nobody shows it, and yet: %v", err)
	}
	if _, mine, err := b.Show(t.Context(), "p1"); !mine || err != nil {
		t.Error(mine, err)
	}
	if err := b.Keep(t.Context(), "p1", nil, 6); err != nil {
		t.Error(err)
	}
	behind(t, b)
	if _, mine, err := b.Show(t.Context(), "nobody"); mine || err != nil {
		t.Errorf("a page that is not there is shown: %v", err)
	}
	if err := b.Keep(t.Context(), "nobody", []slack.Card{{Channel: "C1"}}, 1); err != nil {
		t.Error(err)
	}
}
