package sip_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

const moved = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4100 RTP/AVP 8\r\n"

func TestAnAnswerInTheACKOfAReinviteIsTaken(t *testing.T) {
	t.Parallel()
	for _, body := range []string{moved, ""} {
		inTime(t, func(call *talking) {
			call.peer.Request(call.in, "INVITE", "a", 1, "")
			offered := next[sip.Reoffer](call.T, call.leg)
			if offered.SDP != nil {
				call.Errorf("SDP %q", offered.SDP)
			}
			offered.Reply([]byte(narrow))
			if res := call.peer.ExpectResponse(200); res.Body != narrow {
				call.Errorf("offer %q", res.Body)
			}
			call.peer.Request(call.in, "UPDATE", "a", 2, sdp) // our offer is open
			call.peer.ExpectResponse(491)
			call.peer.Request(call.in, "ACK", "a", 1, body)
			if body != "" {
				if r := next[sip.Reanswered](call.T, call.leg); string(r.SDP) != body {
					call.Errorf("answer %q", r.SDP)
				}
			}
			synctest.Wait()
			call.peer.Request(call.in, "BYE", "a", 3, "")
			for ev := range call.leg.Events() {
				if _, is := ev.(sip.Reanswered); is {
					call.Error("an answer out of nothing")
				}
			}
			<-call.leg.Done()
		})
	}
}

func TestOffersThatMeetAreRefusedAndComeAgain(t *testing.T) {
	t.Parallel()
	inTime(t, func(call *talking) {
		ours := call.peer.Expect("INVITE")
		for i, method := range []string{"INVITE", "UPDATE"} { // while ours is open
			call.peer.Request(call.in, method, "a", i+1, moved)
			if res := call.peer.ExpectResponse(491); !strings.HasSuffix(res.Get("CSeq"), method) {
				call.Errorf("491 to %s", res.Get("CSeq"))
			}
			if method == "INVITE" {
				call.peer.Hop(call.in, "ACK", "a", i+1)
			}
		}
		call.peer.Request(call.in, "UPDATE", "a", 3, "", theyDo, "Supported: timer") // no offer, no conflict
		call.peer.ExpectResponse(200)
		call.peer.Answer(ours, "491 Request Pending", "", "")
		synctest.Wait()
		call.peer.Request(call.in, "INVITE", "a", 4, moved, "Session-Expires: 90;refresher=uas", "Supported: timer")
		next[sip.Reoffer](call.T, call.leg).Reply([]byte(narrow))
		call.peer.ExpectResponse(200)
		call.peer.Request(call.in, "ACK", "a", 4, "")
		again := call.peer.Expect("INVITE") // a new half-life: the peer's re-INVITE has refreshed the session
		call.after(90*time.Second, 91*time.Second, "re-INVITE")
		if again.Body != narrow {
			call.Errorf("offers %q, not what was said last", again.Body)
		}
		call.peer.Answer(again, "200 OK", "", moved, weDo)
		call.peer.Expect("ACK")
	}, weDo)
}

func TestARefreshWaitsForThePeersOwnReinvite(t *testing.T) {
	t.Parallel()
	inTime(t, func(call *talking) {
		timer := time.NewTimer(44 * time.Second)
		<-timer.C
		call.peer.Request(call.in, "INVITE", "a", 1, "", weDo) // not answered yet when the refresh is due
		re := next[sip.Reoffer](call.T, call.leg)
		timer.Reset(1500 * time.Millisecond)
		<-timer.C
		re.Reply([]byte(sdp))
		call.peer.ExpectResponse(200)
		call.peer.Request(call.in, "ACK", "a", 1, sdp)
		next[sip.Reanswered](call.T, call.leg)
		req := call.peer.Expect("INVITE")
		call.after(90*time.Second, 91*time.Second, "re-INVITE")
		call.peer.Answer(req, "200 OK", "", sdp)
		call.peer.Expect("ACK")
	}, weDo)
}

func TestAnOfferThatNobodyAnswersInTimeIsRefused(t *testing.T) {
	t.Parallel()
	inTime(t, func(call *talking) {
		call.peer.Request(call.in, "INVITE", "a", 1, moved)
		re := next[sip.Reoffer](call.T, call.leg)
		call.peer.Request(call.in, "UPDATE", "a", 2, sdp) // its own offer is open
		if res := call.peer.ExpectResponse(500); res.Get("Retry-After") == "" {
			call.Errorf("%v", res.Headers)
		}
		call.peer.ExpectResponse(488)
		call.after(2*time.Second, 3*time.Second, "488")
		re.Reply([]byte(sdp)) // too late, and harmless
	})
}

func TestAReinviteThatIsTakenBackOrOvertakenByABye(t *testing.T) {
	t.Parallel()
	inTime(t, func(call *talking) {
		call.peer.Request(call.in, "INVITE", "a", 1, moved)
		re := next[sip.Reoffer](call.T, call.leg)
		call.peer.Request(call.in, "CANCEL", "a", 1, "")
		call.peer.ExpectResponse(481) // another branch: nothing to cancel
		re.Reply([]byte(sdp))
		call.peer.ExpectResponse(200)
		call.peer.Request(call.in, "ACK", "a", 1, "")
		call.peer.Request(call.in, "INVITE", "a", 2, moved)
		next[sip.Reoffer](call.T, call.leg)
		call.peer.Request(call.in, "BYE", "a", 3, "")
		call.peer.ExpectResponse(200)
		call.peer.ExpectResponse(487)
		ends(call.T, call.leg, sip.EndedByPeerBye)
		<-call.leg.Done()
	})
}

func TestACancelledReinviteIsNotAnsweredTwice(t *testing.T) {
	t.Parallel()
	inTime(t, func(call *talking) {
		call.peer.Request(call.in, "INVITE", "a", 1, moved)
		re := next[sip.Reoffer](call.T, call.leg)
		call.peer.Hop(call.in, "CANCEL", "a", 1)
		call.peer.ExpectResponse(200)
		call.peer.ExpectResponse(487)
		call.peer.Hop(call.in, "ACK", "a", 1)
		re.Reply([]byte(sdp))
		synctest.Wait()                                     // the leg has taken it
		call.peer.Request(call.in, "INVITE", "a", 2, moved) // nothing is open
		next[sip.Reoffer](call.T, call.leg).Reply([]byte(sdp))
		if res := call.peer.ExpectResponse(200); res.Get("CSeq") != "2 INVITE" {
			call.Errorf("200 to %s", res.Get("CSeq"))
		}
		call.peer.Request(call.in, "ACK", "a", 2, "")
	})
}

func TestAnUpdateWhileItRingsIsAnsweredAndStandsForA200WithoutSDP(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	peer.Answer(in, "183 Session Progress", "a", sdp, reliable, "RSeq: 1")
	peer.Answer(peer.Expect("PRACK"), "200 OK", "a", "")
	peer.Request(in, "UPDATE", "a", 1, moved)
	next[sip.Reoffer](t, leg).Reply([]byte(narrow))
	if res := peer.ExpectResponse(200); res.Body != narrow {
		t.Errorf("%q", res.Body)
	}
	peer.Request(in, "INVITE", "a", 2, moved) // not before our own is answered
	peer.ExpectResponse(491)
	peer.Answer(in, "200 OK", "a", "")
	if a := next[sip.Answered](t, leg); string(a.SDP) != moved {
		t.Errorf("%q", a.SDP)
	}
	peer.Expect("ACK")
	peer.Request(in, "BYE", "a", 3, "")
	ends(t, leg, sip.EndedByPeerBye)
}

func TestKeysCountOnlyFromTheDialogAndItsPeers(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	peer.Answer(in, "180 Ringing", "a", "")
	next[sip.Progress](t, leg)
	peer.Request(in, "INFO", "a", 1, "1", "Content-Type: application/dtmf") // nobody has answered
	peer.ExpectResponse(200)
	peer.Answer(in, "200 OK", "a", sdp)
	next[sip.Answered](t, leg)
	peer.Expect("ACK")
	peer.Request(in, "INFO", "b", 2, "2", "Content-Type: application/dtmf") // another dialog
	peer.ExpectResponse(481)
	before := time.Now()
	peer.Request(in, "INFO", "a", 3, "Signal=3\r\nDuration=1000", relay)
	peer.ExpectResponse(200)
	if d := next[sip.Digit](t, leg); d.Digit != '3' || d.At.After(time.Now().Add(-time.Second)) || d.At.Before(before.Add(-time.Second)) {
		t.Errorf("%+v", d)
	}
	peer.Request(in, "BYE", "a", 4, "")
	ends(t, leg, sip.EndedByPeerBye)
}
