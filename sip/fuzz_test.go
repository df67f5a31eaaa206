package sip

import (
	"testing"

	"github.com/emiago/sipgo/sip"

	"telgate/sip/siptest"
)

// Everything that is read of a message before anybody is asked must bear whatever a parser lets through.
func FuzzMessage(f *testing.F) {
	for _, m := range siptest.Tortures("192.0.2.1:5060", "192.0.2.2:5060") {
		f.Add([]byte(m.Text))
	}
	f.Add([]byte("SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n" +
		"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth,auth-int\", stale=TRUE\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\n" +
		"Retry-After: 120 (later);duration=60\r\nReason: Q.850;cause=16, SIP;cause=200\r\nContact: <sip:c@[2001:db8::1]:5061;transport=tls>\r\nContent-Length: 0\r\n\r\n"))
	parser := sip.NewParser()
	f.Fuzz(func(t *testing.T, datagram []byte) {
		m, err := parser.ParseSIP(datagram)
		if err != nil {
			return
		}
		switch m := m.(type) {
		case *sip.Request:
			if wellFormed(m) {
				_ = tagOf(m.To().Params)
				_ = sdpOf(m)
				_ = parseReason(headerValues(m, "Reason"))
			}
		case *sip.Response:
			d := dialogOf(m)
			if d.target.Wildcard {
				t.Error("a dialog whose remote target is *")
			}
			l := &Leg{}
			l.facts(m)
			_ = sdpOf(m)
			_ = strongest(digestChallenges(headerValues(m, "WWW-Authenticate")))
			_ = grantedBy(m, sip.Uri{User: "c"}, 0)
			_ = serviceRoutes(m)
		}
	})
}
