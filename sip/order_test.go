package sip_test

import (
	"testing"
	"testing/synctest"

	"telgate/sip"
	"telgate/sip/siptest"
)

const relay = "Content-Type: application/dtmf-relay"

// sent is a request of the peer in a dialog.
type sent struct {
	method string
	seq    int
	body   string
	more   []string
}

func TestRequestsOfADialogAreTakenInOrder(t *testing.T) {
	t.Parallel()
	one, two := sent{"INFO", 2, "Signal=1\r\nDuration=100", []string{relay}}, sent{"INFO", 3, "Signal=2", []string{relay}}
	bye := sent{"BYE", 4, "", nil}
	for _, c := range []struct {
		name string
		sent []sent
		keys string
	}{
		{"as sent", []sent{one, two, bye}, "12"},
		{"the BYE first", []sent{bye, one, two}, "12"},
		{"backwards", []sent{bye, two, one}, "12"},
		{"one lost", []sent{two, bye}, "2"},
		{"nothing but the BYE", []sent{bye}, ""},
	} {
		peer := siptest.NewPeer(t)
		leg := invite(t, open(t, peer.Addr(), nil).BePatient())
		in := up(t, peer, leg)
		peer.Request(in, "OPTIONS", "a", 1, "")
		peer.ExpectResponse(200)
		for _, s := range c.sent {
			peer.Request(in, s.method, "a", s.seq, s.body, s.more...)
		}
		keys := ""
		for ev := range leg.Events() {
			if d, is := ev.(sip.Digit); is {
				keys += string(rune(d.Digit))
			}
			if e, is := ev.(sip.Ended); is && e.By != sip.EndedByPeerBye {
				t.Errorf("%s: ended by %s", c.name, e.By)
			}
		}
		if keys != c.keys {
			t.Errorf("%s: keys %q, want %q", c.name, keys, c.keys)
		}
	}
}

func TestAKeyBeforeTheFirstByeIsNotLost(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil).BePatient())
	in := up(t, peer, leg)
	peer.Request(in, "BYE", "a", 102, "") // numbers may begin anywhere
	peer.Request(in, "INFO", "a", 101, "1", "Content-Type: application/dtmf")
	if d := next[sip.Digit](t, leg); d.Digit != '1' {
		t.Errorf("key %q", d.Digit)
	}
	ends(t, leg, sip.EndedByPeerBye)
}

func TestWhatWasOvertakenIsToTryAgain(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil).BePatient())
	in := up(t, peer, leg)
	peer.Request(in, "OPTIONS", "a", 7, "")
	peer.ExpectResponse(200)
	for _, seq := range []int{6, 1} {
		peer.Request(in, "INFO", "a", seq, "1", "Content-Type: application/dtmf")
		if res := peer.ExpectResponse(500); res.Get("Retry-After") == "" {
			t.Errorf("CSeq %d: no Retry-After", seq)
		}
	}
	peer.Request(in, "BYE", "a", 2, "") // a call that one side has left must not stay up
	peer.ExpectResponse(200)
	ends(t, leg, sip.EndedByPeerBye)
}

func TestARepeatedRequestIsAnsweredAgainAndTakenOnce(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil).BePatient())
	in := up(t, peer, leg)
	for range 3 {
		peer.Request(in, "INFO", "a", 1, "5", "Content-Type: application/dtmf")
		peer.ExpectResponse(200)
	}
	peer.Request(in, "BYE", "a", 2, "")
	peer.ExpectResponse(200)
	keys := 0
	for ev := range leg.Events() {
		if _, is := ev.(sip.Digit); is {
			keys++
		}
	}
	if keys != 1 {
		t.Errorf("%d keys", keys)
	}
}

func TestAReinviteThatOvertakesTheACKBeforeItWaitsForIt(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		inTime(t, func(call *talking) {
			call.peer.Request(call.in, "INVITE", "a", 1, sdp)
			next[sip.Reoffer](call.T, call.leg).Reply([]byte(sdp))
			call.peer.ExpectResponse(200)
			call.peer.Request(call.in, "INVITE", "a", 2, sdp)
			synctest.Wait() // it is there
			if lost {
				if res := call.peer.ExpectResponse(500); res.Get("Retry-After") == "" || res.Get("CSeq") != "2 INVITE" {
					call.Errorf("500 %v", res.Headers)
				}
				call.peer.Hop(call.in, "ACK", "a", 2)
			} else {
				call.peer.Request(call.in, "ACK", "a", 1, "")
				next[sip.Reoffer](call.T, call.leg).Reply([]byte(sdp))
				if res := call.peer.ExpectResponse(200); res.Get("CSeq") != "2 INVITE" {
					call.Errorf("200 to %s", res.Get("CSeq"))
				}
				call.peer.Request(call.in, "ACK", "a", 2, "")
			}
			synctest.Wait()
			call.peer.Request(call.in, "BYE", "a", 3, "")
			ends(call.T, call.leg, sip.EndedByPeerBye)
			<-call.leg.Done()
		})
	}
}
