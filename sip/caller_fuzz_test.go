package sip

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// FuzzWhatAPeerNamesIsAPlainUserOrNothing: From and P-Asserted-Identity of who rings us, and Contact of a redirect.
func FuzzWhatAPeerNamesIsAPlainUserOrNothing(f *testing.F) {
	for _, s := range []string{
		"<sip:7101@x>", `"a, <b>" <tel:+81-90-1234-5678;phone-context=x>;tag=1`, "sip:%2531@x", "<sip:110;postd=1@x>, <sip:7102@x>", "<<<>>;;", "*",
		"<sip:a%0d%0aVia: x@y>", "tel:", "<sip:@>", "<sips:[::1]>", "\"\\", "<mailto:a@b>", "+١٢٣", strings.Repeat("<sip:1@x>,", 50),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if strings.ContainsAny(header, "\r\n\x00") {
			return // the end of a header, which is sipgo's to find
		}
		for _, user := range []string{plainUser(header), soundUser(header)} {
			if user != "" && !isUser(user) {
				t.Errorf("%q names %q", header, user)
			}
		}
		text := "SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: e\r\nCSeq: 1 INVITE\r\nContact: " + header + "\r\nContent-Length: 0\r\n\r\n"
		msg, err := sip.ParseMessage([]byte(text))
		res, ok := msg.(*sip.Response)
		if err != nil || !ok {
			return
		}
		if user := redirectUser(res); user != "" && !isUser(user) {
			t.Errorf("Contact %q names %q", header, user)
		}
	})
}
