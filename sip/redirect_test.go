package sip_test

import (
	"strings"
	"testing"

	"telgate/sip"
	"telgate/sip/siptest"
)

func TestTheFirstUsableContactOfARedirectIsTold(t *testing.T) {
	for _, c := range []struct {
		name     string
		contacts []string
		want     string
	}{
		{"one", []string{"Contact: <sip:7102@192.0.2.9>"}, "7102"},
		{"with a name and parameters", []string{`Contact: "Mobile" <sip:+819012345678@x;user=phone>;q=0.5`}, "+819012345678"},
		{"a list", []string{"Contact: <sip:7102@a>, <sip:7103@b>"}, "7102"},
		{"tel", []string{"Contact: <tel:+81-90-1234-5678;phone-context=x>"}, "+819012345678"},
		{"sips", []string{"Contact: <sips:7102@x>"}, "7102"},
		{"without brackets", []string{"Contact: sip:7102@x;q=1"}, "7102"},
		{"first ones that cannot be called", []string{"Contact: <mailto:a@b>", "Contact: <sip:host>", "Contact: <sip:a%0d%0aX@b>", "Contact: <sip:7104@x>"}, "7104"},
		{"an encoded plus", []string{"Contact: <sip:%2B819012345678@x>"}, "+819012345678"},
		{"encoded twice", []string{"Contact: <sip:%2531%2531%2530@x>"}, ""},
		{"parameters of the user", []string{"Contact: <sip:110;postd=1@x>"}, ""},
		{"a feature code", []string{"Contact: <sip:*67110@x>"}, ""},
		{"very long", []string{"Contact: <sip:" + strings.Repeat("1", 65) + "@x>"}, ""},
		{"none", nil, ""},
	} {
		peer := siptest.NewPeer(t)
		leg := invite(t, open(t, peer.Addr(), nil))
		peer.Answer(peer.Expect("INVITE"), "302 Moved Temporarily", "a", "", c.contacts...)
		peer.Expect("ACK")
		if e := ends(t, leg, sip.EndedByRefused); e.Status != 302 || e.Contact != c.want {
			t.Errorf("%s: %d to %q, want %q", c.name, e.Status, e.Contact, c.want)
		}
	}
}

func TestWhoRingsUsIsToldAndRefused(t *testing.T) {
	peer := siptest.NewPeer(t)
	told := make(chan string, 1)
	trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) { c.RungBy = func(user string) { told <- user } })
	leg := invite(t, trunk)
	in := peer.Expect("INVITE")
	for i, c := range []struct {
		from, asserted, want string
	}{
		{"<sip:7101@x>", "", "7101"},
		{`"Alice" <sip:+819012345678@x;user=phone>`, "", "+819012345678"},
		{"<tel:+81-90-1234-5678>", "", "+819012345678"},
		{"<sip:anonymous@anonymous.invalid>", "P-Asserted-Identity: <sip:+819012345678@x>", "+819012345678"},
		{"<sip:trunk@x>", `P-Asserted-Identity: "a, <b>" <sip:7102@x>, <tel:+819012345678>`, "7102"},
		{"<sip:trunk@x>", "P-Asserted-Identity: sip:7102@x", "7102"},
		{"<sip:anonymous@anonymous.invalid>", "", ""},
		{"<sip:host>", "", ""},
		{"<sip:a%0d%0ab@x>", "", ""},
		{"<sip:" + strings.Repeat("9", 200) + "@x>", "", ""},
		{"<sip:7101@x>", "P-Asserted-Identity: <<<>>;;", "7101"},
		{"<sip:7101@x>", "P-Asserted-Identity: " + strings.Repeat("<sip:1@x>,", 300), "1"},
	} {
		n := string(rune('a' + i))
		lines := []string{
			"INVITE sip:telgate@" + in.From.String() + " SIP/2.0", "Via: SIP/2.0/UDP " + peer.Addr() + ";branch=z9hG4bKback" + n + ";rport",
			"Max-Forwards: 70", "From: " + c.from + ";tag=q", "To: <sip:telgate@host>", "Call-ID: back" + n, "CSeq: 1 INVITE",
		}
		if c.asserted != "" {
			lines = append(lines, c.asserted)
		}
		peer.Send(in.From, strings.Join(append(lines, "Content-Length: 0", "", ""), "\r\n"))
		peer.ExpectResponse(480)
		if got := <-told; got != c.want {
			t.Errorf("%s, %.80s: told %q, want %q", c.from, c.asserted, got, c.want)
		}
	}
	peer.Answer(in, "486 Busy Here", "a", "")
	ends(t, leg, sip.EndedByRefused)
}
