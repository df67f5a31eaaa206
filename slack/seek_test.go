package slack_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"telgate"
	"telgate/slack"
	"telgate/slack/slacktest"
)

// mortal is a board whose gateway dies between posting a card and keeping where it is: after so many times nothing is kept.
type mortal struct {
	*board
	left int
}

func (m *mortal) Keep(ctx context.Context, id telgate.PageID, cards []slack.Card, shown int) error {
	m.mu.Lock()
	alive := m.left > 0
	m.left--
	m.mu.Unlock()
	if !alive {
		return errors.New("dead")
	}
	return m.board.Keep(ctx, id, cards, shown)
}

func historian() slacktest.Config {
	return slacktest.Config{Scopes: []string{"commands", "chat:write", "chat:write.public", "im:write", "users:read", "usergroups:read", "channels:history", "im:history"}}
}

// dies is an office whose gateway died as it had just posted a card, and the shelf that it left.
func dies(t *testing.T, c slacktest.Config) (*office, *mortal) {
	t.Helper()
	shelf := &mortal{board: newBoard(), left: 1}
	first := open(t, change{shelf: shelf, workspace: c})
	first.types("U0GRACE", "C0OPS", "/tel alice")
	first.card("C0OPS", "Accepted")
	first.stop()
	shelf.set(func() { shelf.left, shelf.behind = 1000, []telgate.PageID{"p0"} })
	return first, shelf
}

func TestACardThatWasPostedAndNotKeptIsFoundWhereTheBotMayRead(t *testing.T) {
	t.Parallel()
	first, _ := dies(t, historian())
	card := first.card("C0OPS", "Accepted")
	first.pages.ends("p0", telgate.Cancelled)
	second := first.next()
	if last := second.card("C0OPS", "Stopped"); last.TS != card.TS || len(second.Messages("C0OPS")) != 1 {
		t.Errorf("another card: %s", second.plain("C0OPS"))
	}
	if strings.Contains(second.plain("C0OPS"), "Posted again") {
		t.Errorf("it is doubted: %s", second.plain("C0OPS"))
	}
	for _, r := range second.Refused() {
		t.Errorf("refused: %+v", r)
	}
}

func TestWhereTheBotMayNotReadASecondCardSaysThatItCountsAndTheFirstOnePointsToItWhenClicked(t *testing.T) {
	t.Parallel()
	first, _ := dies(t, slacktest.Config{})
	card := first.card("C0OPS", "Accepted")
	second := first.next()
	second.until("a second card", func() bool { return len(second.Messages("C0OPS")) == 2 })
	newer := second.card("C0OPS", "this one counts")
	if n := second.Calls("conversations.history"); n != 1 {
		t.Errorf("asked %d times", n)
	}
	second.pages.calls("p0", telgate.CallRinging)
	second.card("C0OPS", "Ringing")
	if err := second.Click(t.Context(), "U0GRACE", "C0OPS", card.TS, "telgate.hangup", true); err != nil {
		t.Fatal(err)
	}
	old := second.card("C0OPS", "out of date")
	if old.TS != card.TS || !strings.Contains(old.Text, strings.ReplaceAll(newer.TS, ".", "")) || len(old.Buttons()) != 0 {
		t.Errorf("it points nowhere: %+v", old)
	}
	if last := second.card("C0OPS", "Stopped"); last.TS != newer.TS {
		t.Error("the click was not carried out on the card that counts")
	}
}

func TestAConversationThatTheBotMayNotReadIsAskedForOnce(t *testing.T) {
	t.Parallel()
	first, shelf := dies(t, slacktest.Config{})
	shelf.set(func() { shelf.behind = []telgate.PageID{"p0", "p1"} })
	first.pages.accept(telgate.Asker{Actor: telgate.Actor{ID: "U0GRACE", Channel: "C0OPS"}})
	if err := shelf.MemoryShelf.Keep(t.Context(), "p1", []slack.Card{{Channel: "C0OPS", User: "U0GRACE", Posting: noon()}}, 0); err != nil {
		t.Fatal(err)
	}
	second := first.next()
	second.until("both have a card", func() bool { return len(second.Messages("C0OPS")) == 3 })
	if n := second.Calls("conversations.history"); n < 1 || n > 2 { // both may be under way at once
		t.Errorf("asked %d times", n)
	}
}

func TestOfSeveralCardsThatAreFoundTheOldestCountsAndTheOthersPointToIt(t *testing.T) {
	t.Parallel()
	first, shelf := dies(t, slacktest.Config{})
	shelf.set(func() { shelf.left = 1 })
	second := first.next()
	second.until("a second card", func() bool { return len(second.Messages("C0OPS")) == 2 })
	second.stop()
	shelf.set(func() { shelf.left, shelf.behind = 1000, []telgate.PageID{"p0"} })
	second.SetScopes(historian().Scopes...)
	third := second.next()
	third.pages.ends("p0", telgate.Cancelled)
	third.card("C0OPS", "out of date")
	third.card("C0OPS", "Stopped")
	if all := third.Messages("C0OPS"); len(all) != 2 || !strings.Contains(all[0].Plain(), "Stopped") || !strings.Contains(all[1].Plain(), "out of date") {
		t.Errorf("%s", third.plain("C0OPS"))
	}
}

func TestACardInDirectMessagesIsFoundToo(t *testing.T) {
	t.Parallel()
	shelf := &mortal{board: newBoard(), left: 2} // it is announced for the channel, and then for the direct messages
	first := open(t, change{shelf: shelf, workspace: historian()})
	first.types("U0GRACE", "G0SECRET", "/tel alice")
	first.reads("U0GRACE", "G0SECRET", "shown in your direct messages")
	dm := first.DM("U0GRACE")
	card := first.card(dm, "Accepted")
	first.stop()
	shelf.set(func() { shelf.left, shelf.behind = 1000, []telgate.PageID{"p0"} })
	first.pages.ends("p0", telgate.Cancelled)
	second := first.next()
	if last := second.card(dm, "Stopped"); last.TS != card.TS || len(second.Messages(dm)) != 1 {
		t.Errorf("another card: %s", second.plain(dm))
	}
}

func TestAPostWhoseAnswerWasLostIsFoundInsteadOfBeingPostedAgain(t *testing.T) {
	t.Parallel()
	o := open(t, change{workspace: historian()})
	o.Fail("chat.postMessage", 1, slacktest.ResetAfter)
	o.types("U0GRACE", "C0OPS", "/tel alice")
	card := o.card("C0OPS", "Accepted")
	o.pages.ends("p0", telgate.Cancelled)
	if last := o.card("C0OPS", "Stopped"); last.TS != card.TS || len(o.Messages("C0OPS")) != 1 {
		t.Errorf("another card: %s", o.plain("C0OPS"))
	}
}

func TestASearchThatFailsIsTriedAFewTimes(t *testing.T) {
	t.Parallel()
	for fault, found := range map[slacktest.Fault]bool{slacktest.HTTP500: true, slacktest.RateLimited: true, slacktest.RateLimitedBare: false} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			first, _ := dies(t, historian())
			first.Fail("conversations.history", 1, fault)
			first.pages.ends("p0", telgate.Cancelled)
			second := first.next()
			second.card("C0OPS", "Stopped")
			if n := len(second.Messages("C0OPS")); (n == 1) != found {
				t.Errorf("%d cards: %s", n, second.plain("C0OPS"))
			}
		})
	}
}

// rival is a board on which another gateway comes to show everything, with a card of its own.
type rival struct {
	*board
	other slack.Card
}

func (r *rival) taken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.theirs
}

func (r *rival) Show(ctx context.Context, id telgate.PageID) ([]slack.Card, bool, error) {
	if r.taken() {
		return []slack.Card{r.other}, false, nil
	}
	return r.board.Show(ctx, id)
}

func (r *rival) Keep(ctx context.Context, id telgate.PageID, cards []slack.Card, shown int) error {
	if r.taken() {
		return slack.ErrElsewhere
	}
	return r.board.Keep(ctx, id, cards, shown)
}

func TestAGatewayThatWasTakenForDeadLeavesThePageAndItsOwnCardPointsToTheOther(t *testing.T) {
	t.Parallel()
	shelf := &rival{board: newBoard()}
	o := open(t, change{shelf: shelf})
	o.types("U0GRACE", "C0OPS", "/tel alice")
	card := o.card("C0OPS", "Accepted")
	other := o.Say("U0EVE", "C0OPS", "the other's card")
	shelf.set(func() {
		shelf.theirs, shelf.other = true, slack.Card{Channel: "C0OPS", User: "U0GRACE", PostedIn: "C0OPS", Timestamp: other}
	})
	o.pages.ends("p0", telgate.Cancelled)
	if m := o.card("C0OPS", "out of date"); m.TS != card.TS || !strings.Contains(m.Text, strings.ReplaceAll(other, ".", "")) {
		t.Errorf("%+v", m)
	}
}

func TestAGatewayThatWasTakenForDeadPostsNothing(t *testing.T) {
	t.Parallel()
	shelf := &rival{board: newBoard()}
	o := open(t, change{shelf: shelf})
	o.Fail("chat.postMessage", 1, slacktest.HTTP503)
	o.types("U0GRACE", "C0OPS", "/tel alice")
	o.until("the first try", func() bool { return o.Calls("chat.postMessage") == 1 })
	shelf.set(func() { shelf.theirs, shelf.other = true, slack.Card{Channel: "C0OPS", User: "U0GRACE"} })
	o.pages.ends("p0", telgate.Cancelled)
	o.types("U0GRACE", "C0HALL", "/tel help")
	o.stop()
	if n := o.Calls("chat.postMessage"); n != 1 {
		t.Errorf("posted %d times: %s", n, o.plain("C0OPS"))
	}
}

func TestTwoCardsOfAPageInOneDirectConversationAreNoStrays(t *testing.T) {
	t.Parallel()
	o := open(t, change{config: func(c *slack.Config) { c.Policy.AllowUsers = []string{"U0GRACE"} }})
	o.AddChannel(slacktest.Channel{ID: "G0OTHER", Name: "other", Private: true})
	o.types("U0GRACE", "G0SECRET", "/tel alice")
	o.reads("U0GRACE", "G0SECRET", "shown in your direct messages")
	o.pages.turn("p0", func(p *telgate.Page) {
		p.Askers = append(p.Askers, telgate.Asker{Actor: telgate.Actor{ID: "U0GRACE", Channel: "G0OTHER"}})
	})
	dm := o.DM("U0GRACE")
	o.until("two cards", func() bool { return len(o.Messages(dm)) == 2 })
	for _, m := range o.Messages(dm) {
		if err := o.Click(t.Context(), "U0GRACE", dm, m.TS, "telgate.confirm", false); err != nil {
			t.Fatal(err)
		}
	}
	o.until("both clicks are answered", func() bool {
		n := 0
		for _, m := range o.Seen("U0GRACE", dm) {
			n += strings.Count(m.Text, "Only who is called may")
		}
		return n == 2
	})
	if strings.Contains(o.plain(dm), "out of date") {
		t.Errorf("a card was taken for a stray: %s", o.plain(dm))
	}
}

func TestAStrayOfAPageThatIsOverPointsToItsCardToo(t *testing.T) {
	t.Parallel()
	first, shelf := dies(t, slacktest.Config{})
	stray := first.card("C0OPS", "Accepted")
	first.pages.ends("p0", telgate.Cancelled)
	second := first.next()
	second.card("C0OPS", "Stopped")
	second.stop() // all is shown, and nobody's any more
	second.until("its sockets are closed", func() bool { return second.Sockets() == 0 })
	third := second.next()
	third.until("two sockets", func() bool { return third.Sockets() == 2 })
	if err := third.Click(t.Context(), "U0EVE", "C0OPS", stray.TS, "telgate.confirm", false); err != nil {
		t.Fatal(err)
	}
	if m := third.card("C0OPS", "out of date"); m.TS != stray.TS {
		t.Errorf("the wrong one: %s", third.plain("C0OPS"))
	}
	third.stop()
	shelf.mu.Lock()
	defer shelf.mu.Unlock()
	if len(shelf.behind) != 0 {
		t.Errorf("behind: %v", shelf.behind)
	}
}
