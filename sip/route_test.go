package sip

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"telgate/sip/siptest"
)

func trunkFor(t *testing.T, cfg TrunkConfig) *Trunk {
	t.Helper()
	cfg.Name, cfg.Transport = "main", "udp"
	trunk, err := NewTrunk(cfg, Env{
		Listen: func(ctx context.Context, network, address string) (net.PacketConn, error) {
			return new(net.ListenConfig).ListenPacket(ctx, network, address)
		},
		Rand: rand.Reader, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return trunk
}

func route(t *testing.T, text string) sip.Uri {
	t.Helper()
	var u sip.Uri
	if err := sip.ParseUri(text, &u); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestTheRouteSetOfRequestsOutsideDialogs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, proxy string
		service     []string
		method      sip.RequestMethod
		want        []string
		first       string
	}{
		{"none", "", nil, sip.INVITE, nil, "pbx.test"},
		{"the service route", "", []string{"sip:edge.test:5080;lr", "sip:core.test;lr"}, sip.INVITE, []string{"sip:edge.test:5080;lr", "sip:core.test;lr"}, "edge.test:5080"},
		{"not for REGISTER", "", []string{"sip:edge.test;lr"}, sip.REGISTER, nil, "edge.test"},
		{"the proxy first", "sbc.test:5062", []string{"sip:edge.test;lr"}, sip.INVITE, []string{"sip:sbc.test:5062;lr", "sip:edge.test;lr"}, "sbc.test:5062"},
		{"the proxy for REGISTER, too", "sbc.test", []string{"sip:edge.test;lr"}, sip.REGISTER, []string{"sip:sbc.test;lr"}, "sbc.test"},
		{"a proxy that names itself comes once", "sbc.test", []string{"sip:sbc.test;lr", "sip:core.test;lr"}, sip.INVITE, []string{"sip:sbc.test;lr", "sip:core.test;lr"}, "sbc.test"},
		{"what is no loose router is left out", "", []string{"sip:strict.test", "tel:+12025550100;lr", "sip:core.test;lr"}, sip.INVITE, []string{"sip:core.test;lr"}, "core.test"},
		{"IPv6", "[2001:db8::1]:5062", nil, sip.INVITE, []string{"sip:[2001:db8::1]:5062;lr"}, "[2001:db8::1]:5062"},
	} {
		trunk := trunkFor(t, TrunkConfig{Addresses: []string{"pbx.test"}, OutboundProxy: c.proxy})
		var routes []sip.Uri
		for _, s := range c.service {
			routes = append(routes, route(t, s))
		}
		trunk.setServiceRoutes(routes)
		var got []string
		for _, u := range trunk.preloaded(c.method) {
			got = append(got, u.String())
		}
		if !slices.Equal(got, c.want) || trunk.firstHops()[0] != c.first {
			t.Errorf("%s: %v by %v, want %v by %s", c.name, got, trunk.firstHops(), c.want, c.first)
		}
		trunk.setServiceRoutes(nil)
		if hops := trunk.firstHops(); c.proxy == "" && hops[0] != "pbx.test" {
			t.Errorf("%s: forgotten service routes still lead to %v", c.name, hops)
		}
	}
}

func TestACallFollowsTheServiceRouteOfTheRegistration(t *testing.T) {
	t.Parallel()
	pbx, edge := siptest.NewPeer(t), siptest.NewPeer(t)
	trunk := trunkFor(t, TrunkConfig{Addresses: []string{pbx.Addr()}})
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
	trunk.setServiceRoutes([]sip.Uri{route(t, "sip:"+edge.Addr()+";lr"), route(t, "sip:core.test;lr")})
	leg, err := trunk.Invite(t.Context(), Invite{User: "7101", Offer: []byte("v=0\r\n")})
	if err != nil {
		t.Fatal(err)
	}
	in := edge.Expect("INVITE")
	if got := strings.Join(in.All("Route"), ", "); got != "<sip:"+edge.Addr()+";lr>, <sip:core.test;lr>" || !strings.HasPrefix(in.Start, "INVITE sip:7101@"+pbx.Addr()+" ") {
		t.Errorf("%s by %s", in.Start, got)
	}
	edge.Answer(in, "486 Busy Here", "b", "")
	edge.Expect("ACK")
	<-leg.Done()
}

func TestARegistrationKeepsItsWayOpen(t *testing.T) {
	t.Parallel()
	trunk := trunkFor(t, TrunkConfig{Addresses: []string{"127.0.0.1:5070"}})
	p := path{to: netip.MustParseAddrPort("127.0.0.1:5070")}
	a, b := trunk.keepOpen(p), trunk.keepOpen(p)
	a()
	a() // once is enough
	if got := trunk.up.uses.list(); len(got) != 1 || got[0] != (endpoint{"udp", p.to}) {
		t.Errorf("%v", got)
	}
	b()
	if got := trunk.up.uses.list(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
