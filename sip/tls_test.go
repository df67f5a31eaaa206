package sip_test

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

func overTLS(secure sip.TLS) func(*sip.TrunkConfig) {
	return func(c *sip.TrunkConfig) { c.Transport, c.TLS = "tls", secure }
}

func TestOverTLSACallIsHungUpFromEitherSide(t *testing.T) {
	t.Parallel()
	ca := siptest.NewAuthority(t, "our CA")
	for _, theirs := range []bool{false, true} {
		peer := siptest.NewStreamAt(t, "127.0.0.1:0", ca.Issue(time.Hour, "127.0.0.1").Config(t))
		trunk := open(t, peer.Addr(), overTLS(sip.TLS{CA: ca.PEM()}))
		leg := invite(t, trunk)
		in := peer.Expect("INVITE")
		if !strings.HasPrefix(in.Get("Via"), "SIP/2.0/TLS ") || !strings.Contains(in.Get("Contact"), "transport=tls") || !strings.Contains(in.Start, ";transport=tls") {
			t.Errorf("%s, Via %q, Contact %q", in.Start, in.Get("Via"), in.Get("Contact"))
		}
		peer.Answer(in, "180 Ringing", "a", "")
		next[sip.Progress](t, leg)
		peer.Answer(in, "200 OK", "a", sdp)
		next[sip.Answered](t, leg)
		peer.Expect("ACK")
		if theirs {
			peer.Bye(in, "a")
			peer.ExpectResponse(200)
			ends(t, leg, sip.EndedByPeerBye)
			continue
		}
		leg.Hangup(sip.Hangup{})
		peer.Answer(peer.Expect("BYE"), "200 OK", "a", "")
		ends(t, leg, sip.EndedByLocalBye)
		c, ok := trunk.Certificate()
		if !ok || c.Err != nil || c.Issuer != "CN=our CA" || c.Subject != "CN=127.0.0.1" || c.Version != "TLS 1.3" || time.Until(c.NotAfter) < 30*time.Minute {
			t.Errorf("%+v", c)
		}
	}
}

func TestEachWayTLSFailsHasItsOwnReason(t *testing.T) {
	t.Parallel()
	ca, other := siptest.NewAuthority(t, "our CA"), siptest.NewAuthority(t, "somebody else's CA")
	good := ca.Issue(time.Hour, "127.0.0.1").Config(t)
	wants := good.Clone()
	wants.ClientAuth, wants.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool()
	wants12 := wants.Clone()
	wants12.MaxVersion = tls.VersionTLS12
	old := good.Clone()
	old.MaxVersion = tls.VersionTLS12
	mine := other.Issue(time.Hour, "telgate")
	trust := sip.TLS{CA: ca.PEM()}
	for _, c := range []struct {
		name   string
		server *tls.Config
		client sip.TLS
		want   sip.Failure
		text   string
	}{
		{"unknown CA", other.Issue(time.Hour, "127.0.0.1").Config(t), trust, sip.FailureUnknownCA, "unknown CA"},
		{"unknown CA, by the system's", good, sip.TLS{}, sip.FailureUnknownCA, "unknown CA"},
		{"expired", ca.Issue(-time.Hour, "127.0.0.1").Config(t), trust, sip.FailureExpired, "expired"},
		{"wrong name", ca.Issue(time.Hour, "pbx.test").Config(t), trust, sip.FailureWrongName, "another server than 127.0.0.1"},
		{"wrong name, by tls_server_name", good, sip.TLS{CA: ca.PEM(), ServerName: "pbx.test"}, sip.FailureWrongName, "another server than pbx.test"},
		{"a client certificate is wanted", wants, trust, sip.FailureClientCertificate, "client certificate"},
		{"a client certificate is wanted, TLS 1.2", wants12, trust, sip.FailureClientCertificate, "client certificate"},
		{"ours is refused", wants, sip.TLS{CA: ca.PEM(), Cert: mine.Cert, Key: mine.Key}, sip.FailureClientCertificate, "client certificate"},
		{"no common version", old, sip.TLS{CA: ca.PEM(), MinVersion: "1.3"}, sip.FailureHandshake, "handshake"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			peer := siptest.NewStreamAt(t, "127.0.0.1:0", c.server)
			trunk := open(t, peer.Addr(), overTLS(c.client))
			_, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)})
			if sip.FailureOf(err) != c.want || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v (%q), want %q", err, sip.FailureOf(err), c.want)
			}
			_ = peer.Handshake()
			if shown, ok := trunk.Certificate(); (!ok || shown.Err == nil) && c.want != sip.FailureHandshake {
				t.Errorf("the certificate is shown as %+v, %t", shown, ok)
			}
		})
	}
}

func TestAPeerThatSpeaksNoTLSIsNamed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	spoken := make(chan struct{})
	go func() {
		defer close(spoken)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte("SIP/2.0 400 What?\r\n\r\n"))
		_, _ = conn.Read(make([]byte, 4096))
		_ = conn.Close()
	}()
	defer func() { _ = l.Close(); <-spoken }()
	trunk := open(t, l.Addr().String(), overTLS(sip.TLS{}))
	_, err = trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)})
	if sip.FailureOf(err) != sip.FailureHandshake || !strings.Contains(err.Error(), "speaks no TLS") {
		t.Errorf("%v", err)
	}
}

func TestNobodyAtThePortIsARefusal(t *testing.T) {
	t.Parallel()
	trunk := open(t, "127.0.0.1:9", overTLS(sip.TLS{}))
	_, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)})
	if sip.FailureOf(err) != sip.FailureRefused || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v", err)
	}
}

func TestAClientCertificateIsShownToAPeerThatWantsOne(t *testing.T) {
	t.Parallel()
	ca := siptest.NewAuthority(t, "our CA")
	server := ca.Issue(time.Hour, "127.0.0.1").Config(t)
	server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool()
	mine := ca.Issue(time.Hour, "telgate.test")
	peer := siptest.NewStreamAt(t, "127.0.0.1:0", server)
	trunk := open(t, peer.Addr(), overTLS(sip.TLS{CA: ca.PEM(), Cert: mine.Cert, Key: mine.Key}))
	busy(t, peer, invite(t, trunk))
	if own, ok := trunk.OwnCertificate(); !ok || own.Subject != "CN=telgate.test" {
		t.Errorf("%+v", own)
	}
}

func TestTheConfiguredNameIsCheckedAlsoForAnAddressOfTheDialog(t *testing.T) {
	t.Parallel()
	ca := siptest.NewAuthority(t, "our CA")
	server := ca.Issue(time.Hour, "pbx.test").Config(t) // no IP address in it
	peer := siptest.NewStreamAt(t, "127.0.0.1:0", server)
	node := siptest.NewStreamAt(t, "127.0.0.2:0", server) // another machine of the same PBX
	zone := siptest.NewZone(t)
	zone.Set(t, "_sips._tcp.pbx.test. 60 IN SRV 0 0 "+peer.Port()+" node1.pbx.test.", "node1.pbx.test. 60 IN A 127.0.0.1")
	trunk := ready(t, run(t, knowing(zone), overTLS(sip.TLS{CA: ca.PEM()}), "pbx.test"))
	leg := invite(t, trunk)
	in := peer.Expect("INVITE")
	if peer.ServerName() != "pbx.test" {
		t.Errorf("asked for %q", peer.ServerName())
	}
	peer.Answer(in, "200 OK", "a", sdp, "Record-Route: <sip:127.0.0.2:"+node.Port()+";transport=tls;lr>")
	next[sip.Answered](t, leg)
	node.Expect("ACK")
	if node.ServerName() != "pbx.test" {
		t.Errorf("asked for %q", node.ServerName())
	}
	leg.Hangup(sip.Hangup{})
	node.Answer(node.Expect("BYE"), "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}

func TestAfterARestartOfThePBXTheNextCallConnectsAnew(t *testing.T) {
	t.Parallel()
	ca := siptest.NewAuthority(t, "our CA")
	peer := siptest.NewStreamAt(t, "127.0.0.1:0", ca.Issue(time.Hour, "127.0.0.1").Config(t))
	trunk := open(t, peer.Addr(), overTLS(sip.TLS{CA: ca.PEM()}))
	leg := invite(t, trunk)
	peer.Answer(peer.Expect("INVITE"), "180 Ringing", "a", "")
	next[sip.Progress](t, leg)
	address := peer.Addr()
	peer.Stop()
	e := ends(t, leg, sip.EndedByTransport) // at once, not when a timer ends
	if sip.FailureOf(e.Err) != sip.FailureLost || !strings.Contains(e.Err.Error(), "closed the connection") {
		t.Errorf("%v", e.Err)
	}
	if _, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)}); sip.FailureOf(err) != sip.FailureRefused {
		t.Errorf("while it is down: %v", err)
	}
	peer.Start(address)
	busy(t, peer, invite(t, trunk))
}

func TestAPeerThatReadsNothingBlocksNobody(t *testing.T) {
	t.Parallel()
	ca := siptest.NewAuthority(t, "our CA")
	for _, change := range []func(*sip.TrunkConfig){overTCP, overTLS(sip.TLS{CA: ca.PEM()})} {
		var secure *tls.Config
		if cfg := new(sip.TrunkConfig); true {
			if change(cfg); cfg.Transport == "tls" {
				secure = ca.Issue(time.Hour, "127.0.0.1").Config(t)
			}
		}
		peer := siptest.NewStreamAt(t, "127.0.0.1:0", secure)
		trunk := open(t, peer.Addr(), change)
		leg := invite(t, trunk)
		peer.Expect("INVITE") // and never anything again
		big := strings.Repeat("a=x-filler:0123456789abcdef\r\n", 2000)
		var err error
		for range 500 { // until every buffer between us is full
			if _, err = trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp + big)}); err != nil {
				break
			}
		}
		if sip.FailureOf(err) != sip.FailureLost {
			t.Errorf("%v", err)
		}
		ends(t, leg, sip.EndedByTransport)
	}
}

func TestSIPSIsNeverSentInClear(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	peer.Send(in.From, strings.ReplaceAll(answerText(in, peer.Addr()), "<sip:peer@", "<sips:peer@"))
	next[sip.Answered](t, leg)
	leg.Hangup(sip.Hangup{})
	peer.Quiet(300 * time.Millisecond)
	ends(t, leg, sip.EndedByLocalBye)
}

// answerText is a 200 to an INVITE.
func answerText(in siptest.Message, contact string) string {
	return "SIP/2.0 200 OK\r\nVia: " + in.Get("Via") + "\r\nFrom: " + in.Get("From") + "\r\nTo: " + in.Get("To") + ";tag=a\r\nCall-ID: " + in.Get("Call-ID") +
		"\r\nCSeq: " + in.Get("CSeq") + "\r\nContact: <sip:peer@" + contact + ">\r\nContent-Length: 0\r\n\r\n"
}

func TestEveryFaultOfTLSIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	pair := siptest.NewAuthority(t, "our CA").Issue(time.Hour, "telgate")
	for _, c := range []struct {
		secure sip.TLS
		want   []string
	}{
		{sip.TLS{CA: []byte("no PEM"), MinVersion: "1.1", ServerName: "a b", Cert: pair.Cert}, []string{"tls_ca:", "tls_min:", "tls_server_name:", "tls_key:"}},
		{sip.TLS{Key: pair.Key}, []string{"tls_cert:"}},
		{sip.TLS{Cert: pair.Cert, Key: pair.Cert}, []string{"tls_cert:"}},
	} {
		_, err := sip.NewTrunk(sip.TrunkConfig{Addresses: []string{"127.0.0.1"}, Transport: "tls", TLS: c.secure, OutboundProxy: "a b"}, environment())
		for _, key := range append(c.want, "outbound_proxy:") {
			if err == nil || !strings.Contains(err.Error(), key) {
				t.Errorf("no fault for %s in %v", key, err)
			}
		}
	}
}
