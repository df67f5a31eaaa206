package slack_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telgate"
	"telgate/slack"
)

func TestWhoIsOnCallIsSaidWithItsEndAndTheAgeOfItsSources(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0GRACE", "C0OPS", "/tel oncall")
	for _, words := range []string{
		"*duty*: alice, until <!date^1795525200^", ", then bob", "*night*: :warning: nobody, until", "*office*: :warning: nobody; bob is called instead",
		"source of rotas.night read <!date^1795521600^", "groups.old was last read", "answers 502", "groups.gone was never read: cannot be asked",
	} {
		o.reads("U0GRACE", "C0OPS", words)
	}
	o.types("U0GRACE", "C0OPS", "/tel oncall alice")
	o.reads("U0GRACE", "C0OPS", "*alice* is no rota")
	o.types("U0GRACE", "C0OPS", "/tel list")
	o.reads("U0GRACE", "C0OPS", "*duty*: alice, until")
	o.types("U0GRACE", "C0OPS", "/tel status")
	o.reads("U0GRACE", "C0OPS", "nothing is being called.\n:warning: the source of groups.old was last read")
}

func TestSomebodyCoversForSomebodyAndGivesItBack(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0GRACE", "C0OPS", "/tel cover")
	o.reads("U0GRACE", "C0OPS", "Nobody covers for anybody")
	o.types("U0GRACE", "C0OPS", "/tel cover alice until 18:00")
	o.reads("U0GRACE", "C0OPS", "Agreed: grace covers for alice, <!date^1795521600^")
	o.types("U0GRACE", "C0OPS", "/tel oncall")
	o.reads("U0GRACE", "C0OPS", "◦ grace covers for alice")
	o.types("U0GRACE", "C0OPS", "/tel cover")
	o.reads("U0GRACE", "C0OPS", "Covers:\n• grace covers for alice")
	o.types("U0GRACE", "C0OPS", "/tel cover alice end")
	o.reads("U0GRACE", "C0OPS", "Over: alice has their turns back")
	o.types("U0GRACE", "C0OPS", "/tel cover alice by bob for 2h")
	o.reads("U0GRACE", "C0OPS", "Agreed: bob covers for alice")
	grace := telgate.Actor{ID: "U0GRACE", Name: "grace", Team: o.Config().Team, Channel: "C0OPS"}
	want := []telgate.CoverOrder{
		{Asker: grace, For: "alice", When: "until 18:00"}, {Asker: grace, For: "alice"}, {Asker: grace, For: "alice", By: "bob", When: "for 2h"},
	}
	if diff := cmp.Diff(want, o.pages.covering()); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}

func TestWhoMayCoverIsSaidByThePolicyThatCountsNow(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.slack.Allow(telgate.Policy{AllowUsers: []string{"U0EVE"}})
	o.types("U0GRACE", "C0OPS", "/tel cover alice until 18:00")
	o.reads("U0GRACE", "C0OPS", "You may not use telgate here")
	if all := o.pages.covering(); len(all) > 0 {
		t.Errorf("%+v", all)
	}
}

func TestACoverThatCannotBeIsExplained(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ language, zoe, when string }{
		{"en", "There is nothing to cover.", "Say how long."},
		{"ja", "交代を登録できません(There is nothing to cover.)", "時刻が読めません"},
	} {
		o := open(t, change{config: func(s *slack.Config) { s.Language = c.language }})
		o.types("U0GRACE", "C0OPS", "/tel cover zoe until 18:00")
		o.reads("U0GRACE", "C0OPS", c.zoe)
		o.types("U0GRACE", "C0OPS", "/tel cover alice")
		o.reads("U0GRACE", "C0OPS", c.when)
	}
}

func TestWhoMayNotPageMayNotCoverNorSeeWhoIsOnCall(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	for _, text := range []string{"/tel cover alice until 18:00", "/tel cover", "/tel oncall"} {
		o.types("U0GUEST", "C0OPS", text)
	}
	o.until("three refusals", func() (done bool) {
		n := 0
		for _, m := range o.Seen("U0GUEST", "C0OPS") {
			if strings.Contains(m.Text, "You may not use telgate here") {
				n++
			}
		}
		return n == 3
	})
	if len(o.pages.covering()) > 0 {
		t.Errorf("asked %v", o.pages.covering())
	}
}
