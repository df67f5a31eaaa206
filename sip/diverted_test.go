package sip_test

import (
	"testing"

	"telgate/sip"
	"telgate/sip/siptest"
)

func TestAResponseTellsWhereTheCallWentOnTo(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	history := "History-Info: <sip:7101@pbx.example>;index=1,<sip:7109@pbx.example;cause=408>;index=1.1"
	peer.Answer(in, "181 Call Is Being Forwarded", "a", "", history)
	if p := next[sip.Progress](t, leg); p.Diverted == nil || *p.Diverted != (sip.Diversion{To: "7109", Cause: 408}) {
		t.Errorf("181 says %+v", p.Diverted)
	}
	peer.Answer(in, "180 Ringing", "a", "")
	if p := next[sip.Progress](t, leg); p.Diverted != nil {
		t.Errorf("180 says %+v", p.Diverted)
	}
	peer.Answer(in, "200 OK", "b", sdp, "Diversion: <sip:7101@pbx.example;vmail=1>;reason=no-answer")
	if a := next[sip.Answered](t, leg); a.Diverted == nil || !a.Diverted.Mailbox {
		t.Errorf("200 says %+v", a.Diverted)
	}
	peer.Expect("ACK")
	leg.Hangup(sip.Hangup{})
	peer.Answer(peer.Expect("BYE"), "200 OK", "", "")
	ends(t, leg, sip.EndedByLocalBye)
}

func TestARedirectToAMailboxSaysSo(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	peer.Answer(peer.Expect("INVITE"), "302 Moved Temporarily", "a", "", "Contact: <sip:vm@pbx.example;target=7101;cause=486>")
	peer.Expect("ACK")
	if e := ends(t, leg, sip.EndedByRefused); e.Diverted == nil || !e.Diverted.Mailbox || e.Diverted.To != "vm" {
		t.Errorf("302 says %+v", e.Diverted)
	}
}
