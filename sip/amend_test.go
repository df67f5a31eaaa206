package sip_test

import (
	"strings"
	"testing"

	"telgate/sip"
	"telgate/sip/siptest"
)

const narrow = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n"

func TestARefusalThatSaysWhatItWantsIsGivenItOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status string
		header string
		fit    func(siptest.Message) bool
	}{
		{"421 Extension Required", "Require: 100rel", func(m siptest.Message) bool { return m.Get("Supported") == "timer, 100rel" }},
		{"421 Extension Required", "Require: timer", func(m siptest.Message) bool { return m.Get("Session-Expires") == "1800" }},
		{"422 Session Interval Too Small", "Min-SE: 3600", func(m siptest.Message) bool {
			return m.Get("Session-Expires") == "3600" && m.Get("Min-SE") == "3600"
		}},
		{"488 Not Acceptable Here", `Warning: 304 host "Media type not available"`, func(m siptest.Message) bool { return m.Body == narrow }},
	} {
		peer := siptest.NewPeer(t)
		trunk := open(t, peer.Addr(), nil)
		leg, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp), Fallback: []byte(narrow)})
		if err != nil {
			t.Fatal(err)
		}
		challenge := `WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`
		peer.Answer(peer.Expect("INVITE"), "401 Unauthorized", "x", "", challenge)
		peer.Expect("ACK")
		in := peer.Expect("INVITE")
		peer.Answer(in, c.status, "x", "", c.header)
		peer.Expect("ACK")
		again := peer.Expect("INVITE")
		if !c.fit(again) || again.Get("CSeq") != "3 INVITE" || again.Get("Call-ID") != in.Get("Call-ID") || strings.Contains(again.Get("To"), "tag=") {
			t.Errorf("%s, %s: %v\n%s", c.status, c.header, again.Headers, again.Body)
		}
		if a := next[sip.Amended](t, leg); !strings.HasPrefix(c.status, "4") || a.Status != map[byte]int{'1': 421, '2': 422, '8': 488}[c.status[2]] {
			t.Errorf("%+v", a)
		}
		peer.Answer(again, "401 Unauthorized", "x", "", challenge) // the changed request is challenged anew
		peer.Expect("ACK")
		last := peer.Expect("INVITE")
		if !c.fit(last) || last.Get("Authorization") == "" {
			t.Errorf("%s after a challenge: %v", c.status, last.Headers)
		}
		peer.Answer(last, c.status, "x", "", c.header) // once
		peer.Expect("ACK")
		ends(t, leg, sip.EndedByRefused)
	}
}

func TestARefusalThatCannotBeHelpedEndsTheCall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, status, header string
		ringing              bool
	}{
		{"an extension not known here", "421 Extension Required", "Require: 100rel, precondition", false},
		{"no extension named", "421 Extension Required", "Server: x", false},
		{"no Min-SE", "422 Session Interval Too Small", "Server: x", false},
		{"after alerting", "488 Not Acceptable Here", "Server: x", true},
	} {
		peer := siptest.NewPeer(t)
		trunk := open(t, peer.Addr(), nil)
		leg, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp), Fallback: []byte(narrow)})
		if err != nil {
			t.Fatal(err)
		}
		in := peer.Expect("INVITE")
		if c.ringing {
			peer.Answer(in, "180 Ringing", "x", "")
			next[sip.Progress](t, leg)
		}
		peer.Answer(in, c.status, "x", "", c.header)
		peer.Expect("ACK")
		if e := ends(t, leg, sip.EndedByRefused); !strings.HasPrefix(c.status, statusText(e.Status)) {
			t.Errorf("%s: %d", c.name, e.Status)
		}
	}
}
