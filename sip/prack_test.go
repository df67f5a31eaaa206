package sip_test

import (
	"strings"
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

const reliable = "Require: 100rel"

func TestReliableProvisionalResponsesAreAcknowledgedInOrderAndOnce(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	if strings.Contains(in.Get("Supported"), "100rel") {
		t.Errorf("Supported %q", in.Get("Supported"))
	}
	peer.Answer(in, "183 Session Progress", "a", sdp, reliable, "RSeq: 813520", "Record-Route: <sip:edge@"+peer.Addr()+";lr>")
	first := peer.Expect("PRACK")
	if first.Get("RAck") != "813520 1 INVITE" || first.Get("CSeq") != "2 PRACK" || !strings.Contains(first.Get("To"), "tag=a") ||
		!strings.HasPrefix(first.Start, "PRACK sip:peer@") || !strings.Contains(first.Get("Route"), "edge@") {
		t.Errorf("%s %v", first.Start, first.Headers)
	}
	peer.Answer(first, "200 OK", "a", "")
	peer.Answer(in, "183 Session Progress", "a", sdp, reliable, "RSeq: 813520") // repeated
	peer.Answer(in, "180 Ringing", "a", "", reliable, "RSeq: 813522")           // ahead of its turn
	peer.Quiet(150 * time.Millisecond)
	peer.Answer(in, "180 Ringing", "a", "", reliable, "RSeq: 813521")
	if second := peer.Expect("PRACK"); second.Get("RAck") != "813521 1 INVITE" || second.Get("CSeq") != "3 PRACK" {
		t.Errorf("%v", second.Headers)
	} else {
		peer.Answer(second, "200 OK", "a", "")
	}
	if p := next[sip.Progress](t, leg); p.Status != 183 || string(p.SDP) != sdp {
		t.Errorf("%+v", p)
	}
	if p := next[sip.Progress](t, leg); p.Status != 180 {
		t.Errorf("%+v", p)
	}
	peer.Answer(in, "200 OK", "a", "")
	if a := next[sip.Answered](t, leg); string(a.SDP) != sdp {
		t.Errorf("the 200 without SDP stands for %q", a.SDP)
	}
	if ack := peer.Expect("ACK"); ack.Get("CSeq") != "1 ACK" {
		t.Errorf("ACK with %q", ack.Get("CSeq"))
	}
	leg.Hangup(sip.Hangup{})
	bye := peer.Expect("BYE")
	if bye.Get("CSeq") != "4 BYE" {
		t.Errorf("BYE with %q", bye.Get("CSeq"))
	}
	peer.Answer(bye, "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}

func TestCancelKeepsTheINVITEsNumberAfterAPrack(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	peer.Answer(in, "180 Ringing", "a", "", reliable, "RSeq: 1")
	peer.Answer(peer.Expect("PRACK"), "200 OK", "a", "")
	next[sip.Progress](t, leg)
	leg.Hangup(sip.Hangup{Reason: `SIP;cause=200;text="Call completed elsewhere"`})
	cancel := peer.Expect("CANCEL")
	if cancel.Get("CSeq") != "1 CANCEL" || cancel.Get("Via") != in.Get("Via") || !strings.HasPrefix(cancel.Get("Reason"), "SIP;cause=200") {
		t.Errorf("CANCEL %v", cancel.Headers)
	}
	peer.Answer(cancel, "200 OK", "a", "")
	peer.Answer(in, "487 Request Terminated", "a", "")
	peer.Expect("ACK")
	ends(t, leg, sip.EndedByCancelled)
}

func TestAPrackThatIsRefusedChangesNothing(t *testing.T) {
	t.Parallel()
	for _, refusal := range []string{"481 Call/Transaction Does Not Exist", "500 Server Internal Error", "407 Proxy Authentication Required"} {
		peer := siptest.NewPeer(t)
		leg := invite(t, open(t, peer.Addr(), nil))
		in := peer.Expect("INVITE")
		peer.Answer(in, "180 Ringing", "a", "", reliable, "RSeq: 9")
		peer.Answer(peer.Expect("PRACK"), refusal, "a", "", `Proxy-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`)
		if strings.HasPrefix(refusal, "407") {
			again := peer.Expect("PRACK")
			if again.Get("Proxy-Authorization") == "" || again.Get("CSeq") != "3 PRACK" || again.Get("RAck") != "9 1 INVITE" {
				t.Errorf("second PRACK %v", again.Headers)
			}
			peer.Answer(again, "407 Proxy Authentication Required", "a", "", `Proxy-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`)
		}
		peer.Answer(in, "200 OK", "a", sdp)
		next[sip.Answered](t, leg)
		peer.Expect("ACK")
		peer.Request(in, "BYE", "a", 1, "")
		ends(t, leg, sip.EndedByPeerBye)
	}
}

func TestEachForkHasItsOwnCountOfReliableResponses(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	for _, c := range []struct{ tag, rseq string }{{"a", "5"}, {"b", "5"}, {"b", "6"}, {"a", "6"}} {
		peer.Answer(in, "180 Ringing", c.tag, "", reliable, "RSeq: "+c.rseq)
		prack := peer.Expect("PRACK")
		if !strings.HasSuffix(prack.Get("To"), "tag="+c.tag) || prack.Get("RAck") != c.rseq+" 1 INVITE" {
			t.Errorf("PRACK to %q with %q", prack.Get("To"), prack.Get("RAck"))
		}
		peer.Answer(prack, "200 OK", c.tag, "")
	}
	peer.Answer(in, "486 Busy Here", "a", "")
	peer.Expect("ACK")
	if e := ends(t, leg, sip.EndedByRefused); e.ToTags != 2 {
		t.Errorf("%d To tags", e.ToTags)
	}
}
