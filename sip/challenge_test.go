package sip

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

func TestChallengesAreReadAsTheyAreInTheWild(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers []string
		want    []digest.Challenge
	}{
		{"Asterisk", []string{`Digest realm="asterisk",nonce="1700000000/abc",opaque="0f",algorithm=MD5,qop="auth"`}, []digest.Challenge{
			{Realm: "asterisk", Nonce: "1700000000/abc", Opaque: "0f", Algorithm: "MD5", QOP: []string{"auth"}},
		}},
		{"tokens the library refuses, spaces, tabs", []string{"digest\trealm = pbx.example.com , nonce=a_b/c==, stale=TRUE, qop=\"auth-int, auth\""}, []digest.Challenge{
			{Realm: "pbx.example.com", Nonce: "a_b/c==", Stale: true, QOP: []string{"auth-int", "auth"}},
		}},
		{"two in one header", []string{`Basic realm="x", Digest realm="a", nonce="1", Digest realm="b", nonce="2", algorithm=SHA-256`}, []digest.Challenge{
			{Realm: "a", Nonce: "1"}, {Realm: "b", Nonce: "2", Algorithm: "SHA-256"},
		}},
		{"quotes and commas inside", []string{`Digest realm="a \"b\", c", nonce="1", x`}, []digest.Challenge{{Realm: `a "b", c`, Nonce: "1"}}},
		{"nothing of use", []string{"", "Bearer", `Basic realm="x"`}, nil},
	} {
		got := digestChallenges(c.headers)
		if !slices.EqualFunc(got, c.want, func(a, b digest.Challenge) bool {
			return a.Realm == b.Realm && a.Nonce == b.Nonce && a.Opaque == b.Opaque && a.Algorithm == b.Algorithm && a.Stale == b.Stale && slices.Equal(a.QOP, b.QOP)
		}) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestTheStrongestChallengeThatCanBeAnsweredIsTaken(t *testing.T) {
	for _, c := range []struct {
		header, want string
	}{
		{`Digest realm="r", nonce="1", algorithm=MD5, Digest realm="r", nonce="2", algorithm=SHA-512-256, Digest realm="r", nonce="3", algorithm=SHA-256`, "2"},
		{`Digest realm="r", nonce="1", algorithm=MD5-sess, Digest realm="r", nonce="2"`, "2"}, // a session without qop has no cnonce
		{`Digest realm="r", nonce="1", algorithm=AKAv1-MD5, Digest realm="r", nonce="2", algorithm=md5`, "2"},
		{`Digest realm="r", nonce="1", qop="token"`, ""},
	} {
		got := ""
		if best := strongest(digestChallenges([]string{c.header})); best != nil {
			got = best.Nonce
		}
		if got != c.want {
			t.Errorf("%s: %q", c.header, got)
		}
	}
}

func FuzzChallenge(f *testing.F) {
	for _, seed := range []string{
		`Digest realm="a", nonce="b", qop="auth,auth-int", algorithm=MD5-sess, stale=true, opaque="x\"y"`, `Basic realm="x", Digest nonce=`, "Digest", `Digest "`, `Digest realm="\`,
		"Digest\t=\"", ",,,=,",
	} {
		f.Add(seed)
	}
	a := &authenticator{cred: Credentials{User: "u", Password: "p"}, token: func(int) string { return "cnonce" }, now: time.Now}
	f.Fuzz(func(t *testing.T, header string) {
		for _, c := range digestChallenges([]string{header}) {
			if strongest([]digest.Challenge{c}) == nil {
				continue
			}
			value, err := a.credentials(&nonce{chal: c, cnonce: "cnonce"}, "INVITE", "sip:7101@pbx", nil)
			if err != nil || !strings.HasPrefix(value, "Digest ") || strings.ContainsAny(value, "\r\n") {
				t.Errorf("%q is answered with %q, %v", header, value, err)
			}
		}
	})
}

// answered is a 200 to a REGISTER with these header lines.
func answered(tb testing.TB, lines ...string) *sip.Response {
	tb.Helper()
	text := "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx;received=198.51.100.7;rport=40000\r\nFrom: <sip:u@h>;tag=a\r\nTo: <sip:u@h>;tag=b\r\n" +
		"Call-ID: x\r\nCSeq: 1 REGISTER\r\n" + strings.Join(append(lines, "Content-Length: 0", "", ""), "\r\n")
	m, err := sip.ParseMessage([]byte(text))
	if err != nil {
		tb.Skip(err)
	}
	res, ok := m.(*sip.Response)
	if !ok {
		tb.Skip("no response")
	}
	return res
}

func TestWhatARegistrarGrantedIsReadFromOurContact(t *testing.T) {
	ours := sip.Uri{Scheme: "sip", User: "u", Host: "192.0.2.1", Port: 5060}
	for _, c := range []struct {
		name    string
		lines   []string
		granted time.Duration
		listed  bool
		foreign int
	}{
		{"its parameter", []string{"Contact: <sip:u@192.0.2.1:5060>;expires=120", "Expires: 600"}, 2 * time.Minute, true, 0},
		{"the default port, quotes, capitals", []string{`Contact: "x" <sip:u@192.0.2.1>;q=0.5;Expires="60"`}, time.Minute, true, 0},
		{"Expires for all", []string{"Contact: <sip:u@192.0.2.1:5060>", "Expires: 600"}, 10 * time.Minute, true, 0},
		{"rewritten to what a NAT made of us", []string{"Contact: <sip:u@198.51.100.7:40000>;expires=90"}, 90 * time.Second, true, 0},
		{"others beside it in one header", []string{"Contact: <sip:u@203.0.113.9>;expires=5, <sip:u@192.0.2.1:5060>;expires=30, <sip:desk@192.0.2.1:5060>;expires=7"}, 30 * time.Second, true, 2},
		{"no contact at all", nil, time.Hour, false, 0},
		{"nonsense", []string{"Contact: <sip:u@192.0.2.1:5060>;expires=soon", "Expires: -1"}, time.Hour, true, 0},
	} {
		b := grantedBy(answered(t, c.lines...), ours, time.Hour)
		if b.granted != c.granted || b.listed != c.listed || len(b.foreign) != c.foreign {
			t.Errorf("%s: %+v", c.name, b)
		}
	}
}

func TestServiceRoutesAreKeptInOrder(t *testing.T) {
	got := serviceRoutes(answered(t, "Service-Route: <sip:a.example;lr>, <sip:b.example:5070;lr>", "Service-Route: <mailto:x@y>, nonsense, <sip:c.example;lr>"))
	var all []string
	for _, u := range got {
		all = append(all, u.String())
	}
	if want := []string{"sip:a.example;lr", "sip:b.example:5070;lr", "sip:c.example;lr"}; !slices.Equal(all, want) {
		t.Errorf("%q", all)
	}
}

func FuzzRegistrarsAnswer(f *testing.F) {
	f.Add("<sip:u@192.0.2.1:5060>;expires=120, <sip:x@y>", "<sip:a.example;lr>, <sip:b>", "600")
	f.Add("*", "<", "99999999999999999999")
	f.Add("sip:u@192.0.2.1;expires=", `"x" <sip:`, "-1")
	ours := sip.Uri{Scheme: "sip", User: "u", Host: "192.0.2.1", Port: 5060}
	f.Fuzz(func(t *testing.T, contact, route, expires string) {
		if strings.ContainsAny(contact+route+expires, "\r\n") {
			t.Skip()
		}
		res := answered(t, "Contact: "+contact, "Service-Route: "+route, "Expires: "+expires)
		if b := grantedBy(res, ours, time.Hour); b.granted < 0 {
			t.Errorf("granted %s", b.granted)
		}
		for _, u := range serviceRoutes(res) {
			if u.Host == "" {
				t.Errorf("a route to nowhere: %v", u)
			}
		}
	})
}
