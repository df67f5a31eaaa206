package sip_test

import (
	"testing"

	"telgate/sip"
	"telgate/sip/siptest"
)

func TestARefusalThatFollowsA180AtOnceIsTakenAfterIt(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	trunk := open(t, peer.Addr(), nil)
	const calls = 100 // sipgo takes some of them the other way round
	legs := make([]*sip.Leg, calls)
	invites := make([]siptest.Message, calls)
	for i := range legs {
		legs[i], invites[i] = invite(t, trunk), peer.Expect("INVITE")
	}
	for _, in := range invites {
		peer.Answer(in, "100 Trying", "", "")
		peer.Answer(in, "180 Ringing", "a", "")
		peer.Answer(in, "503 Service Unavailable", "a", "")
	}
	for i, leg := range legs {
		if told := course(t, leg); told != "100 180 503" {
			t.Errorf("call %d: %s", i, told)
		}
	}
}

func TestWhatCameBeforeAConnectionEndedIsStillTaken(t *testing.T) {
	t.Parallel()
	for range 20 {
		peer := siptest.NewStream(t)
		trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) { c.Transport = "tcp" })
		leg := invite(t, trunk)
		in := peer.Expect("INVITE")
		peer.Answer(in, "180 Ringing", "a", "")
		peer.Cut()
		if told := course(t, leg); told != "180 0" {
			t.Fatal(told)
		}
	}
}
