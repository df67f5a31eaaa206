package sip_test

import (
	"strings"
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

// two are two addresses of one trunk, in this order.
func two(first, second string) func(*sip.TrunkConfig) {
	return func(c *sip.TrunkConfig) { c.Addresses = []string{first, second} }
}

// present answers the OPTIONS that a target on UDP gets before its first INVITE.
func present(peer *siptest.Peer) { peer.Answer(peer.Expect("OPTIONS"), "200 OK", "o", "") }

func TestACallGoesToTheFirstAddressAsLongAsItLives(t *testing.T) {
	t.Parallel()
	a, b := siptest.NewPeer(t), siptest.NewPeer(t)
	trunk := open(t, "", two(a.Addr(), b.Addr())).BePatient()
	legs := invited(t, trunk)
	present(a)
	busy(t, a, <-legs)
	busy(t, a, <-invited(t, trunk)) // heard from a moment ago: not asked again
	b.Quiet(50 * time.Millisecond)
}

func TestADeadFirstServerLosesNoCallAndIsNotTriedFirstAgain(t *testing.T) {
	t.Parallel()
	zone := siptest.NewZone(t)
	dead, alive := siptest.NewPeer(t), siptest.NewPeer(t)
	port := func(p *siptest.Peer) string { return p.Addr()[strings.LastIndexByte(p.Addr(), ':')+1:] }
	zone.Set(t, "_sip._udp.sip.test. 60 IN SRV 1 0 "+port(dead)+" a.test.", "_sip._udp.sip.test. 60 IN SRV 2 0 "+port(alive)+" a.test.", "a.test. 60 IN A 127.0.0.1")
	trunk := ready(t, run(t, knowing(zone), nil, "sip.test"))
	legs := invited(t, trunk)
	dead.Expect("OPTIONS") // and no answer
	in := busy(t, alive, <-legs)
	if !strings.HasPrefix(in.Start, "INVITE sip:7101@sip.test ") {
		t.Errorf("%s", in.Start)
	}
	busy(t, alive, <-invited(t, trunk)) // is first now, and was heard from
	dead.Quiet(50 * time.Millisecond)   // no INVITE ever came here
}

func TestOverTCPARefusedConnectionMovesTheCallOn(t *testing.T) {
	t.Parallel()
	down, up := siptest.NewStream(t), siptest.NewStream(t)
	down.Stop()
	trunk := open(t, "", func(c *sip.TrunkConfig) { two(down.Addr(), up.Addr())(c); overTCP(c) })
	in := busy(t, up, invite(t, trunk))
	if !strings.HasPrefix(in.Start, "INVITE sip:7101@"+up.Addr()) || !strings.HasSuffix(in.Get("To"), "<sip:7101@127.0.0.1>") {
		t.Errorf("%s, To %s", in.Start, in.Get("To"))
	}
}

func TestWhereNoTargetCanBeReachedAllAreNamed(t *testing.T) {
	t.Parallel()
	a, b := siptest.NewStream(t), siptest.NewStream(t)
	a.Stop()
	b.Stop()
	trunk := open(t, "", func(c *sip.TrunkConfig) { two(a.Addr(), b.Addr())(c); overTCP(c) })
	for range 2 { // resting targets are tried all the same
		_, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)})
		if sip.FailureOf(err) != sip.FailureRefused || !strings.Contains(err.Error(), a.Addr()) || !strings.Contains(err.Error(), b.Addr()) {
			t.Errorf("%v", err)
		}
	}
}

func TestA503SendsTheSameCallToTheNextTarget(t *testing.T) {
	t.Parallel()
	a, b := siptest.NewPeer(t), siptest.NewPeer(t)
	trunk := open(t, "", two(a.Addr(), b.Addr())).BePatient()
	legs := invited(t, trunk)
	present(a)
	leg := <-legs
	first := a.Expect("INVITE")
	a.Answer(first, "100 Trying", "", "")
	a.Answer(first, "503 Service Unavailable", "x", "", "Retry-After: 3600")
	a.Expect("ACK")
	second := b.Expect("INVITE")
	if second.Get("Call-ID") != first.Get("Call-ID") || second.Get("From") != first.Get("From") || second.Get("CSeq") != "2 INVITE" ||
		second.Get("Via") == first.Get("Via") || !strings.HasPrefix(second.Start, "INVITE sip:7101@"+b.Addr()) || second.Body != sdp {
		t.Errorf("%s %v", second.Start, second.Headers)
	}
	next[sip.Retargeted](t, leg)
	b.Answer(second, "180 Ringing", "y", "")
	b.Answer(second, "200 OK", "y", sdp)
	next[sip.Answered](t, leg)
	if ack := b.Expect("ACK"); ack.Get("CSeq") != "2 ACK" {
		t.Errorf("%v", ack.Headers)
	}
	leg.Hangup(sip.Hangup{})
	b.Answer(b.Expect("BYE"), "200 OK", "y", "")
	ends(t, leg, sip.EndedByLocalBye)
	legs = invited(t, trunk) // a rests
	busy(t, b, <-legs)
	a.Quiet(50 * time.Millisecond)
}

func TestA503IsFinalWhereAPhoneMayHaveRung(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		rings bool
		more  []string
	}{
		{"after a 180", true, nil},
		{"with a Q.850 cause of the callee", false, []string{"Reason: Q.850;cause=17"}},
	} {
		a, b := siptest.NewPeer(t), siptest.NewPeer(t)
		trunk := open(t, "", two(a.Addr(), b.Addr())).BePatient()
		legs := invited(t, trunk)
		present(a)
		leg := <-legs
		in := a.Expect("INVITE")
		if c.rings {
			a.Answer(in, "180 Ringing", "", "")
			next[sip.Progress](t, leg)
		}
		a.Answer(in, "503 Service Unavailable", "x", "", c.more...)
		a.Expect("ACK")
		if e := ends(t, leg, sip.EndedByRefused); e.Status != 503 {
			t.Errorf("%s: %+v", c.name, e)
		}
		b.Quiet(50 * time.Millisecond)
	}
}

func TestA503FromTheLastTargetIsTheCallsEnd(t *testing.T) {
	t.Parallel()
	a, b := siptest.NewPeer(t), siptest.NewPeer(t)
	trunk := open(t, "", two(a.Addr(), b.Addr())).BePatient()
	legs := invited(t, trunk)
	present(a)
	leg := <-legs
	for _, peer := range []*siptest.Peer{a, b} {
		peer.Answer(peer.Expect("INVITE"), "503 Service Unavailable", "x", "")
		peer.Expect("ACK")
	}
	if e := ends(t, leg, sip.EndedByRefused); e.Status != 503 {
		t.Errorf("%+v", e)
	}
}

func TestACallIsMadeOverIPv6(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeerAt(t, "[::1]:0")
	trunk := open(t, peer.Addr(), nil)
	leg := invite(t, trunk)
	in := peer.Expect("INVITE")
	if !strings.HasPrefix(in.Start, "INVITE sip:7101@"+peer.Addr()+" ") || !strings.HasPrefix(in.Get("Via"), "SIP/2.0/UDP [::1]:") ||
		!strings.Contains(in.Get("Contact"), "@[::1]:") || !strings.HasPrefix(in.Get("From"), "<sip:telgate@[::1]>") {
		t.Errorf("%s %v", in.Start, in.Headers)
	}
	peer.Answer(in, "200 OK", "a", sdp)
	next[sip.Answered](t, leg)
	if ack := peer.Expect("ACK"); !strings.HasPrefix(ack.Start, "ACK sip:peer@[::1]:") {
		t.Errorf("%s", ack.Start)
	}
	peer.Request(in, "BYE", "a", 1, "")
	peer.ExpectResponse(200)
	ends(t, leg, sip.EndedByPeerBye)
	if local, advertised := trunk.MediaAddr(); local.String() != "::1" || advertised.String() != "::1" {
		t.Errorf("media at %s and %s", local, advertised)
	}
}

func TestACallIsMadeOverIPv6AndTCP(t *testing.T) {
	t.Parallel()
	peer := siptest.NewStreamAt(t, "[::1]:0", nil)
	in := busy(t, peer, invite(t, open(t, peer.Addr(), overTCP)))
	if !strings.HasPrefix(in.Get("Via"), "SIP/2.0/TCP [::1]:") {
		t.Errorf("%v", in.Headers)
	}
}
