package sip_test

import (
	"strings"
	"testing"

	"telgate/sip"
	"telgate/sip/siptest"
)

func overTCP(c *sip.TrunkConfig) { c.Transport = "tcp" }

func TestOverTCPACallIsHungUpFromEitherSide(t *testing.T) {
	t.Parallel()
	for _, theirs := range []bool{false, true} {
		peer := siptest.NewStream(t)
		leg := invite(t, open(t, peer.Addr(), overTCP))
		in := peer.Expect("INVITE")
		if !strings.HasPrefix(in.Get("Via"), "SIP/2.0/TCP ") || !strings.Contains(in.Get("Contact"), "transport=tcp") {
			t.Errorf("Via %q, Contact %q", in.Get("Via"), in.Get("Contact"))
		}
		peer.Answer(in, "180 Ringing", "a", "")
		next[sip.Progress](t, leg)
		peer.Answer(in, "200 OK", "a", sdp)
		next[sip.Answered](t, leg)
		peer.Expect("ACK")
		if theirs {
			peer.Bye(in, "a")
			peer.ExpectResponse(200)
			ends(t, leg, sip.EndedByPeerBye)
			continue
		}
		leg.Hangup(sip.Hangup{})
		peer.Answer(peer.Expect("BYE"), "200 OK", "a", "")
		ends(t, leg, sip.EndedByLocalBye)
	}
}

func TestOverTCPACallThatIsCutIsNamedAndTheNextOneConnectsAnew(t *testing.T) {
	t.Parallel()
	peer := siptest.NewStream(t)
	trunk := open(t, peer.Addr(), overTCP)
	leg := invite(t, trunk)
	peer.Answer(peer.Expect("INVITE"), "180 Ringing", "a", "")
	next[sip.Progress](t, leg)
	peer.Cut()
	if e := next[sip.Ended](t, leg); e.Err == nil {
		t.Errorf("ended by %s without a reason", e.By)
	}
	leg = invite(t, trunk)
	peer.Answer(peer.Expect("INVITE"), "486 Busy Here", "b", "")
	peer.Expect("ACK")
	if e := next[sip.Ended](t, leg); e.Status != 486 {
		t.Errorf("%+v", e)
	}
}

func TestOverTCPNobodyThereIsToldAtOnce(t *testing.T) {
	t.Parallel()
	trunk := open(t, "127.0.0.1:9", overTCP)
	if _, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)}); err == nil || !strings.Contains(err.Error(), "connect") {
		t.Errorf("%v", err)
	}
}
