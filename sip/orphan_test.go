package sip_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

// orphan is a call that rings, of a trunk of which nothing is heard any more, and another trunk to the same peer.
func orphan(t *testing.T) (peer *siptest.Peer, in siptest.Message, leg *sip.Leg, other *sip.Trunk) {
	t.Helper()
	peer = siptest.NewPeer(t)
	leg = invite(t, open(t, peer.Addr(), nil))
	first := peer.Expect("INVITE")
	before := leg.Ending()
	peer.Answer(first, "401 Unauthorized", "c", "", `WWW-Authenticate: Digest realm="pbx", nonce="abc", algorithm=MD5`)
	peer.Expect("ACK")
	in = peer.Expect("INVITE")
	next[sip.Challenged](t, leg)
	if before == leg.Ending() || !strings.Contains(before.Request, branch(first)) {
		t.Errorf("before the challenge it was ended by\n%s\nand after it by\n%s", before.Request, leg.Ending().Request)
	}
	peer.Answer(in, "180 Ringing", "a", "")
	next[sip.Progress](t, leg)
	return peer, in, leg, open(t, peer.Addr(), nil)
}

func branch(m siptest.Message) string {
	_, after, _ := strings.Cut(m.Get("Via"), "branch=")
	id, _, _ := strings.Cut(after, ";")
	return id
}

// ended has the other trunk end a call; the status is that of the answer.
func ended(t *testing.T, other *sip.Trunk, e sip.Ending) <-chan int {
	t.Helper()
	got := make(chan int, 1)
	go func() {
		status, err := other.End(t.Context(), e)
		if err != nil {
			t.Error(err)
		}
		got <- status
	}()
	return got
}

func TestAnotherTrunkCancelsACallThatRings(t *testing.T) {
	peer, in, leg, other := orphan(t)
	status := ended(t, other, leg.Ending())
	cancel := peer.Expect("CANCEL")
	for _, name := range []string{"Via", "From", "To", "Call-ID"} {
		if cancel.Get(name) != in.Get(name) {
			t.Errorf("%s of the CANCEL: %q, of its INVITE: %q", name, cancel.Get(name), in.Get(name))
		}
	}
	if uri := func(m siptest.Message) string { return strings.Fields(m.Start)[1] }; uri(cancel) != uri(in) || cancel.Get("CSeq") != "2 CANCEL" {
		t.Errorf("%s with CSeq %s", cancel.Start, cancel.Get("CSeq"))
	}
	if cancel.From.String() == in.From.String() {
		t.Error("it came from the first trunk")
	}
	peer.Answer(cancel, "200 OK", "a", "")
	if s := <-status; s != 200 {
		t.Errorf("answered %d", s)
	}
	peer.Answer(in, "487 Request Terminated", "a", "")
	peer.Expect("ACK")
	ends(t, leg, sip.EndedByRefused)
}

func TestAPeerThatDoesNotKnowTheCallSaysSo(t *testing.T) {
	peer, in, leg, other := orphan(t)
	status := ended(t, other, leg.Ending())
	peer.Answer(peer.Expect("CANCEL"), "481 Call/Transaction Does Not Exist", "a", "")
	if s := <-status; s != 481 {
		t.Errorf("answered %d", s)
	}
	peer.Answer(in, "486 Busy Here", "a", "")
	peer.Expect("ACK")
	ends(t, leg, sip.EndedByRefused)
}

func TestAnotherTrunkHangsUpACallThatWasAnswered(t *testing.T) {
	peer, in, leg, other := orphan(t)
	peer.Answer(in, "200 OK", "a", sdp)
	peer.Expect("ACK")
	next[sip.Answered](t, leg)
	status := ended(t, other, leg.Ending())
	bye := peer.Expect("BYE")
	if !strings.HasSuffix(bye.Get("To"), "tag=a") || bye.Get("Call-ID") != in.Get("Call-ID") || bye.Get("From") != in.Get("From") || bye.Get("CSeq") != "1002 BYE" {
		t.Errorf("%s: To %s, CSeq %s", bye.Start, bye.Get("To"), bye.Get("CSeq"))
	}
	peer.Answer(bye, "200 OK", "", "")
	if s := <-status; s != 200 {
		t.Errorf("answered %d", s)
	}
	peer.Request(in, "BYE", "a", 1, "")
	peer.ExpectResponse(200)
	ends(t, leg, sip.EndedByPeerBye)
}

func TestNothingButACancelOrAByeEndsACall(t *testing.T) {
	peer := siptest.NewPeer(t)
	trunk := open(t, peer.Addr(), nil)
	leg := invite(t, trunk)
	in := peer.Expect("INVITE")
	good := leg.Ending()
	for name, e := range map[string]sip.Ending{
		"nothing":   {},
		"no peer":   {Transport: "udp", Request: good.Request},
		"no SIP":    {Transport: "udp", Peer: good.Peer, Request: "hello"},
		"an INVITE": {Transport: "udp", Peer: good.Peer, Request: strings.ReplaceAll(good.Request, "CANCEL", "INVITE")},
	} {
		if status, err := trunk.End(t.Context(), e); err == nil || status != 0 {
			t.Errorf("%s: %d, %v", name, status, err)
		}
	}
	peer.Answer(in, "486 Busy Here", "a", "")
	peer.Expect("ACK")
	ends(t, leg, sip.EndedByRefused)
}

// A gateway that has just begun ends what the one before left ringing, whether its trunks are open already or not.
func TestATrunkThatIsNotOpenYetEndsNoCallAndDoesNotBreak(t *testing.T) {
	_, _, leg, _ := orphan(t)
	closed, err := sip.NewTrunk(sip.TrunkConfig{Name: "main", Addresses: []string{"127.0.0.1"}, Transport: "udp"}, environment())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if status, err := closed.End(ctx, leg.Ending()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("status %d, %v", status, err)
	}
}
