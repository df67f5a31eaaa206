package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"telgate/media/mediatest"
	"telgate/sip/siptest"
)

// atTheEnd is what is looked at of a call that has ended.
type atTheEnd struct {
	Event, Outcome, Detail, Alerting string
	Early                            string `json:"early_audio"`
	Diverted                         string `json:"diverted_to"`
	Talk                             int    `json:"talk_ms"`
}

func TestTonesOfTheNetworkBecomeTheOutcomeOfTheCall(t *testing.T) {
	t.Parallel()
	hum := func(s *site, r *siptest.Ring, sound []int16) {
		if err := r.Mouth().Say(s.ctx, sound); err != nil && r.Why() == "" {
			s.t.Error(err)
		}
	}
	say := func(s *site, r *siptest.Ring, tone mediatest.Cadence) { hum(s, r, tone.Play(15*time.Second, 0, -12)) }
	sit := func() []int16 { return mediatest.SITs(-12)["E.180"] }
	offHook := "answer_supervision = \"none\"\n"
	for _, c := range []struct {
		name, trunk string
		behave      func(*site, *siptest.Ring)
		want        atTheEnd
	}{
		{"a busy tone in 183", "", func(s *site, r *siptest.Ring) {
			if err := r.Early("183 Session Progress"); err != nil {
				s.t.Error(err)
			}
			say(s, r, mediatest.Busies()["JP"])
		}, atTheEnd{Outcome: "busy", Detail: "busy_tone", Alerting: "none", Early: "busy"}},
		{"ringback in 183", "", func(s *site, r *siptest.Ring) {
			if err := r.Early("183 Session Progress"); err != nil {
				s.t.Error(err)
			}
			say(s, r, mediatest.Ringbacks()["JP"])
		}, atTheEnd{Outcome: "no_answer", Detail: "ring_limit", Alerting: "inband", Early: "ringback"}},
		{"a special information tone in 183, and nothing more", "", func(s *site, r *siptest.Ring) {
			if err := r.Early("183 Session Progress"); err != nil {
				s.t.Error(err)
			}
			hum(s, r, sit())
		}, atTheEnd{Outcome: "unreachable", Detail: "sit", Alerting: "none", Early: "sit"}},
		{"a gateway off hook, and a special information tone", offHook, func(s *site, r *siptest.Ring) {
			if err := r.Answer(s.ctx); err != nil {
				s.t.Error(err)
			}
			hum(s, r, sit())
		}, atTheEnd{Outcome: "unreachable", Detail: "sit", Alerting: "none", Early: "sit"}},
		{"a gateway off hook, that hangs up", offHook, func(s *site, r *siptest.Ring) {
			if err := r.Answer(s.ctx); err != nil {
				s.t.Error(err)
			}
			r.Hangup()
		}, atTheEnd{Outcome: "unreachable", Detail: "no_alerting", Alerting: "none", Early: "none"}},
		{"a gateway off hook, and a congestion tone", offHook, func(s *site, r *siptest.Ring) {
			if err := r.Answer(s.ctx); err != nil {
				s.t.Error(err)
			}
			say(s, r, mediatest.Congestions()["US"])
		}, atTheEnd{Outcome: "unreachable", Detail: "congestion_tone", Alerting: "none", Early: "congestion"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.phone.Silence(func(string) bool { return true })
			s.behave = func(r *siptest.Ring) { c.behave(s, r) }
			s.file("config.toml", strings.Replace(mainTrunk, `setup = "2s"`, "setup = \"12s\"\nbusy_max = 0", 1)+c.trunk+"[people.alice]\nphones = [\"sip:7101@main\"]\n")
			var out, errs kept
			if status := run(s.ctx, strings.Fields("--json call --direct alice"), s.environment(&out, &errs, nil)); status != exitNotReached {
				t.Errorf("exit %d: %s", status, errs.bytes())
			}
			var end atTheEnd
			for line := range strings.Lines(string(out.bytes())) {
				var e atTheEnd
				if err := json.Unmarshal([]byte(line), &e); err == nil && e.Event == "call_ended" {
					end = e
				}
			}
			c.want.Event = "call_ended"
			if end != c.want {
				t.Errorf("it ended as %+v, want %+v", end, c.want)
			}
		})
	}
}
