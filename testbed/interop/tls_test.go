//go:build interop

package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"telgate/testbed/baresip"
)

// authority is a CA of a test's own.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "telgate interop CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = a.newKey()
	a.file = a.write("ca.pem", a.sign(a.cert, a.key))
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *authority) sign(cert *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func (a *authority) write(name string, text []byte) string {
	a.t.Helper()
	file := filepath.Join(a.dir, name)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// issue makes a certificate for 127.0.0.1 and localhost: the certificate, its key, and a file of both.
func (a *authority) issue() (cert, key, both string) {
	a.t.Helper()
	private := a.newKey()
	text := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, private)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return a.write("cert.pem", text), a.write("key.pem", secret), a.write("both.pem", append(text, secret...))
}

// securePhone is baresip with TLS; its address is that of TLS.
func securePhone(t *testing.T, ca *authority, account string, more ...string) *baresip.Phone {
	t.Helper()
	_, _, both := ca.issue()
	p := newPhone(t, "7101", account, append(more, "sip_certificate "+both, "module srtp.so")...)
	host, port, err := net.SplitHostPort(p.Address)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if _, err := fmt.Sscan(port, &n); err != nil {
		t.Fatal(err)
	}
	p.Address = fmt.Sprintf("%s:%d", host, n+1) // where baresip takes TLS
	return p
}

func TestAPersonAtBaresipIsReachedByTLSAndSRTP(t *testing.T) {
	for _, s := range []struct{ srtp, account, media string }{
		{"required", ";mediaenc=srtp-mand", "srtp"},
		{"optional", ";mediaenc=srtp", "srtp"},
		{"optional", "", "rtp"},
	} {
		t.Run(s.srtp+s.account, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t)
			p := securePhone(t, ca, s.account)
			story := telling(t, settings+trunk("desk", p.Address, `transport = "tls"`, fmt.Sprintf("tls_ca = %q\nsrtp = %q", ca.file, s.srtp))+
				person("alice", "sip:7101@desk"), "alice")
			answer(p)
			if got := story.ends(t, "confirmed/", 0); got.Media != s.media {
				t.Errorf("the audio was %q, want %q", got.Media, s.media)
			}
			p.Until("CALL_CLOSED")
		})
	}
}

func TestACertificateOfNobodyWeKnowIsNamedAndNothingIsSent(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	p := securePhone(t, theirs, "")
	story := telling(t, settings+trunk("desk", p.Address, `transport = "tls"`, fmt.Sprintf("tls_ca = %q", ours.file))+
		person("alice", "sip:7101@desk"), "alice")
	story.ends(t, "trunk_failed/transport", 4)
}

func TestAProxyBetweenTLSAndUDPStaysInTheWay(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert, key, _ := ca.issue()
	desk, mobile := newPhone(t, "7101", ""), newPhone(t, "7101", "")
	udp, tls := fmt.Sprintf("127.0.0.1:%d", freePort(t)), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	newProxy(t, []string{"udp:" + udp, "tls:" + tls}, true, fork("7101", desk, mobile),
		"enable_tls=yes", `loadmodule "tls.so"`, `modparam("tls", "tls_method", "TLSv1.2+")`, fmt.Sprintf("modparam(\"tls\", \"certificate\", %q)", cert), fmt.Sprintf("modparam(\"tls\", \"private_key\", %q)", key))
	story := telling(t, settings+trunk("proxy", "pbx.example.com", `transport = "tls"`, fmt.Sprintf("outbound_proxy = %q\ntls_ca = %q", tls, ca.file))+
		person("alice", "sip:7101@proxy"), "alice")
	mobile.Until("CALL_INCOMING")
	answer(desk)
	mobile.Until("CALL_CLOSED")
	if got := story.ends(t, "confirmed/", 0); got.ToTags < 2 {
		t.Errorf("%d early dialogs, want those of two phones", got.ToTags)
	}
	desk.Until("CALL_CLOSED")
}
