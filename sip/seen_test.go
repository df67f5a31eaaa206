package sip_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

func TestAProbeTellsHowThePeerSeesUs(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) { c.NAT = sip.NATOff })
	for _, c := range []struct {
		name, via string // via takes the place of ";rport"
		seen      func(us netip.AddrPort) netip.AddrPort
		date      time.Time
		header    string
	}{
		{"as we are", ";received=127.0.0.1;rport=$PORT", func(us netip.AddrPort) netip.AddrPort { return us }, time.Date(2026, 11, 13, 23, 29, 0, 0, time.UTC), "Date: Fri, 13 Nov 2026 23:29:00 GMT"},
		{"behind a NAT", ";received=198.51.100.7;rport=61234", func(netip.AddrPort) netip.AddrPort { return netip.MustParseAddrPort("198.51.100.7:61234") }, time.Time{}, "Date: yesterday"},
		{"without received", ";rport=61234", func(us netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(us.Addr(), 61234) }, time.Time{}, "X-None: 1"},
		{"it does not say", ";rport", func(netip.AddrPort) netip.AddrPort { return netip.AddrPort{} }, time.Time{}, "X-None: 1"},
		{"nonsense", ";received=pbx.example;rport=99999", func(netip.AddrPort) netip.AddrPort { return netip.AddrPort{} }, time.Time{}, "X-None: 1"},
	} {
		got := make(chan sip.Probe, 1)
		failed := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), siptest.Patience)
			defer cancel()
			p, err := trunk.Probe(ctx)
			got <- p
			failed <- err
		}()
		req := peer.Expect("OPTIONS")
		us := req.From.AddrPort()
		for i, h := range req.Headers {
			if h[0] == "Via" {
				via := strings.ReplaceAll(c.via, "$PORT", strings.TrimPrefix(us.String(), "127.0.0.1:"))
				req.Headers[i][1] = strings.Replace(h[1], ";rport", via, 1)
			}
		}
		peer.Answer(req, "200 OK", "a", "", c.header, "Allow: INVITE, ACK", "Allow: BYE")
		p, err := <-got, <-failed
		if err != nil || p.Sight.Said != us || p.Sight.Seen != c.seen(us) || !p.Sight.Date.Equal(c.date) || p.Allow != "INVITE, ACK, BYE" {
			t.Errorf("%s: %+v, %v", c.name, p, err)
		}
	}
}
