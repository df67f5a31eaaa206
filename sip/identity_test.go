package sip_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telgate/sip"
	"telgate/sip/siptest"
)

// introductions are trunks that say in different ways whom they call, and who calls.
func introductions() map[string]func(*sip.TrunkConfig) {
	number := sip.Identity{Domain: "example.com", CallerID: "+81312345678", DisplayName: "Ops", UserAgent: "telgate"}
	with := func(change func(*sip.TrunkConfig)) func(*sip.TrunkConfig) {
		return func(c *sip.TrunkConfig) {
			c.Identity = number
			change(c)
		}
	}
	return map[string]func(*sip.TrunkConfig){
		"account_only": func(c *sip.TrunkConfig) { c.Identity = sip.Identity{Domain: "example.com"} },
		"from":         with(func(*sip.TrunkConfig) {}),
		"from_withheld": with(func(c *sip.TrunkConfig) {
			c.Identity.Withheld = true
		}),
		"pai": with(func(c *sip.TrunkConfig) { c.Identity.Assert = sip.AssertPAI }),
		"pai_withheld": with(func(c *sip.TrunkConfig) {
			c.Identity.Assert, c.Identity.Withheld = sip.AssertPAI, true
		}),
		"ppi_from_user": with(func(c *sip.TrunkConfig) {
			c.Identity.Assert, c.Identity.FromUser = sip.AssertPPI, "account-7"
		}),
		"rpid_withheld": with(func(c *sip.TrunkConfig) {
			c.Identity.Assert, c.Identity.Withheld = sip.AssertRPID, true
		}),
		"rpid": with(func(c *sip.TrunkConfig) { c.Identity.Assert = sip.AssertRPID }),
		"user_phone": with(func(c *sip.TrunkConfig) {
			c.Identity.Assert, c.Addressing.UserPhone = sip.AssertPAI, true
		}),
		"tel": with(func(c *sip.TrunkConfig) {
			c.Addressing.Tel, c.Addressing.UserPhone = true, true
		}),
		"headers": with(func(c *sip.TrunkConfig) {
			c.Identity.Headers = []sip.Header{{Name: "X-Account", Value: "12 34; a=\"b\""}, {Name: "Alert-Info", Value: "<urn:alert:service:priority>"}}
		}),
	}
}

// addressed is what an INVITE says of its callee and caller, without what changes from run to run.
func addressed(in siptest.Message) string {
	lines := []string{in.Start}
	for _, h := range in.Headers {
		if !slices.Contains([]string{"Via", "Max-Forwards", "Call-ID", "CSeq", "Content-Length", "Content-Type", "Allow", "Expires", "User-Agent", "Authorization"}, h[0]) {
			lines = append(lines, h[0]+": "+h[1])
		}
	}
	text := strings.Join(lines, "\n") + "\n"
	text = regexp.MustCompile(`tag=[0-9a-f]+`).ReplaceAllString(text, "tag=TAG")
	return regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(text, "127.0.0.1:PORT")
}

// TestAnInviteSaysWhoCallsAsTheTrunkWantsIt compares INVITEs with testdata/invite_*.golden; TELGATE_UPDATE_GOLDEN writes
// them.
func TestAnInviteSaysWhoCallsAsTheTrunkWantsIt(t *testing.T) {
	for name, change := range introductions() {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for _, call := range []sip.Invite{{User: "+819012345678", Phone: true}, {User: "09012345678", Phone: true}, {User: "7101"}} {
				peer := siptest.NewPeer(t)
				trunk := open(t, peer.Addr(), change)
				call.Offer = []byte(sdp)
				leg, err := trunk.Invite(t.Context(), call)
				if err != nil {
					t.Fatal(err)
				}
				in := peer.Expect("INVITE")
				if want := trunk.Target(call.User, call.Phone); strings.Fields(in.Start)[1] != want {
					t.Errorf("%q is told beforehand, %q is sent", want, in.Start)
				}
				for _, said := range trunk.Introduction() {
					name, value, _ := strings.Cut(said, ": ")
					if sent, _, _ := strings.Cut(in.Get(name), ";tag="); sent != value {
						t.Errorf("%s is told beforehand, %q is sent", said, in.Get(name))
					}
				}
				got.WriteString(addressed(in) + "\n")
				peer.Answer(in, "486 Busy Here", "a", "")
				peer.Expect("ACK")
				ends(t, leg, sip.EndedByRefused)
			}
			golden := filepath.Join("testdata", "invite_"+name+".golden")
			if os.Getenv("TELGATE_UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

func TestACallToATelAddressIsAuthenticatedCancelledAndHungUp(t *testing.T) {
	for _, user := range []string{"+819012345678", "09012345678"} {
		peer := siptest.NewPeer(t)
		trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) {
			c.Identity.Domain, c.Addressing.Tel = "example.com", true
		})
		leg, err := trunk.Invite(t.Context(), sip.Invite{User: user, Phone: true, Offer: []byte(sdp)})
		if err != nil {
			t.Fatal(err)
		}
		peer.Answer(peer.Expect("INVITE"), "401 Unauthorized", "x", "", `WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`)
		peer.Expect("ACK")
		in := peer.Expect("INVITE")
		uri := strings.Fields(in.Start)[1]
		if !strings.HasPrefix(uri, "tel:"+user) || !strings.Contains(in.Get("Authorization"), `uri="`+uri+`"`) {
			t.Errorf("%q is authenticated by %q", uri, in.Get("Authorization"))
		}
		peer.Answer(in, "180 Ringing", "a", "")
		next[sip.Progress](t, leg)
		leg.Hangup(sip.Hangup{})
		cancel := peer.Expect("CANCEL")
		if !strings.HasPrefix(cancel.Start, "CANCEL "+uri+" ") {
			t.Errorf("%q", cancel.Start)
		}
		peer.Answer(cancel, "200 OK", "a", "")
		peer.Answer(in, "200 OK", "a", sdp)
		peer.Expect("ACK")
		bye := peer.Expect("BYE")
		if !strings.HasPrefix(bye.Start, "BYE sip:peer@") || bye.Get("To") != "<tel:"+strings.TrimPrefix(uri, "tel:")+">;tag=a" {
			t.Errorf("%q to %q", bye.Start, bye.Get("To"))
		}
		peer.Answer(bye, "200 OK", "a", "")
		ends(t, leg, sip.EndedByLateAnswer)
	}
}

func TestANumberIsCheckedInEveryFormBeforeItIsSent(t *testing.T) {
	peer := siptest.NewPeer(t)
	var asked []string
	trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) {
		c.Identity.Domain, c.Addressing.Tel = "example.com", true
		c.Dialable = func(user string) error {
			asked = append(asked, user)
			if strings.HasSuffix(user, "110") {
				return errors.New("an emergency number")
			}
			return nil
		}
	})
	for _, in := range []sip.Invite{
		{User: "110", Phone: true},
		{User: "186110", Phone: true},
		{User: "+186110", Phone: true},
		{User: "110"},
		{User: "110;phone-context=x", Phone: true},
		{User: "0312345678\r\nX-Evil: 1", Phone: true},
		{User: "", Phone: true},
	} {
		_, err := trunk.Invite(t.Context(), in)
		if refused, ok := errors.AsType[*sip.SendError](err); !ok || refused.Op != "forbidden" {
			t.Errorf("%q: %v", in.User, err)
		}
	}
	if want := []string{"110", "186110", "+186110", "110"}; !slices.Equal(asked, want) {
		t.Errorf("asked about %q, want %q", asked, want)
	}
	bare := open(t, peer.Addr(), func(c *sip.TrunkConfig) { c.Addressing.Tel = true })
	if _, err := bare.Invite(t.Context(), sip.Invite{User: "0312345678", Phone: true}); err == nil || !strings.Contains(err.Error(), "domain") {
		t.Errorf("a local number without a context: %v", err)
	}
}

func TestNoIdentityOrHeaderCanPutInALineOfItsOwn(t *testing.T) {
	many := make([]sip.Header, 17)
	for i := range many {
		many[i] = sip.Header{Name: "X-" + strings.Repeat("a", i+1), Value: "1"}
	}
	header := func(name, value string) func(*sip.Identity) {
		return func(i *sip.Identity) { i.Headers = []sip.Header{{Name: name, Value: value}} }
	}
	for name, c := range map[string]struct {
		key    string // "" = good
		change func(*sip.Identity)
	}{
		"a line break in caller_id":          {"caller_id", func(i *sip.Identity) { i.CallerID = "1\r\nX: y" }},
		"a parameter in caller_id":           {"caller_id", func(i *sip.Identity) { i.CallerID = "1;user=phone" }},
		"a host in caller_id":                {"caller_id", func(i *sip.Identity) { i.CallerID = "1@evil" }},
		"a password in caller_id":            {"caller_id", func(i *sip.Identity) { i.CallerID = "1:2" }},
		"an angle bracket in caller_id":      {"caller_id", func(i *sip.Identity) { i.CallerID = "1>" }},
		"a line break in from_user":          {"from_user", func(i *sip.Identity) { i.Assert, i.FromUser = sip.AssertPAI, "a\nb" }},
		"from_user beside identity = from":   {"from_user", func(i *sip.Identity) { i.FromUser = "a" }},
		"a space in the domain":              {"domain", func(i *sip.Identity) { i.Domain = "a b" }},
		"a quote in display_name":            {"display_name", func(i *sip.Identity) { i.DisplayName = `a" <sip:x@y>` }},
		"a backslash that escapes the quote": {"display_name", func(i *sip.Identity) { i.DisplayName = `a\` }},
		"a bare line feed in display_name":   {"display_name", func(i *sip.Identity) { i.DisplayName = "a\nX: y" }},
		"an unknown identity":                {"identity", func(i *sip.Identity) { i.Assert = "p-asserted" }},
		"a good header":                      {"", header("X-Account", "1234")},
		"a header in Japanese":               {"", header("X-Note", "東京 当直")},
		"a header of RFC 8862":               {"", header("Alert-Info", "<urn:alert:service:priority>")},
		"a line break in a value":            {"headers", header("X-A", "1\r\nX-Evil: 1")},
		"a bare carriage return":             {"headers", header("X-A", "1\rX-Evil: 1")},
		"a bare line feed":                   {"headers", header("X-A", "1\nX-Evil: 1")},
		"a null":                             {"headers", header("X-A", "1\x00")},
		"a line separator":                   {"headers", header("X-A", "1\u2028X-Evil: 1")},
		"a value that is no UTF-8":           {"headers", header("X-A", "\xff")},
		"an empty value":                     {"headers", header("X-A", "")},
		"spaces around a value":              {"headers", header("X-A", " 1")},
		"a long value":                       {"headers", header("X-A", strings.Repeat("a", 257))},
		"a long name":                        {"headers", header(strings.Repeat("X", 65), "1")},
		"no name":                            {"headers", header("", "1")},
		"a colon in a name":                  {"headers", header("X-A: 1\r\nVia", "1")},
		"a space in a name":                  {"headers", header("X A", "1")},
		"too many":                           {"headers", func(i *sip.Identity) { i.Headers = many }},
		"the same twice, in another case":    {"headers", func(i *sip.Identity) { i.Headers = []sip.Header{{Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}} }},
	} {
		identity := sip.Identity{CallerID: "+81312345678"}
		c.change(&identity)
		_, err := sip.NewTrunk(sip.TrunkConfig{Name: "main", Addresses: []string{"192.0.2.1"}, Transport: "udp", Identity: identity}, environment())
		fault, ok := errors.AsType[*sip.ConfigError](err)
		if c.key == "" && err != nil || c.key != "" && (!ok || fault.Key != c.key) {
			t.Errorf("%s: %v, want a fault of %q", name, err, c.key)
		}
	}
	for _, name := range []string{
		"Via", "v", "From", "f", "TO", "t", "Contact", "m", "Route", "record-route", "Call-ID", "i", "CSeq", "Max-Forwards", "Content-Length",
		"l", "Content-Type", "c", "Content-Disposition", "Authorization", "Proxy-Authorization", "Proxy-Require", "Require", "Supported", "k",
		"Allow", "Accept", "Expires", "Session-Expires", "x", "Min-SE", "P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID",
		"Privacy", "Identity", "y", "Reason", "User-Agent", "Replaces", "Refer-To", "r", "RAck", "Date", "Path", "Service-Route",
	} {
		identity := sip.Identity{Headers: []sip.Header{{Name: name, Value: "1"}}}
		_, err := sip.NewTrunk(sip.TrunkConfig{Name: "main", Addresses: []string{"192.0.2.1"}, Transport: "udp", Identity: identity}, environment())
		if fault, ok := errors.AsType[*sip.ConfigError](err); !ok || fault.Key != "headers" {
			t.Errorf("%s may be set: %v", name, err)
		}
	}
}

func TestATelAddressIsCalledOverAConnection(t *testing.T) {
	peer := siptest.NewStream(t)
	trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) {
		c.Transport, c.Identity.Domain, c.Addressing.Tel = "tcp", "example.com", true
	})
	leg, err := trunk.Invite(t.Context(), sip.Invite{User: "0312345678", Phone: true, Offer: []byte(sdp)})
	if err != nil {
		t.Fatal(err)
	}
	in := peer.Expect("INVITE")
	if in.Start != "INVITE tel:0312345678;phone-context=example.com SIP/2.0" {
		t.Errorf("%q", in.Start)
	}
	peer.Answer(in, "200 OK", "a", sdp)
	next[sip.Answered](t, leg)
	peer.Expect("ACK")
	leg.Hangup(sip.Hangup{})
	peer.Answer(peer.Expect("BYE"), "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}
