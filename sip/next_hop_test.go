package sip_test

import (
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

// port is that of a host:port.
func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}

// talk answers a call that rings already, from another dialog where headers say so, and hangs up from our side. The ACK and
// the BYE go to whoever takes them.
func talk(t *testing.T, peer, takes callee, leg *sip.Leg, more ...string) (ack, bye siptest.Message) {
	t.Helper()
	in := peer.Expect("INVITE")
	peer.Answer(in, "180 Ringing", "a", "", more...)
	next[sip.Progress](t, leg)
	peer.Answer(in, "200 OK", "a", sdp, more...)
	next[sip.Answered](t, leg)
	ack = takes.Expect("ACK")
	leg.Hangup(sip.Hangup{})
	bye = takes.Expect("BYE")
	takes.Answer(bye, "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
	return ack, bye
}

func TestRequestsOfADialogFollowTheNameOfTheirNextHop(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		header  string // EDGE is the port of the next hop, TRUNK that of the trunk
		records []string
		tcp     bool // the next hop is spoken to by TCP
		route   bool
	}{
		{"a Record-Route by name", "Record-Route: <sip:edge.test:EDGE;lr>", []string{"edge.test. 60 IN A 127.0.0.1"}, false, true},
		{"a Contact by name", "Contact: <sip:bob@Edge.Test:EDGE>", []string{"edge.test. 60 IN A 127.0.0.1"}, false, false},
		{"its SRV record", "Record-Route: <sip:edge.test;lr>", []string{"_sip._udp.edge.test. 60 IN SRV 0 0 EDGE a.test.", "a.test. 60 IN A 127.0.0.1"}, false, true},
		{"the SRV record of TCP, the only one", "Record-Route: <sip:edge.test;lr>", []string{"_sip._tcp.edge.test. 60 IN SRV 0 0 EDGE a.test.", "a.test. 60 IN A 127.0.0.1"}, true, true},
		{"by TCP", "Record-Route: <sip:edge.test:EDGE;transport=TCP;lr>", []string{"edge.test. 60 IN A 127.0.0.1"}, true, true},
		{"by TCP to an address", "Record-Route: <sip:127.0.0.1:EDGE;transport=tcp;lr>", nil, true, true},
		{"a Contact by TCP", "Contact: <sip:bob@127.0.0.1:EDGE;transport=tcp>", nil, true, false},
		{"maddr is where it is", "Record-Route: <sip:nowhere.test:EDGE;maddr=127.0.0.1;lr>", nil, false, true},
		{"among several the one that the call went to", "Record-Route: <sip:trunk.test:TRUNK;lr>", []string{"trunk.test. 60 IN A 127.0.0.9", "trunk.test. 60 IN A 127.0.0.1"}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			peer, stream := siptest.NewPeer(t), siptest.NewStream(t)
			edge := siptest.NewPeerAt(t, stream.Addr())
			zone := siptest.NewZone(t)
			fill := strings.NewReplacer("EDGE", stream.Port(), "TRUNK", port(peer.Addr()))
			for i := range c.records {
				c.records[i] = fill.Replace(c.records[i])
			}
			zone.Set(t, c.records...)
			var takes callee = edge
			switch {
			case c.tcp:
				takes = stream
			case strings.Contains(c.header, "TRUNK"):
				takes = peer
			}
			leg := invite(t, ready(t, run(t, knowing(zone), nil, peer.Addr())))
			ack, bye := talk(t, peer, takes, leg, fill.Replace(c.header))
			for _, m := range []siptest.Message{ack, bye} {
				over := map[bool]string{false: "UDP", true: "TCP"}[c.tcp]
				if !strings.HasPrefix(m.Get("Via"), "SIP/2.0/"+over+" ") || (m.Get("Route") != "") != c.route {
					t.Errorf("%s: Via %q, Route %q", m.Start, m.Get("Via"), m.Get("Route"))
				}
			}
			if strings.Contains(bye.Get("Contact"), "transport=tcp") {
				t.Errorf("the target moved: Contact %s", bye.Get("Contact"))
			}
		})
	}
}

func TestANextHopThatIsGoneByTheEndOfTheCallIsGoneAround(t *testing.T) {
	t.Parallel()
	peer, edge := siptest.NewPeer(t), siptest.NewStream(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	peer.Answer(peer.Expect("INVITE"), "200 OK", "a", sdp, "Record-Route: <sip:"+edge.Addr()+";transport=tcp;lr>")
	next[sip.Answered](t, leg)
	edge.Expect("ACK")
	edge.Stop()
	leg.Hangup(sip.Hangup{})
	bye := peer.Expect("BYE")
	if !strings.HasPrefix(bye.Get("Via"), "SIP/2.0/UDP ") || bye.Get("Route") == "" {
		t.Errorf("BYE by %s, Route %q", bye.Get("Via"), bye.Get("Route"))
	}
	peer.Answer(bye, "200 OK", "a", "")
	if e := ends(t, leg, sip.EndedByLocalBye); e.Err != nil {
		t.Error(e.Err)
	}
}

func TestWhatComesFromTheNameOfANextHopIsRead(t *testing.T) {
	t.Parallel()
	peer, zone := siptest.NewPeer(t), siptest.NewZone(t)
	edge := siptest.NewPeerAt(t, "127.0.0.8:0")
	zone.Set(t, "edge.test. 60 IN A 127.0.0.8")
	leg := invite(t, ready(t, run(t, knowing(zone), nil, peer.Addr())))
	in := peer.Expect("INVITE")
	peer.Answer(in, "200 OK", "a", sdp, "Record-Route: <sip:edge.test:"+port(edge.Addr())+";lr>")
	next[sip.Answered](t, leg)
	edge.Expect("ACK")
	edge.Request(in, "INFO", "a", 1, "Signal=1\r\n", "Content-Type: application/dtmf-relay")
	edge.ExpectResponse(200)
	if d := next[sip.Digit](t, leg); d.Digit != '1' {
		t.Errorf("%+v", d)
	}
	edge.Request(in, "BYE", "a", 2, "")
	edge.ExpectResponse(200)
	ends(t, leg, sip.EndedByPeerBye)
}

func TestANextHopThatIsNotToBeHadLeavesTheWayTheINVITETook(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, header string
		prepare      func(*siptest.Zone)
	}{
		{"a name that does not exist", "Record-Route: <sip:edge.test:5070;lr>", func(*siptest.Zone) {}},
		{"name servers that fail", "Record-Route: <sip:edge.test:5070;lr>", func(z *siptest.Zone) { z.Fail() }},
		{"name servers that say nothing", "Contact: <sip:bob@edge.test:5070>", func(z *siptest.Zone) { z.Mute() }},
		{"nobody takes the connection", "Record-Route: <sip:127.0.0.1:9;transport=tcp;lr>", func(*siptest.Zone) {}},
		{"nobody takes TLS", "Record-Route: <sip:127.0.0.1:9;transport=tls;lr>", func(*siptest.Zone) {}},
		{"a transport that nobody here speaks", "Record-Route: <sip:127.0.0.1:9;transport=ws;lr>", func(*siptest.Zone) {}},
		{"another family of addresses", "Record-Route: <sip:[::1]:9;lr>", func(*siptest.Zone) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			peer, zone := siptest.NewPeer(t), siptest.NewZone(t)
			zone.Set(t)
			trunk := ready(t, run(t, knowing(zone), nil, peer.Addr()))
			c.prepare(zone)
			_, bye := talk(t, peer, peer, invite(t, trunk), c.header)
			if !strings.HasPrefix(bye.Get("Via"), "SIP/2.0/UDP ") {
				t.Errorf("BYE by %s", bye.Get("Via"))
			}
		})
	}
}

func TestAnACKThatWaitsForANameIsSentWhenTheCallEnds(t *testing.T) {
	t.Parallel()
	peer, zone := siptest.NewPeer(t), siptest.NewZone(t)
	leg := invite(t, ready(t, run(t, knowing(zone), nil, peer.Addr())))
	zone.Mute()
	in := peer.Expect("INVITE")
	peer.Answer(in, "200 OK", "a", sdp, "Record-Route: <sip:edge.test:5070;lr>")
	next[sip.Answered](t, leg)
	peer.Request(in, "BYE", "a", 1, "")
	peer.ExpectResponse(200)
	peer.Expect("ACK")
	ends(t, leg, sip.EndedByPeerBye)
}

func TestTheLastAddressOfANextHopIsKeptWhereDNSIsDown(t *testing.T) {
	t.Parallel()
	peer, edge, zone := siptest.NewPeer(t), siptest.NewPeer(t), siptest.NewZone(t)
	zone.Set(t, "edge.test. 1 IN A 127.0.0.1")
	var ahead atomic.Int64
	env := knowing(zone)
	env.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	trunk := ready(t, run(t, env, nil, peer.Addr()))
	header := "Record-Route: <sip:edge.test:" + port(edge.Addr()) + ";lr>"
	talk(t, peer, edge, invite(t, trunk), header)
	asked := zone.Asked("edge.test", "A")
	talk(t, peer, edge, invite(t, trunk), header)
	if again := zone.Asked("edge.test", "A"); again != asked {
		t.Errorf("asked %d times more within its time to live", again-asked)
	}
	zone.Fail()
	ahead.Store(int64(time.Hour))
	talk(t, peer, edge, invite(t, trunk), header)
	if again := zone.Asked("edge.test", "A"); again == asked {
		t.Error("an address of an hour ago is believed unasked")
	}
}

func TestANextHopByTLSIsCheckedForItsNameAndItsConnectionUsedAgain(t *testing.T) {
	t.Parallel()
	ca := siptest.NewAuthority(t, "our CA")
	peer := siptest.NewStreamAt(t, "127.0.0.1:0", ca.Issue(time.Hour, "pbx.test").Config(t))
	edge := siptest.NewStreamAt(t, "127.0.0.2:0", ca.Issue(time.Hour, "edge.test").Config(t))
	zone := siptest.NewZone(t)
	zone.Set(t, "pbx.test. 60 IN A 127.0.0.1", "_sips._tcp.edge.test. 60 IN SRV 0 0 "+edge.Port()+" node.edge.test.", "node.edge.test. 60 IN A 127.0.0.2")
	told := messages{make(chan string, 64)}
	env := knowing(zone)
	env.Log = slog.New(told)
	trunk := ready(t, run(t, env, overTLS(sip.TLS{CA: ca.PEM()}), "pbx.test:"+peer.Port()))
	for _, scheme := range []string{"sip", "sips"} { // the second time the connections are open: each stand-in takes one only
		talk(t, peer, edge, invite(t, trunk), "Record-Route: <"+scheme+":edge.test;lr>")
		if edge.ServerName() != "edge.test" {
			t.Errorf("asked for %q", edge.ServerName())
		}
	}
	edge.Cut()
	told.await(t, "connection to the trunk ended") // else the ACK goes into it, and the stand-in does not ask for another
	talk(t, peer, edge, invite(t, trunk), "Record-Route: <sips:edge.test;lr>")
	if edge.ServerName() != "edge.test" {
		t.Errorf("once it was lost, asked for %q", edge.ServerName())
	}
}

func TestAnotherGatewayEndsACallAtItsNextHopByThatName(t *testing.T) {
	t.Parallel()
	ca := siptest.NewAuthority(t, "our CA")
	peer := siptest.NewStreamAt(t, "127.0.0.1:0", ca.Issue(time.Hour, "pbx.test").Config(t))
	edge := siptest.NewStreamAt(t, "127.0.0.2:0", ca.Issue(time.Hour, "edge.test").Config(t))
	zone := siptest.NewZone(t)
	zone.Set(t, "pbx.test. 60 IN A 127.0.0.1", "edge.test. 60 IN A 127.0.0.2")
	gateway := func() *sip.Trunk {
		return ready(t, run(t, knowing(zone), overTLS(sip.TLS{CA: ca.PEM()}), "pbx.test:"+peer.Port()))
	}
	leg := invite(t, gateway())
	in := peer.Expect("INVITE")
	record := "Record-Route: <sip:edge.test:" + edge.Port() + ";lr>"
	peer.Answer(in, "180 Ringing", "a", "", record)
	next[sip.Progress](t, leg)
	peer.Answer(in, "200 OK", "a", sdp, record)
	next[sip.Answered](t, leg)
	edge.Expect("ACK")
	edge.Cut()
	status := make(chan int, 1)
	other := gateway()
	go func() {
		code, err := other.End(t.Context(), leg.Ending())
		if err != nil {
			t.Error(err)
		}
		status <- code
	}()
	edge.Answer(edge.Expect("BYE"), "200 OK", "a", "")
	if code, name := <-status, edge.ServerName(); code != 200 || name != "edge.test" {
		t.Errorf("%d by %q", code, name)
	}
	peer.Bye(in, "a")
	ends(t, leg, sip.EndedByPeerBye)
}

func TestACallOverTLSIsNeverContinuedInClear(t *testing.T) {
	t.Parallel()
	ca := siptest.NewAuthority(t, "our CA")
	for _, header := range []string{
		"Contact: <sip:bob@edge.test:EDGE;transport=udp>", "Contact: <sip:bob@127.0.0.2:EDGE;transport=tcp>",
		"Record-Route: <sip:edge.test:EDGE;transport=udp;lr>", "Record-Route: <sips:edge.test:EDGE;transport=udp;lr>",
		"Record-Route: <sip:edge.test:EDGE;lr>", // its certificate is not for that name
	} {
		peer := siptest.NewStreamAt(t, "127.0.0.1:0", ca.Issue(time.Hour, "pbx.test").Config(t))
		stranger := siptest.NewStreamAt(t, "127.0.0.2:0", ca.Issue(time.Hour, "stranger.test").Config(t))
		inClear := siptest.NewPeerAt(t, stranger.Addr())
		zone := siptest.NewZone(t)
		zone.Set(t, "pbx.test. 60 IN A 127.0.0.1", "edge.test. 60 IN A 127.0.0.2")
		trunk := ready(t, run(t, knowing(zone), overTLS(sip.TLS{CA: ca.PEM()}), "pbx.test:"+peer.Port()))
		talk(t, peer, peer, invite(t, trunk), strings.ReplaceAll(header, "EDGE", stranger.Port()))
		inClear.Quiet(50 * time.Millisecond)
	}
}

func TestASIPSNextHopOfACallByUDPIsNotReachedInClear(t *testing.T) {
	t.Parallel()
	peer, edge, zone := siptest.NewPeer(t), siptest.NewPeer(t), siptest.NewZone(t)
	zone.Set(t, "edge.test. 60 IN A 127.0.0.1")
	leg := invite(t, ready(t, run(t, knowing(zone), nil, peer.Addr())))
	in := peer.Expect("INVITE")
	peer.Answer(in, "200 OK", "a", sdp, "Record-Route: <sips:edge.test:"+port(edge.Addr())+";transport=udp;lr>")
	next[sip.Answered](t, leg)
	leg.Hangup(sip.Hangup{})
	if e := ends(t, leg, sip.EndedByLocalBye); e.Err == nil {
		t.Error("a BYE was answered that had nowhere to go")
	}
	for _, p := range []*siptest.Peer{peer, edge} {
		p.Quiet(50 * time.Millisecond)
	}
}

func TestASecondPhoneBehindANameIsToldGoodbyeThere(t *testing.T) {
	t.Parallel()
	peer, edge, zone := siptest.NewPeer(t), siptest.NewPeer(t), siptest.NewZone(t)
	zone.Set(t, "edge.test. 60 IN A 127.0.0.1")
	leg := invite(t, ready(t, run(t, knowing(zone), nil, peer.Addr())))
	in := up(t, peer, leg)
	peer.Answer(in, "200 OK", "b", sdp, "Contact: <sip:second@edge.test:"+port(edge.Addr())+">")
	edge.Expect("ACK")
	edge.Answer(edge.Expect("BYE"), "200 OK", "b", "")
	peer.Request(in, "BYE", "a", 1, "")
	ends(t, leg, sip.EndedByPeerBye)
}
