package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"telgate"
	"telgate/config"
	"telgate/slack"
	"telgate/store"
	"telgate/store/pgtest"
)

// The gateway of these benchmarks is wired as serve wires it, and is alone in this process: Slack and the telephones are
// testbed/bench/town, a process of their own that testbed/bench.sh builds.

const (
	benchCommands = 500  // one after the other
	benchCalls    = 1000 // at once
	benchFew      = 10   // of them, first
	benchSome     = 100  // of them, before the rest
	benchAhead    = 200  // commands that have not made a phone ring yet; a gateway refuses the 257th that waits
	benchWarmUps  = 20
	benchAskers   = 50 // commands of one person are carried out one after the other
	benchPatience = 90 * time.Second
	benchWatch    = 3 * time.Second // what calls in progress cost is watched for so long
)

// One command after the other: somebody types, the page and its call are written to a file of SQLite's, a phone rings, is
// picked up at once, hears a packet and hangs up.
func BenchmarkACommandRingsAPhone(b *testing.B) { commandsRing(b, "sqlite:telgate.db") }

// The same where PostgreSQL on this machine keeps the pages, and waits for its disk.
func BenchmarkACommandRingsAPhoneByPostgreSQL(b *testing.B) {
	commandsRing(b, pgtest.Start(b, "fsync=on").Database(b))
}

func commandsRing(b *testing.B, url string) {
	b.Helper()
	bench := newBench(b, url)
	for b.Loop() {
		var rings, sounds, floor, commits []time.Duration
		for n := range benchCommands {
			floor, commits = append(floor, bench.options()), append(commits, bench.commits())
			bench.typed.Store(0)
			user := fmt.Sprintf("6%03d", n)
			bench.say("type %d /tel b%s the database is down", n, user)
			rang, over := bench.wait("rang", user), bench.wait("over", user)
			rings = append(rings, time.Duration(rang.At-bench.typed.Load()))
			sounds = append(sounds, time.Duration(over.First))
		}
		b.ReportMetric(ms(rings, 0.5), "ms-command-to-INVITE-p50")
		b.ReportMetric(ms(rings, 0.99), "ms-command-to-INVITE-p99")
		b.ReportMetric(ms(sounds, 0.5), "ms-200-to-RTP-p50")
		b.ReportMetric(ms(sounds, 0.99), "ms-200-to-RTP-p99")
		b.ReportMetric(ms(floor, 0.5), "ms-OPTIONS-p50")
		b.ReportMetric(ms(floor, 0.99), "ms-OPTIONS-p99")
		b.ReportMetric(ms(commits, 0.5), "ms-commits-p50")
		b.ReportMetric(ms(commits, 0.99), "ms-commits-p99")
		b.ReportMetric(0, "ns/op")
	}
}

// A few commands, some, and then the rest, as fast as they are taken: everybody picks up and listens. What a second of a call costs
// among all of them is compared with what it does among the first; then memory is looked at, and all press 1.
func BenchmarkAThousandCallsAtOnce(b *testing.B) {
	bench := newBench(b, "sqlite:telgate.db")
	for b.Loop() {
		for n := range benchWarmUps { // what is allocated once is no call's
			user := fmt.Sprintf("6%03d", n)
			bench.say("type %d /tel b%s warm up", n, user)
			bench.wait("over", user)
		}
		bench.ended()
		before := take()
		var setUp time.Duration
		var costs []float64 // of a second of a call, us
		for i, to := range []int{benchFew, benchSome, benchCalls} {
			from := []int{0, benchFew, benchSome}[i]
			began := time.Now()
			bench.typeAll(from, to)
			bench.all("rang", from, to)
			setUp = time.Since(began)
			bench.all("heard", from, to)
			costs = append(costs, float64(bench.costs().Microseconds())/float64(to))
		}
		during := take()
		bench.say("press")
		overs := bench.all("over", 0, benchCalls)
		bench.ended()
		bench.alone(before.goroutines)
		after := take()
		bench.heard(overs)
		b.ReportMetric(float64(benchCalls-bench.confirmed()), "failed")
		b.ReportMetric(float64(bench.gateway.engine.Stats().LateTurns), "turns-skipped")
		b.ReportMetric((during.bytes-before.bytes)/1024/benchCalls, "KB/call")
		b.ReportMetric((during.heap-before.heap)/1024/benchCalls, "heap-KB/call")
		b.ReportMetric(float64(during.goroutines-before.goroutines)/benchCalls, "goroutines/call")
		b.ReportMetric((after.bytes-before.bytes)/1024/benchCalls, "KB-kept/call")
		b.ReportMetric(float64(after.goroutines-before.goroutines), "goroutines-left")
		b.ReportMetric((benchCalls-benchSome)/setUp.Seconds(), "calls/s")
		b.ReportMetric(costs[2], "us-a-call-second")
		b.ReportMetric(costs[2]/costs[0], "times-few")
		b.ReportMetric(costs[2]/costs[1], "times-some")
		b.ReportMetric(0, "ns/op")
	}
}

// heard reports what came of the sound of calls that are over.
func (t *bench) heard(overs []townEvent) {
	var sounds []time.Duration
	lost, breaks, packets := 0, 0, 0
	for _, o := range overs {
		sounds = append(sounds, time.Duration(o.First))
		lost, breaks, packets = lost+o.Lost, breaks+o.Breaks, packets+o.Packets
	}
	t.b.ReportMetric(float64(lost), "lost-packets")
	t.b.ReportMetric(float64(packets), "packets")
	t.b.ReportMetric(float64(breaks), "timestamp-breaks")
	t.b.ReportMetric(ms(sounds, 0.99), "ms-200-to-RTP-p99")
}

// costs is the processor time of this process in a second, as things are.
func (t *bench) costs() time.Duration {
	runtime.GC() // what was set up before is paid for
	began, so := time.Now(), busy(t.b)
	timer := time.NewTimer(benchWatch)
	<-timer.C
	return time.Duration(float64(busy(t.b)-so) / time.Since(began).Seconds())
}

// busy is the processor time of this process until now.
func busy(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// alone waits a moment for goroutines that are about to end.
func (t *bench) alone(goroutines int) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(4 * benchWatch); runtime.NumGoroutine() > goroutines && time.Now().Before(limit); {
		<-tick.C
	}
}

// footprint is the memory of this process.
type footprint struct {
	bytes, heap float64 // heap and stacks; heap
	goroutines  int
}

func take() footprint {
	runtime.GC()
	runtime.GC() // what has a finalizer goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return footprint{float64(m.HeapAlloc + m.StackInuse), float64(m.HeapAlloc), runtime.NumGoroutine()}
}

func ms(all []time.Duration, q float64) float64 {
	slices.Sort(all)
	return float64(all[min(len(all)-1, int(q*float64(len(all))))].Microseconds()) / 1000
}

// bench is a gateway and the town it serves.
type bench struct {
	b       *testing.B
	gateway *gateway
	typed   atomic.Int64 // when the newest command reached us: its bytes were read from Slack's socket; ns since 1970
	in      io.Writer
	events  chan townEvent
	early   []townEvent // not waited for yet
	phone   net.Conn    // to the phone system's address
}

// townEvent is a line of testbed/bench/town, which says what the fields mean.
type townEvent struct {
	Event, SIP, API, User, Text    string
	At, First                      int64
	Packets, Lost, Breaks, Channel int
}

func newBench(b *testing.B, url string) *bench {
	b.Helper()
	programs := os.Getenv("TELGATE_BENCH")
	if programs == "" {
		b.Skip("make bench builds what this needs")
	}
	t := &bench{b: b, events: make(chan townEvent, 8*benchCalls)}
	t.openTown(filepath.Join(programs, "town"))
	open := t.wait("open", "")
	var err error
	if t.phone, err = net.Dial("udp", open.SIP); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = t.phone.Close() })
	env := realEnvironment()
	t.watchSlack(env)
	log := slog.New(slog.DiscardHandler)
	cfg := benchConfig(open)
	cfg.Store.URL = config.NewSecret(url)
	state := b.TempDir()
	r := rules{slack: true, store: openStore(b.Context(), cfg, state, env, log)}
	if t.gateway, err = build(cfg, env, log, r); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(t.gateway.estate.close)
	if t.gateway.house, err = openHouse(state, &app{cli: &cli{}, env: env, ctx: b.Context()}, t.gateway.estate, log); err != nil {
		b.Fatal(err)
	}
	t.gateway.house.keepIn(t.gateway.estate.store)
	ctx, stop := context.WithCancel(b.Context())
	served := make(chan error, 1)
	go func() {
		served <- t.gateway.runRooms(ctx, func(ctx context.Context) error { return t.gateway.serve(ctx, env, log, nil) })
	}()
	b.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			b.Errorf("the gateway ended with %v", err)
		}
	})
	t.gateway.ready(ctx)
	t.until("connected to slack", func() bool { return t.gateway.slack.Health().Problem == "" })
	return t
}

func benchConfig(open townEvent) config.Config {
	cfg := config.Default()
	cfg.Calls.Rounds = 1
	cfg.SIP.Bind, cfg.Web.Listen = "127.0.0.1", ""
	cfg.Slack = config.Slack{
		Mode: slack.ModeSocket, BotToken: config.NewSecret("xoxb-test-bot"), AppToken: config.NewSecret("xapp-test-app"),
		Command: "/tel", AllowUsers: []string{"U0GRACE"}, APIURL: open.API,
	}
	for n := 1; n < benchAskers; n++ {
		cfg.Slack.AllowUsers = append(cfg.Slack.AllowUsers, "U0GRACE"+strconv.Itoa(n))
	}
	cfg.Trunks = []config.Trunk{config.NewTrunk("main")}
	cfg.Trunks[0].Kind, cfg.Trunks[0].Addresses = "pbx", []string{open.SIP}
	for n := range max(benchCommands, benchCalls) {
		for _, kind := range []string{"6", "7"} {
			user := fmt.Sprintf("%s%03d", kind, n)
			cfg.People = append(cfg.People, config.Person{Nick: "b" + user, Name: "B " + user, Phones: []config.Phone{{Number: "sip:" + user + "@main"}}})
		}
	}
	return cfg
}

func (t *bench) openTown(program string) {
	t.b.Helper()
	cmd := exec.CommandContext(t.b.Context(), program, "-askers", strconv.Itoa(benchAskers))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.b.Fatal(err)
	}
	t.in = in
	go func() {
		defer close(t.events)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e townEvent
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.b.Errorf("the town says %q: %v", lines.Text(), err)
			}
			t.events <- e
		}
	}()
	t.b.Cleanup(func() {
		_ = in.Close()
		for e := range t.events { // until it is closed
			_ = e
		}
		_ = cmd.Wait()
	})
}

// watchSlack notes the moment at which a command comes in from Slack.
func (t *bench) watchSlack(env *environment) {
	dial := env.dial
	env.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watched{conn, &t.typed}, nil
	}
}

// watched is a connection to Slack.
type watched struct {
	net.Conn
	typed *atomic.Int64
}

// Read notes when a command has been read.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if now := time.Now().UnixNano(); bytes.Contains(p[:n], []byte("slash_commands")) {
		w.typed.Store(now)
	}
	return n, err
}

func (t *bench) say(format string, args ...any) {
	t.b.Helper()
	if _, err := fmt.Fprintf(t.in, format+"\n", args...); err != nil {
		t.b.Fatal(err)
	}
}

// next is the next event, sorted by kind.
func (t *bench) next() townEvent {
	t.b.Helper()
	timer := time.NewTimer(benchPatience)
	defer timer.Stop()
	select {
	case e, open := <-t.events:
		if !open {
			t.b.Fatal("the town is closed")
		}
		if e.Event == "typed" && e.Text != "" {
			t.b.Fatalf("a command was answered %q", e.Text)
		}
		return e
	case <-timer.C:
		t.b.Fatal("nothing happens any more")
	}
	return townEvent{}
}

// wait waits for an event of this kind, of this extension.
func (t *bench) wait(kind, user string) townEvent {
	t.b.Helper()
	is := func(e townEvent) bool { return e.Event == kind && e.User == user }
	if i := slices.IndexFunc(t.early, is); i >= 0 {
		e := t.early[i]
		t.early = slices.Delete(t.early, i, i+1)
		return e
	}
	for {
		e := t.next()
		if is(e) {
			return e
		}
		t.early = append(t.early, e)
	}
}

// typeAll types the commands of these calls, as fast as they are taken.
func (t *bench) typeAll(from, to int) {
	t.b.Helper()
	rang := from
	for n := from; n < to; n++ {
		for n-rang >= benchAhead {
			e := t.next()
			t.early = append(t.early, e)
			if e.Event == "rang" {
				rang++
			}
		}
		t.say("type %d /tel b7%03d the database is down", n, n)
	}
}

// all waits for an event of this kind of each of these calls.
func (t *bench) all(kind string, from, to int) []townEvent {
	t.b.Helper()
	var got []townEvent
	for n := from; n < to; n++ {
		got = append(got, t.wait(kind, fmt.Sprintf("7%03d", n)))
	}
	return got
}

// options asks the phone whether it is there: what a datagram there and back costs on this machine, at this moment.
func (t *bench) options() time.Duration {
	t.b.Helper()
	text := fmt.Sprintf("OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKbench\r\nMax-Forwards: 70\r\nFrom: <sip:bench@127.0.0.1>;tag=1\r\n"+
		"To: <sip:phone@127.0.0.1>\r\nCall-ID: bench\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", t.phone.RemoteAddr(), t.phone.LocalAddr())
	began := time.Now()
	if _, err := io.WriteString(t.phone, text); err != nil {
		t.b.Fatal(err)
	}
	_ = t.phone.SetReadDeadline(began.Add(benchPatience))
	if _, err := t.phone.Read(make([]byte, 1500)); err != nil {
		t.b.Fatal(err)
	}
	return time.Since(began)
}

// commits writes two rows, one after the other: what the two transactions before an INVITE cost at least, at this moment.
func (t *bench) commits() time.Duration {
	t.b.Helper()
	began := time.Now()
	for range 2 {
		if err := t.gateway.estate.store.Note(t.b.Context(), store.AuditEntry{Action: "bench"}); err != nil {
			t.b.Fatal(err)
		}
	}
	return time.Since(began)
}

// ended waits until no page runs any more.
func (t *bench) ended() {
	t.b.Helper()
	t.until("pages end", func() bool {
		running, err := t.gateway.estate.store.Running(t.b.Context())
		if err != nil {
			t.b.Fatal(err)
		}
		over, err := t.gateway.estate.store.Ended(t.b.Context(), 1)
		if err != nil {
			t.b.Fatal(err)
		}
		return len(running) == 0 && len(over) > 0
	})
}

// confirmed is how many pages of the calls at once were.
func (t *bench) confirmed() (n int) {
	all, _, err := t.gateway.estate.store.History(t.b.Context(), store.Query{Result: telgate.Confirmed, Limit: 2 * benchCalls})
	if err != nil {
		t.b.Fatal(err)
	}
	for _, p := range all {
		if strings.HasPrefix(p.Title, "b7") {
			n++
		}
	}
	return n
}

func (t *bench) until(what string, done func() bool) {
	t.b.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(benchPatience); !done(); <-tick.C {
		if time.Now().After(limit) {
			t.b.Fatalf("waited in vain: %s", what)
		}
	}
}
