package media_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"telgate/media"
	"telgate/media/mediatest"
)

func TestACalleeHearsSilenceAtOnceAndTheRecordingFromItsFirstWord(t *testing.T) {
	t.Parallel()
	e := running(t, media.Config{})
	for _, codec := range []media.Codec{media.PCMU, media.PCMA} {
		t.Run(codec.Name, func(t *testing.T) {
			t.Parallel()
			late := e.Stats().LateTurns
			s, h := answered(t, e, media.Options{}, mediatest.Config{Codecs: []string{codec.Name}})
			if s.Codec() != codec {
				t.Fatalf("agreed on %v", s.Codec())
			}
			hear(t, h, 5)
			if c := h.Ear.Count(); c.Sound != 0 {
				t.Errorf("silence has %s of sound", c.Sound)
			}
			said := mediatest.Speech(800*time.Millisecond, 4)
			clip := s.Play(frames(codec, said))
			if p := next[media.Played](t, s); p.Clip != clip {
				t.Errorf("played clip %d, want %d", p.Clip, clip)
			}
			hear(t, h, 5)
			match, r := h.Ear.Correlate(said), h.Ear.Report()
			if e.Stats().LateTurns != late { // read last: the machine was busy elsewhere, and a pause is no fault of the stream
				if r.Lost+r.SequenceBreaks+r.Bad != 0 {
					t.Errorf("the stream is broken, with pauses: %+v", r)
				}
				return
			}
			if !match.Whole() || match.Score < 0.99 {
				t.Errorf("heard %+v", match)
			}
			if r.Lost+r.SequenceBreaks+r.TimestampBreaks+r.Bad != 0 || len(r.SSRCs) != 1 || r.FirstPayload != codec.PayloadType {
				t.Errorf("the stream is broken: %+v", r)
			}
			if len(r.Markers) != 2 || r.Markers[0] != 0 {
				t.Errorf("markers at %v, want the first packet and the first of the recording", r.Markers)
			}
			if st := s.Stats(); st.PromptSent != 800*time.Millisecond || st.Sent < uint64(r.Packets) || st.Received == 0 || st.LastReceived.IsZero() {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

func TestARecordingIsReplacedAtOnceAndSilenceStopsIt(t *testing.T) {
	t.Parallel()
	s, h := answered(t, running(t, media.Config{}), media.Options{}, mediatest.Config{})
	s.Play(frames(media.PCMU, mediatest.Tone(440, time.Minute, 8000)))
	if err := h.Ear.WaitSound(deadline(t), 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	second := s.Play(frames(media.PCMU, mediatest.Tone(900, 100*time.Millisecond, 8000)))
	if p := next[media.Played](t, s); p.Clip != second {
		t.Errorf("clip %d was played to its end, want only %d", p.Clip, second)
	}
	s.Play(frames(media.PCMU, mediatest.Tone(440, time.Minute, 8000)))
	if err := h.Ear.WaitSound(deadline(t), 500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	s.Play(nil)
	for before := time.Duration(-1); before != h.Ear.Count().Sound; { // what was on its way is heard; a minute of it would be too long
		before = h.Ear.Count().Sound
		hear(t, h, 5)
	}
	if sound := h.Ear.Count().Sound; sound > 30*time.Second {
		t.Errorf("%s of sound: it was not stopped", sound)
	}
}

func TestTwoSessionsShareNoNumbers(t *testing.T) {
	t.Parallel()
	e := running(t, media.Config{})
	_, a := answered(t, e, media.Options{}, mediatest.Config{})
	_, b := answered(t, e, media.Options{}, mediatest.Config{})
	hear(t, a, 1)
	hear(t, b, 1)
	if x, y := a.Ear.Report(), b.Ear.Report(); x.SSRCs[0] == y.SSRCs[0] || x.Sources[0] == y.Sources[0] {
		t.Errorf("%+v and %+v", x, y)
	}
}

func TestSpeechIsToldWhenItBeginsAndWhenItIsOver(t *testing.T) {
	t.Parallel()
	e := running(t, media.Config{})
	for name, quiet := range map[string]bool{"a phone that sends silence": false, "a phone that sends nothing when silent": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, h := answered(t, e, media.Options{}, mediatest.Config{Quiet: quiet})
			if err := h.Mouth.Say(deadline(t), mediatest.Speech(700*time.Millisecond, 5)); err != nil {
				t.Fatal(err)
			}
			began, ended := next[media.SpeechBegan](t, s), next[media.SpeechEnded](t, s)
			if ended.At.Before(began.At) {
				t.Errorf("it ended %s before it began", began.At.Sub(ended.At))
			}
		})
	}
}

func TestAClosedPortIsCountedAndEndsNothing(t *testing.T) {
	t.Parallel()
	if !heardOfICMP {
		t.Skip("the system tells nobody about ICMP")
	}
	s := open(t, running(t, media.Config{}), media.Options{})
	gone := handset(t, mediatest.Config{})
	gone.Close()
	answer := mediatest.Description{Addr: gone.Addr(), Codecs: []string{"PCMU"}, Keys: 101}.Bytes()
	if err := s.Accept(answer); err != nil {
		t.Fatal(err)
	}
	poll(t, "an error from the network", func() bool { return s.Stats().Refused > 3 })
	back := handset(t, mediatest.Config{Listen: gone.Addr().String()})
	if _, err := back.Answer(s.Offer()); err != nil {
		t.Fatal(err)
	}
	hear(t, back, 5)
	next[media.FirstPacket](t, s)
}

func TestNoFrameOfAClosedSessionLeavesByAnotherSocket(t *testing.T) {
	t.Parallel()
	e := running(t, media.Config{})
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for range 12 {
				h, err := mediatest.NewHandset(mediatest.Config{Quiet: true})
				if err != nil {
					t.Error(err)
					return
				}
				t.Cleanup(h.Close) // it listens on after its session has gone
				s, err := e.Open(t.Context(), media.Options{Local: loopback()})
				if err != nil {
					t.Error(err)
					return
				}
				offered, _ := mediatest.ParseSDP(s.Offer())
				answer, _ := h.Answer(s.Offer())
				if err := s.Accept(answer); err != nil {
					t.Error(err)
				}
				err = h.Ear.WaitPackets(deadline(t), 2)
				s.Close()
				if err != nil {
					t.Error(err)
				}
				t.Cleanup(func() {
					if r := h.Ear.Report(); len(r.SSRCs) != 1 || len(r.Sources) != 1 || r.Sources[0] != offered.Addr {
						t.Errorf("a callee heard %v from %v, want one stream from %v", r.SSRCs, r.Sources, offered.Addr)
					}
				})
			}
		})
	}
	all.Wait()
	if n := e.Stats().Sessions; n != 0 {
		t.Errorf("%d sessions are left in the pacer", n)
	}
}

func TestARangeThatIsUsedUpIsItsOwnError(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	var mu sync.Mutex
	base := freePorts(t, 4)
	e, err := media.NewEngine(media.Config{PortMin: base - 1, PortMax: base + 3, Rand: strings.NewReader(strings.Repeat("random", 100)), Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	if err != nil {
		t.Fatal(err)
	}
	a, b := open(t, e, media.Options{}), open(t, e, media.Options{})
	var ports []uint16
	for _, s := range []*media.Session{a, b} {
		d, err := mediatest.ParseSDP(s.Offer())
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, d.Addr.Port())
	}
	if int(ports[0])+int(ports[1]) != 2*base+2 {
		t.Errorf("RTP on %v, want the even ports of %d–%d", ports, base-1, base+3)
	}
	if l, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", ports[0]+1)); err == nil {
		_ = l.Close()
		t.Error("the odd port above is not taken for RTCP")
	}
	if _, err := e.Open(t.Context(), media.Options{Local: loopback()}); !errors.Is(err, media.ErrNoPort) {
		t.Errorf("a third call got %v", err)
	}
	a.Close()
	if _, err := e.Open(t.Context(), media.Options{Local: loopback()}); !errors.Is(err, media.ErrNoPort) {
		t.Errorf("a port was used again at once: %v", err)
	}
	mu.Lock()
	now = now.Add(11 * time.Second)
	mu.Unlock()
	open(t, e, media.Options{})
}

func TestAnotherProgramsPortIsPassedOver(t *testing.T) {
	t.Parallel()
	base := freePorts(t, 4)
	taken, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", base+1)) // an RTCP port
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	s := open(t, running(t, media.Config{PortMin: base, PortMax: base + 3}), media.Options{})
	if d, _ := mediatest.ParseSDP(s.Offer()); int(d.Addr.Port()) != base+2 {
		t.Errorf("took %v", d.Addr)
	}
}

func TestAnAddressOfAnotherHostIsNotAUsedUpRange(t *testing.T) {
	t.Parallel()
	_, err := running(t, media.Config{}).Open(t.Context(), media.Options{Local: netip.MustParseAddr("192.0.2.1")})
	if err == nil || errors.Is(err, media.ErrNoPort) {
		t.Errorf("got %v", err)
	}
}

func TestAConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	good := media.Config{PortMin: 20000, PortMax: 20001, Rand: strings.NewReader("")}
	if _, err := media.NewEngine(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*media.Config){
		"no pair":        func(c *media.Config) { c.PortMin = 20001; c.PortMax = 20002 },
		"backwards":      func(c *media.Config) { c.PortMin = 30000 },
		"system ports":   func(c *media.Config) { c.PortMin = 80 },
		"beyond":         func(c *media.Config) { c.PortMax = 70000 },
		"no such dscp":   func(c *media.Config) { c.DSCP = 64 },
		"not random":     func(c *media.Config) { c.Rand = nil },
		"negative ports": func(c *media.Config) { c.PortMin, c.PortMax = -10, -1 },
	} {
		c := good
		change(&c)
		if _, err := media.NewEngine(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	e, _ := media.NewEngine(good)
	if _, err := e.Open(t.Context(), media.Options{Local: loopback(), Latch: "maybe"}); err == nil {
		t.Error("an unknown latch rule is no error")
	}
	if _, err := e.Open(t.Context(), media.Options{}); err == nil {
		t.Error("no local address is no error")
	}
	if _, err := e.Open(t.Context(), media.Options{Local: loopback()}); err == nil {
		t.Error("a source of randomness that ended is no error")
	}
}

// poll waits for a counter, which tells nobody when it changes.
func poll(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	ctx := deadline(tb)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatalf("waited in vain for %s", what)
		}
	}
}
