package slack_test

import (
	"strings"
	"testing"

	"telgate"
	"telgate/slack"
	"telgate/slack/slacktest"
)

func TestACommandBecomesOneCardThatIsEditedToTheEnd(t *testing.T) {
	for _, mode := range []string{slack.ModeSocket, slack.ModeHTTP} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			o := open(t, change{config: func(c *slack.Config) { c.Mode = mode }})
			o.types("U0GRACE", "C0OPS", "/tel alice db is down")
			first := o.card("C0OPS", "Accepted")
			o.pages.calls("p0", telgate.CallRinging)
			o.card("C0OPS", "Ringing")
			o.pages.calls("p0", telgate.CallAnswered)
			o.pages.turn("p0", func(p *telgate.Page) { confirmed(p, telgate.ViaKey) })
			last := o.card("C0OPS", "Confirmed")
			if last.TS != first.TS || len(o.Messages("C0OPS")) != 1 {
				t.Errorf("not one card: %s", o.plain("C0OPS"))
			}
			if r := o.pages.asked()[0]; r.Message != "db is down" || r.Asker.ID != "U0GRACE" || r.Asker.Channel != "C0OPS" || r.Key == "" {
				t.Errorf("asked %+v", r)
			}
		})
	}
}

func TestARepeatedDeliveryHasNoSecondEffect(t *testing.T) {
	for _, mode := range []string{slack.ModeSocket, slack.ModeHTTP} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			o := open(t, change{config: func(c *slack.Config) { c.Mode = mode }})
			o.types("U0GRACE", "C0OPS", "/tel alice")
			o.card("C0OPS", "Accepted")
			for range 3 {
				if err := o.Redeliver(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			o.types("U0GRACE", "C0OPS", "/tel who alice") // after it, whatever the repetitions did is done
			o.reads("U0GRACE", "C0OPS", "called in this order")
			if n := len(o.pages.asked()); n != 1 {
				t.Errorf("%d pages", n)
			}
		})
	}
}

func TestWhoMayNotIsToldSoAndNothingIsAsked(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.AddUser(slacktest.User{ID: "U0FAR", Name: "far", Team: "T0OTHER"})
	for _, c := range []struct{ user, channel, text, says string }{
		{"U0GRACE", "C0HALL", "/tel alice", "You may not"},
		{"U0GUEST", "C0OPS", "/tel alice", "You may not"},
		{"U0GUEST", "C0OPS", "/tel list", "You may not use telgate here"},
		{"U0GRACE", "C0OPS", "/tel nobody", `Nobody is called "nobody"`},
		{"U0GRACE", "C0OPS", "/tel mute", "Say who and until when"},
		{"U0GRACE", "C0OPS", "/tel pause", "has no kill switch"},
		{"U0GRACE", "C0OPS", "/tel who", "needs a name"},
		{"U0GRACE", "C0OPS", "/tel who nobody", `Nobody is called "nobody"`},
		{"U0GRACE", "C0OPS", "/tel stop", "Nothing to stop"},
	} {
		o.types(c.user, c.channel, c.text)
		o.reads(c.user, c.channel, c.says)
	}
	if len(o.pages.asked()) != 0 || len(o.Messages("C0OPS"))+len(o.Messages("C0HALL")) != 0 {
		t.Errorf("asked %v, seen by all: %s", o.pages.asked(), o.plain("C0OPS"))
	}
}

func TestAUserGroupAllowsItsMembersEverywhere(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0ALICE", "C0HALL", "/tel alice") // chat:write.public
	o.card("C0HALL", "Accepted")
}

func TestWithoutAWordFromSlackOnlyListedPeopleAreTrusted(t *testing.T) {
	t.Parallel()
	o := open(t, change{config: func(c *slack.Config) { c.Policy.AllowUsers = []string{"U0EVE"} }})
	o.Fail("users.info", 2, slacktest.HTTP500)
	o.types("U0GRACE", "C0OPS", "/tel alice")
	o.reads("U0GRACE", "C0OPS", "did not say whether you are a full member")
	o.types("U0EVE", "C0OPS", "/tel alice")
	o.card("C0OPS", "Accepted")
}

func TestQuestionsAreAnsweredToTheAskerAlone(t *testing.T) {
	t.Parallel()
	o := open(t, change{config: func(c *slack.Config) { c.Policy.SeeNumbers = []string{"U0EVE"} }})
	o.types("U0GRACE", "C0OPS", "/tel help")
	o.reads("U0GRACE", "C0OPS", "stop [WHO]")
	o.types("U0GRACE", "C0OPS", "/tel list")
	o.reads("U0GRACE", "C0OPS", "アリス")
	o.types("U0GRACE", "C0OPS", "/tel who alice")
	o.reads("U0GRACE", "C0OPS", "mobile")
	o.types("U0GRACE", "C0OPS", "/tel status")
	o.reads("U0GRACE", "C0OPS", "nothing is being called")
	o.types("U0EVE", "C0OPS", "/tel who alice")
	o.reads("U0EVE", "C0OPS", "+12025550123")
	for _, m := range o.Seen("U0GRACE", "C0OPS") {
		if m.Ephemeral == "" || strings.Contains(m.Text, "2025550123") {
			t.Errorf("seen: %+v", m)
		}
	}
}

func TestTestRingsTheAskersOwnPhone(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0ALICE", "C0OPS", "/tel test")
	o.card("C0OPS", "Accepted")
	if r := o.pages.asked()[0]; r.Who[0] != "<@U0ALICE>" {
		t.Errorf("asked for %v", r.Who)
	}
}

func TestStopEndsTheAskersOwnPageAndAsksWhereThereAreSeveral(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0GRACE", "C0OPS", "/tel alice")
	o.card("C0OPS", "Accepted")
	o.types("U0EVE", "C0OPS", "/tel stop")
	o.reads("U0EVE", "C0OPS", "Nothing to stop")
	o.types("U0EVE", "C0OPS", "/tel stop alice")
	o.reads("U0EVE", "C0OPS", "Not yours")
	o.types("U0GRACE", "C0OPS", "/tel new alice")
	o.until("two cards", func() bool { return len(o.Messages("C0OPS")) == 2 })
	o.types("U0GRACE", "C0OPS", "/tel stop")
	o.reads("U0GRACE", "C0OPS", "Say whose to stop")
	o.types("U0GRACE", "C0OPS", "/tel stop alice")
	o.until("both stopped", func() bool { return strings.Count(o.plain("C0OPS"), "Stopped") == 2 })
}

func TestJapaneseIsSpokenWhereTheGatewayDoes(t *testing.T) {
	t.Parallel()
	o := open(t, change{config: func(c *slack.Config) { c.Language = "ja" }})
	o.types("U0GRACE", "C0OPS", "/tel alice 障害")
	o.card("C0OPS", "まもなく発信します")
	o.types("U0GRACE", "C0OPS", "/tel dare")
	o.reads("U0GRACE", "C0OPS", "「dare」は登録されていません")
}

func TestWhoMayNotLookLearnsNoNamesFromStop(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0GRACE", "C0OPS", "/tel alice")
	o.card("C0OPS", "Accepted")
	for _, word := range []string{"alice", "nobody"} {
		o.types("U0GUEST", "C0OPS", "/tel stop "+word)
	}
	nothing := func() (n int) {
		for _, m := range o.Seen("U0GUEST", "C0OPS") {
			if strings.Contains(m.Text, "Nothing to stop") {
				n++
			}
		}
		return n
	}
	o.until("the same answer twice", func() bool { return nothing() == 2 })
	o.types("U0ALICE", "C0HALL", "/tel stop alice") // who is called may, wherever they are
	o.card("C0OPS", "Stopped")
}
