package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"telgate"
	"telgate/media/mediatest"
	"telgate/sip/siptest"
)

func TestALadderShowsWhoSaidWhatAndWhen(t *testing.T) {
	t.Parallel()
	const us, peer, elsewhere = "192.0.2.1:5060", "192.0.2.10:5060", "192.0.2.99:5070"
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	c := &telgate.Call{
		Order:   telgate.Order{Call: "c1", Person: "alice", Number: telgate.Number{E164: "+819012345678", Country: "81"}, Trunk: "main"},
		Outcome: telgate.OutcomeBusy, Signal: telgate.Signal{Status: 486, Phrase: "Busy Here", SIPCallID: "a84b4c76e66710"},
		Trace: []telgate.SIPMessage{
			{At: at(0), Sent: true, Transport: "udp", Local: us, Remote: peer, Line: "INVITE sip:…78@192.0.2.10", SDP: "audio 192.0.2.1:20000 PCMU,PCMA,telephone-event sendrecv"},
			{At: at(500), Sent: true, Transport: "udp", Local: us, Remote: peer, Line: "INVITE sip:…78@192.0.2.10"},
			{At: at(512), Transport: "udp", Local: us, Remote: peer, Line: "100 Trying"},
			{At: at(1512), Transport: "udp", Local: us, Remote: elsewhere, Line: "183 " + strings.Repeat("Session ", 10), SDP: "audio 192.0.2.99:4000 PCMA sendonly crypto"},
			{At: at(31512), Transport: "udp", Local: us, Remote: peer, Line: "486 Busy Here", Skipped: 27},
			{At: at(31513), Sent: true, Transport: "tcp", Local: us, Remote: peer, Line: "ACK sip:…78@192.0.2.10"},
		},
	}
	var b bytes.Buffer
	if err := errors.Join(writeLadder(&b, c, false), writeLadder(&b, &telgate.Call{Order: c.Order, Outcome: telgate.OutcomeTrunkFailed}, true)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "ladder.golden")
	if os.Getenv("TELGATE_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("got\n%s", got)
	}
}

// lookAt runs one call with everything shown, and returns the ladder's and the capture's path.
func lookAt(t *testing.T, s *site, flags string) (ladder, pcap string) {
	t.Helper()
	s.behave = func(r *siptest.Ring) {
		if r.Answer(s.ctx) == nil && r.Ear().WaitSound(s.ctx, 3*time.Second) == nil {
			_ = r.Mouth().Press(s.ctx, "1", mediatest.Press{})
		}
	}
	ladder, pcap = filepath.Join(s.dir, "ladder"), filepath.Join(s.dir, "call.pcap")
	s.telgate("call --trace " + ladder + " --pcap " + pcap + " " + flags + " alice")
	return ladder, pcap
}

func TestACallIsShownMessageByMessage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.phone.Demand("secret")
	s.file("config.toml", mainTrunk+"user = \"telgate\"\npassword = \"secret\"\n"+alice)
	path, _ := lookAt(t, s, "--json")
	shown, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var arrows []string
	for _, m := range regexp.MustCompile(`(?m)^ +\d+ ms ([|<])-+ (.*?) -+`).FindAllStringSubmatch(string(shown), -1) {
		arrows = append(arrows, m[1]+m[2])
	}
	want := []string{
		"|INVITE sip:7101@" + s.phone.Addr(), "<401 Unauthorized", "|ACK sip:7101@" + s.phone.Addr(), "|INVITE sip:7101@" + s.phone.Addr(),
		"<180 Ringing", "<200 OK",
	}
	if len(arrows) < len(want)+3 || !slicesHavePrefix(arrows, want) || !strings.HasPrefix(arrows[len(arrows)-2], "|BYE ") || arrows[len(arrows)-1] != "<200 OK" {
		t.Errorf("shown are %q in\n%s", arrows, shown)
	}
	events := s.script.String()
	if !strings.Contains(events, `"trace":[{"ms":0,"sent":true,"transport":"udp"`) || !strings.Contains(events, `Authorization: Digest ***`) || strings.Contains(events, "response=") {
		t.Errorf("events\n%s", events)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
}

func slicesHavePrefix(s, prefix []string) bool {
	for i := range prefix {
		if s[i] != prefix[i] {
			return false
		}
	}
	return true
}

func TestTsharkReadsTheSIPAndTheRTPOfACall(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed")
	}
	s := newSite(t)
	s.phone.Demand("secret")
	s.file("config.toml", mainTrunk+"user = \"telgate\"\npassword = \"secret\"\n"+alice)
	_, path := lookAt(t, s, "")
	sip := tshark(s.ctx, t, "-r", path, "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-Y", "sip", "-T", "fields",
		"-e", "sip.Request-Line", "-e", "sip.Status-Line", "-e", "sip.msg_hdr", "-e", "ip.checksum.status", "-e", "udp.checksum.status", "-e", "_ws.malformed")
	for _, line := range []string{"INVITE sip:7101@" + s.phone.Addr() + " SIP/2.0", "SIP/2.0 401 Unauthorized", "SIP/2.0 180 Ringing", "SIP/2.0 200 OK", "ACK sip:", "BYE sip:"} {
		if !strings.Contains(sip, line) {
			t.Errorf("tshark sees no %q:\n%s", line, sip)
		}
	}
	if strings.Contains(sip, "nonce=\"") && !strings.Contains(sip, "nonce=*") || strings.Contains(sip, "response=") || strings.Contains(sip, "secret") {
		t.Errorf("a secret is in the capture:\n%s", sip)
	}
	if bad := tshark(s.ctx, t, "-r", path, "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-Y", "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0"); bad != "" {
		t.Errorf("tshark finds fault with\n%s", bad)
	}
	streams := tshark(s.ctx, t, "-q", "-r", path, "-z", "rtp,streams")
	found := regexp.MustCompile(`(?m)127\.0\.0\.1 +\d+ +127\.0\.0\.1 +\d+ +0x[0-9A-F]+ +g711U[a-z, -]* +(\d+) +(-?\d+) `).FindAllStringSubmatch(streams, -1)
	if len(found) != 2 {
		t.Fatalf("streams both ways are wanted:\n%s", streams)
	}
	for _, f := range found {
		if n, _ := strconv.Atoi(f[1]); n < 20 {
			t.Errorf("a stream of %s packets:\n%s", f[1], streams)
		}
	}
}

func tshark(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(ctx, "tshark", args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark %v: %v\n%s", args, err, errs.String())
	}
	return string(out)
}

func TestADatagramIsWrittenWithHeadersThatAddUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to string }{{"192.0.2.1:5060", "192.0.2.10:5061"}, {"[2001:db8::1]:5060", "[2001:db8::2]:5061"}, {"[::ffff:192.0.2.1]:1", "192.0.2.2:2"}, {"[2001:db8::1]:1", "192.0.2.1:2"}} {
		from, to := netip.MustParseAddrPort(c.from), netip.MustParseAddrPort(c.to)
		for _, size := range []int{0, 1, 172, 70_000} {
			p := frame{time.Unix(1, 2000), from, to, make([]byte, size)}.packet()
			head := 40
			if p[0]>>4 == 4 {
				head = 20
				if checksum(p[:20]) != 0 {
					t.Errorf("%s: the IP header's checksum is wrong", c.from)
				}
			}
			if n := int(binary.BigEndian.Uint16(p[head+4:])); n != len(p)-head || n != 8+min(size, longestPayload) {
				t.Errorf("%s: UDP of %d bytes in %d", c.from, n, len(p))
			}
		}
	}
}

func TestAnAnswerStandsBehindItsRequestInACapture(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "call.pcap")
	c, err := openCapture(path)
	if err != nil {
		t.Fatal(err)
	}
	us, peer, began := netip.MustParseAddrPort("192.0.2.1:5060"), netip.MustParseAddrPort("192.0.2.2:5060"), time.Unix(1000, 0)
	for _, ms := range []int{1, 0, 2500, 2499, 2501, 900, 5000, 4999} { // as they are handed over; 900 is hopelessly late, and kept
		c.take(began.Add(time.Duration(ms)*time.Millisecond), us, peer, []byte(strconv.Itoa(ms)))
	}
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for b = b[24:]; len(b) > 0; {
		size := 16 + int(binary.LittleEndian.Uint32(b[8:]))
		order, b = append(order, string(b[16+28:size])), b[size:]
	}
	if got := strings.Join(order, " "); got != "0 1 900 2499 2500 2501 4999 5000" {
		t.Errorf("the capture holds %s", got)
	}
}

func TestWhatCannotBeWrittenIsSaidBeforeAnybodyIsCalled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+alice)
	for _, flag := range []string{"--trace", "--pcap"} {
		s.telgate("call " + flag + " " + s.dir + "/no/such/file alice")
	}
	if got := s.script.String(); strings.Count(got, "exit 2") != 2 || strings.Contains(got, "rang") {
		t.Errorf("got\n%s", got)
	}
}
