package sip_test

import (
	"net"
	"testing"

	"telgate/sip"
	"telgate/sip/siptest"
)

func TestMessagesMadeToBreakParsersCostNothing(t *testing.T) {
	peer := siptest.NewPeer(t)
	trunk := open(t, peer.Addr(), nil)
	leg := invite(t, trunk)
	in := peer.Expect("INVITE")
	enemy, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, in.From) // from the trunk's own host: it is read
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = enemy.Close() }()
	for _, m := range siptest.Tortures(in.From.String(), enemy.LocalAddr().String()) {
		if _, err := enemy.Write([]byte(m.Text)); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		peer.Send(in.From, m.Text)
	}
	peer.Answer(in, "180 Ringing", "a", "")
	next[sip.Progress](t, leg)
	peer.Answer(in, "486 Busy Here", "a", "")
	ends(t, leg, sip.EndedByRefused)
	if s := trunk.Stats(); s.Legs != 0 || s.Invites != 1 {
		t.Errorf("%+v", s)
	}
}
