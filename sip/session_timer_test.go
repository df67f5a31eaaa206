package sip_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

// talking is a call that is up, in a bubble whose time is not the clock's.
type talking struct {
	*testing.T
	peer  *siptest.Peer
	leg   *sip.Leg
	in    siptest.Message
	since time.Time // the answer
}

// inTime plays a call whose 200 has these headers.
func inTime(t *testing.T, play func(*talking), more ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		wire := siptest.NewWire()
		peer := wire.Peer(t)
		peer.Patient(5 * time.Minute)
		c := &talking{T: t, peer: peer, leg: invite(t, openOn(t, inMemory(wire), peer.Addr(), nil))}
		t.Cleanup(synctest.Wait) // what is on its way to a trunk that closes would have sipgo open a real socket
		c.in = peer.Expect("INVITE")
		peer.Answer(c.in, "180 Ringing", "a", "")
		peer.Answer(c.in, "200 OK", "a", sdp, more...)
		next[sip.Answered](t, c.leg)
		peer.Expect("ACK")
		c.since = time.Now()
		play(c)
		if t.Failed() {
			return
		}
		select {
		case <-c.leg.Done():
		default:
			c.leg.Hangup(sip.Hangup{})
			peer.Answer(peer.Expect("BYE"), "200 OK", "a", "")
		}
	})
}

// after checks how long it is since the answer.
func (c *talking) after(least, most time.Duration, what string) {
	c.Helper()
	if d := time.Since(c.since); d < least || d > most {
		c.Errorf("%s after %v, want %v to %v", what, d, least, most)
	}
}

func (c *talking) byed(by sip.EndedBy, at time.Duration, reason string) {
	c.Helper()
	bye := c.peer.Expect("BYE")
	c.after(at, at+100*time.Millisecond, "BYE")
	if !strings.Contains(bye.Get("Reason"), reason) {
		c.Errorf("BYE with %q", bye.Get("Reason"))
	}
	c.peer.Answer(bye, "200 OK", "a", "")
	ends(c.T, c.leg, by)
	<-c.leg.Done()
}

const (
	minute = 60 * time.Second
	weDo   = "Session-Expires: 90;refresher=uac"
	theyDo = "Session-Expires: 90;refresher=uas"
	update = "Allow: INVITE, ACK, BYE, CANCEL, UPDATE"
)

func TestWeRefreshASessionAtHalfItsLife(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method string
		headers      []string
	}{
		{"by UPDATE where the peer takes it", "UPDATE", []string{weDo, update, "Require: timer"}},
		{"else by re-INVITE", "INVITE", []string{weDo, "Allow: INVITE, ACK, BYE"}},
		{"also where nobody is named", "INVITE", []string{"x: 90"}},
	} {
		inTime(t, func(call *talking) {
			for i := range 3 {
				req := call.peer.Expect(c.method)
				at := time.Duration(i+1) * 45 * time.Second
				call.after(at, at+time.Second, c.method)
				if req.Get("Session-Expires") != "90;refresher=uac" || req.Get("Supported") != "timer" || !strings.Contains(req.Get("To"), "tag=a") {
					call.Errorf("%s: %v", c.name, req.Headers)
				}
				if want := map[string]string{"UPDATE": "", "INVITE": sdp}[c.method]; req.Body != want {
					call.Errorf("%s: body %q", c.name, req.Body)
				}
				call.peer.Answer(req, "200 OK", "", req.Body, weDo, update, "Contact: <sip:moved@"+call.peer.Addr()+">")
				if c.method == "INVITE" {
					ack := call.peer.Expect("ACK")
					if !strings.HasPrefix(ack.Start, "ACK sip:moved@") || strings.TrimSuffix(ack.Get("CSeq"), "ACK") != strings.TrimSuffix(req.Get("CSeq"), "INVITE") {
						call.Errorf("%s %s", ack.Start, ack.Get("CSeq"))
					}
					if r := next[sip.Reanswered](call.T, call.leg); string(r.SDP) != sdp {
						call.Errorf("answer %q", r.SDP)
					}
					call.peer.Answer(req, "200 OK", "", req.Body) // our ACK was lost
					call.peer.ExpectAgain("ACK")
					return
				}
			}
		}, c.headers...)
	}
}

func TestASessionThatNobodyRefreshesIsEnded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expires string
		bye     time.Duration
	}{
		{theyDo, minute}, // a third of it early
		{"Session-Expires: 1800;refresher=uas", 1768 * time.Second}, // at most 32 s
		{"Session-Expires: 3;refresher=uas", 2 * time.Second},
	} {
		inTime(t, func(call *talking) {
			call.peer.Patient(time.Hour)
			call.byed(sip.EndedByExpiry, c.bye, "Q.850;cause=102")
		}, c.expires)
	}
}

func TestThePeersRefreshesAreAnswered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, body string
		more               []string
		expires, require   string
		next               string // who acts next: "peer", "we" or "nobody"
	}{
		{"by UPDATE", "UPDATE", "", []string{"Session-Expires: 90;refresher=uac", "Supported: timer"}, "90;refresher=uac", "timer", "peer"},
		{"by re-INVITE", "INVITE", sdp, []string{"x: 90", "k: timer"}, "90;refresher=uac", "timer", "peer"},
		{"handing it to us", "UPDATE", "", []string{"Session-Expires: 120;refresher=uas", "Supported: timer"}, "120;refresher=uas", "", "we"},
		{"a proxy's wish", "UPDATE", "", []string{"Session-Expires: 90;refresher=uac"}, "90;refresher=uas", "", "we"},
		{"without a timer", "UPDATE", "", nil, "", "", "nobody"},
	} {
		inTime(t, func(call *talking) {
			timer := time.NewTimer(40 * time.Second)
			<-timer.C
			call.peer.Request(call.in, c.method, "a", 1, c.body, c.more...)
			if c.body != "" {
				next[sip.Reoffer](call.T, call.leg).Reply([]byte(sdp))
			}
			res := call.peer.ExpectResponse(200)
			if c.body != "" {
				call.peer.Request(call.in, "ACK", "a", 1, "")
			}
			if res.Get("Session-Expires") != c.expires || res.Get("Require") != c.require {
				call.Errorf("%s: %v", c.name, res.Headers)
			}
			switch c.next {
			case "peer":
				call.byed(sip.EndedByExpiry, 100*time.Second, "Q.850;cause=102")
			case "we":
				req := call.peer.Expect("UPDATE")
				call.peer.Answer(req, "200 OK", "", "", weDo)
			case "nobody":
				call.peer.Quiet(3 * minute)
			}
		}, theyDo, update)
	}
}

func TestARefreshThatIsRefusedIsTriedAnotherWay(t *testing.T) {
	t.Parallel()
	type step struct {
		method string
		at     [2]time.Duration // since the answer
		status string
		more   []string
	}
	half := [2]time.Duration{45 * time.Second, 46 * time.Second}
	glare := [2]time.Duration{47100 * time.Millisecond, 49100 * time.Millisecond}
	challenge := `Proxy-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`
	for _, c := range []struct {
		name  string
		allow string
		steps []step
		bye   time.Duration // when the call is given up; 0 = it goes on
		by    sip.EndedBy
	}{
		{"UPDATE not allowed after all", update, []step{{"UPDATE", half, "405 Method Not Allowed", nil}, {"INVITE", half, "200 OK", []string{weDo}}}, 0, ""},
		{"glare", update, []step{{"UPDATE", half, "491 Request Pending", nil}, {"UPDATE", glare, "200 OK", []string{weDo}}}, 0, ""},
		{"glare of a re-INVITE", "X: y", []step{{"INVITE", half, "491 Request Pending", nil}, {"INVITE", glare, "200 OK", []string{weDo}}}, 0, ""},
		{"too short", update, []step{{"UPDATE", half, "422 Session Interval Too Small", []string{"Min-SE: 200"}}, {"UPDATE", half, "200 OK", []string{"Session-Expires: 200;refresher=uac"}}}, 0, ""},
		{"challenged", "X: y", []step{{"INVITE", half, "407 Proxy Authentication Required", []string{challenge}}, {"INVITE", half, "200 OK", []string{weDo}}}, 0, ""},
		{"the dialog is gone", update, []step{{"UPDATE", half, "481 Call/Transaction Does Not Exist", nil}}, 45 * time.Second, sip.EndedByGone},
		{"nobody answered a proxy", "X: y", []step{{"INVITE", half, "408 Request Timeout", nil}}, 45 * time.Second, sip.EndedByGone},
		{"out of order", "X: y", []step{
			{"INVITE", half, "500 Server Internal Error", nil},
			{"INVITE", [2]time.Duration{52 * time.Second, 53 * time.Second}, "200 OK", []string{weDo}},
		}, 0, ""},
	} {
		inTime(t, func(call *talking) {
			for i, s := range c.steps {
				req := call.peer.Expect(s.method)
				call.after(s.at[0], s.at[1], c.name)
				if i == 1 && strings.HasPrefix(c.steps[0].status, "422") && (req.Get("Min-SE") != "200" || req.Get("Session-Expires") != "200;refresher=uac") {
					call.Errorf("%s: %v", c.name, req.Headers)
				}
				if i == 1 && strings.HasPrefix(c.steps[0].status, "407") && req.Get("Proxy-Authorization") == "" {
					call.Errorf("%s: %v", c.name, req.Headers)
				}
				body := ""
				if s.method == "INVITE" && s.status == "200 OK" {
					body = sdp
				}
				call.peer.Answer(req, s.status, "", body, s.more...)
				if s.method == "INVITE" {
					call.peer.Expect("ACK")
				}
			}
			if c.bye > 0 {
				call.byed(c.by, c.bye, "Q.850;cause=102")
			}
		}, weDo, c.allow)
	}
}

func TestARefreshThatNobodyAnswersEndsTheCallInTime(t *testing.T) {
	t.Parallel()
	inTime(t, func(call *talking) {
		call.peer.Expect("UPDATE")
		call.byed(sip.EndedByExpiry, minute, "Q.850;cause=102")
	}, weDo, update)
	inTime(t, func(call *talking) { // 64*T1 pass before the session does
		call.peer.Patient(10 * time.Minute)
		call.peer.Expect("UPDATE")
		call.byed(sip.EndedByGone, 332*time.Second, "no answer")
	}, "Session-Expires: 600;refresher=uac", update)
}

func TestAnAnswerWhoseACKNeverComesEndsTheCall(t *testing.T) {
	t.Parallel()
	inTime(t, func(call *talking) {
		call.peer.Request(call.in, "INVITE", "a", 1, sdp)
		next[sip.Reoffer](call.T, call.leg).Reply([]byte(sdp))
		var at []time.Duration
		for range 11 { // T1 doubling to T2, for 64*T1
			call.peer.ExpectResponse(200)
			at = append(at, time.Since(call.since).Round(500*time.Millisecond))
		}
		if at[0] != 0 || at[1] != 500*time.Millisecond || at[4] != 7500*time.Millisecond || at[10] != 31500*time.Millisecond {
			call.Errorf("sent at %v", at)
		}
		call.peer.Patient(10 * time.Second)
		bye := call.peer.Expect("BYE")
		call.after(32*time.Second, 36*time.Second, "BYE")
		call.peer.Answer(bye, "200 OK", "a", "")
		ends(call.T, call.leg, sip.EndedByGone)
		<-call.leg.Done()
	})
}
