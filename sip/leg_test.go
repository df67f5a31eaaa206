package sip_test

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"telgate/sip"
	"telgate/sip/siptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestACallIsAnsweredAndHungUpByUs(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	if in.Body != sdp || in.Get("Expires") != "50" || !strings.HasPrefix(in.Start, "INVITE sip:7101@") || !strings.Contains(in.Get("Via"), ";rport") {
		t.Errorf("INVITE %q, Via %q", in.Start, in.Get("Via"))
	}
	if strings.Contains(in.Get("Contact"), "0.0.0.0") {
		t.Errorf("Contact %q", in.Get("Contact"))
	}
	peer.Answer(in, "100 Trying", "", "")
	next[sip.Trying](t, leg)
	peer.Answer(in, "183 Session Progress", "a", sdp)
	if p := next[sip.Progress](t, leg); p.Status != 183 || string(p.SDP) != sdp || p.ToTag != "a" {
		t.Errorf("progress %+v", p)
	}
	peer.Answer(in, "200 OK", "a", sdp)
	next[sip.Answered](t, leg)
	ack := peer.Expect("ACK")
	if ack.Get("CSeq") != "1 ACK" || !strings.HasPrefix(ack.Start, "ACK sip:peer@") {
		t.Errorf("ACK %q, CSeq %q", ack.Start, ack.Get("CSeq"))
	}
	leg.Hangup(sip.Hangup{Reason: "Q.850;cause=16"})
	bye := peer.Expect("BYE")
	if bye.Get("Reason") != "Q.850;cause=16" || !strings.Contains(bye.Get("To"), "tag=a") {
		t.Errorf("BYE with Reason %q, To %q", bye.Get("Reason"), bye.Get("To"))
	}
	peer.Answer(bye, "200 OK", "a", "")
	if e := ends(t, leg, sip.EndedByLocalBye); e.Status != 200 || e.ToTags != 1 {
		t.Errorf("%+v", e)
	}
}

func TestTheSDPOfA18xIsUsedWhereThe200HasNone(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	peer.Answer(in, "183 Session Progress", "a", sdp)
	next[sip.Progress](t, leg)
	peer.Answer(in, "200 OK", "a", "")
	if a := next[sip.Answered](t, leg); string(a.SDP) != sdp {
		t.Errorf("SDP %q", a.SDP)
	}
	peer.Expect("ACK")
	peer.Request(in, "BYE", "a", 1, "", `Reason: q.850 ; cause = 31 ; text="a, b"`)
	peer.ExpectResponse(200)
	if e := ends(t, leg, sip.EndedByPeerBye); e.Reason.Q850 != 31 || e.Reason.Q850Text != "a, b" {
		t.Errorf("reason %+v", e.Reason)
	}
}

func TestARefusalIsToldWithItsReason(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	peer.Answer(in, "603 Decline", "a", "", `Reason: SIP;cause=603, Q.850;cause=16;text="Normal"`, "Retry-After: 18 (later);duration=60", "Server: PBX")
	peer.Expect("ACK")
	e := ends(t, leg, sip.EndedByRefused)
	if e.Status != 603 || e.Reason.Q850 != 16 || e.Reason.SIPCause != 603 || len(e.Reason.Values) != 2 || e.RetryAfter != 18*time.Second || e.Server != "PBX" {
		t.Errorf("%+v", e)
	}
}

func TestHangingUpBeforeTheFirstResponseCancelsAfterIt(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	leg.Hangup(sip.Hangup{})
	peer.Quiet(150 * time.Millisecond)
	peer.Answer(in, "180 Ringing", "a", "")
	cancel := peer.Expect("CANCEL")
	if cancel.Get("Via") != in.Get("Via") || cancel.Get("CSeq") != "1 CANCEL" {
		t.Errorf("CANCEL with Via %q, CSeq %q", cancel.Get("Via"), cancel.Get("CSeq"))
	}
	peer.Answer(cancel, "200 OK", "a", "")
	peer.Answer(in, "487 Request Terminated", "a", "")
	peer.Expect("ACK")
	ends(t, leg, sip.EndedByCancelled)
}

func TestAnAnswerThatCrossesOurCancelIsAckedAndByed(t *testing.T) {
	for _, cancelled := range []string{"200 OK", "481 Call/Transaction Does Not Exist"} {
		peer := siptest.NewPeer(t)
		leg := invite(t, open(t, peer.Addr(), nil))
		in := peer.Expect("INVITE")
		peer.Answer(in, "180 Ringing", "a", "")
		next[sip.Progress](t, leg)
		leg.Hangup(sip.Hangup{})
		cancel := peer.Expect("CANCEL")
		peer.Answer(in, "200 OK", "a", sdp)
		peer.Answer(cancel, cancelled, "a", "")
		peer.Expect("ACK")
		peer.Answer(peer.Expect("BYE"), "200 OK", "a", "")
		ends(t, leg, sip.EndedByLateAnswer)
	}
}

func TestARepeated2xxIsAckedAgain(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	peer.Answer(in, "200 OK", "a", sdp)
	first := peer.Expect("ACK")
	next[sip.Answered](t, leg)
	for range 2 {
		peer.Answer(in, "200 OK", "a", sdp)
		if again := peer.ExpectAgain("ACK"); again.Get("CSeq") != first.Get("CSeq") || again.Get("To") != first.Get("To") {
			t.Errorf("ACK %v", again)
		}
	}
	leg.Hangup(sip.Hangup{})
	peer.Answer(peer.Expect("BYE"), "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}

func TestASecond2xxWithAnotherTagIsAckedAndByed(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := up(t, peer, leg)
	peer.Answer(in, "200 OK", "b", sdp)
	if ack := peer.Expect("ACK"); !strings.Contains(ack.Get("To"), "tag=b") || ack.Get("CSeq") != "1 ACK" {
		t.Errorf("ACK to %q with %q", ack.Get("To"), ack.Get("CSeq"))
	}
	bye := peer.Expect("BYE")
	if !strings.Contains(bye.Get("To"), "tag=b") {
		t.Errorf("BYE to %q", bye.Get("To"))
	}
	peer.Answer(bye, "200 OK", "b", "")
	leg.Hangup(sip.Hangup{})
	bye = peer.Expect("BYE")
	if !strings.Contains(bye.Get("To"), "tag=a") {
		t.Errorf("BYE to %q", bye.Get("To"))
	}
	peer.Answer(bye, "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}

func TestRequestsInTheDialogFollowTheRouteSet(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	hop := "<sip:" + peer.Addr() + ";lr>"
	peer.Answer(in, "200 OK", "a", sdp, "Record-Route: <sip:edge@"+peer.Addr()+";lr>, <sip:mid@"+peer.Addr()+";lr>", "Record-Route: "+hop)
	next[sip.Answered](t, leg)
	for _, method := range []string{"ACK", "BYE"} {
		m := peer.Expect(method)
		routes := strings.Join(m.All("Route"), ", ")
		if want := hop + ", <sip:mid@" + peer.Addr() + ";lr>, <sip:edge@" + peer.Addr() + ";lr>"; routes != want {
			t.Errorf("%s follows %s, want %s", method, routes, want)
		}
		if method == "ACK" {
			leg.Hangup(sip.Hangup{})
			continue
		}
		peer.Answer(m, "200 OK", "a", "")
	}
	ends(t, leg, sip.EndedByLocalBye)
}

func TestAStrictRouterIsAddressedItselfAndTheTargetIsTheLastRoute(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	peer.Answer(in, "200 OK", "a", sdp, "Record-Route: <sip:mid@"+peer.Addr()+";lr>, <sip:old@"+peer.Addr()+";method=INVITE?Subject=x>")
	next[sip.Answered](t, leg)
	for _, method := range []string{"ACK", "BYE"} {
		m := peer.Expect(method)
		if want := method + " sip:old@" + peer.Addr() + " SIP/2.0"; m.Start != want {
			t.Errorf("%q, want %q", m.Start, want)
		}
		routes := strings.Join(m.All("Route"), ", ")
		if want := "<sip:mid@" + peer.Addr() + ";lr>, <sip:peer@" + peer.Addr() + ">"; routes != want {
			t.Errorf("%s follows %s, want %s", method, routes, want)
		}
		if method == "ACK" {
			leg.Hangup(sip.Hangup{})
			continue
		}
		peer.Answer(m, "200 OK", "a", "")
	}
	ends(t, leg, sip.EndedByLocalBye)
}

func TestChallengesAreAnsweredWithTheStrongestAlgorithm(t *testing.T) {
	for _, c := range []struct {
		name, status string
		challenges   []string
		answer, want string
	}{
		{"MD5", "401 Unauthorized", []string{`WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`}, "Authorization", "MD5"},
		{"no algorithm", "407 Proxy Authentication Required", []string{`Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth"`}, "Proxy-Authorization", `realm="r"`},
		{"Basic first", "401 Unauthorized", []string{`WWW-Authenticate: Basic realm="r"`, `WWW-Authenticate: Digest realm="r", nonce="n", algorithm=md5`}, "Authorization", "md5"},
		{"SHA-256 after MD5", "401 Unauthorized", []string{`WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`, `WWW-Authenticate: Digest realm="r", nonce="m", algorithm=SHA-256`}, "Authorization", "SHA-256"},
	} {
		peer := siptest.NewPeer(t)
		leg := invite(t, open(t, peer.Addr(), nil))
		in := peer.Expect("INVITE")
		peer.Answer(in, c.status, "x", "", append(c.challenges, "Record-Route: <sip:192.0.2.1;lr>")...)
		peer.Expect("ACK")
		again := peer.Expect("INVITE")
		if !strings.Contains(again.Get(c.answer), c.want) || again.Get("CSeq") != "2 INVITE" || again.Get("Call-ID") != in.Get("Call-ID") ||
			strings.Contains(again.Get("To"), "tag=") || again.Get("Route") != "" || again.Get("Via") == in.Get("Via") {
			t.Errorf("%s: second INVITE %v", c.name, again.Headers)
		}
		if again.Body != sdp {
			t.Errorf("%s: body %q", c.name, again.Body)
		}
		peer.Answer(again, "486 Busy Here", "a", "")
		peer.Expect("ACK")
		ends(t, leg, sip.EndedByRefused)
	}
}

func TestASecondRefusalOfTheCredentialsEndsTheCall(t *testing.T) {
	for _, stale := range []bool{false, true} {
		peer := siptest.NewPeer(t)
		leg := invite(t, open(t, peer.Addr(), nil))
		challenge := `WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`
		attempts := 2
		if stale {
			challenge, attempts = challenge+", stale=true", 3
		}
		for range attempts {
			peer.Answer(peer.Expect("INVITE"), "401 Unauthorized", "x", "", challenge)
			peer.Expect("ACK")
		}
		if e := ends(t, leg, sip.EndedByAuth); e.Status != 401 || !strings.Contains(e.Err.Error(), "password") {
			t.Errorf("%+v", e)
		}
		peer.Quiet(100 * time.Millisecond)
	}
}

func TestAChallengedByeIsSentAgain(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	up(t, peer, leg)
	leg.Hangup(sip.Hangup{})
	peer.Answer(peer.Expect("BYE"), "407 Proxy Authentication Required", "a", "", `Proxy-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`)
	again := peer.Expect("BYE")
	if again.Get("Proxy-Authorization") == "" || again.Get("CSeq") != "3 BYE" {
		t.Errorf("second BYE %v", again.Headers)
	}
	peer.Answer(again, "481 Call/Transaction Does Not Exist", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}

func TestAReinviteIsAnsweredAndRepeatedUntilItsACK(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := up(t, peer, leg)
	peer.Request(in, "INVITE", "a", 5, sdp)
	re := next[sip.Reoffer](t, leg)
	re.Reply([]byte(sdp))
	first := peer.ExpectResponse(200)
	second := peer.ExpectResponse(200) // not ACKed: again
	if first.Body != sdp || second.Body != sdp || first.Get("Contact") == "" {
		t.Errorf("answers %v and %v", first, second)
	}
	peer.Request(in, "ACK", "a", 5, "")
	peer.Request(in, "UPDATE", "a", 4, sdp) // overtaken
	peer.ExpectResponse(500)
	peer.Request(in, "BYE", "a", 6, "")
	peer.ExpectResponse(200)
	ends(t, leg, sip.EndedByPeerBye)
}

func TestFifteen180sAreNoTrouble(t *testing.T) {
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	for range 15 {
		peer.Answer(in, "180 Ringing", "a", "")
		next[sip.Progress](t, leg)
	}
	peer.Answer(in, "200 OK", "a", sdp)
	next[sip.Answered](t, leg)
	peer.Expect("ACK")
	peer.Request(in, "BYE", "a", 1, "")
	ends(t, leg, sip.EndedByPeerBye)
}

func TestRequestsOutsideDialogsAreAnsweredProperly(t *testing.T) {
	peer := siptest.NewPeer(t)
	trunk := open(t, peer.Addr(), nil)
	leg := invite(t, trunk)
	in := peer.Expect("INVITE")
	for i, c := range []struct {
		method string
		status int
		header string
	}{
		{"OPTIONS", 200, "Allow"}, {"INVITE", 480, ""}, {"BYE", 481, ""}, {"REFER", 603, ""}, {"MESSAGE", 405, "Allow"}, {"SUBSCRIBE", 405, "Allow"},
	} {
		req := strings.Join([]string{
			c.method + " sip:telgate@" + in.From.String() + " SIP/2.0", "Via: SIP/2.0/UDP " + peer.Addr() + ";branch=z9hG4bKout" + c.method + ";rport",
			"Max-Forwards: 70", "From: <sip:x@" + peer.Addr() + ">;tag=q", "To: <sip:telgate@host>", "Call-ID: out" + c.method,
			"CSeq: 1 " + c.method, "Content-Length: 0", "", "",
		}, "\r\n")
		peer.Send(in.From, req)
		if res := peer.ExpectResponse(c.status); c.header != "" && res.Get(c.header) == "" {
			t.Errorf("%d %s: no %s", i, c.method, c.header)
		}
	}
	peer.Answer(in, "486 Busy Here", "a", "")
	ends(t, leg, sip.EndedByRefused)
}

func TestStrangersAreDroppedUnread(t *testing.T) {
	peer := siptest.NewPeer(t)
	trunk := open(t, peer.Addr(), nil)
	leg := invite(t, trunk)
	in := peer.Expect("INVITE")
	stranger, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 9)})
	if err != nil {
		t.Skip("no second loopback address here")
	}
	defer func() { _ = stranger.Close() }()
	for range 20 {
		_, _ = stranger.WriteToUDP([]byte("OPTIONS sip:x SIP/2.0\r\n\r\n"), in.From)
	}
	peer.Send(in.From, "garbage\r\n\r\n")
	peer.Answer(in, "486 Busy Here", "a", "")
	ends(t, leg, sip.EndedByRefused)
	if n := trunk.Stats().Dropped; n != 20 {
		t.Errorf("%d dropped", n)
	}
}

func TestNothingIsSentThatMayNotBe(t *testing.T) {
	peer := siptest.NewPeer(t)
	trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) {
		c.Dialable = func(user string) error {
			if user == "110" {
				return errors.New("an emergency number")
			}
			return nil
		}
	})
	for _, user := range []string{"110", "", "7101\r\nX-Evil: 1", "7101;postd=1", "71 01", "7101@evil", "%31"} {
		_, err := trunk.Invite(t.Context(), sip.Invite{User: user, Offer: []byte(sdp)})
		var refused *sip.SendError
		if !errors.As(err, &refused) || refused.Op != "forbidden" {
			t.Errorf("%q: %v", user, err)
		}
	}
	peer.Quiet(50 * time.Millisecond)
}

func TestAStoppingTrunkHangsUpWhatIsLeft(t *testing.T) {
	peer := siptest.NewPeer(t)
	trunk, stop, ended := start(t, environment(), nil, peer.Addr())
	leg := invite(t, ready(t, trunk))
	up(t, peer, leg)
	stop()
	peer.Answer(peer.Expect("BYE"), "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := trunk.Invite(t.Context(), sip.Invite{User: "7101"}); err == nil {
		t.Error("a stopped trunk takes calls")
	}
}

func TestAStoppingTrunkGivesEachLegTwoSecondsFromItsHangUp(t *testing.T) {
	for _, c := range []struct {
		name   string
		before time.Duration // the stop, a leg is hung up
		hung   bool
		hurry  bool
		want   time.Duration
	}{
		{"hung up by the stop", 0, false, false, 2 * time.Second},
		{"hung up a second before", time.Second, true, false, time.Second},
		{"hung up long before", 3 * time.Second, true, false, 0},
		{"in a hurry", 0, true, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				trunk, stop, ended := start(t, inMemory(siptest.NewWire()), func(c *sip.TrunkConfig) { c.Local.Bind = "127.0.0.1" }, "127.0.0.1:5060")
				leg := invite(t, ready(t, trunk)) // nobody is there
				if c.hung {
					leg.Hangup(sip.Hangup{})
				}
				pass(c.before)
				if c.hurry {
					trunk.Hurry()
				}
				began := time.Now()
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if took := time.Since(began).Round(100 * time.Millisecond); took != c.want {
					t.Errorf("it took %s", took)
				}
				ends(t, leg, sip.EndedByTimeout)
				<-time.NewTimer(time.Minute).C // sipgo's transactions outlive their user agent
			})
		})
	}
}

func TestAStoppingTrunkTakesAnINVITEBackThatNobodyHasAnswered(t *testing.T) {
	peer := siptest.NewPeer(t)
	trunk, stop, ended := start(t, environment(), nil, peer.Addr())
	leg := invite(t, ready(t, trunk))
	in := peer.Expect("INVITE")
	stop()
	if cancel := peer.Expect("CANCEL"); cancel.Get("Via") != in.Get("Via") {
		t.Errorf("it cancels %s, the INVITE has %s", cancel.Get("Via"), in.Get("Via"))
	}
	ends(t, leg, sip.EndedByTimeout)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestACommandBesideTheGatewayTakesAnotherPort(t *testing.T) {
	taken, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	peer := siptest.NewPeer(t)
	trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) { c.Local.Bind, c.Local.Beside = taken.LocalAddr().String(), true })
	leg := invite(t, trunk)
	peer.Answer(peer.Expect("INVITE"), "486 Busy Here", "a", "")
	ends(t, leg, sip.EndedByRefused)
}

func TestEveryFaultOfATrunkIsNamedAtOnce(t *testing.T) {
	_, err := sip.NewTrunk(sip.TrunkConfig{
		Addresses: []string{"a b"}, Transport: "sctp", Identity: sip.Identity{CallerID: "x\r\ny", DisplayName: "a\nb"},
		Local: sip.Local{Bind: "0.0.0.0", PublicAddress: "here", DSCP: 99},
	}, environment())
	for _, key := range []string{"addresses", "transport", "caller_id", "display_name", "bind", "public_address", "dscp"} {
		if err == nil || !strings.Contains(err.Error(), key+":") {
			t.Errorf("no fault for %s in %v", key, err)
		}
	}
}

func TestProbeSaysWhetherATrunkIsThere(t *testing.T) {
	peer := siptest.NewPeer(t)
	trunk := open(t, peer.Addr(), nil)
	type answer struct {
		probe sip.Probe
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		p, err := trunk.Probe(t.Context())
		done <- answer{p, err}
	}()
	peer.Answer(peer.Expect("OPTIONS"), "404 Not Found", "a", "", "Server: PBX", "Allow: INVITE")
	if a := <-done; a.err != nil || a.probe.Status != 404 || !a.probe.Alive() || a.probe.Server != "PBX" || a.probe.Allow != "INVITE" {
		t.Errorf("%+v", a)
	}
}

func TestA200ThatComesTwiceAtOnceIsOneAnswer(t *testing.T) {
	peer := siptest.NewPeer(t)
	trunk := open(t, peer.Addr(), nil)
	for range 40 {
		leg := invite(t, trunk)
		in := peer.Expect("INVITE")
		peer.Answer(in, "200 OK", "a", sdp)
		peer.Answer(in, "200 OK", "a", sdp)
		next[sip.Answered](t, leg)
		peer.Expect("ACK")
		peer.ExpectAgain("ACK")
		leg.Hangup(sip.Hangup{Reason: "Q.850;cause=16"})
		if bye := peer.Expect("BYE"); bye.Get("Reason") != "Q.850;cause=16" {
			t.Fatal("the call was ended as if it were a fork")
		} else {
			peer.Answer(bye, "200 OK", "", "")
		}
		next[sip.Ended](t, leg)
	}
}

func statusText(status int) string { return strconv.Itoa(status) }
