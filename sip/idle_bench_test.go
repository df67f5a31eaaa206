package sip_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"telgate/sip"
)

// What a call costs that was answered and waits, in signalling alone: the callee is a few lines that keep nothing.

const (
	idleCalls   = 2000
	setUps      = 300             // at each number of calls in progress, one after the other
	setUpRounds = 15              // the quietest counts
	settled     = 3 * time.Second // after the last answer sipgo's transactions are over
)

// Calls that wait: the memory and the goroutines of each.
func BenchmarkCallsThatWait(b *testing.B) {
	trunk := openBench(b)
	for b.Loop() {
		hangUp(b, answered(b, trunk, idleCalls)) // what is allocated once is no call's
		wait(settled)
		bytesBefore, before := heldNow()
		legs := answered(b, trunk, idleCalls)
		wait(settled)
		bytesWith, with := heldNow()
		b.ReportMetric((bytesWith-bytesBefore)/1024/idleCalls, "KB/call")
		b.ReportMetric(float64(with.ours-before.ours)/idleCalls, "goroutines/call")
		b.ReportMetric(float64(max(0, with.library-before.library)), "sipgo-goroutines")
		hangUp(b, legs)
		b.ReportMetric(0, "ns/op")
	}
}

// Calls that are set up while others wait, more and more of them: INVITE to ACK.
func BenchmarkSetUpBesideCallsInProgress(b *testing.B) {
	trunk := openBench(b)
	hangUp(b, answered(b, trunk, setUps))
	for b.Loop() {
		var p50, p99 []time.Duration // at each number
		for range setUpRounds {
			var waiting []*sip.Leg
			var half, tail []time.Duration
			for _, n := range []int{1, 10, 100, 1000, 2000} {
				waiting = append(waiting, answered(b, trunk, n-len(waiting))...)
				runtime.GC()
				took := make([]time.Duration, 0, setUps)
				for range setUps {
					began := time.Now()
					leg := answered(b, trunk, 1)
					took = append(took, time.Since(began))
					hangUp(b, leg)
				}
				slices.Sort(took)
				half, tail = append(half, took[setUps/2]), append(tail, took[setUps*99/100])
			}
			hangUp(b, waiting)
			p50, p99 = quietest(p50, half), quietest(p99, tail)
		}
		b.ReportMetric(grown(p50), "times-p50")
		b.ReportMetric(grown(p99), "times-p99")
		b.ReportMetric(0, "ns/op")
	}
}

// grown is how much more the largest is than the first.
func grown(all []time.Duration) float64 { return float64(slices.Max(all)) / float64(all[0]) }

// quietest takes the shorter of each: what others do on the machine makes a round longer, never shorter.
func quietest(so, now []time.Duration) []time.Duration {
	for i := range so {
		now[i] = min(now[i], so[i])
	}
	return now
}

// running are goroutines: those with sipgo anywhere on their stack, and the others.
type running struct{ library, ours int }

// heldNow is the memory in use, heap and stacks, in bytes, and who runs.
func heldNow() (float64, running) {
	for range 4 { // each halves the stacks that have room to spare, and what has a finalizer goes with the second
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	stacks := make([]byte, 16<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var r running
	for g := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(g, "emiago/sipgo") {
			r.library++
		} else {
			r.ours++
		}
	}
	return float64(m.HeapAlloc + m.StackInuse), r
}

// openBench runs a trunk toward somebody who answers at once.
func openBench(b *testing.B) *sip.Trunk {
	b.Helper()
	if os.Getenv("TELGATE_BENCH") == "" {
		b.Skip("make bench runs this beside the rest")
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	_ = conn.SetReadBuffer(4 << 20)
	gone := make(chan struct{})
	go func() { defer close(gone); pickUp(conn) }()
	b.Cleanup(func() { _ = conn.Close(); <-gone })
	return open(b, conn.LocalAddr().String(), nil)
}

// pickUp answers whatever is asked with 200, and INVITE with SDP too. It keeps nothing of a call.
func pickUp(conn *net.UDPConn) {
	buf := make([]byte, 65536)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		asked := string(buf[:n])
		if strings.HasPrefix(asked, "ACK ") || strings.HasPrefix(asked, "SIP/2.0 ") {
			continue
		}
		var out strings.Builder
		out.WriteString("SIP/2.0 200 OK\r\n")
		for line := range strings.SplitSeq(asked, "\r\n") {
			switch name, _, _ := strings.Cut(line, ":"); name {
			case "To":
				line, _, _ = strings.Cut(line, ";tag=")
				line += ";tag=callee"
				fallthrough
			case "Via", "From", "Call-ID", "CSeq":
				out.WriteString(line + "\r\n")
			}
		}
		body := ""
		if strings.HasPrefix(asked, "INVITE ") {
			body = sdp
			fmt.Fprintf(&out, "Contact: <sip:callee@%s>\r\nContent-Type: application/sdp\r\n", conn.LocalAddr())
		}
		fmt.Fprintf(&out, "Content-Length: %d\r\n\r\n%s", len(body), body)
		_, _ = conn.WriteToUDPAddrPort([]byte(out.String()), from)
	}
}

// answered makes so many calls, one after the other.
func answered(b *testing.B, trunk *sip.Trunk, n int) []*sip.Leg {
	b.Helper()
	legs := make([]*sip.Leg, 0, max(0, n))
	for range n {
		leg, err := trunk.Invite(context.Background(), sip.Invite{User: "7101", Offer: []byte(sdp), Expires: 50 * time.Second, Trace: sip.NewTrace(sip.TraceOptions{})})
		if err != nil {
			b.Fatal(err)
		}
		next[sip.Answered](b, leg)
		legs = append(legs, leg)
	}
	return legs
}

func wait(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

func hangUp(b *testing.B, legs []*sip.Leg) {
	b.Helper()
	for _, leg := range legs {
		leg.Hangup(sip.Hangup{})
		next[sip.Ended](b, leg)
		<-leg.Done()
	}
}
