package slack_test

import (
	"slices"
	"strings"
	"testing"

	"telgate"
	"telgate/slack/slacktest"
)

func TestWhereTheBotCannotPostTheCardGoesToTheAskersDM(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0GRACE", "G0SECRET", "/tel alice")
	o.reads("U0GRACE", "G0SECRET", "shown in your direct messages")
	dm := o.DM("U0GRACE")
	card := o.card(dm, "Accepted")
	o.pages.ends("p0", telgate.Cancelled)
	if last := o.card(dm, "Stopped"); last.TS != card.TS {
		t.Error("not an edit of the same card")
	}
}

func TestWhereEvenTheDMIsClosedTheAskerGetsLines(t *testing.T) {
	t.Parallel()
	o := open(t, change{workspace: slacktest.Config{Scopes: []string{"commands", "chat:write", "users:read"}}})
	o.types("U0GRACE", "G0SECRET", "/tel alice")
	o.reads("U0GRACE", "G0SECRET", "Calling Alice: accepted")
	o.pages.ends("p0", telgate.NotReached)
	o.reads("U0GRACE", "G0SECRET", "nobody was reached")
}

func TestOnlyABadEndNotifiesWhoAsked(t *testing.T) {
	t.Parallel()
	for result, want := range map[telgate.Result]int{telgate.NotReached: 1, telgate.Failed: 1, telgate.Cancelled: 0, telgate.Confirmed: 0} {
		t.Run(string(result), func(t *testing.T) {
			t.Parallel()
			o := open(t, change{})
			o.types("U0GRACE", "C0OPS", "/tel alice")
			o.card("C0OPS", "Accepted")
			o.pages.ends("p0", result)
			o.card("C0OPS", "[Call again]")
			o.stop()
			replies := 0
			for _, m := range o.Messages("C0OPS") {
				if m.ThreadTS != "" && slices.Contains(m.Mentions, "U0GRACE") {
					replies++
				}
			}
			if replies != want {
				t.Errorf("%d replies, want %d: %s", replies, want, o.plain("C0OPS"))
			}
		})
	}
}

func TestButtonsDoWhatTheySayForThoseWhoMay(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0GRACE", "C0OPS", "/tel alice db")
	card := o.card("C0OPS", "Accepted")
	if err := o.Click(t.Context(), "U0EVE", "C0OPS", card.TS, "telgate.confirm", false); err != nil {
		t.Fatal(err)
	}
	o.reads("U0EVE", "C0OPS", "Only who is called may")
	if err := o.Click(t.Context(), "U0ALICE", "C0OPS", card.TS, "telgate.confirm", false); err != nil {
		t.Fatal(err)
	}
	card = o.card("C0OPS", "Alice in Slack")
	if err := o.Click(t.Context(), "U0GRACE", "C0OPS", card.TS, "telgate.again", false); err != nil {
		t.Fatal(err)
	}
	o.card("C0OPS", "Accepted")
	o.pages.calls("p1", telgate.CallRinging)
	again := o.card("C0OPS", "Ringing")
	if err := o.Click(t.Context(), "U0EVE", "C0OPS", again.TS, "telgate.next", false); err != nil {
		t.Fatal(err)
	}
	o.reads("U0EVE", "C0OPS", "Not yours.")
	if err := o.Click(t.Context(), "U0GRACE", "C0OPS", again.TS, "telgate.next", false); err != nil {
		t.Fatal(err)
	}
	o.card("C0OPS", "round 1 of 9")
	if r := o.pages.asked()[1]; r.Message != "db" || r.Who[0] != "alice" || again.TS == card.TS {
		t.Errorf("asked again %+v", r)
	}
	if err := o.Click(t.Context(), "U0GRACE", "C0OPS", again.TS, "telgate.hangup", false); err != slacktest.ErrNotConfirmed { //nolint:errorlint // the stand-in's own
		t.Errorf("hung up without being asked: %v", err)
	}
	if err := o.Click(t.Context(), "U0GRACE", "C0OPS", again.TS, "telgate.hangup", true); err != nil {
		t.Fatal(err)
	}
	o.card("C0OPS", "Stopped")
}

func TestACardThatSlackRefusesForAWhileShowsTheNewestStateInTheEnd(t *testing.T) {
	t.Parallel()
	for _, fault := range []slacktest.Fault{slacktest.RateLimited, slacktest.HTTP500, slacktest.HTTP503, slacktest.ErrorCode("fatal_error")} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			o := open(t, change{})
			o.types("U0GRACE", "C0OPS", "/tel alice")
			o.card("C0OPS", "Accepted")
			o.Fail("chat.update", 1, fault)
			o.pages.calls("p0", telgate.CallRinging)
			o.until("the update failed", func() bool { return o.Calls("chat.update") == 1 })
			o.pages.calls("p0", telgate.CallAnswered)
			o.card("C0OPS", "Answered, not confirmed yet")
			if m := o.Messages("C0OPS")[0]; m.Edits != 1 {
				t.Errorf("%d edits: the state in between was shown too late", m.Edits)
			}
		})
	}
}

func TestADeletedCardComesBackOnce(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0GRACE", "C0OPS", "/tel alice")
	first := o.card("C0OPS", "Accepted")
	o.Remove("C0OPS", first.TS)
	o.pages.calls("p0", telgate.CallRinging)
	second := o.card("C0OPS", "Ringing")
	o.Remove("C0OPS", second.TS)
	o.pages.calls("p0", telgate.CallAnswered)
	o.until("the update found nothing", func() bool { return o.Calls("chat.update") == 2 })
	o.pages.ends("p0", telgate.Cancelled)
	o.card("C0OPS", "Stopped")
	if strings.Contains(o.plain("C0OPS"), "Answered") {
		t.Error("a card that was deleted twice came back before its end")
	}
}

func TestACardThatCannotBeEditedShowsTheEndOnceMore(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.Fail("chat.postMessage", 1, slacktest.OKWithoutTS)
	o.types("U0GRACE", "C0OPS", "/tel alice")
	o.card("C0OPS", "Accepted")
	o.pages.calls("p0", telgate.CallRinging)
	o.pages.ends("p0", telgate.Cancelled)
	o.card("C0OPS", "Stopped")
	if n := len(o.Messages("C0OPS")); n != 2 {
		t.Errorf("%d messages: %s", n, o.plain("C0OPS"))
	}
}

func TestSlackNeverHasToRefuseForWeSendTooMuch(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	for range 3 {
		o.types("U0GRACE", "C0OPS", "/tel new alice")
	}
	o.until("three cards", func() bool { return len(o.Messages("C0OPS")) == 3 })
	for range 40 {
		for _, id := range []telgate.PageID{"p0", "p1", "p2"} {
			o.pages.calls(id, telgate.CallRinging)
			o.pages.calls(id, telgate.CallAnswered)
		}
	}
	for _, id := range []telgate.PageID{"p0", "p1", "p2"} {
		o.pages.ends(id, telgate.Cancelled)
	}
	o.until("every end", func() bool { return strings.Count(o.plain("C0OPS"), "Stopped") == 3 })
	for _, r := range o.Refused() {
		t.Errorf("refused: %+v", r)
	}
}

func TestTheLastStateIsShownBeforeTheGatewayStops(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0GRACE", "C0OPS", "/tel alice")
	o.card("C0OPS", "Accepted")
	o.slack.Refuse()
	if answer, err := o.Type(t.Context(), "U0GRACE", "C0OPS", "/tel alice"); err != nil || !strings.Contains(answer, "NOT accepted") {
		t.Errorf("a stopping gateway says %q, %v", answer, err)
	}
	o.pages.ends("p0", telgate.Cancelled)
	o.stop()
	if !strings.Contains(o.plain("C0OPS"), "Stopped") {
		t.Error("the end is not on the card")
	}
}

func TestManyBadEndsAtOnceAreToldAsFastAsSlackAllowsAndNoFaster(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	for range 4 {
		o.types("U0GRACE", "C0OPS", "/tel new alice")
	}
	o.until("four cards", func() bool { return len(o.Messages("C0OPS")) == 4 })
	for _, id := range []telgate.PageID{"p0", "p1", "p2", "p3"} {
		o.pages.ends(id, telgate.NotReached)
	}
	o.until("four replies", func() bool { return len(o.Messages("C0OPS")) == 8 })
	for _, r := range o.Refused() {
		t.Errorf("refused: %+v", r)
	}
}

func TestWhoIsCalledMayConfirmWhateverSlackSaysOfThem(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0GRACE", "C0OPS", "/tel alice")
	card := o.card("C0OPS", "Accepted")
	o.Fail("users.info", 10, slacktest.HTTP500)
	if err := o.Click(t.Context(), "U0EVE", "C0OPS", card.TS, "telgate.hangup", true); err != nil {
		t.Fatal(err)
	}
	o.reads("U0EVE", "C0OPS", "Not yours to stop")
	if err := o.Click(t.Context(), "U0ALICE", "C0OPS", card.TS, "telgate.confirm", false); err != nil {
		t.Fatal(err)
	}
	o.card("C0OPS", "Alice in Slack")
}
