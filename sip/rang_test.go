package sip_test

import (
	"strings"
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

func TestAPhoneThatRangIsNotInvitedAgainWhateverTheRefusalWants(t *testing.T) {
	for status, header := range map[string]string{
		"407 Proxy Authentication Required":  `Proxy-Authenticate: Digest realm="pbx", nonce="n1", qop="auth"`,
		"422 Session Interval Too Small":     "Min-SE: 1800",
		"421 Extension Required":             "Require: 100rel",
		"401 Unauthorized":                   `WWW-Authenticate: Digest realm="pbx", nonce="n1", qop="auth"`,
		"503 Service Unavailable, try again": "Retry-After: 1",
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			peer := siptest.NewPeer(t)
			leg := invite(t, open(t, peer.Addr(), nil))
			in := peer.Expect("INVITE")
			peer.Answer(in, "180 Ringing", "a", "")
			next[sip.Progress](t, leg)
			peer.Answer(in, status, "a", "", header)
			peer.Expect("ACK")
			ends(t, leg, sip.EndedByRefused)
		})
	}
}

func TestAnINVITEDoesNotGoToTheNextAddressAfterTheCallWasHungUp(t *testing.T) {
	a, b, c := siptest.NewPeer(t), siptest.NewPeer(t), siptest.NewPeer(t)
	trunk := open(t, "", func(cfg *sip.TrunkConfig) { cfg.Addresses = []string{a.Addr(), b.Addr(), c.Addr()} }).BePatient()
	legs := invited(t, trunk)
	present(a)
	leg := <-legs
	a.Answer(a.Expect("INVITE"), "503 Service Unavailable", "x", "")
	asked := b.Expect("OPTIONS")
	leg.Hangup(sip.Hangup{})
	b.Answer(asked, "200 OK", "o", "")
	ends(t, leg, sip.EndedByCancelled)
	b.Quiet(50 * time.Millisecond)
}

func TestAForkIsToldGoodbyeWhereItsAnswerCameFrom(t *testing.T) {
	a, b := siptest.NewPeer(t), siptest.NewPeer(t)
	trunk := open(t, "", two(a.Addr(), b.Addr())).BePatient()
	legs := invited(t, trunk)
	present(a)
	leg := <-legs
	first := a.Expect("INVITE")
	a.Answer(first, "200 OK", "one", sdp, "Contact: <sip:7101@pbx.internal>")
	a.Expect("ACK")
	more := invited(t, trunk) // another call of the trunk moves on to b
	a.Answer(a.Expect("INVITE"), "503 Service Unavailable", "x", "")
	a.Expect("ACK")
	other := <-more
	second := b.Expect("INVITE")
	b.Answer(second, "180 Ringing", "r", "")
	a.Answer(first, "200 OK", "two", sdp, "Contact: <sip:7101@pbx.internal>")
	a.Expect("ACK")
	if bye := a.Expect("BYE"); !strings.Contains(bye.Get("To"), "two") {
		t.Errorf("%s %s", bye.Start, bye.Get("To"))
	}
	b.Answer(second, "486 Busy Here", "r", "")
	ends(t, other, sip.EndedByRefused)
	a.Request(first, "BYE", "one", 2, "")
	ends(t, leg, sip.EndedByPeerBye)
}

func TestATraceShowsNoNumberThatAPeerWrites(t *testing.T) {
	peer := siptest.NewPeer(t)
	trace := sip.NewTrace(sip.TraceOptions{Whole: true})
	leg, err := open(t, peer.Addr(), nil).Invite(t.Context(), sip.Invite{User: "819012345678", Offer: []byte(sdp), Trace: trace})
	if err != nil {
		t.Fatal(err)
	}
	peer.Answer(peer.Expect("INVITE"), "404 819012345678 unknown", "a", "")
	peer.Expect("ACK")
	ends(t, leg, sip.EndedByRefused)
	for _, m := range trace.Messages() {
		if strings.Contains(m.Line+m.Text, "819012345678") {
			t.Errorf("%q\n%s", m.Line, m.Text)
		}
	}
}
