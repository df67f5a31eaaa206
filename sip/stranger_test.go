package sip_test

import (
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

func TestA2xxToAnINVITEOfSomebodyElseIsNotAnswered(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	peer.Answer(in, "180 Ringing", "a", "")
	next[sip.Progress](t, leg)
	forged := siptest.Message{From: in.From, Headers: [][2]string{
		{"Via", "SIP/2.0/UDP " + peer.Addr() + ";branch=z9hG4bKforged"},
		{"From", "<sip:a@127.0.0.1>;tag=forged"},
		{"To", "<sip:b@127.0.0.1>"},
		{"Call-ID", in.Get("Call-ID")},
		{"CSeq", "1 INVITE"},
	}}
	peer.Answer(forged, "200 OK", "forged", "")
	peer.Quiet(300 * time.Millisecond)
	peer.Answer(in, "486 Busy Here", "a", "")
	ends(t, leg, sip.EndedByRefused)
}
