//go:build linux

package media_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telgate/media"
	"telgate/media/mediatest"
)

const (
	benchSessions = 1000
	benchRounds   = 7
	benchRound    = 2 * time.Second
	benchWarmUp   = 200 * time.Millisecond
)

// A thousand sessions play a recording into a process that empties its sockets now and then. Each round measures a C loop
// of plain send() of as many packets too, one after the other, never both at once. testbed/bench.sh builds both programs.
func BenchmarkAThousandSessionsPlayARecording(b *testing.B) {
	programs := os.Getenv("TELGATE_BENCH")
	if programs == "" {
		b.Skip("make bench builds what this needs")
	}
	d := openDrain(b, filepath.Join(programs, "drain"))
	e, sessions := playing(b, d, "")
	for b.Loop() {
		var spent, floor, ratios []float64 // CPU of a call in µs a second
		var mallocs, packets uint64
		for range benchRounds {
			r := paced(b, e, sessions)
			mallocs, packets = mallocs+r.mallocs, packets+r.packets
			spent = append(spent, r.perCall())
			if c, ok := floorLoop(b, filepath.Join(programs, "floor"), d); ok {
				floor = append(floor, c.perCall())
				ratios = append(ratios, r.perCall()/c.perCall())
			}
		}
		b.ReportMetric(float64(mallocs)/float64(packets), "allocs/packet")
		b.ReportMetric(median(spent), "us-a-call-second")
		b.ReportMetric(float64(e.Stats().LateTurns), "turns-skipped")
		b.ReportMetric(float64(sent(sessions))-float64(d.count(b)-d.others), "lost-packets")
		if len(ratios) > 0 {
			b.ReportMetric(median(floor), "C-us-a-call-second")
			b.ReportMetric(median(ratios), "times-C")
		}
		b.ReportMetric(0, "ns/op") // says nothing: the time is ours to choose
	}
}

// The same under SRTP, beside a round without, in the suite that costs most.
func BenchmarkAThousandSessionsUnderSRTP(b *testing.B) {
	programs := os.Getenv("TELGATE_BENCH")
	if programs == "" {
		b.Skip("make bench builds what this needs")
	}
	d := openDrain(b, filepath.Join(programs, "drain"))
	plain, open := playing(b, d, "")
	e, sessions := playing(b, d, mediatest.CM80)
	for b.Loop() {
		var ratios []float64
		var mallocs, packets uint64
		for range 3 {
			r := paced(b, e, sessions)
			mallocs, packets = mallocs+r.mallocs, packets+r.packets
			ratios = append(ratios, r.perCall()/paced(b, plain, open).perCall())
		}
		b.ReportMetric(float64(mallocs)/float64(packets), "allocs/packet")
		b.ReportMetric(median(ratios), "times-RTP")
		b.ReportMetric(0, "ns/op") // says nothing: the time is ours to choose
	}
}

// spending is what some seconds of sending cost.
type spending struct {
	packets, mallocs uint64
	cpu              time.Duration
}

// perCall is the CPU of one second of one call, 50 packets, in µs.
func (s spending) perCall() float64 {
	return float64(s.cpu.Nanoseconds()) / 1000 / float64(s.packets) * 50
}

// playing are sessions in mid-recording, as production makes them; nothing is sent before the engine runs.
func playing(b *testing.B, d *drain, suite string) (*media.Engine, []*media.Session) {
	b.Helper()
	e, err := media.NewEngine(media.Config{PortMin: 20000, PortMax: 29999, DSCP: 46, Rand: rand.Reader})
	if err != nil {
		b.Fatal(err)
	}
	recording := frames(media.PCMU, mediatest.Speech(2*benchRounds*(benchWarmUp+benchRound), 4))
	sessions := make([]*media.Session, benchSessions)
	for i := range sessions {
		answer := mediatest.Description{Addr: netip.AddrPortFrom(loopback(), d.ports[i%len(d.ports)]), Codecs: []string{"PCMU"}, Keys: 101}
		o := media.Options{}
		if suite != "" {
			o.SRTP, answer.Profile = media.SRTPRequired, "RTP/SAVP"
			answer.Crypto = []mediatest.Crypto{{Tag: 2, Suite: suite, Master: make([]byte, 30)}}
		}
		sessions[i] = open(b, e, o)
		if err := sessions[i].Accept(answer.Bytes()); err != nil {
			b.Fatal(err)
		}
		sessions[i].Play(recording)
	}
	return e, sessions
}

// paced runs the engine for a round.
func paced(b *testing.B, e *media.Engine, sessions []*media.Session) spending {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	ended := make(chan error, 1)
	runtime.GC()
	go func() { ended <- e.Run(ctx) }()
	pass(benchWarmUp)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	packets, cpu := sent(sessions), ownCPU(b)
	pass(benchRound)
	cpu, packets = ownCPU(b)-cpu, sent(sessions)-packets
	runtime.ReadMemStats(&after)
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	return spending{packets, after.Mallocs - before.Mallocs, cpu}
}

// floorLoop runs the C loop for a round; false where it could not be built.
func floorLoop(b *testing.B, program string, d *drain) (spending, bool) {
	b.Helper()
	if _, err := os.Stat(program); err != nil {
		return spending{}, false
	}
	args := []string{strconv.Itoa(benchSessions), strconv.FormatInt(benchRound.Milliseconds(), 10)}
	for _, p := range d.ports {
		args = append(args, strconv.Itoa(int(p)))
	}
	before := d.count(b)
	out, err := exec.CommandContext(b.Context(), program, args...).Output()
	if err != nil {
		b.Fatal(err)
	}
	d.others += d.count(b) - before
	var packets uint64
	var micros int64
	if _, err := fmt.Sscan(string(out), &packets, &micros); err != nil {
		b.Fatalf("%q: %v", out, err)
	}
	return spending{packets: packets, cpu: time.Duration(micros) * time.Microsecond}, true
}

// drain is the program that takes the packets.
type drain struct {
	ports  []uint16
	others uint64 // packets that were not ours
	ask    io.Writer
	answer *bufio.Scanner
}

func openDrain(b *testing.B, program string) *drain {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	d := &drain{ask: in, answer: bufio.NewScanner(out)}
	for word := range strings.FieldsSeq(d.line(b)) {
		port, err := strconv.ParseUint(word, 10, 16)
		if err != nil {
			b.Fatal(err)
		}
		d.ports = append(d.ports, uint16(port))
	}
	return d
}

func (d *drain) line(b *testing.B) string {
	b.Helper()
	if !d.answer.Scan() {
		b.Fatalf("the drain is closed: %v", d.answer.Err())
	}
	return d.answer.Text()
}

// count is how many packets have come.
func (d *drain) count(b *testing.B) uint64 {
	b.Helper()
	if _, err := fmt.Fprintln(d.ask); err != nil {
		b.Fatal(err)
	}
	n, err := strconv.ParseUint(d.line(b), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func sent(sessions []*media.Session) (n uint64) {
	for _, s := range sessions {
		n += s.Stats().Sent
	}
	return n
}

func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// pass lets time pass in which others are measured.
func pass(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
