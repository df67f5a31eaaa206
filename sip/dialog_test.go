package sip_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

func TestRequestsInADialogAreAnsweredByTheirMethod(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := up(t, peer, leg)
	for i, c := range []struct {
		method, body string
		more         []string
		status       int
		header       string
	}{
		{"OPTIONS", "", nil, 200, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"},
		{"REFER", "", []string{"Refer-To: <sip:mallory@example.com>"}, 603, ""},
		{"NOTIFY", "", []string{"Event: refer"}, 405, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"},
		{"SUBSCRIBE", "", nil, 405, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"},
		{"MESSAGE", "hello", []string{"Content-Type: text/plain"}, 405, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"},
		{"INFO", "<media_control/>", []string{"Content-Type: application/media_control+xml"}, 415, "Accept: application/dtmf-relay, application/dtmf"},
		{"INFO", "", []string{"Info-Package: foo"}, 469, ""},
		{"INFO", "", nil, 200, ""},
		{"OPTIONS", "", []string{"Require: 100rel, precondition, gin"}, 420, "Unsupported: precondition, gin"},
		{"UPDATE", "", nil, 200, "Contact: <sip:telgate@" + in.From.String() + ">"},
		{"UPDATE", "x", []string{"Content-Type: application/isup"}, 415, "Accept: application/sdp"},
		{"UPDATE", sdp, []string{"Content-Encoding: gzip"}, 415, "Accept-Encoding: identity"},
		{"INVITE", "x", []string{"Content-Type: multipart/mixed;boundary=x"}, 415, "Accept: application/sdp"},
		{"INVITE", sdp, []string{"Require: replaces", `Replaces: 1;to-tag=2;from-tag=3`}, 420, "Unsupported: replaces"},
	} {
		peer.Request(in, c.method, "a", i+1, c.body, c.more...)
		res := peer.ExpectResponse(c.status)
		name, value, _ := strings.Cut(c.header, ": ")
		if name != "" && res.Get(name) != value {
			t.Errorf("%d %s: %s is %q, want %q", i, c.method, name, res.Get(name), value)
		}
	}
	peer.Request(in, "OPTIONS", "other", 50, "")
	peer.ExpectResponse(481)
	peer.Request(in, "BYE", "a", 60, "", "Require: precondition") // whatever it requires, it ends the call
	peer.ExpectResponse(200)
	ends(t, leg, sip.EndedByPeerBye)
}

func TestTheReasonOfAByeIsReadAndGiven(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	trunk := open(t, peer.Addr(), nil)
	leg := invite(t, trunk)
	in := up(t, peer, leg)
	peer.Request(in, "BYE", "a", 1, "", `Reason: SIP;cause=200;text="done", Q.850;cause=31;text="Normal, unspecified"`)
	if e := ends(t, leg, sip.EndedByPeerBye); e.Reason.Q850 != 31 || e.Reason.SIPCause != 200 {
		t.Errorf("%+v", e.Reason)
	}
	peer.ExpectResponse(200)
	leg = invite(t, trunk)
	up(t, peer, leg)
	leg.Hangup(sip.Hangup{})
	bye := peer.Expect("BYE")
	if bye.Get("Reason") != "Q.850;cause=16" {
		t.Errorf("BYE with %q", bye.Get("Reason"))
	}
	peer.Answer(bye, "100 Trying", "a", "") // as a stateful proxy does
	peer.Answer(bye, "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}

func TestByeAgainstBye(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := up(t, peer, leg)
	leg.Hangup(sip.Hangup{})
	bye := peer.Expect("BYE")
	peer.Request(in, "BYE", "a", 1, "")
	peer.ExpectResponse(200)
	peer.Request(in, "INFO", "a", 2, "1", "Content-Type: application/dtmf")
	peer.ExpectResponse(481)
	peer.Answer(bye, "481 Call/Transaction Does Not Exist", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}

func TestAByeThatOvertakesIts200EndsTheCall(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	peer.Answer(in, "180 Ringing", "a", "")
	next[sip.Progress](t, leg)
	peer.Request(in, "BYE", "a", 1, "")
	peer.ExpectResponse(200)
	peer.Answer(in, "200 OK", "a", sdp)
	peer.Expect("ACK")
	next[sip.Answered](t, leg)
	ends(t, leg, sip.EndedByPeerBye)
}

func TestEarlyDialogsAreKeptApart(t *testing.T) {
	t.Parallel()
	second := strings.Replace(sdp, "4000", "4002", 1)
	third := strings.Replace(sdp, "4000", "4004", 1)
	for _, c := range []struct {
		name, tag, body, want string
	}{
		{"the SDP of a dialog's own 18x", "a", "", sdp},
		{"another's", "b", "", second},
		{"a 200 with SDP wins", "b", third, third},
		{"none of this dialog's", "c", "", ""},
		{"none after 199", "d", "", ""},
	} {
		peer := siptest.NewPeer(t)
		leg := invite(t, open(t, peer.Addr(), nil))
		in := peer.Expect("INVITE")
		for _, p := range []struct{ status, tag, body string }{
			{"181 Call Is Being Forwarded", "a", ""},
			{"183 Session Progress", "a", sdp},
			{"182 Queued", "b", ""},
			{"183 Session Progress", "b", second},
			{"183 Session Progress", "d", sdp},
			{"199 Early Dialog Terminated", "d", ""},
			{"180 Ringing", "b", ""},
		} {
			peer.Answer(in, p.status, p.tag, p.body)
			if got := next[sip.Progress](t, leg); statusText(got.Status) != p.status[:3] || got.ToTag != p.tag || string(got.SDP) != p.body {
				t.Fatalf("%s: %+v for %v", c.name, got, p)
			}
		}
		peer.Request(in, "UPDATE", "d", 1, sdp) // that dialog is gone
		peer.ExpectResponse(481)
		peer.Answer(in, "200 OK", c.tag, c.body)
		if a := next[sip.Answered](t, leg); string(a.SDP) != c.want || a.ToTag != c.tag {
			t.Errorf("%s: %q of %s", c.name, a.SDP, a.ToTag)
		}
		peer.Expect("ACK")
		peer.Request(in, "BYE", c.tag, 1, "")
		if e := ends(t, leg, sip.EndedByPeerBye); e.ToTags < 3 {
			t.Errorf("%d To tags", e.ToTags)
		}
	}
}

func TestManyForksAreToldAndNotKept(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	for i := range 100 {
		peer.Answer(in, "180 Ringing", "fork"+statusText(i), "")
		next[sip.Progress](t, leg)
	}
	peer.Answer(in, "486 Busy Here", "a", "")
	if e := ends(t, leg, sip.EndedByRefused); e.ToTags != 32 {
		t.Errorf("%d dialogs kept", e.ToTags)
	}
}

func TestA200OfACallThatIsUpIsAcknowledgedHoweverLateItComes(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := up(t, peer, leg)
	late := siptest.Message{From: in.From} // as if its transaction were over
	for _, h := range in.Headers {
		if h[0] == "Via" {
			h[1] = strings.Replace(h[1], "branch=", "branch=z9hG4bKover", 1)
		}
		late.Headers = append(late.Headers, h)
	}
	peer.Answer(late, "200 OK", "a", sdp)
	peer.ExpectAgain("ACK")
	peer.Quiet(200 * time.Millisecond) // no BYE
	peer.Request(in, "BYE", "a", 1, "")
	ends(t, leg, sip.EndedByPeerBye)
}

func TestTheTargetMovesWithReinviteAndUpdateAndTheGuardWithIt(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := up(t, peer, leg)
	peer.Request(in, "UPDATE", "a", 1, "", "Contact: <sip:moved@"+peer.Addr()+">")
	peer.ExpectResponse(200)
	peer.Request(in, "INVITE", "a", 2, sdp, "Contact: <sip:refused@"+peer.Addr()+">")
	next[sip.Reoffer](t, leg).Reply(nil) // a refused one moves nothing
	peer.ExpectResponse(488)
	peer.Request(in, "INVITE", "a", 3, sdp, "Contact: <sip:again@"+peer.Addr()+">")
	next[sip.Reoffer](t, leg).Reply([]byte(sdp))
	peer.ExpectResponse(200)
	peer.Request(in, "ACK", "a", 3, "")
	leg.Hangup(sip.Hangup{})
	bye := peer.Expect("BYE")
	if !strings.HasPrefix(bye.Start, "BYE sip:again@") {
		t.Errorf("%s", bye.Start)
	}
	peer.Answer(bye, "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}

func TestAByeFromWhereTheCallMovedIsHeard(t *testing.T) {
	t.Parallel()
	elsewhere, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 8)})
	if err != nil {
		t.Skip("no second loopback address here")
	}
	defer func() { _ = elsewhere.Close() }()
	contact := "Contact: <sip:moved@" + elsewhere.LocalAddr().String() + ">"
	for _, when := range []string{"while it rings", "with the 200", "by UPDATE"} {
		peer := siptest.NewPeer(t)
		leg := invite(t, open(t, peer.Addr(), nil))
		var in siptest.Message
		switch when {
		case "by UPDATE":
			in = up(t, peer, leg)
			peer.Request(in, "UPDATE", "a", 1, "", contact)
			peer.ExpectResponse(200)
		case "with the 200":
			in = peer.Expect("INVITE")
			peer.Answer(in, "200 OK", "a", sdp, contact)
			next[sip.Answered](t, leg)
		case "while it rings":
			in = peer.Expect("INVITE")
			peer.Answer(in, "180 Ringing", "a", "", contact)
			next[sip.Progress](t, leg)
		}
		_, _ = elsewhere.WriteToUDP([]byte(strings.Join([]string{
			"BYE sip:telgate@" + in.From.String() + " SIP/2.0", "Via: SIP/2.0/UDP " + elsewhere.LocalAddr().String() + ";branch=z9hG4bKmoved" + in.Get("Call-ID") + ";rport",
			"Max-Forwards: 70", "From: " + in.Get("To") + ";tag=a", "To: " + in.Get("From"), "Call-ID: " + in.Get("Call-ID"),
			"CSeq: 2 BYE", "Content-Length: 0", "", "",
		}, "\r\n")), in.From)
		_ = elsewhere.SetReadDeadline(time.Now().Add(siptest.Patience))
		buf := make([]byte, 2048)
		for answer := ""; !strings.Contains(answer, "2 BYE"); answer = string(buf) { // after the ACK
			if _, err := elsewhere.Read(buf); err != nil {
				t.Fatalf("%s: the BYE is not answered: %v", when, err)
			}
		}
		if when == "while it rings" {
			peer.Answer(in, "200 OK", "a", sdp)
		}
		ends(t, leg, sip.EndedByPeerBye)
	}
}
