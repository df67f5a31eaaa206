package sip_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

// bytes is how long a message was on the wire.
func bytes(m siptest.Message) int {
	n := len(m.Start) + 2 + 2 + len(m.Body)
	for _, h := range m.Headers {
		n += len(h[0]) + 2 + len(h[1]) + 2
	}
	return n
}

// offer is an SDP of about so many bytes.
func offer(size int) []byte {
	return []byte(sdp + strings.Repeat("a=x:padding\r\n", (size-len(sdp))/13))
}

func TestEverythingGoesThroughTheOutboundProxy(t *testing.T) {
	t.Parallel()
	proxy := siptest.NewPeer(t)
	trunk := open(t, "pbx.example.com", func(c *sip.TrunkConfig) { c.OutboundProxy = proxy.Addr() })
	route := "<sip:" + proxy.Addr() + ";lr>"
	leg := invite(t, trunk)
	in := proxy.Expect("INVITE")
	if !strings.HasPrefix(in.Start, "INVITE sip:7101@pbx.example.com ") || in.Get("Route") != route {
		t.Errorf("%s, Route %q", in.Start, in.Get("Route"))
	}
	proxy.Answer(in, "407 Proxy Authentication Required", "x", "", `Proxy-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`)
	if ack := proxy.Expect("ACK"); ack.Get("Route") != route {
		t.Errorf("ACK with Route %q", ack.Get("Route"))
	}
	again := proxy.Expect("INVITE")
	if again.Get("Route") != route {
		t.Errorf("second INVITE with Route %q", again.Get("Route"))
	}
	proxy.Answer(again, "180 Ringing", "a", "")
	next[sip.Progress](t, leg)
	leg.Hangup(sip.Hangup{})
	cancel := proxy.Expect("CANCEL")
	if cancel.Get("Route") != route {
		t.Errorf("CANCEL with Route %q", cancel.Get("Route"))
	}
	proxy.Answer(cancel, "200 OK", "a", "")
	proxy.Answer(again, "487 Request Terminated", "a", "")
	proxy.Expect("ACK")
	ends(t, leg, sip.EndedByCancelled)
}

func TestTheDialogsOwnRouteSetReplacesThePreloadedOne(t *testing.T) {
	t.Parallel()
	proxy := siptest.NewPeer(t)
	leg := invite(t, open(t, "pbx.example.com", func(c *sip.TrunkConfig) { c.OutboundProxy = proxy.Addr() }))
	up(t, proxy, leg)
	leg.Hangup(sip.Hangup{})
	bye := proxy.Expect("BYE")
	if bye.Get("Route") != "" {
		t.Errorf("BYE with Route %q, though nobody recorded one", bye.Get("Route"))
	}
	proxy.Answer(bye, "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}

func TestAnINVITEDropsOptionalHeadersBeforeItGrowsPast1200Bytes(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	trunk := open(t, peer.Addr(), nil)
	leg, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: offer(745), Expires: 50 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	in := busy(t, peer, leg)
	if n := bytes(in); n > 1200 || in.Get("User-Agent") != "" || in.Get("Expires") == "" {
		t.Errorf("%d bytes with %v", n, in.Headers)
	}
}

func TestARequestPastTheMTUGoesByTCPWhereTheTrunkAllowsIt(t *testing.T) {
	t.Parallel()
	stream := siptest.NewStream(t)
	peer := siptest.NewPeerAt(t, stream.Addr()) // UDP and TCP at one port, as PBXs have it
	trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) { c.LargeByTCP = true })
	leg, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: offer(3000)})
	if err != nil {
		t.Fatal(err)
	}
	in := stream.Expect("INVITE")
	if !strings.HasPrefix(in.Get("Via"), "SIP/2.0/TCP ") || !strings.Contains(in.Get("Contact"), "transport=tcp") {
		t.Errorf("%v", in.Headers)
	}
	stream.Answer(in, "200 OK", "a", sdp)
	next[sip.Answered](t, leg)
	stream.Expect("ACK")
	stream.Bye(in, "a")
	stream.ExpectResponse(200)
	ends(t, leg, sip.EndedByPeerBye)
	small, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)})
	if err != nil {
		t.Fatal(err)
	}
	busy(t, peer, small)
}

func TestARetryWithCredentialsThatGrowsPastTheMTUGoesByTCP(t *testing.T) {
	t.Parallel()
	stream := siptest.NewStream(t)
	peer := siptest.NewPeerAt(t, stream.Addr())
	trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) { c.LargeByTCP = true })
	leg, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: offer(600)})
	if err != nil {
		t.Fatal(err)
	}
	first := peer.Expect("INVITE")
	peer.Answer(first, "401 Unauthorized", "x", "", fmt.Sprintf(`WWW-Authenticate: Digest realm="r", nonce=%q, algorithm=SHA-256, qop="auth"`, strings.Repeat("n", 300)))
	peer.Expect("ACK")
	again := stream.Expect("INVITE")
	first1, _, _ := strings.Cut(first.Start, ";")
	if again.Get("Authorization") == "" || again.Get("CSeq") != "2 INVITE" || again.Start != first1 {
		t.Errorf("%s %v", again.Start, again.Headers)
	}
	stream.Answer(again, "486 Busy Here", "b", "")
	stream.Expect("ACK")
	ends(t, leg, sip.EndedByRefused)
}

func TestARequestPastTheMTUGoesByUDPElseAndIsWarnedAboutOnce(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	for _, byTCP := range []bool{false, true} { // true: the peer has no TCP
		told := messages{make(chan string, 64)}
		zone := siptest.NewZone(t)
		env := knowing(zone)
		env.Log = slog.New(told)
		trunk := ready(t, run(t, env, func(c *sip.TrunkConfig) { c.LargeByTCP = byTCP }, peer.Addr()))
		for range 2 {
			leg, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: offer(3000)})
			if err != nil {
				t.Fatal(err)
			}
			if in := busy(t, peer, leg); !strings.HasPrefix(in.Get("Via"), "SIP/2.0/UDP ") {
				t.Errorf("%v", in.Headers)
			}
		}
		warnings := 0
		for len(told.said) > 0 {
			if strings.Contains(<-told.said, "too large for UDP") {
				warnings++
			}
		}
		if warnings != 1 {
			t.Errorf("%d warnings", warnings)
		}
	}
}

func TestARequestOfADialogThatIsPastTheMTUGoesByTCPToo(t *testing.T) {
	t.Parallel()
	for _, byTCP := range []bool{true, false} {
		stream := siptest.NewStream(t)
		peer := siptest.NewPeerAt(t, stream.Addr())
		told := messages{make(chan string, 64)}
		env := environment()
		env.Log = slog.New(told)
		leg := invite(t, openOn(t, env, peer.Addr(), func(c *sip.TrunkConfig) { c.LargeByTCP = byTCP }))
		routes := strings.Repeat("<sip:"+strings.Repeat("x", 100)+"@"+peer.Addr()+";lr>, ", 12)
		in, record := peer.Expect("INVITE"), "Record-Route: "+strings.TrimSuffix(routes, ", ")
		peer.Answer(in, "200 OK", "a", sdp, record)
		next[sip.Answered](t, leg)
		var by callee = peer
		if byTCP {
			by = stream
		}
		ack := by.Expect("ACK")
		if over := map[bool]string{false: "UDP", true: "TCP"}[byTCP]; len(ack.All("Route")) != 12 || !strings.HasPrefix(ack.Get("Via"), "SIP/2.0/"+over+" ") || ack.Get("Contact") != "" {
			t.Errorf("%v", ack.Headers)
		}
		peer.Answer(in, "200 OK", "a", sdp, record) // as if the ACK had been lost
		if byTCP {
			if again := stream.Expect("ACK"); again.Get("Via") != ack.Get("Via") {
				t.Errorf("the ACK's branch was %s, and is %s", ack.Get("Via"), again.Get("Via"))
			}
		} else {
			peer.ExpectAgain("ACK")
		}
		leg.Hangup(sip.Hangup{})
		bye := by.Expect("BYE")
		if got := len(bye.All("Route")); got != 12 || bye.Get("CSeq") != "2 BYE" {
			t.Errorf("%d routes, CSeq %s", got, bye.Get("CSeq"))
		}
		by.Answer(bye, "200 OK", "a", "")
		ends(t, leg, sip.EndedByLocalBye)
		warned := 0
		for len(told.said) > 0 {
			if strings.Contains(<-told.said, "too large for UDP") {
				warned++
			}
		}
		if want := map[bool]int{false: 1, true: 0}[byTCP]; warned != want {
			t.Errorf("by TCP: %v; %d warnings", byTCP, warned)
		}
	}
}

func TestAConnectionIsKeptAliveWhileACallIsUp(t *testing.T) {
	t.Parallel()
	peer := siptest.NewStream(t)
	trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) { overTCP(c); c.Keepalive = 50 * time.Millisecond })
	leg := invite(t, trunk)
	in := peer.Expect("INVITE")
	peer.Answer(in, "180 Ringing", "a", "")
	next[sip.Progress](t, leg)
	peer.ExpectKeepAlive(true)
	peer.ExpectKeepAlive(false) // it answered before: now it is deaf
	peer.ExpectEnd()
	if e := ends(t, leg, sip.EndedByTransport); sip.FailureOf(e.Err) != sip.FailureLost || !strings.Contains(e.Err.Error(), "keep-alive") {
		t.Errorf("%v", e.Err)
	}
}

func TestARefreshOpensTheConnectionThatWasLostMeanwhile(t *testing.T) {
	t.Parallel()
	peer := siptest.NewStream(t)
	leg := invite(t, open(t, peer.Addr(), overTCP))
	in := peer.Expect("INVITE")
	peer.Answer(in, "200 OK", "a", sdp, "Session-Expires: 6;refresher=uac")
	next[sip.Answered](t, leg)
	peer.Expect("ACK")
	peer.Cut()
	re := peer.Expect("INVITE")
	peer.Answer(re, "200 OK", "a", sdp)
	peer.Expect("ACK")
	leg.Hangup(sip.Hangup{})
	peer.Answer(peer.Expect("BYE"), "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}
