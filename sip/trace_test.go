package sip_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

// traced is an INVITE whose messages are kept.
func traced(t *testing.T, trunk *sip.Trunk, user, offer string, o sip.TraceOptions) (*sip.Leg, *sip.Trace) {
	t.Helper()
	trace := sip.NewTrace(o)
	leg, err := trunk.Invite(t.Context(), sip.Invite{User: user, Offer: []byte(offer), Trace: trace})
	if err != nil {
		t.Fatal(err)
	}
	return leg, trace
}

// ladder is a trace as lines.
func ladder(messages []sip.Message) string {
	var b strings.Builder
	for _, m := range messages {
		if m.Skipped > 0 {
			fmt.Fprintf(&b, "... %d\n", m.Skipped)
		}
		arrow := "<- "
		if m.Sent {
			arrow = "-> "
		}
		b.WriteString(arrow + m.Line)
		if m.SDP != "" {
			b.WriteString(" (" + m.SDP + ")")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestWhatPassesForACallIsKeptWithItAndRepeatsAreSeen(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg, trace := traced(t, open(t, peer.Addr(), nil), "+819012345678", sdp, sip.TraceOptions{})
	peer.Expect("INVITE")
	in := peer.ExpectAgain("INVITE") // nothing came for T1
	peer.Answer(in, "180 Ringing", "a", "")
	peer.Answer(in, "200 OK", "a", "v=0\r\ns=-\r\nm=audio 4002 RTP/AVP 8 101\r\nc=IN IP4 192.0.2.9\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n")
	next[sip.Answered](t, leg)
	peer.Expect("ACK")
	peer.Answer(in, "200 OK", "a", "")
	peer.ExpectAgain("ACK")
	leg.Hangup(sip.Hangup{})
	peer.Answer(peer.Expect("BYE"), "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
	want := `-> INVITE sip:…78@127.0.0.1:PORT (audio 127.0.0.1:4000 PCMU sendrecv)
-> INVITE sip:…78@127.0.0.1:PORT (audio 127.0.0.1:4000 PCMU sendrecv)
<- 180 Ringing
<- 200 OK (audio 192.0.2.9:4002 PCMA,telephone-event sendonly)
-> ACK sip:peer@127.0.0.1:PORT
<- 200 OK
-> ACK sip:peer@127.0.0.1:PORT
-> BYE sip:peer@127.0.0.1:PORT
<- 200 OK
`
	messages := trace.Messages()
	_, port, _ := strings.Cut(peer.Addr(), ":")
	if got := strings.ReplaceAll(ladder(messages), port, "PORT"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for _, m := range messages {
		if m.Text != "" || m.Transport != "udp" || m.Remote.String() != peer.Addr() || m.Local.Addr() != m.Remote.Addr() {
			t.Errorf("%+v", m)
		}
	}
}

func TestNeitherSecretsNorNumbersAreKept(t *testing.T) {
	t.Parallel()
	const offer = "v=0\r\no=+819012345678 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\n" +
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0S2V5\r\na=ice-pwd:secretice\r\nk=base64:c2VjcmV0S2V5\r\n"
	for _, numbers := range []bool{false, true} {
		peer := siptest.NewPeer(t)
		trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) { c.Identity.CallerID = "+81312349999" })
		var tapped sync.Map
		leg, trace := traced(t, trunk, "+819012345678", offer, sip.TraceOptions{
			Whole: true, Numbers: numbers, Tap: func(m sip.Message) { tapped.Store(m.Text, true) },
		})
		peer.Answer(peer.Expect("INVITE"), "401 Unauthorized", "a", "", `WWW-Authenticate: Digest realm="pbx", nonce="secretnonce", opaque="secretopaque", algorithm=MD5`)
		peer.Expect("ACK")
		in := peer.Expect("INVITE")
		peer.Answer(in, "486 Busy Here", "b", "", `X-Account: secretaccount`, `Diversion: "+819055551234" <sip:+819055551234@pbx>;reason=unknown`,
			`Reason: Q.850;cause=17;text="819055551234 is busy"`, "Server: PBX 18.1")
		peer.Expect("ACK")
		ends(t, leg, sip.EndedByRefused)
		whole := ""
		for _, m := range trace.Messages() {
			whole += m.Text
			if _, is := tapped.Load(m.Text); !is {
				t.Errorf("the tap was not given %q", m.Text)
			}
		}
		for _, secret := range []string{"secretnonce", "secretopaque", "secretaccount", "c2VjcmV0S2V5", "secretice", "username=", "response="} {
			if strings.Contains(whole, secret) {
				t.Errorf("%s is kept:\n%s", secret, whole)
			}
		}
		for _, number := range []string{"9012345678", "312349999", "9055551234"} {
			if strings.Contains(whole, number) != numbers {
				t.Errorf("numbers shown = %t, and %s is otherwise:\n%s", numbers, number, whole)
			}
		}
		for _, kept := range []string{`realm="pbx"`, "algorithm=MD5", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:*", "Server: PBX 18.1", "Authorization: Digest *", "m=audio 4000 RTP/SAVP 0", "CSeq: 2 INVITE"} {
			if !strings.Contains(whole, kept) {
				t.Errorf("%q is gone:\n%s", kept, whole)
			}
		}
	}
}

func TestOfAStormTheFirstAndTheLastMessagesAreKept(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg, trace := traced(t, open(t, peer.Addr(), nil), "7101", sdp, sip.TraceOptions{})
	in := peer.Expect("INVITE")
	for i := range 100 {
		peer.Answer(in, fmt.Sprintf("180 Ringing %d %s", i, strings.Repeat("long ", 100)), "a", "")
	}
	peer.Answer(in, "486 Busy Here", "a", "")
	peer.Expect("ACK")
	ends(t, leg, sip.EndedByRefused)
	messages := trace.Messages()
	size, skipped := 0, 0
	for _, m := range messages {
		size += len(m.Line) + len(m.SDP)
		skipped += m.Skipped
	}
	if len(messages) > 16 || size > 2048 || skipped+len(messages) != 103 {
		t.Errorf("%d messages of %d bytes, %d skipped", len(messages), size, skipped)
	}
	if got := ladder(messages); !strings.HasPrefix(got, "-> INVITE sip:7101@") || !strings.HasSuffix(got, "<- 486 Busy Here\n-> ACK sip:7101@"+peer.Addr()+"\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestAStrangersDatagramIsInNoTrace(t *testing.T) {
	t.Parallel()
	peer := siptest.NewPeer(t)
	leg, trace := traced(t, open(t, peer.Addr(), func(c *sip.TrunkConfig) { c.Addresses = []string{peer.Addr()} }), "7101", sdp, sip.TraceOptions{})
	in := peer.Expect("INVITE")
	other := siptest.NewPeer(t)
	other.Send(in.From, "SIP/2.0 200 OK\r\nCall-ID: another\r\n\r\n")
	peer.Send(in.From, "no SIP at all, but: \x1b[31m\r\ni: "+in.Get("Call-ID")+"\r\n\r\n")
	peer.Answer(in, "404 Not Found", "a", "")
	peer.Expect("ACK")
	ends(t, leg, sip.EndedByRefused)
	want := "-> INVITE sip:7101@" + peer.Addr() + " (audio 127.0.0.1:4000 PCMU sendrecv)\n<- no SIP at all, but: ?[31m\n<- 404 Not Found\n-> ACK sip:7101@" + peer.Addr() + "\n"
	if got := ladder(trace.Messages()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if trace.Messages()[0].At.After(time.Now()) {
		t.Error("the INVITE was sent in the future")
	}
}

func TestOverConnectionsWhatPassesIsKeptInClear(t *testing.T) {
	t.Parallel()
	ca := siptest.NewAuthority(t, "our CA")
	for transport, peer := range map[string]*siptest.Stream{
		"tcp": siptest.NewStream(t), "tls": siptest.NewStreamAt(t, "127.0.0.1:0", ca.Issue(time.Hour, "127.0.0.1").Config(t)),
	} {
		over := overTCP
		if transport == "tls" {
			over = overTLS(sip.TLS{CA: ca.PEM()})
		}
		leg, trace := traced(t, open(t, peer.Addr(), over), "7101", sdp, sip.TraceOptions{})
		in := peer.Expect("INVITE")
		peer.Answer(in, "180 Ringing", "a", "")
		peer.Answer(in, "200 OK", "a", sdp)
		next[sip.Answered](t, leg)
		peer.Expect("ACK")
		peer.Bye(in, "a")
		peer.ExpectResponse(200)
		ends(t, leg, sip.EndedByPeerBye)
		var said []string
		for _, m := range trace.Messages() {
			word, _, _ := strings.Cut(m.Line, " ")
			said = append(said, fmt.Sprint(m.Sent, " ", word))
			if m.Transport != transport || m.Remote.String() != peer.Addr() || !m.Local.IsValid() {
				t.Errorf("%s: %+v", transport, m)
			}
		}
		if got := strings.Join(said, ", "); got != "true INVITE, false 180, false 200, true ACK, false BYE, true 200" {
			t.Errorf("%s: %s", transport, got)
		}
	}
}
