package voice

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"telgate"
	"telgate/media"
	"telgate/prompts"
	"telgate/sip"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// leg is a signalling peer that a test plays.
type leg struct {
	events chan sip.Event
	hung   chan sip.Hangup
	ends   atomic.Pointer[string] // the request that ends it, nil = "CANCEL 1"
}

func (l *leg) Events() <-chan sip.Event { return l.events }
func (l *leg) Hangup(h sip.Hangup)      { l.hung <- h }
func (l *leg) CallID() string           { return "id" }

func (l *leg) Ending() sip.Ending {
	return sip.Ending{Transport: "udp", Peer: "192.0.2.1:5060", Request: *cmp.Or(l.ends.Load(), new("CANCEL 1"))}
}

// session is the audio that a test plays; recordings end after their length unless another replaces them.
type session struct {
	previews [][]byte // of Early
	listens  bool
	events   chan media.Event
	answers  []string // given to Accept
	stats    media.Stats
	reject   error
	plays    []int // frames of each Play
	at       []time.Time
	closed   bool
	timer    *time.Timer
	reports  bool
}

func (s *session) Offer() []byte { return []byte("offer") }
func (s *session) Early(sdp []byte) error {
	s.previews, s.listens = append(s.previews, sdp), true
	return nil
}
func (s *session) Listen(on bool) { s.listens = on }
func (s *session) Accept(answer []byte) error {
	s.answers = append(s.answers, string(answer))
	return s.reject
}
func (s *session) Reoffer(offer []byte) ([]byte, error) { return offer, nil }
func (s *session) Codec() media.Codec                   { return media.PCMU }
func (s *session) Events() <-chan media.Event           { return s.events }
func (s *session) Narrow() []byte                       { return []byte("narrow") }
func (s *session) Reported() bool                       { return s.reports }
func (s *session) Close()                               { s.closed = true }

func (s *session) Play(frames [][]byte) media.ClipID {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.plays, s.at = append(s.plays, len(frames)), append(s.at, time.Now())
	id := media.ClipID(len(s.plays))
	length := time.Duration(len(frames)) * media.Frame
	s.timer = time.AfterFunc(length, func() { s.events <- media.Played{Clip: id} })
	return id
}

// Stats counts what was sent of the recordings by now.
func (s *session) Stats() media.Stats {
	stats := s.stats
	for i, at := range s.at {
		end := time.Now()
		if i+1 < len(s.at) {
			end = s.at[i+1]
		}
		stats.PromptSent += min(end.Sub(at), time.Duration(s.plays[i])*media.Frame)
	}
	return stats
}

// stage is one call with everything around it played by the test.
type stage struct {
	leg     *leg
	session *session
	library *prompts.Library
	events  []telgate.Event
	endings []telgate.Ending
	result  chan telgate.Call
	invite  sip.Invite
	stop    context.CancelCauseFunc
}

// library is read once for all tests: it does not change.
var library = sync.OnceValues(func() (*prompts.Library, error) { //nolint:gochecknoglobals // shared and constant
	return prompts.New(nil, []prompts.Encoder{{Name: "PCMU", Encode: media.PCMU.Encode}})
})

func begin(t *testing.T, change func(*Config, *telgate.Order)) *stage {
	t.Helper()
	return beginOn(t, Line{}, change)
}

func beginWith(t *testing.T, keys KeySource, change func(*Config, *telgate.Order)) *stage {
	t.Helper()
	return beginOn(t, Line{Keys: keys}, change)
}

// beginOn begins a call over a line with these properties.
func beginOn(t *testing.T, line Line, change func(*Config, *telgate.Order)) *stage {
	t.Helper()
	library, err := library()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{
		leg:     &leg{events: make(chan sip.Event, 8), hung: make(chan sip.Hangup, 1)},
		session: &session{events: make(chan media.Event, 8)}, library: library, result: make(chan telgate.Call, 1),
	}
	cfg := Config{
		Setup: 20 * time.Second, FirstResponse: 4 * time.Second, MaxDuration: time.Minute, ConfirmAfter: 1500 * time.Millisecond,
		AnswerMin: 5 * time.Second, RepeatPause: 1500 * time.Millisecond, ConfirmKey: "1", RepeatKey: "2", Languages: []string{"en"},
	}
	order := telgate.Order{Trunk: "main", Ring: 25 * time.Second, Prompt: "alert", LastHope: true, Confirm: telgate.ConfirmKey}
	if change != nil {
		change(&cfg, &order)
	}
	line.Dial = func(telgate.Number) (string, error) { return "dialled", nil }
	line.Invite = func(_ context.Context, in sip.Invite) (Leg, error) {
		s.invite = in
		return s.leg, nil
	}
	line.Open = func(context.Context) (Session, error) { return s.session, nil }
	line.Script = library.Script
	v := New(cfg, map[string]Line{"main": line}, time.Now)
	ctx, stop := context.WithCancelCause(t.Context())
	s.stop = stop
	go func() { s.result <- *v.Call(ctx, &order, s.told) }()
	synctest.Wait()
	return s
}

// told keeps what is told to people, and apart from it how the call is ended by somebody else.
func (s *stage) told(e telgate.Event) {
	if e.Kind == telgate.EventInvited {
		s.endings = append(s.endings, *e.Ending)
		return
	}
	s.events = append(s.events, e)
}

func (s *stage) pass(d time.Duration) {
	<-time.NewTimer(d).C
	synctest.Wait()
}

func (s *stage) signal(e ...sip.Event) {
	for _, ev := range e {
		s.leg.events <- ev
		synctest.Wait()
	}
}

func (s *stage) hear(e media.Event) {
	s.session.events <- e
	synctest.Wait()
}

// press is a key that begins now.
func (s *stage) press(digit byte) {
	clip := len(s.session.plays)
	var sent time.Duration
	if clip > 0 {
		sent = min(time.Since(s.session.at[clip-1]), time.Duration(s.session.plays[clip-1])*media.Frame)
	}
	s.hear(media.Key{Digit: digit, At: time.Now(), Clip: media.ClipID(clip), ClipSent: sent})
}

// hungUp waits for our CANCEL or BYE and ends the leg.
func (s *stage) hungUp(t *testing.T, by sip.EndedBy) (telgate.Call, sip.Hangup) {
	t.Helper()
	how := <-s.leg.hung
	s.leg.events <- sip.Ended{By: by}
	call := <-s.result
	s.session.timer0()
	if !s.session.closed {
		t.Error("the session was left open")
	}
	return call, how
}

func (s *session) timer0() {
	if s.timer != nil {
		s.timer.Stop()
	}
}

func answer() []sip.Event {
	return []sip.Event{sip.Trying{}, sip.Progress{Status: 180}, sip.Answered{SDP: []byte("x")}}
}

func TestTheConfirmKeyConfirmsAndIsThanked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, nil)
		s.session.stats.Received = 100
		s.signal(answer()...)
		s.pass(2 * time.Second) // the recording starts
		s.pass(5 * time.Second)
		s.press('1')
		call, how := s.hungUp(t, sip.EndedByLocalBye)
		if call.Outcome != telgate.OutcomeConfirmed || !call.Reached() || how.Reason != normalClearing {
			t.Errorf("%s %s, BYE with %q", call.Outcome, call.Detail, how.Reason)
		}
		var kinds []telgate.EventKind
		for _, e := range s.events {
			kinds = append(kinds, e.Kind)
		}
		want := []telgate.EventKind{
			telgate.EventDialing, telgate.EventRinging, telgate.EventAnswered, telgate.EventPrompt, telgate.EventKey, telgate.EventPrompt,
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("events %v", kinds)
		}
	})
}

func TestAKeyCountsOnlyAfterEnoughOfTheSpokenRecording(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration // since the recording began
		early bool
	}{
		{"during the attention tone", 400 * time.Millisecond, true},
		{"1.4 s into the speech", 500*time.Millisecond + 1400*time.Millisecond, true},
		{"1.5 s into the speech", 500*time.Millisecond + 1500*time.Millisecond, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, nil)
			s.signal(answer()...)
			s.pass(startAfterACK)
			s.pass(c.after)
			s.press('1')
			s.pass(time.Second)
			s.stop(&telgate.StopCause{Why: telgate.StopAsked})
			call, _ := s.hungUp(t, sip.EndedByLocalBye)
			if got := call.Outcome == telgate.OutcomeConfirmed; got == c.early || len(call.Keys) != 1 || call.Keys[0].Early != c.early || call.KeyHeard() == c.early {
				t.Errorf("%s: outcome %s, keys %v", c.name, call.Outcome, call.Keys)
			}
		})
	}
}

func TestTheKeyThatConfirmsIsToldAtOnceAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, nil)
		s.signal(answer()...)
		s.pass(startAfterACK + 500*time.Millisecond + 1500*time.Millisecond)
		s.press('1')
		told := s.events[len(s.events)-2:]
		if told[0].Kind != telgate.EventKey || !told[0].Key.Confirms || told[1].Kind != telgate.EventPrompt || told[1].Clip != prompts.NameConfirmed {
			t.Errorf("told %+v", told)
		}
		s.pass(200 * time.Millisecond)
		s.press('1') // pressed again while thanks are said
		call, _ := s.hungUp(t, sip.EndedByPeerBye)
		if len(call.Keys) != 2 || !call.Keys[0].Confirms || call.Keys[1].Confirms || call.Keys[1].Early || call.Outcome != telgate.OutcomeConfirmed {
			t.Errorf("%s, %+v", call.Outcome, call.Keys)
		}
	})
}

func TestAKeyBeforeTheRecordingStartsItAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, nil)
		s.signal(answer()...)
		s.pass(500 * time.Millisecond)
		s.press('1')
		if len(s.session.plays) != 1 {
			t.Fatalf("%d recordings started", len(s.session.plays))
		}
		s.pass(4 * time.Second)
		s.press('1')
		call, _ := s.hungUp(t, sip.EndedByLocalBye)
		if call.Outcome != telgate.OutcomeConfirmed || len(call.Keys) != 2 || !call.Keys[0].Early || call.Keys[1].Early {
			t.Errorf("%s with %v", call.Outcome, call.Keys)
		}
	})
}

func TestTheRecordingStartsWhenTheCalleeHasSaidHello(t *testing.T) {
	for _, c := range []struct {
		name string
		play func(*stage)
		want time.Duration // after the ACK
	}{
		{"nothing is heard", func(*stage) {}, 2 * time.Second},
		{"RTP after 0.3 s, no speech", func(s *stage) {
			s.pass(300 * time.Millisecond)
			s.hear(media.FirstPacket{At: time.Now()})
		}, 1500 * time.Millisecond},
		{"hello ends after 0.9 s", func(s *stage) {
			s.pass(200 * time.Millisecond)
			s.hear(media.FirstPacket{At: time.Now()})
			s.hear(media.SpeechBegan{At: time.Now()})
			s.pass(700 * time.Millisecond)
			s.hear(media.SpeechEnded{At: time.Now()})
		}, 900 * time.Millisecond},
		{"somebody who does not stop talking", func(s *stage) {
			s.hear(media.FirstPacket{At: time.Now()})
			s.hear(media.SpeechBegan{At: time.Now()})
		}, 3500 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, nil)
			s.signal(answer()...)
			ack := time.Now()
			c.play(s)
			s.pass(5 * time.Second)
			if len(s.session.at) == 0 || s.session.at[0].Sub(ack) != c.want {
				t.Errorf("%s: starts at %v, want %v after the ACK", c.name, s.session.at, c.want)
			}
			s.stop(&telgate.StopCause{Why: telgate.StopAsked})
			s.hungUp(t, sip.EndedByLocalBye)
		})
	}
}

func TestLimitsEndACallWithTheirOwnOutcome(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []sip.Event
		last   bool
		after  time.Duration
		by     sip.EndedBy
		want   telgate.Outcome
		detail telgate.Detail
	}{
		{"rings for ever", []sip.Event{sip.Trying{}, sip.Progress{Status: 180}}, true, 25 * time.Second, sip.EndedByCancelled, telgate.OutcomeNoAnswer, telgate.DetailRingLimit},
		{"rings, and a 200 crosses our CANCEL", []sip.Event{sip.Progress{Status: 180}}, true, 25 * time.Second, sip.EndedByLateAnswer, telgate.OutcomeAnswered, telgate.DetailLateAnswer},
		{"183 for ever", []sip.Event{sip.Progress{Status: 183, SDP: []byte("x")}}, true, 20 * time.Second, sip.EndedByCancelled, telgate.OutcomeUnreachable, telgate.DetailNoAlerting},
		{"100 and then nothing", []sip.Event{sip.Trying{}}, false, 20 * time.Second, sip.EndedByCancelled, telgate.OutcomeTrunkFailed, telgate.DetailNoFinal},
		{"nothing, with no other trunk", nil, true, 20 * time.Second, sip.EndedByTimeout, telgate.OutcomeTrunkFailed, telgate.DetailNoResponse},
		{"nothing, with another trunk", nil, false, 4 * time.Second, sip.EndedByTimeout, telgate.OutcomeTrunkFailed, telgate.DetailNoResponse},
		{"listens to the end", answer(), true, time.Minute, sip.EndedByLocalBye, telgate.OutcomeAnswered, telgate.DetailNoAudio},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, func(_ *Config, o *telgate.Order) { o.LastHope = c.last })
			began := time.Now()
			s.signal(c.events...)
			<-s.leg.hung
			if took := time.Since(began); took != c.after {
				t.Errorf("%s: hung up after %v, want %v", c.name, took, c.after)
			}
			s.leg.events <- sip.Ended{By: c.by}
			call := <-s.result
			s.session.timer0()
			if call.Outcome != c.want || call.Detail != c.detail {
				t.Errorf("%s: %s/%s, want %s/%s", c.name, call.Outcome, call.Detail, c.want, c.detail)
			}
		})
	}
}

func TestAKeyThatIsOnItsWayBeatsAHangup(t *testing.T) {
	library, err := library()
	if err != nil {
		t.Fatal(err)
	}
	script, err := library.Script(prompts.ScriptOptions{Prompt: "alert", Languages: []string{"en"}})
	if err != nil {
		t.Fatal(err)
	}
	audio := &session{events: make(chan media.Event, 1)}
	defer audio.timer0()
	c := &call{
		cfg: &Config{ConfirmKey: "1"}, now: time.Now, emit: func(telgate.Event) {}, out: &telgate.Call{Audio: telgate.Audio{Codec: "PCMU"}},
		session: audio, script: script, talk: &talk{begun: true, saying: theAlert, spoken: 5 * time.Second},
	}
	audio.events <- media.Key{Digit: '1'} // heard, and not looked at yet
	c.signalled(sip.Ended{By: sip.EndedByPeerBye})
	if v := c.judgeTalk(); v.Outcome != telgate.OutcomeConfirmed {
		t.Errorf("%s, %d keys", v.Outcome, len(c.out.Keys))
	}
}

func TestASilentPhoneThatReportsHasASoundPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, nil)
		s.session.reports = true
		s.signal(answer()...)
		call, _ := s.hungUp(t, sip.EndedByLocalBye)
		s.session.timer0()
		if call.Outcome != telgate.OutcomeAnswered || call.Detail != telgate.DetailNoKey {
			t.Errorf("%s/%s", call.Outcome, call.Detail)
		}
	})
}

func TestAnAnswerWeCannotUseIsHungUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, nil)
		s.session.reject = errors.New("no codec in common")
		s.signal(answer()...)
		call, how := s.hungUp(t, sip.EndedByLocalBye)
		if call.Outcome != telgate.OutcomeTrunkFailed || call.Detail != telgate.DetailUnusableAnswer || how.Reason != normalClearing {
			t.Errorf("%s/%s, BYE with %q", call.Outcome, call.Detail, how.Reason)
		}
	})
}

func TestStoppingHangsUpWithTheRightReason(t *testing.T) {
	for _, c := range []struct {
		why    telgate.StopWhy
		events []sip.Event
		reason string
	}{
		{telgate.StopAsked, []sip.Event{sip.Progress{Status: 180}}, ""},
		{telgate.StopConfirmed, []sip.Event{sip.Progress{Status: 180}}, `SIP;cause=200;text="Call completed elsewhere"`},
		{telgate.StopConfirmed, answer(), normalClearing},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, nil)
			s.signal(c.events...)
			s.stop(&telgate.StopCause{Why: c.why})
			call, how := s.hungUp(t, sip.EndedByCancelled)
			if call.Outcome != telgate.OutcomeCancelled || how.Reason != c.reason {
				t.Errorf("%s: %s, reason %q", c.why, call.Outcome, how.Reason)
			}
		})
	}
}

func TestAWrongKeyIsToldAndTheAlertComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, nil)
		s.signal(answer()...)
		s.pass(6 * time.Second)
		s.press('5')
		s.pass(5 * time.Second)
		clips := []string{}
		for _, e := range s.events {
			if e.Kind == telgate.EventPrompt {
				clips = append(clips, e.Clip)
			}
		}
		if want := []string{"alert", "wrong_key", "alert"}; !slices.Equal(clips, want) {
			t.Errorf("played %v, want %v", clips, want)
		}
		s.press('1') // enough was heard before the wrong key
		if call, _ := s.hungUp(t, sip.EndedByLocalBye); call.Outcome != telgate.OutcomeConfirmed {
			t.Errorf("%s", call.Outcome)
		}
	})
}

func TestOnHoldNothingCountsAndTheAlertComesAgainAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, nil)
		s.signal(answer()...)
		s.pass(6 * time.Second)
		s.hear(media.Held{On: true})
		s.press('1')
		plays := len(s.session.plays)
		s.hear(media.Held{On: false})
		if len(s.session.plays) != plays+1 {
			t.Error("the alert does not start anew")
		}
		s.leg.events <- sip.Ended{By: sip.EndedByPeerBye, Status: 200}
		call := <-s.result
		s.session.timer0()
		if call.Outcome != telgate.OutcomeAnswered || call.Detail != telgate.DetailNoAudio || len(call.Keys) != 0 {
			t.Errorf("%s/%s, keys %v", call.Outcome, call.Detail, call.Keys)
		}
	})
}

func TestAnAnswerThatCameBeforeALimitIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, func(_ *Config, o *telgate.Order) { o.Ring = 10 * time.Second })
		s.signal(sip.Trying{}, sip.Progress{Status: 180})
		s.pass(10*time.Second - 1)
		s.leg.events <- sip.Answered{SDP: []byte("x")} // both are ready when the owner wakes up
		s.pass(1)
		s.pass(time.Second)
		s.stop(nil)
		if call, _ := s.hungUp(t, sip.EndedByLocalBye); call.Times.Answered.IsZero() || call.Outcome != telgate.OutcomeCancelled {
			t.Errorf("%s %s", call.Outcome, call.Detail)
		}
	})
}

func TestAnAnswerThatTheLegTookWhileWeGaveUpIsALateAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		came  []sip.Event
		limit time.Duration
	}{
		{"ringing", []sip.Event{sip.Trying{}, sip.Progress{Status: 180}}, 25 * time.Second},
		{"not ringing", []sip.Event{sip.Trying{}}, 20 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, nil)
			s.signal(c.came...)
			s.pass(c.limit + time.Second)
			how := <-s.leg.hung
			s.signal(sip.Answered{SDP: []byte("x")}, sip.Ended{By: sip.EndedByLocalBye, Status: 200})
			if call := <-s.result; call.Outcome != telgate.OutcomeAnswered || call.Detail != telgate.DetailLateAnswer {
				t.Errorf("%s: %s %s after %v", c.name, call.Outcome, call.Detail, how)
			}
		})
	}
}

func TestAConnectionThatBreaksAfterTheINVITELeftMayHaveRungAPhone(t *testing.T) {
	for _, c := range []struct {
		err  error
		want telgate.Detail
	}{
		{errors.New("connection reset"), telgate.DetailNoFinal},
		{&sip.SendError{Op: "connect", Err: errors.New("refused")}, telgate.DetailTransport}, // the INVITE with credentials never left
	} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, nil)
			s.signal(sip.Ended{By: sip.EndedByTransport, Err: c.err})
			if call := <-s.result; call.Outcome != telgate.OutcomeTrunkFailed || call.Detail != c.want {
				t.Errorf("%v: %s %s, want %s", c.err, call.Outcome, call.Detail, c.want)
			}
		})
	}
}

func TestAChallengeAfterA100BeginsTheWaitForAResponseAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, func(_ *Config, o *telgate.Order) { o.LastHope = false })
		s.signal(sip.Trying{}, sip.Challenged{})
		s.pass(4 * time.Second)
		<-s.leg.hung
		if call := <-s.result; call.Outcome != telgate.OutcomeTrunkFailed || call.Detail != telgate.DetailNoResponse {
			t.Errorf("%s %s", call.Outcome, call.Detail)
		}
	})
}

func TestARefusalWhileRingbackMayHaveBegunIsTheNetworksAfterAlerting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, func(_ *Config, o *telgate.Order) { o.LastHope = false })
		s.signal(sip.Trying{}, sip.Progress{Status: 183, SDP: []byte("x")})
		s.hear(media.Tone{Kind: media.ToneUnknown, At: time.Now()})
		s.pass(3 * time.Second)
		s.signal(sip.Ended{By: sip.EndedByRefused, Status: 503})
		if call := <-s.result; call.Outcome != telgate.OutcomeNoAnswer || call.Detail != telgate.DetailEndedByNetwork {
			t.Errorf("%s %s", call.Outcome, call.Detail)
		}
	})
}

func TestSoundThatCameAndWasNotListenedToIsKeptWithItsReason(t *testing.T) {
	for _, c := range []struct {
		stats media.Stats
		n     uint64
		want  telgate.Rejection
	}{
		{media.Stats{Rejected: 3}, 0, ""}, // nothing of it was sound
		{media.Stats{Strange: 400, Unagreed: 2, Forged: 1}, 403, telgate.RejectedSource},
		{media.Stats{Unagreed: 400, Strange: 1}, 401, telgate.RejectedPayload},
		{media.Stats{Forged: 400, Strange: 1}, 401, telgate.RejectedKey},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, nil)
			s.session.stats = c.stats
			s.signal(answer()...)
			<-s.leg.hung
			s.leg.events <- sip.Ended{By: sip.EndedByLocalBye}
			call := <-s.result
			s.session.timer0()
			if call.Detail != telgate.DetailNoAudio || call.Audio.RTP.Rejected != c.n || call.Audio.RTP.RejectedFor != c.want {
				t.Errorf("%+v: %s, %+v", c.stats, call.Detail, call.Audio.RTP)
			}
		})
	}
}
