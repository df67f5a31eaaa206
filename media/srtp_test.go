package media_test

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"telgate/media"
	"telgate/media/mediatest"
)

func TestAnOfferCarriesAKeyForEverySuite(t *testing.T) {
	t.Parallel()
	e := running(t, media.Config{})
	keys := map[string]bool{}
	for rule, profile := range map[media.SRTP]string{"": "RTP/AVP", media.SRTPOff: "RTP/AVP", media.SRTPOptional: "RTP/AVP", media.SRTPRequired: "RTP/SAVP"} {
		s := open(t, e, media.Options{SRTP: rule})
		d, err := mediatest.ParseSDP(s.Offer())
		if err != nil {
			t.Fatal(err)
		}
		var suites []string
		for i, c := range d.Crypto {
			suites = append(suites, c.Suite)
			if c.Tag != i+1 || keys[string(c.Master)] {
				t.Errorf("%s: line %d has tag %d, or a key that was there before", rule, i, c.Tag)
			}
			keys[string(c.Master)] = true
		}
		want := mediatest.GCM + " " + mediatest.CM80 + " " + mediatest.CM32
		if profile == "RTP/AVP" && rule != media.SRTPOptional {
			want = ""
		}
		if got := strings.Join(suites, " "); got != want || d.Profile != profile {
			t.Errorf("%q offers %s with %q", rule, d.Profile, got)
		}
	}
}

func TestACallUnderSRTPIsHeardAndKeyedInEverySuite(t *testing.T) {
	t.Parallel()
	e := running(t, media.Config{})
	for _, c := range []struct {
		name  string
		rule  media.SRTP
		phone mediatest.Config
		suite string
	}{
		{"GCM", media.SRTPRequired, mediatest.Config{Suites: []string{mediatest.GCM}}, mediatest.GCM},
		{"HMAC_SHA1_80", media.SRTPRequired, mediatest.Config{Suites: []string{mediatest.CM80}}, mediatest.CM80},
		{"HMAC_SHA1_32", media.SRTPRequired, mediatest.Config{Suites: []string{mediatest.CM32}}, mediatest.CM32},
		{"what the phone prefers", media.SRTPRequired, mediatest.Config{Suites: []string{mediatest.CM80, mediatest.GCM}}, mediatest.CM80},
		{"with an MKI", media.SRTPRequired, mediatest.Config{Suites: []string{mediatest.CM80}, MKI: []byte{0, 0, 1, 2}}, mediatest.CM80},
		{"GCM with an MKI", media.SRTPRequired, mediatest.Config{Suites: []string{mediatest.GCM}, MKI: []byte{7}}, mediatest.GCM},
		{"optional, and it can", media.SRTPOptional, mediatest.Config{Suites: []string{mediatest.GCM}}, mediatest.GCM},
		{"optional, and it cannot", media.SRTPOptional, mediatest.Config{}, ""},
		{"off, and it could", media.SRTPOff, mediatest.Config{Suites: []string{mediatest.GCM}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, h := answered(t, e, media.Options{SRTP: c.rule}, c.phone)
			late := e.Stats().LateTurns
			said := mediatest.Speech(600*time.Millisecond, 4)
			s.Play(frames(media.PCMU, said))
			next[media.Played](t, s)
			hear(t, h, 3)
			if err := h.Mouth.Press(deadline(t), "1", mediatest.Press{}); err != nil {
				t.Fatal(err)
			}
			if k := next[media.Key](t, s); k.Digit != '1' {
				t.Errorf("key %q", k.Digit)
			}
			r, st := h.Ear.Report(), s.Stats()
			if r.Bad+r.Lost != 0 || e.Stats().LateTurns == late && !h.Ear.Correlate(said).Whole() {
				t.Errorf("heard %+v of %+v", h.Ear.Correlate(said), r)
			}
			if st.Suite != c.suite || st.Forged+st.Lost != 0 || st.Received == 0 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

func TestAnAnswerWithoutAUsableKeyIsRefusedWithItsReason(t *testing.T) {
	t.Parallel()
	e := running(t, media.Config{})
	good := mediatest.Description{
		Codecs: []string{"PCMU"}, Keys: 101, Profile: "RTP/SAVP",
		Crypto: []mediatest.Crypto{{Tag: 2, Suite: mediatest.CM80, Master: bytes.Repeat([]byte("key"), 10)}},
	}
	secret := "a2V5a2V5"
	for _, c := range []struct {
		name   string
		rule   media.SRTP
		change func(*mediatest.Description)
		edit   [2]string
		why    string // "" = it is taken
	}{
		{"as it should be", media.SRTPRequired, nil, [2]string{}, ""},
		{"RTP/SAVPF", media.SRTPRequired, func(d *mediatest.Description) { d.Profile = "RTP/SAVPF" }, [2]string{}, ""},
		{"optional as RTP/SAVP", media.SRTPOptional, nil, [2]string{}, ""},
		{"optional as RTP/AVP", media.SRTPOptional, func(d *mediatest.Description) { d.Profile = "RTP/AVP" }, [2]string{}, ""},
		{"no crypto", media.SRTPRequired, func(d *mediatest.Description) { d.Crypto = nil }, [2]string{}, "audio as RTP/SAVP without a=crypto: there is no key"},
		{"no crypto, optional", media.SRTPOptional, func(d *mediatest.Description) { d.Crypto = nil }, [2]string{}, "audio as RTP/SAVP without a=crypto: there is no key"},
		{"plain RTP", media.SRTPRequired, func(d *mediatest.Description) { d.Crypto, d.Profile = nil, "RTP/AVP" }, [2]string{}, "audio as RTP/AVP, and SRTP is required"},
		{"RTP/AVP with crypto", media.SRTPRequired, func(d *mediatest.Description) { d.Profile = "RTP/AVP" }, [2]string{}, "audio as RTP/AVP, and SRTP is required"},
		{"SRTP unasked", media.SRTPOff, nil, [2]string{}, "audio as RTP/SAVP, and SRTP is off"},
		{"DTLS", media.SRTPRequired, func(d *mediatest.Description) { d.Profile = "UDP/TLS/RTP/SAVPF" }, [2]string{}, `audio as "UDP/TLS/RTP/SAVPF", which is not spoken here`},
		{"unknown tag", media.SRTPRequired, func(d *mediatest.Description) { d.Crypto[0].Tag = 9 }, [2]string{}, "a=crypto has tag 9, which was not offered"},
		{"another line's suite", media.SRTPRequired, func(d *mediatest.Description) { d.Crypto[0].Tag = 3 }, [2]string{}, "it was offered with AES_CM_128_HMAC_SHA1_32"},
		{"suite that was not offered", media.SRTPRequired, nil, [2]string{"AES_CM_128", "AES_192_CM"}, "a=crypto has the suite AES_192_CM_HMAC_SHA1_80, which is not spoken here"},
		{"bad base64", media.SRTPRequired, nil, [2]string{"inline:a", "inline:%"}, "a=crypto has a key that is not base64"},
		{"short key", media.SRTPRequired, func(d *mediatest.Description) { d.Crypto[0].Master = d.Crypto[0].Master[:16] }, [2]string{}, "a=crypto has a key of 16 bytes, AES_CM_128_HMAC_SHA1_80 needs 30"},
		{"two lines", media.SRTPRequired, func(d *mediatest.Description) { d.Crypto = append(d.Crypto, d.Crypto[0]) }, [2]string{}, "2 a=crypto lines, an answer has one"},
		{"optional with a bad key", media.SRTPOptional, func(d *mediatest.Description) { d.Profile, d.Crypto[0].Tag = "RTP/AVP", 9 }, [2]string{}, "a=crypto has tag 9, which was not offered"},
		{"two keys", media.SRTPRequired, nil, [2]string{"\r\na=sendrecv", "|2^20|1:4;inline:" + secret + "|2^20|2:4\r\na=sendrecv"}, "a=crypto has more than one master key"},
		{"unencrypted", media.SRTPRequired, nil, [2]string{"\r\na=sendrecv", " UNENCRYPTED_SRTP\r\na=sendrecv"}, "a=crypto asks for UNENCRYPTED_SRTP, which is not spoken here"},
		{"refused", media.SRTPRequired, nil, [2]string{"m=audio 9 ", "m=audio 0 "}, "the audio stream was refused (port 0)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, e, media.Options{SRTP: c.rule})
			d := good
			d.Addr = handset(t, mediatest.Config{}).Addr()
			d.Crypto = []mediatest.Crypto{good.Crypto[0]}
			if c.change != nil {
				c.change(&d)
			}
			if strings.HasPrefix(c.edit[0], "m=") {
				_, port, _ := net.SplitHostPort(d.Addr.String())
				c.edit[0] = strings.Replace(c.edit[0], " 9 ", " "+port+" ", 1)
			}
			err := s.Accept([]byte(strings.Replace(string(d.Bytes()), c.edit[0], c.edit[1], 1)))
			if c.why == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			why, ok := errors.AsType[*media.AnswerError](err)
			if !ok || !strings.Contains(why.Why, c.why) {
				t.Errorf("%v, want %s", err, c.why)
			}
			if err != nil && strings.Contains(err.Error(), secret[:6]) {
				t.Errorf("a key is shown: %v", err)
			}
			if e.Stats().Sessions != 0 && s.Stats().Sent != 0 {
				t.Error("it talks all the same")
			}
		})
	}
}

func TestWhatIsNotUnderTheCalleesKeyIsNotHeard(t *testing.T) {
	t.Parallel()
	s, h := answered(t, running(t, media.Config{}), media.Options{SRTP: media.SRTPRequired}, mediatest.Config{Suites: []string{mediatest.GCM}})
	next[media.FirstPacket](t, s)
	plainKey := []byte{0x80, 101, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 1, 10, 0, 160}
	wrong, err := mediatest.NewSRTP(mediatest.GCM, bytes.Repeat([]byte("lock"), 7), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{plainKey, wrong.Seal(plainKey), append(plainKey, make([]byte, 16)...)} {
		if err := h.Mouth.Throw(b); err != nil { // from the phone's very socket
			t.Fatal(err)
		}
	}
	poll(t, "three forged packets", func() bool { return s.Stats().Forged == 3 })
	if err := h.Mouth.Press(deadline(t), "2", mediatest.Press{}); err != nil {
		t.Fatal(err)
	}
	if k := next[media.Key](t, s); k.Digit != '2' {
		t.Errorf("key %q was heard", k.Digit)
	}
	if st := s.Stats(); st.Forged != 3 || st.Rejected < 3 || st.Lost != 0 {
		t.Errorf("stats %+v", st)
	}
}

// crypto are the lines of a description.
func crypto(t *testing.T, body []byte) []mediatest.Crypto {
	t.Helper()
	d, err := mediatest.ParseSDP(body)
	if err != nil {
		t.Fatal(err)
	}
	return d.Crypto
}

// both says that a session and its phone hear each other now.
func both(t *testing.T, s *media.Session, h *mediatest.Handset) {
	t.Helper()
	hear(t, h, 3)
	if err := h.Mouth.Press(deadline(t), "5", mediatest.Press{}); err != nil {
		t.Fatal(err)
	}
	if k := next[media.Key](t, s); k.Digit != '5' {
		t.Errorf("key %q", k.Digit)
	}
}

func TestAReinviteWithTheSameKeyGoesOnAndOneWithANewKeySwitches(t *testing.T) {
	t.Parallel()
	s, h := answered(t, running(t, media.Config{}), media.Options{SRTP: media.SRTPRequired}, mediatest.Config{Suites: []string{mediatest.CM80, mediatest.GCM}})
	both(t, s, h)
	ours := crypto(t, s.Offer())[1]
	for _, rekey := range []bool{false, true, true, false} {
		if rekey {
			h.Rekey()
		}
		answer, err := s.Reoffer(h.Offer("sendrecv"))
		if err != nil {
			t.Fatal(err)
		}
		if got := crypto(t, answer); len(got) != 1 || got[0].Tag != 1 || !bytes.Equal(got[0].Master, ours.Master) {
			t.Errorf("our key changed, or there are %d", len(got))
		}
		if err := h.Accept(answer); err != nil {
			t.Fatal(err)
		}
		both(t, s, h)
	}
	if r, st := h.Ear.Report(), s.Stats(); r.Bad != 0 || st.Forged != 0 || st.Lost != 0 {
		t.Errorf("heard %+v; stats %+v", r, st)
	}
}

func TestAFurtherOfferKeepsTheKeyInUse(t *testing.T) {
	t.Parallel()
	s, h := answered(t, running(t, media.Config{}), media.Options{SRTP: media.SRTPRequired}, mediatest.Config{Suites: []string{mediatest.CM80}})
	both(t, s, h)
	offer, err := s.Reoffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	before, now := crypto(t, s.Offer()), crypto(t, offer)
	if len(now) != 3 || !bytes.Equal(before[1].Master, now[1].Master) {
		t.Error("the offer has another key")
	}
	answer, err := h.Answer(offer)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Accept(answer); err != nil {
		t.Fatal(err)
	}
	both(t, s, h)
	if r := h.Ear.Report(); r.Bad != 0 {
		t.Errorf("heard %+v", r)
	}
}

func TestAKeyThatWasLeftIsNeverUsedAgain(t *testing.T) {
	t.Parallel()
	s, h := answered(t, running(t, media.Config{}), media.Options{SRTP: media.SRTPOptional}, mediatest.Config{Suites: []string{mediatest.CM80}})
	both(t, s, h)
	used := map[string]bool{string(crypto(t, s.Offer())[1].Master): true}
	for i, suites := range [][]string{{mediatest.GCM}, {mediatest.CM80}, {mediatest.GCM}, nil, {mediatest.GCM}} {
		other := handset(t, mediatest.Config{Suites: suites, Profile: "RTP/AVP", Seed: uint64(i) + 2}) // a transfer
		answer, err := s.Reoffer(other.Offer("sendrecv"))
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Accept(answer); err != nil {
			t.Fatal(err)
		}
		both(t, s, other)
		for _, c := range crypto(t, answer) {
			if used[string(c.Master)] {
				t.Errorf("a key of %s is used again", c.Suite)
			}
			used[string(c.Master)] = true
		}
	}
	if st := s.Stats(); st.Suite != "" {
		t.Errorf("the call is said to have been under %s, which it was not from end to end", st.Suite)
	}
}

func TestAReinviteNeverTakesRequiredEncryptionAway(t *testing.T) {
	t.Parallel()
	s, h := answered(t, running(t, media.Config{}), media.Options{SRTP: media.SRTPRequired}, mediatest.Config{Suites: []string{mediatest.GCM}})
	for name, c := range map[string]mediatest.Config{
		"plain RTP": {}, "RTP/AVP with keys": {Suites: []string{mediatest.GCM}, Profile: "RTP/AVP"}, "no key": {Profile: "RTP/SAVP"},
	} {
		_, err := s.Reoffer(handset(t, c).Offer("sendrecv"))
		if _, ok := errors.AsType[*media.AnswerError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	both(t, s, h)
	if st := s.Stats(); st.Suite != mediatest.GCM {
		t.Errorf("stats %+v", st)
	}
}

func TestOfTwoStreamsTheOneThatFitsIsTaken(t *testing.T) {
	t.Parallel()
	e := running(t, media.Config{})
	h := handset(t, mediatest.Config{Suites: []string{mediatest.GCM}})
	secure := h.Offer("sendrecv")
	plain := "m=audio 9 RTP/AVP 0\r\na=sendrecv\r\n"
	for rule, want := range map[media.SRTP]string{media.SRTPOff: "RTP/AVP", media.SRTPOptional: "RTP/SAVP", media.SRTPRequired: "RTP/SAVP"} {
		s, _ := answered(t, e, media.Options{SRTP: rule}, mediatest.Config{Suites: []string{mediatest.GCM}})
		answer, err := s.Reoffer(append(bytes.Clone(secure), plain...))
		if err != nil {
			t.Fatal(err)
		}
		var streams []string
		for l := range strings.Lines(string(answer)) {
			if strings.HasPrefix(l, "m=audio ") && !strings.HasPrefix(l, "m=audio 0 ") {
				streams = append(streams, strings.Fields(l)[2])
			}
		}
		if len(streams) != 1 || streams[0] != want {
			t.Errorf("%s took %v", rule, streams)
		}
	}
}

func TestAReportUnderSRTCPIsReadAndAnotherOneIsNot(t *testing.T) {
	t.Parallel()
	for _, suite := range []string{mediatest.GCM, mediatest.CM80, mediatest.CM32} {
		s, h := answered(t, running(t, media.Config{}), media.Options{SRTP: media.SRTPRequired}, mediatest.Config{Suites: []string{suite}, Quiet: true})
		hear(t, h, 3)
		d, err := mediatest.ParseSDP(s.Offer())
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: d.Addr.Addr().AsSlice(), Port: int(d.Addr.Port()) + 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		theirs := crypto(t, h.Offer("sendrecv"))[0]
		key, err := mediatest.NewSRTP(suite, theirs.Master, nil)
		if err != nil {
			t.Fatal(err)
		}
		report := receiverReport(h.Ear.Report().SSRCs[0])
		for _, c := range []struct {
			name string
			sent []byte
			want bool
		}{
			{"plain", report, false},
			{"cut off", key.SealRTCP(report, 1)[:20], false},
			{"sealed", key.SealRTCP(report, 2), true},
			{"again", key.SealRTCP(report, 2), false},
		} {
			if _, err := conn.Write(c.sent); err != nil {
				t.Fatal(err)
			}
			if got := s.Reported(); got != c.want {
				t.Errorf("%s, %s: %v", suite, c.name, got)
			}
		}
	}
}
