package voice

import (
	"testing"
	"testing/synctest"
	"time"

	"telgate"
	"telgate/media"
	"telgate/sip"
)

func early183() sip.Event { return sip.Progress{Status: 183, SDP: []byte("x")} }

// tone is heard now; it began ago.
func (s *stage) tone(kind media.ToneKind, ago time.Duration) {
	s.hear(media.Tone{Kind: kind, At: time.Now().Add(-ago)})
}

func (s *stage) toneOver(kind media.ToneKind) {
	s.hear(media.Tone{Kind: kind, At: time.Now(), Over: true})
}

// act is what happens before the answer, as lines of a play.
type act func(*stage)

func after(d time.Duration) act { return func(s *stage) { s.pass(d) } }

func says(e ...sip.Event) act { return func(s *stage) { s.signal(e...) } }

func sounds(kind media.ToneKind, ago time.Duration) act {
	return func(s *stage) { s.tone(kind, ago) }
}

func stops(kind media.ToneKind) act { return func(s *stage) { s.toneOver(kind) } }

func ends(e sip.Ended) act { return func(s *stage) { s.signal(e) } }

// scene is a play and what telgate must make of it.
type scene struct {
	name     string
	acts     []act
	hungUp   time.Duration // after the INVITE, 0 = the peer ends it
	outcome  telgate.Outcome
	detail   telgate.Detail
	alerting telgate.Alerting
	early    telgate.EarlyAudio
	reason   string // of our CANCEL or BYE
}

func (c scene) play(t *testing.T, line Line, change func(*Config, *telgate.Order)) telgate.Call {
	t.Helper()
	var call telgate.Call
	synctest.Test(t, func(t *testing.T) {
		s := beginOn(t, line, change)
		began := time.Now()
		for _, a := range c.acts {
			a(s)
		}
		if c.hungUp > 0 {
			how := <-s.leg.hung
			if took := time.Since(began); took != c.hungUp || how.Reason != c.reason {
				t.Errorf("%s: hung up after %s with %q, want %s with %q", c.name, took, how.Reason, c.hungUp, c.reason)
			}
			s.leg.events <- sip.Ended{By: sip.EndedByCancelled, Status: 487}
		}
		call = <-s.result
		s.session.timer0()
	})
	if call.Outcome != c.outcome || call.Detail != c.detail || call.Signal.Alerting != c.alerting || call.Audio.Early != c.early {
		t.Errorf("%s: %s/%s, alerting %s, early %s; want %s/%s, %s, %s", c.name, call.Outcome, call.Detail, call.Signal.Alerting,
			call.Audio.Early, c.outcome, c.detail, c.alerting, c.early)
	}
	return call
}

func TestWhatTheNetworkSaysBeforeTheAnswerIsHeardAndNamed(t *testing.T) {
	const s = time.Second
	refused := func(status, q850 int) sip.Ended {
		e := sip.Ended{By: sip.EndedByRefused, Status: status}
		if q850 > 0 {
			e.Reason = sip.Reason{Q850: q850, Values: []string{"Q.850;cause=" + itoa(q850)}}
		}
		return e
	}
	for _, c := range []scene{
		{
			"ringback in 183, for ever",
			[]act{says(early183()), after(7 * s), sounds(media.ToneRingback, 6*s)},
			26 * s, telgate.OutcomeNoAnswer, telgate.DetailRingLimit, telgate.AlertingInband, telgate.EarlyRingback, "",
		},
		{
			"ringback in 183, then 503: no trunk's failure any more",
			[]act{says(early183()), after(5 * s), sounds(media.ToneRingback, 3*s), ends(refused(503, 34))},
			0, telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, telgate.AlertingInband, telgate.EarlyRingback, "",
		},
		{
			"180, then ringback",
			[]act{says(sip.Progress{Status: 180}, early183()), after(4 * s), sounds(media.ToneRingback, 3*s)},
			25 * s, telgate.OutcomeNoAnswer, telgate.DetailRingLimit, telgate.AlertingSignalled, telgate.EarlyRingback, "",
		},
		{
			"ringback, then 180",
			[]act{says(early183()), after(4 * s), sounds(media.ToneRingback, 3*s), says(sip.Progress{Status: 180})},
			26 * s, telgate.OutcomeNoAnswer, telgate.DetailRingLimit, telgate.AlertingSignalled, telgate.EarlyRingback, "",
		},
		{
			"a tone as setup ends, which is ringback", []act{
				says(early183()), after(17 * s), sounds(media.ToneUnknown, 0), after(6200 * time.Millisecond), sounds(media.ToneRingback, 6200*time.Millisecond),
			}, 42 * s, telgate.OutcomeNoAnswer, telgate.DetailRingLimit, telgate.AlertingInband, telgate.EarlyRingback, "",
		},
		{
			"a tone as setup ends, which is nothing",
			[]act{says(early183()), after(17 * s), sounds(media.ToneUnknown, 0)},
			24 * s, telgate.OutcomeUnreachable, telgate.DetailNoAlerting, telgate.AlertingNone, telgate.EarlyUnknown, "",
		},
		{
			"busy tone",
			[]act{says(early183()), after(4 * s), sounds(media.ToneBusy, 2*s)},
			5 * s, telgate.OutcomeBusy, telgate.DetailBusyTone, telgate.AlertingNone, telgate.EarlyBusy, "",
		},
		{
			"busy tone after ringback",
			[]act{says(early183()), after(7 * s), sounds(media.ToneRingback, 6*s), after(3 * s), sounds(media.ToneBusy, 2*s)},
			11 * s, telgate.OutcomeBusy, telgate.DetailBusyTone, telgate.AlertingInband, telgate.EarlyBusy, "",
		},
		{
			"busy tone that stops before 3 s",
			[]act{says(early183()), after(4 * s), sounds(media.ToneBusy, 2*s), after(500 * time.Millisecond), stops(media.ToneBusy)},
			20 * s, telgate.OutcomeUnreachable, telgate.DetailNoAlerting, telgate.AlertingNone, telgate.EarlyBusy, "",
		},
		{
			"congestion tone",
			[]act{says(early183()), after(2 * s), sounds(media.ToneCongestion, 2*s)},
			3 * s, telgate.OutcomeUnreachable, telgate.DetailCongestionTone, telgate.AlertingNone, telgate.EarlyCongestion, "",
		},
		{
			"congestion tone after 180",
			[]act{says(sip.Progress{Status: 180}, early183()), after(2 * s), sounds(media.ToneCongestion, 2*s)},
			3 * s, telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, telgate.AlertingSignalled, telgate.EarlyCongestion, "",
		},
		{
			"an announcement for ever",
			[]act{says(early183()), after(s), sounds(media.ToneSpeech, 0)},
			20 * s, telgate.OutcomeUnreachable, telgate.DetailNoAlerting, telgate.AlertingNone, telgate.EarlySpeech, "",
		},
		{
			"SIT and an announcement for ever",
			[]act{says(early183()), after(s), sounds(media.ToneSIT, s), after(s), sounds(media.ToneSpeech, 0)},
			20 * s, telgate.OutcomeUnreachable, telgate.DetailSIT, telgate.AlertingNone, telgate.EarlySIT, "",
		},
		{
			"SIT, then 404 with Q.850 1",
			[]act{says(early183()), after(s), sounds(media.ToneSIT, s), after(4 * s), ends(refused(404, 1))},
			0, telgate.OutcomeInvalidNumber, telgate.DetailQ850, telgate.AlertingNone, telgate.EarlySIT, "",
		},
		{
			"an announcement, then 480",
			[]act{says(early183()), after(s), sounds(media.ToneSpeech, 0), ends(refused(480, 0))},
			0, telgate.OutcomeUnreachable, telgate.DetailStatus, telgate.AlertingNone, telgate.EarlySpeech, "",
		},
	} {
		c.play(t, Line{}, nil)
	}
}

func TestRingbackSaysThatItRingsAndSinceWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, nil)
		s.signal(early183())
		s.pass(7 * time.Second)
		s.tone(media.ToneRingback, 6*time.Second)
		s.pass(time.Second)
		s.signal(sip.Answered{SDP: []byte("y")})
		s.signal(sip.Ended{By: sip.EndedByPeerBye, Status: 200})
		call := <-s.result
		s.session.timer0()
		var kinds []telgate.EventKind
		for _, e := range s.events {
			kinds = append(kinds, e.Kind)
		}
		if len(kinds) != 4 || kinds[1] != telgate.EventEarlyMedia || kinds[2] != telgate.EventRinging || kinds[3] != telgate.EventAnswered {
			t.Errorf("events %v", kinds)
		}
		if rang := call.Times.RingFor(); rang != 7*time.Second {
			t.Errorf("rang for %s", rang)
		}
		if s.session.listens {
			t.Error("it is still listened to")
		}
	})
}

func TestEveryEarlySDPIsListenedToAndNothingIsPlayedIntoIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, nil)
		s.signal(sip.Progress{Status: 183, SDP: []byte("a"), ToTag: "a"}, sip.Progress{Status: 180, ToTag: "a"}, sip.Progress{Status: 183, SDP: []byte("b"), ToTag: "b"})
		s.pass(10 * time.Second)
		if got := s.session.previews; len(got) != 2 || string(got[1]) != "b" || len(s.session.plays) != 0 {
			t.Errorf("listened to %q, played %v", got, s.session.plays)
		}
		s.stop(&telgate.StopCause{Why: telgate.StopAsked})
		s.hungUp(t, sip.EndedByCancelled)
	})
}

func TestOnATrunkWithoutSupervisionA200IsNotYetTheCallee(t *testing.T) {
	const s = time.Second
	offHook := func() act { return says(sip.Trying{}, sip.Answered{SDP: []byte("x")}) }
	for _, c := range []scene{
		{
			"it rings for ever",
			[]act{offHook(), after(8 * s), sounds(media.ToneRingback, 6*s)},
			27 * s, telgate.OutcomeNoAnswer, telgate.DetailRingLimit, telgate.AlertingInband, telgate.EarlyRingback, normalClearing,
		},
		{
			"nothing is heard",
			[]act{offHook()},
			20 * s, telgate.OutcomeUnreachable, telgate.DetailNoAlerting, telgate.AlertingNone, telgate.EarlyNone, normalClearing,
		},
		{
			"busy",
			[]act{offHook(), after(6 * s), sounds(media.ToneBusy, 2*s)},
			7 * s, telgate.OutcomeBusy, telgate.DetailBusyTone, telgate.AlertingNone, telgate.EarlyBusy, normalClearing,
		},
		{
			"congestion",
			[]act{offHook(), after(6 * s), sounds(media.ToneCongestion, 2*s)},
			7 * s, telgate.OutcomeUnreachable, telgate.DetailCongestionTone, telgate.AlertingNone, telgate.EarlyCongestion, normalClearing,
		},
		{
			"SIT",
			[]act{offHook(), after(6 * s), sounds(media.ToneSIT, s)},
			6 * s, telgate.OutcomeUnreachable, telgate.DetailSIT, telgate.AlertingNone, telgate.EarlySIT, normalClearing,
		},
		{
			"the gateway hears the busy tone first", []act{offHook(), after(6 * s), ends(sip.Ended{
				By: sip.EndedByPeerBye, Status: 200, Reason: sip.Reason{Q850: 17, Values: []string{"Q.850;cause=17"}},
			})}, 0, telgate.OutcomeBusy, telgate.DetailQ850, telgate.AlertingNone, telgate.EarlyNone, "",
		},
		{
			"the gateway hangs up while it rings",
			[]act{offHook(), after(8 * s), sounds(media.ToneRingback, 6*s), after(s), ends(sip.Ended{By: sip.EndedByPeerBye, Status: 200})},
			0, telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, telgate.AlertingInband, telgate.EarlyRingback, "",
		},
		{
			"the gateway hangs up before it rings",
			[]act{offHook(), after(8 * s), ends(sip.Ended{By: sip.EndedByPeerBye, Status: 200})},
			0, telgate.OutcomeUnreachable, telgate.DetailNoAlerting, telgate.AlertingNone, telgate.EarlyNone, "",
		},
		{
			"we stop",
			[]act{offHook(), after(8 * s), func(s *stage) { s.stop(&telgate.StopCause{Why: telgate.StopAsked}) }},
			8 * s, telgate.OutcomeCancelled, telgate.DetailNone, telgate.AlertingNone, telgate.EarlyNone, normalClearing,
		},
	} {
		call := c.play(t, Line{Unsupervised: true}, nil)
		if !call.Times.Answered.IsZero() || call.Audio.Prompt != 0 {
			t.Errorf("%s: answered at %s, %s of the recording", c.name, call.Times.Answered, call.Audio.Prompt)
		}
	}
}

func TestOnATrunkWithoutSupervisionTheCalleeIsHeard(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name   string
		acts   []act
		answer time.Duration // after the INVITE
		prompt time.Duration
	}{
		{"ringback stops", []act{says(sip.Answered{}), after(8 * s), sounds(media.ToneRingback, 6*s), after(5 * s), stops(media.ToneRingback)}, 13 * s, 13*s + startAfterRTP},
		{"ringback stopped before the 200", []act{
			says(early183()), after(8 * s), sounds(media.ToneRingback, 6*s), after(5 * s), stops(media.ToneRingback), says(sip.Answered{}),
		}, 13 * s, 13*s + startAfterRTP},
		{"somebody says hello", []act{
			says(sip.Answered{}), after(8 * s), sounds(media.ToneRingback, 6*s), after(s),
			func(s *stage) { s.hear(media.SpeechBegan{At: time.Now()}) }, sounds(media.ToneSpeech, 0), after(500 * time.Millisecond),
			func(s *stage) { s.hear(media.SpeechEnded{At: time.Now()}) },
		}, 9 * s, 9*s + 500*time.Millisecond},
		{"no ringback, and a voice", []act{says(sip.Answered{}), after(4 * s), sounds(media.ToneSpeech, 0)}, 4 * s, 4*s + startAfterRTP},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := beginOn(t, Line{Unsupervised: true}, nil)
			began := time.Now()
			for _, a := range c.acts {
				a(s)
			}
			s.pass(2 * time.Second)
			if len(s.session.at) != 1 || s.session.at[0].Sub(began) != c.prompt || s.session.listens {
				t.Fatalf("%s: plays at %v, listens %v", c.name, s.session.at, s.session.listens)
			}
			s.pass(4 * time.Second)
			s.press('1')
			call, _ := s.hungUp(t, sip.EndedByLocalBye)
			if call.Outcome != telgate.OutcomeConfirmed || call.Times.Answered.Sub(began) != c.answer {
				t.Errorf("%s: %s, answered after %s", c.name, call.Outcome, call.Times.Answered.Sub(began))
			}
		})
	}
}

func TestAKeyBeforeTheCalleeIsThereCountsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beginOn(t, Line{Unsupervised: true}, nil)
		s.signal(sip.Answered{SDP: []byte("x")})
		s.pass(3 * time.Second)
		s.press('1') // the gateway dials
		s.pass(3 * time.Second)
		if len(s.session.plays) != 0 {
			t.Error("it starts the recording")
		}
		s.stop(&telgate.StopCause{Why: telgate.StopAsked})
		if call, _ := s.hungUp(t, sip.EndedByLocalBye); len(call.Keys) != 1 || !call.Keys[0].Early {
			t.Errorf("keys %v", call.Keys)
		}
	})
}

func TestTonesAfterTheAnswerAreNobody(t *testing.T) {
	for _, c := range []struct {
		kind    media.ToneKind
		reached bool
	}{
		{media.ToneRingback, false},
		{media.ToneBusy, false},
		{media.ToneCongestion, false},
		{media.ToneSIT, false},
		{media.ToneFax, false},
		{media.ToneSpeech, true},
		{media.ToneUnknown, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, func(cfg *Config, o *telgate.Order) { o.Confirm, cfg.AcceptUnknown = telgate.ConfirmAnswer, true })
			s.session.stats.Received = 100
			s.signal(answer()...)
			if !s.session.listens {
				t.Error("nobody listens")
			}
			s.pass(10 * time.Second)
			s.tone(c.kind, time.Second)
			s.signal(sip.Ended{By: sip.EndedByPeerBye, Status: 200})
			call := <-s.result
			s.session.timer0()
			if call.Outcome != telgate.OutcomeAnswered || call.Reached() != c.reached {
				t.Errorf("%s: %s/%s, reached %v", c.kind, call.Outcome, call.Detail, call.Reached())
			}
		})
	}
}

func TestAMailboxIsOneOnlyWhereTheNetworkSaysSoAndNoKeyComes(t *testing.T) {
	for _, c := range []struct {
		name     string
		by181    *sip.Diversion
		by200    *sip.Diversion
		key      bool
		want     telgate.Outcome
		diverted string
	}{
		{"a mere forward", &sip.Diversion{To: "7109", Cause: 302}, nil, false, telgate.OutcomeAnswered, "7109"},
		{"a forward to a mailbox", &sip.Diversion{To: "vm", Cause: 486, Mailbox: true}, nil, false, telgate.OutcomeVoicemail, "vm"},
		{"the 200 says so", nil, &sip.Diversion{Mailbox: true}, false, telgate.OutcomeVoicemail, ""},
		{"somebody presses the key all the same", &sip.Diversion{Mailbox: true}, nil, true, telgate.OutcomeConfirmed, ""},
		{"the 200 says that it went on to a human", &sip.Diversion{To: "vm", Mailbox: true}, &sip.Diversion{To: "7109", Cause: 302}, false, telgate.OutcomeAnswered, "7109"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, func(cfg *Config, _ *telgate.Order) { cfg.AcceptUnknown = true })
			s.session.stats.Received = 100
			s.signal(sip.Progress{Status: 181, Diverted: c.by181}, sip.Answered{SDP: []byte("x"), Diverted: c.by200})
			s.pass(8 * time.Second)
			if c.key {
				s.press('1')
				<-s.leg.hung
			}
			s.signal(sip.Ended{By: sip.EndedByPeerBye, Status: 200})
			call := <-s.result
			s.session.timer0()
			voicemail := false
			for _, e := range s.events {
				voicemail = voicemail || e.Kind == telgate.EventVoicemail
			}
			if call.Outcome != c.want || call.Signal.DivertedTo != c.diverted || voicemail != (c.want == telgate.OutcomeVoicemail || c.key) {
				t.Errorf("%s: %s, diverted to %q, event %v", c.name, call.Outcome, call.Signal.DivertedTo, voicemail)
			}
			if c.want == telgate.OutcomeVoicemail && call.Detail != telgate.DetailDiversion {
				t.Errorf("%s: detail %s", c.name, call.Detail)
			}
		})
	}
}
