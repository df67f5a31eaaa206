package voice

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
	"telgate/media"
	"telgate/sip"
)

// inform is a key in an INFO that was held until now.
func (s *stage) inform(digit byte, held time.Duration) {
	s.signal(sip.Digit{Digit: digit, At: time.Now().Add(-held)})
}

func TestAKeyInAnINFOCountsAsOneInRTPDoes(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration // since the recording began
		held  time.Duration
		early bool
	}{
		{"before any speech", 400 * time.Millisecond, 0, true},
		{"1.4 s into the speech", 1900 * time.Millisecond, 0, true},
		{"1.6 s into the speech", 2100 * time.Millisecond, 0, false},
		{"held since before", 2100 * time.Millisecond, 300 * time.Millisecond, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, nil)
			s.signal(answer()...)
			s.pass(startAfterACK)
			s.pass(c.after)
			s.inform('1', c.held)
			s.pass(time.Second)
			s.stop(&telgate.StopCause{Why: telgate.StopAsked})
			call, _ := s.hungUp(t, sip.EndedByLocalBye)
			if got := call.Outcome == telgate.OutcomeConfirmed; got == c.early || len(call.Keys) != 1 || call.Keys[0].Early != c.early || call.KeyHeard() == c.early || call.Keys[0].Via != "info" {
				t.Errorf("%s: %s, keys %v", c.name, call.Outcome, call.Keys)
			}
		})
	}
}

func TestAKeyThatComesTwoWaysIsOne(t *testing.T) {
	for _, c := range []struct {
		name string
		keys KeySource
		play func(*stage)
		want []string
	}{
		{"RTP first", KeysAuto, func(s *stage) {
			s.press('5')
			s.inform('5', 0)
			s.pass(5 * time.Second)
			s.inform('6', 0)
			s.press('7')
		}, []string{"5 rfc4733", "7 rfc4733"}},
		{"INFO first", KeysAuto, func(s *stage) { s.inform('5', 0); s.press('5'); s.pass(5 * time.Second); s.inform('6', 0) }, []string{"5 info", "6 info"}},
		{"RTP only", KeysRFC4733, func(s *stage) { s.inform('5', 0); s.press('6') }, []string{"6 rfc4733"}},
		{"INFO only", KeysInfo, func(s *stage) { s.press('5'); s.inform('6', 0) }, []string{"6 info"}},
		{"none while held", KeysAuto, func(s *stage) { s.hear(media.Held{On: true}); s.inform('1', 0) }, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := beginWith(t, c.keys, nil)
			s.signal(answer()...)
			s.pass(6 * time.Second)
			c.play(s)
			s.stop(&telgate.StopCause{Why: telgate.StopAsked})
			call, _ := s.hungUp(t, sip.EndedByLocalBye)
			var got []string
			for _, k := range call.Keys {
				got = append(got, k.Digit+" "+k.Via)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		})
	}
}

func TestAKeyInAnINFOThatIsOnItsWayBeatsAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, nil)
		s.signal(answer()...)
		s.pass(6 * time.Second)
		s.leg.events <- sip.Digit{Digit: '1', At: time.Now()}
		s.stop(&telgate.StopCause{Why: telgate.StopAsked})
		if call, _ := s.hungUp(t, sip.EndedByLocalBye); call.Outcome != telgate.OutcomeConfirmed {
			t.Errorf("%s", call.Outcome)
		}
	})
}

func TestAFurtherAnswerIsTakenAndABadOneEndsTheCall(t *testing.T) {
	for _, bad := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, nil)
			s.signal(answer()...)
			if string(s.invite.Fallback) != "narrow" {
				t.Errorf("fallback %q", s.invite.Fallback)
			}
			s.pass(3 * time.Second)
			if bad {
				s.session.reject = errors.New("no codec in common")
			}
			s.signal(sip.Reanswered{SDP: []byte("moved")})
			if !slices.Equal(s.session.answers, []string{"x", "moved"}) {
				t.Errorf("answers %v", s.session.answers)
			}
			if !bad {
				s.stop(&telgate.StopCause{Why: telgate.StopAsked})
			}
			call, how := s.hungUp(t, sip.EndedByLocalBye)
			if how.Reason != normalClearing || bad == (call.Outcome == telgate.OutcomeCancelled) || bad == (call.Signal.Err == "") {
				t.Errorf("%s, %q, BYE with %q", call.Outcome, call.Signal.Err, how.Reason)
			}
		})
	}
}

func TestACallWhoseDialogIsLostWasEndedByTheNetwork(t *testing.T) {
	for _, by := range []sip.EndedBy{sip.EndedByExpiry, sip.EndedByGone} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, nil)
			s.session.stats.Received = 100
			s.signal(answer()...)
			s.pass(6 * time.Second)
			s.leg.events <- sip.Ended{By: by, Status: 200}
			call := <-s.result
			s.session.timer0()
			if call.Outcome != telgate.OutcomeAnswered || call.Detail != telgate.DetailEndedByNetwork {
				t.Errorf("%s: %s/%s", by, call.Outcome, call.Detail)
			}
		})
	}
}

func TestACallThatWasHeldBeforeItsAnswerIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, nil)
		s.signal(sip.Progress{Status: 180})
		s.hear(media.Held{On: true}) // by an UPDATE
		s.signal(sip.Answered{SDP: []byte("x")})
		s.pass(5 * time.Second)
		if len(s.session.plays) != 0 {
			t.Error("something is said to the music")
		}
		s.hear(media.Held{On: false})
		if len(s.session.plays) != 1 {
			t.Error("the alert does not begin")
		}
		s.stop(&telgate.StopCause{Why: telgate.StopAsked})
		s.hungUp(t, sip.EndedByLocalBye)
	})
}
