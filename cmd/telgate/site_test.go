package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate/sip/siptest"
	"telgate/slack/slacktest"
)

// patience is how long a test waits for what must happen: a busy machine takes its time.
const patience = 2 * time.Minute

// site is where somebody runs telgate: a directory with a configuration, a telephone system, a Slack workspace. What is
// done there is written down as people would see it, and held against a golden file.
type site struct {
	t         *testing.T
	ctx       context.Context
	dir       string
	phone     *siptest.Phone
	workspace *slacktest.Workspace
	behave    func(*siptest.Ring) // what the phones do; set before the first call
	vars      map[string]string   // of the environment
	proc      map[string]string   // files of /proc; there are no others
	// dialFrom replaces the environment's, where it is set.
	dialFrom func(ctx context.Context, network string, local netip.Addr, address string) (net.Conn, error)

	script  strings.Builder
	log     *kept    // of the gateway that serves
	words   []string // pairs: what changes from run to run, and what stands for it
	answers sync.WaitGroup
	mu      sync.Mutex
	rings   []*siptest.Ring
}

func newSite(t *testing.T) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	s := &site{t: t, ctx: ctx, dir: t.TempDir(), behave: func(*siptest.Ring) {}}
	s.vars = map[string]string{
		"TELGATE_CONFIG": filepath.Join(s.dir, "config.toml"), "HOME": s.dir, "USER": "grace", "BOT": "xoxb-test-bot", "APP": "xapp-test-app",
	}
	var err error
	if s.phone, err = siptest.NewPhone(); err != nil {
		t.Fatal(err)
	}
	if s.workspace, err = newDemoWorkspace(); err != nil {
		t.Fatal(err)
	}
	s.replace("$DIR", s.dir)
	s.replace("$PBX", s.phone.Addr())
	s.replace("$SLACK", s.workspace.APIURL())
	t.Cleanup(func() {
		s.workspace.Close()
		s.phone.Close()
		s.answers.Wait()
	})
	s.answers.Go(func() {
		for r := range s.phone.Calls() {
			s.mu.Lock()
			s.rings = append(s.rings, r)
			s.mu.Unlock()
			s.answers.Go(func() {
				timer := time.NewTimer(200 * time.Millisecond) // nobody is that fast
				defer timer.Stop()
				select {
				case <-timer.C:
				case <-ctx.Done():
				}
				s.behave(r)
			})
		}
	})
	return s
}

// replace lets a word of the script stand for a value of this run.
func (s *site) replace(word, value string) { s.words = append(s.words, value, word) }

// file writes a file of the site; words of the script become this run's values.
func (s *site) file(name, text string) {
	s.t.Helper()
	for pair := range slices.Chunk(s.words, 2) {
		text = strings.ReplaceAll(text, pair[1], pair[0])
	}
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// slackSocket is the configuration of Slack.
const slackSocket = `
[slack]
mode = "socket"
api_url = "$SLACK"
bot_token = "env:BOT"
app_token = "env:APP"
allow_channels = ["C0OPS"]
`

// mainTrunk is the telephone system of the site, quick to give up.
const mainTrunk = `
[calls]
ring = "2s"
setup = "2s"
rounds = 1
[web]
listen = ""
[sip]
bind = "127.0.0.1"
[gateway]
state_dir = "$DIR/state"
[trunks.main]
kind = "pbx"
addresses = ["$PBX"]
`

func (s *site) environment(out, errs *kept, signals <-chan os.Signal) *environment {
	env := loopback(realEnvironment())
	env.getenv = func(name string) string { return s.vars[name] }
	env.readFile = func(name string) ([]byte, error) {
		if text, ok := s.proc[name]; ok {
			return []byte(text), nil
		} else if strings.HasPrefix(name, "/proc/") {
			return nil, os.ErrNotExist
		}
		return os.ReadFile(name)
	}
	if s.dialFrom != nil {
		env.dialFrom = s.dialFrom
	}
	env.in, env.out, env.err = strings.NewReader(""), out, errs
	env.terminal = false
	env.signals = func() (<-chan os.Signal, func()) { return signals, func() {} }
	return env
}

// telgate runs a command and writes down what it said.
func (s *site) telgate(line string) {
	s.t.Helper()
	var out, errs kept
	status := run(s.ctx, strings.Fields(line), s.environment(&out, &errs, nil))
	fmt.Fprintf(&s.script, "$ telgate %s\n%s", line, out.bytes())
	if e := errs.bytes(); len(e) > 0 {
		fmt.Fprintf(&s.script, "-- stderr\n%s", e)
	}
	fmt.Fprintf(&s.script, "-- exit %d\n\n", status)
	s.quiet()
}

// serves runs the gateway while during is at work, and writes down what it logged, but for what is no trouble.
func (s *site) serves(during func()) {
	s.t.Helper()
	opened := s.workspace.Calls("apps.connections.open")
	var out, errs kept
	signals, status := make(chan os.Signal, 2), make(chan int, 1)
	s.log = &errs
	go func() { status <- s.serve(s.environment(&out, &errs, signals), signals) }()
	connecting, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	if err := s.workspace.Wait(connecting, func() bool {
		return s.workspace.Sockets() == 2 || s.workspace.Calls("apps.connections.open") >= opened+2 && s.turnedAway()
	}); err != nil {
		s.t.Fatalf("serve: %v\n%s", err, errs.bytes())
	}
	fmt.Fprintln(&s.script, "$ telgate serve")
	during()
	signals <- syscall.SIGTERM
	code := <-status
	told := map[string]bool{}
	for line := range strings.Lines(string(errs.bytes())) {
		line = s.stable(line)
		calm := strings.Contains(line, "level=INFO") && !strings.Contains(line, "ended") && !strings.Contains(line, "refused") ||
			strings.Contains(line, "sends what is no SIP") || // loopback is shared with whatever else runs on the machine
			strings.Contains(line, "rate limit exceeded") || // a new gateway does not know what the one before posted
			strings.Contains(line, `err="context canceled"`) // a stop is no trouble, and should not be logged as one
		if !calm && !told[line] {
			s.script.WriteString(line)
		}
		told[line] = true
	}
	fmt.Fprintf(&s.script, "-- exit %d\n\n", code)
	s.quiet()
}

// serve is what the command does, but for its lock, and that commands wait for the trunks
// (TestCommandsAreTakenWhenTheTrunksAreOpen).
func (s *site) serve(env *environment, signals <-chan os.Signal) (status int) {
	a := &app{cli: &cli{}, env: env, ctx: s.ctx}
	cfg, err := a.loadConfig()
	if err != nil {
		return statusOf(err, env)
	}
	log, err := a.logger(cfg.Log)
	if err != nil {
		return statusOf(err, env)
	}
	r := serveRules()
	r.probe = false // what is written down must not depend on which comes first, a probe or a call
	g, err := build(cfg, env, log, r)
	if err != nil {
		return statusOf(err, env)
	}
	return statusOf(g.runRooms(s.ctx, func(ctx context.Context) error {
		g.ready(ctx)
		return g.serve(ctx, env, log, signals)
	}), env)
}

// logs waits until the gateway has logged this.
func (s *site) logs(text string) {
	s.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !bytes.Contains(s.log.bytes(), []byte(text)) {
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			s.t.Fatalf("never logged %q:\n%s", text, s.log.bytes())
		}
	}
}

// turnedAway tells whether the workspace refused a connection just now.
func (s *site) turnedAway() bool {
	all := s.workspace.Refused()
	return len(all) > 0 && all[len(all)-1].Method == "apps.connections.open"
}

// types is a command in #ops and all that its asker saw of it; ended says that this is all.
func (s *site) types(text string, ended func(slacktest.Message) bool) {
	s.t.Helper()
	before := len(s.workspace.Seen(demoAsker, demoChannel))
	if answer, err := s.workspace.Type(s.ctx, demoAsker, demoChannel, text); err != nil {
		s.t.Fatalf("%q: %q, %v", text, answer, err)
	}
	s.seen(text, before, ended)
}

// seen waits for the last message of an answer and writes all of them down.
func (s *site) seen(text string, before int, ended func(slacktest.Message) bool) {
	s.t.Helper()
	var all []slacktest.Message
	if err := s.workspace.Wait(s.ctx, func() bool {
		all = s.workspace.Seen(demoAsker, demoChannel)[before:]
		return slices.ContainsFunc(all, ended)
	}); err != nil {
		s.t.Fatalf("%q: %v, %+v", text, err, all)
	}
	fmt.Fprintf(&s.script, "# grace types %s\n", text)
	for _, m := range all {
		m.Edits = 0 // how many edits there are is a matter of time
		s.script.WriteString(framed(m))
	}
}

// alone is an answer that only the asker sees; failure is the word in the thread of a card that ended badly, which follows
// the card's last edit.
func alone(m slacktest.Message) bool   { return m.Ephemeral != "" }
func failure(m slacktest.Message) bool { return m.ThreadTS != "" }

// quiet sees that no phone rings on, and writes down how it ended for each.
func (s *site) quiet() {
	s.t.Helper()
	s.mu.Lock()
	rings := s.rings
	s.rings = nil
	s.mu.Unlock()
	for _, r := range rings {
		select {
		case <-r.Over():
			fmt.Fprintf(&s.script, "(the phone %s rang: %s)\n\n", r.User(), r.Why())
		case <-s.ctx.Done():
			s.t.Errorf("the phone %s is still up", r.User())
		}
	}
}

// stable is a text without what changes from run to run.
func (s *site) stable(text string) string {
	for pair := range slices.Chunk(s.words, 2) {
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	for _, r := range [][2]string{
		{`time=\S+ `, ""},
		{`"time":"[^"]*"`, `"time":"T"`},
		{`\d\d:\d\d:\d\d UTC`, "HH:MM:SS UTC"},
		{`\bp[0-9a-v]{26}\b`, "pID"},
		{`\bc[0-9a-v]{26}\b`, "cID"},
		{`sip_call_id=[0-9a-f]+`, "sip_call_id=ID"},
		{`in \d+ ?m?s\b`, "in N ms"},
		{`127\.0\.0\.1:\d+`, "127.0.0.1:PORT"},
		{` socket=\d`, ""},
		{`\d+(\.\d)? [GM]B free`, "N GB free"},
		{`\b(tables|knows|to) 1\d\d\d\b`, "$1 1NNN"}, // one more with each migration
		{`again_in=\S+`, "again_in=N"},
	} {
		text = regexp.MustCompile(r[0]).ReplaceAllString(text, r[1])
	}
	return text
}

// golden holds what was written down against testdata/badinput.
func (s *site) golden(name string) {
	s.t.Helper()
	got := s.stable(s.script.String())
	path := filepath.Join("testdata", "badinput", name+".golden")
	if os.Getenv("TELGATE_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		s.t.Errorf("%s (-want +got; TELGATE_UPDATE_GOLDEN=1 accepts):\n%s", path, diff)
	}
}

// nobody is an address of this machine where nothing listens; silent is one where nothing answers.
func nobody(t *testing.T) string {
	t.Helper()
	conn := listening(t)
	defer func() { _ = conn.Close() }()
	return conn.LocalAddr().String()
}

func silent(t *testing.T) string {
	t.Helper()
	conn := listening(t)
	t.Cleanup(func() { _ = conn.Close() })
	return conn.LocalAddr().String()
}

// babbling is an address of this machine where somebody answers everything, and nothing in SIP.
func babbling(t *testing.T) string {
	t.Helper()
	conn := listening(t)
	ended := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-ended })
	go func() {
		defer close(ended)
		b := make([]byte, 1<<16)
		for {
			_, from, err := conn.ReadFromUDP(b)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDP([]byte("220 mail.test ESMTP\r\n"), from)
		}
	}()
	return conn.LocalAddr().String()
}

func listening(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// onePair is a range of RTP ports with room for one call, out of the way of the kernel's own choice and of other tests.
func onePair(t *testing.T) string {
	t.Helper()
	for {
		port := 10000 + 2*rand.IntN(4500)
		if free(port) && free(port+1) {
			return strconv.Itoa(port) + "-" + strconv.Itoa(port+1)
		}
	}
}

func free(port int) bool {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// wav is a recording of a tone, 16-bit mono at 8 kHz.
func wav(seconds int) string {
	var b bytes.Buffer
	n := seconds * 8000
	fmt.Fprintf(&b, "RIFF%sWAVEfmt %s%s%s%s%s%s%sdata%s", le(4, 36+2*n), le(4, 16), le(2, 1), le(2, 1), le(4, 8000), le(4, 16000), le(2, 2), le(2, 16), le(4, 2*n))
	for i := range n {
		b.WriteString(le(2, (i%16-8)*1500))
	}
	return b.String()
}

func le(bytes, v int) string {
	s := ""
	for i := range bytes {
		s += string([]byte{byte(v >> (8 * i))})
	}
	return s
}

// kept is a writer that keeps everything.
type kept struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write keeps b.
func (k *kept) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all.Write(b)
}

func (k *kept) bytes() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return bytes.Clone(k.all.Bytes())
}
