package sip

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"telgate/sip/siptest"
)

func namesOf(zone *siptest.Zone) *hopNames {
	return newHopNames((&DNS{Servers: []string{zone.Addr()}, Config: "testdata/resolv.conf"}).withDial(Dial), time.Now)
}

func TestByWhichTransportANextHopIsReached(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ uri, trunk, over, want string }{
		{"sip:h.test", "udp", "udp", "udp tcp"}, // its records may say TCP
		{"sip:h.test:5060", "udp", "udp", "udp"},
		{"sip:192.0.2.1", "udp", "udp", "udp"},
		{"sip:h.test;transport=TCP", "udp", "udp", "tcp"},
		{"sip:h.test;transport=tls", "udp", "udp", "tls"},
		{"sips:h.test;transport=udp", "udp", "udp", "tls"},
		{"sips:h.test", "tcp", "tcp", "tls"},
		{"sip:h.test", "udp", "tcp", "tcp"}, // the INVITE was large
		{"sip:h.test;transport=udp", "udp", "tcp", "udp"},
		{"sip:h.test;transport=udp", "tcp", "tcp", ""}, // no socket for it
		{"sip:h.test;transport=sctp", "udp", "udp", ""},
		{"sip:h.test", "tls", "tls", "tls"},
		{"sips:h.test;transport=tcp", "tls", "tls", "tls"}, // TLS over TCP, as RFC 3261 26.2.2 writes it
		{"sip:h.test;transport=tcp", "tls", "tls", ""},
		{"sip:h.test;transport=udp", "tls", "tls", ""},
	} {
		u := route(t, c.uri)
		trunk := trunkFor(t, TrunkConfig{Addresses: []string{"pbx.test"}})
		trunk.cfg.Transport = c.trunk
		if got := strings.Join(trunk.by(nextHopOf(&u), c.over), " "); got != c.want {
			t.Errorf("%s of a call by %s: %q, want %q", c.uri, c.over, got, c.want)
		}
	}
}

func TestANameCannotLeadIntoANetworkThatItsOwnerIsBehind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		nat          NAT
		trunk, leads string
		want         bool
	}{
		{NATAuto, "192.0.2.1", "192.0.2.2", true},
		{NATAuto, "192.0.2.1", "10.0.0.1", false},
		{NATAuto, "192.0.2.1", "127.0.0.1", false},
		{NATAuto, "10.0.0.1", "10.0.0.2", true},
		{NATOff, "192.0.2.1", "10.0.0.1", true},
		{NATOff, "192.0.2.1", "2001:db8::1", false},
	} {
		trunk := trunkFor(t, TrunkConfig{Addresses: []string{"pbx.test"}, NAT: c.nat})
		leg := path{to: netip.AddrPortFrom(netip.MustParseAddr(c.trunk), 5060)}
		g := Target{Transport: "udp", Addr: netip.AddrPortFrom(netip.MustParseAddr(c.leads), 5060)}
		if got := trunk.leads(g, leg); got != c.want {
			t.Errorf("%s from %s, nat %s: %v", c.leads, c.trunk, c.nat, got)
		}
	}
}

func TestFewNamesOfPeersAreKept(t *testing.T) {
	t.Parallel()
	zone := siptest.NewZone(t)
	zone.Set(t, "last.test. 60 IN A 127.0.0.1")
	names := namesOf(zone)
	for i := range 3 * mostHopNames {
		if _, err := names.services(t.Context(), nextHop{host: fmt.Sprintf("n%d.test", i), port: 5060}, []string{"udp"}); err == nil {
			t.Fatal("a name was found that nobody has")
		}
	}
	if s, err := names.services(t.Context(), nextHop{host: "last.test", port: 5060}, []string{"udp"}); err != nil || len(s) != 1 {
		t.Errorf("%v, %v", s, err)
	}
	if n := len(names.known); n > mostHopNames {
		t.Errorf("%d names are kept", n)
	}
}

func TestANameOfManyDialogsIsAskedForOnce(t *testing.T) {
	t.Parallel()
	zone := siptest.NewZone(t)
	zone.Set(t, "edge.test. 60 IN A 127.0.0.1")
	names := namesOf(zone)
	var calls sync.WaitGroup
	for range 32 {
		calls.Go(func() {
			if s, err := names.services(t.Context(), nextHop{host: "edge.test", port: 5060}, []string{"udp"}); err != nil || len(s) != 1 {
				t.Errorf("%v, %v", s, err)
			}
		})
	}
	calls.Wait()
	if n := zone.Asked("edge.test", "A"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestANameThatIsNotFoundIsNotAskedForByEveryCall(t *testing.T) {
	t.Parallel()
	zone := siptest.NewZone(t)
	zone.Set(t)
	names := namesOf(zone)
	for range 3 {
		if _, err := names.services(t.Context(), nextHop{host: "edge.test", port: 5060}, []string{"udp"}); err == nil {
			t.Fatal("a name was found that nobody has")
		}
	}
	if n := zone.Asked("edge.test", "A"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestWhoWaitsForAnothersLookupDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	names := newHopNames(nil, time.Now)
	names.look(hopName{"edge.test", "udp"}) // somebody asks, and never ends
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := names.services(ctx, nextHop{host: "edge.test"}, []string{"udp"}); err == nil {
		t.Error("a name was found that nobody asked for")
	}
}

func TestTheWayOfACallThatIsUpIsKeptOpen(t *testing.T) {
	t.Parallel()
	peer, edge, moved := siptest.NewPeer(t), siptest.NewPeer(t), siptest.NewPeer(t)
	trunk := trunkFor(t, TrunkConfig{Addresses: []string{peer.Addr()}})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- trunk.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	if err := trunk.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	leg, err := trunk.Invite(t.Context(), Invite{User: "7101", Offer: []byte("v=0\r\n")})
	if err != nil {
		t.Fatal(err)
	}
	kept := func(addresses ...string) {
		t.Helper()
		list := trunk.up.uses.list()
		if len(list) != len(addresses) {
			t.Errorf("kept open: %v, want %v", list, addresses)
		}
		for _, p := range list {
			if p.addr.String() != addresses[0] && p.addr.String() != addresses[len(addresses)-1] {
				t.Errorf("kept open: %v, want %v", list, addresses)
			}
		}
	}
	in := peer.Expect("INVITE")
	kept(peer.Addr())
	peer.Answer(in, "200 OK", "a", "v=0\r\n", "Contact: <sip:bob@"+edge.Addr()+">")
	edge.Expect("ACK")
	kept(peer.Addr(), edge.Addr())
	peer.Request(in, "UPDATE", "a", 1, "", "Contact: <sip:bob@"+moved.Addr()+">")
	peer.ExpectResponse(200)
	peer.Request(in, "UPDATE", "a", 2, "", "Contact: <sip:bob@"+moved.Addr()+">") // the first is done with
	peer.ExpectResponse(200)
	kept(peer.Addr(), moved.Addr())
	peer.Request(in, "BYE", "a", 3, "")
	<-leg.Done()
	kept()
}
