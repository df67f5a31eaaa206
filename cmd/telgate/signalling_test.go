package main

import (
	"strings"
	"testing"

	"telgate/sip/siptest"
	"telgate/slack/slacktest"
)

func TestWhoCallsAndWhomIsCheckedAndShown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+`caller_id = "reception"
caller_id_format = "e164"
from_user = "account"
caller_prefix = "186"
uri = "tel"
dial_prefix = "9"
headers = { "Via" = "SIP/2.0/UDP evil", "X-Account" = "1234", "x-account" = "5678" }
[trunks.second]
addresses = ["192.0.2.2"]
caller_id = "+12025550100"
caller_id_format = "national"
country = "JP"
identity = "pai"
from_user = "a;b"
display_name = 'Ops\'
`+alice)
	s.telgate("check")
	japan := `number_format = "national"
country = "JP"
international_prefix = "010"
caller_id = "+81312345678"
[limits]
prefixes_allowed = ["+81", "+1"]
[people.alice]
phones = ["+819012345678", "+12025550123", "sip:7101@main"]
`
	s.file("config.toml", mainTrunk+"caller_prefix = \"186\"\ncaller_id_format = \"national\"\nuser_phone = true\ndial_prefix = \"0\"\n"+japan)
	s.telgate("check --show-numbers")
	s.file("config.toml", mainTrunk+"uri = \"tel\"\ndomain = \"example.jp\"\nidentity = \"pai\"\nuser = \"account\"\nprivacy = \"id\"\n"+japan)
	s.telgate("check --show-numbers")
	s.telgate("check --strict")
	s.golden("identity")
}

func TestARedirectIsFollowedOnceToANumberThatMayBeDialled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	next := map[string]string{"7101": "+12025550189", "7102": "911", "7103": "7104", "7104": "7105"}
	s.behave = func(r *siptest.Ring) {
		if to := next[r.User()]; to != "" {
			r.Redirect("302 Moved Temporarily", to)
			return
		}
		r.Decline()
	}
	people := alice + bob + "[people.carol]\nphones = [\"sip:7103@main\"]\n"
	limits := "[limits]\nprefixes_allowed = [\"+1\"]\n"
	s.file("config.toml", strings.Replace(mainTrunk, `ring = "2s"`, `ring = "10s"`, 1)+"redirect = \"same_trunk\"\n"+limits+people+slackSocket)
	for _, who := range []string{"alice", "bob", "carol"} {
		s.telgate("call " + who)
	}
	s.serves(func() { s.types("/tel alice db is down", failure) })
	s.file("config.toml", mainTrunk+limits+people)
	s.telgate("call alice")
	s.golden("redirect")
}

func TestWhoMissedACallAndRingsBackIsOnTheCard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.behave = func(r *siptest.Ring) {
		r.CallBack()
		r.CallBack()
		r.Decline()
	}
	s.file("config.toml", mainTrunk+alice+slackSocket)
	s.serves(func() {
		s.types("/tel alice db is down", func(m slacktest.Message) bool {
			text := framed(m)
			return strings.Contains(text, "Nobody was reached") && strings.Contains(text, "called back at")
		})
	})
	s.says("Alice called back at HH:MM:SS UTC (this confirms nothing)")
}

func TestAPageThatWaitsForALineSaysSoOnItsCard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rings := make(chan *siptest.Ring, 2)
	s.behave = func(r *siptest.Ring) { rings <- r }
	s.file("config.toml", strings.NewReplacer(`ring = "2s"`, `ring = "30s"`, "rounds = 1", "rounds = 3").Replace(mainTrunk)+"max_calls = 1\n"+alice+bob+slackSocket)
	s.serves(func() {
		if _, err := s.workspace.Type(s.ctx, demoAsker, demoChannel, "/tel alice db is down"); err != nil {
			t.Fatal(err)
		}
		first := next(s, rings)
		s.types("/tel bob web is down", func(m slacktest.Message) bool { return strings.Contains(framed(m), "Waiting for a line") })
		first.Decline()
		second := next(s, rings) // in the next round, where this machine is very slow
		if second.User() != "7102" {
			t.Errorf("%s rings", second.User())
		}
		second.Decline()
	})
	s.says("trunk main is full, at most until HH:MM:SS UTC")
}

// next is the next call to ring.
func next(s *site, rings <-chan *siptest.Ring) *siptest.Ring {
	s.t.Helper()
	select {
	case r := <-rings:
		return r
	case <-s.ctx.Done():
		s.t.Fatal("no phone rings")
		return nil
	}
}
