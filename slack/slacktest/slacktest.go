// Package slacktest is a strict stand-in for Slack in this process: a workspace with people, channels, the Web API, Socket
// Mode, response URLs and signed requests.
//
// People act ([Workspace.Type], [Workspace.Click]), the app under test talks to [Workspace.APIURL] as it would to Slack,
// and tests assert on what a person would see ([Workspace.Seen], [Workspace.Updates]). Whatever Slack refuses is refused
// here, on purpose without any switch to be lenient: a stand-in that takes everything hides faults.
//
// A behaviour is here because Slack's documentation or a report from the field says so; the comment beside it names the
// page, or says "assumed" where nobody could look.
package slacktest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// Config says which workspace stands in. Zero values get defaults.
type Config struct {
	Listener net.Listener     // nil is a free port of 127.0.0.1
	Now      func() time.Time // nil is time.Now; everything but network deadlines follows it
	Pace     func() time.Time // the clock of rate limits; nil is Now
	Rand     *rand.Rand       // nil is seeded with constants; it picks the socket of a payload

	BotToken, AppToken, SigningSecret string // "xoxb-test-bot", "xapp-test-app", "test-secret"
	Team, App, BotUser                string // "T0TEST", "A0TEST", "U0BOT"

	Scopes     []string // of the bot token; nil is commands chat:write chat:write.public im:write users:read usergroups:read
	Command    string   // the one slash command that is registered, "/tel"
	RequestURL string   // not empty is HTTP mode: signed requests to RequestURL + "/slack/command" or "/slack/interactive"
	Unescaped  bool     // the command is registered without should_escape: text arrives as it was typed
	StrictOpen bool     // apps.connections.open once a minute, where sources disagree between 1 and 50; else 20
}

// What can become of an action, besides an answer.
var (
	ErrTimeout      = errors.New("operation_timeout") // Slack docs: slash commands, the text that people see after 3 s
	ErrDispatch     = errors.New("dispatch_failed")   // nobody there to take the payload, or it was refused
	ErrNotConfirmed = errors.New("the button asks for confirmation first")
	ErrNoButton     = errors.New("no such button in sight")
	ErrNoCommand    = errors.New("not a valid command")
	ErrUnknown      = errors.New("not in this workspace")
	ErrClosed       = errors.New("the workspace is closed")
)

// Workspace is one Slack workspace with one app installed. Its methods may be called from any goroutine.
type Workspace struct {
	cfg     Config
	base    string // http://127.0.0.1:PORT
	methods map[string]method
	server  *http.Server
	client  *http.Client
	done    chan struct{} // closed by Close
	tasks   sync.WaitGroup
	conns   sync.WaitGroup

	mu         sync.Mutex
	closed     bool
	changed    chan struct{} // closed and replaced at every change
	requestURL string
	tokens     struct{ bot, app string }
	scopes     []string
	serial     int
	lastTS     int64 // microseconds
	users      []User
	rooms      map[string]*room
	groups     []group
	messages   []*Message
	feeds      []*feed
	hooks      map[string]*hook
	tickets    map[string]time.Time
	sockets    []*socket
	attempts   []*attempt
	acked      map[string]bool
	newest     *delivery
	calls      map[string]int
	refused    []Refusal
	faults     map[string][]Fault
	limits     limiter
}

// New starts a workspace; it serves when New returns.
func New(cfg Config) (*Workspace, error) {
	cfg = withDefaults(cfg)
	if cfg.Listener == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("listen for slack's stand-in: %w", err)
		}
		cfg.Listener = l
	}
	w := &Workspace{
		cfg: cfg, base: "http://" + address(cfg.Listener.Addr()), methods: methods(cfg.StrictOpen),
		client: newClient(), done: make(chan struct{}), changed: make(chan struct{}),
		requestURL: cfg.RequestURL, scopes: cfg.Scopes,
		rooms: map[string]*room{}, hooks: map[string]*hook{}, tickets: map[string]time.Time{}, acked: map[string]bool{},
		calls: map[string]int{}, faults: map[string][]Fault{}, limits: newLimiter(),
		users: []User{{ID: cfg.BotUser, Name: "telgate", Team: cfg.Team, Bot: true}},
	}
	w.tokens.bot, w.tokens.app = cfg.BotToken, cfg.AppToken
	w.server = &http.Server{Handler: w.routes(), ConnState: w.watch, ReadHeaderTimeout: 10 * time.Second}
	w.tasks.Go(func() { _ = w.server.Serve(cfg.Listener) }) // ends with Close
	return w, nil
}

func withDefaults(cfg Config) Config {
	for _, d := range []struct {
		key   *string
		value string
	}{
		{&cfg.BotToken, "xoxb-test-bot"},
		{&cfg.AppToken, "xapp-test-app"},
		{&cfg.SigningSecret, "test-secret"},
		{&cfg.Team, "T0TEST"},
		{&cfg.App, "A0TEST"},
		{&cfg.BotUser, "U0BOT"},
		{&cfg.Command, "/tel"},
	} {
		if *d.key == "" {
			*d.key = d.value
		}
	}
	if cfg.Scopes == nil {
		cfg.Scopes = []string{"commands", "chat:write", "chat:write.public", "im:write", "users:read", "usergroups:read"}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Pace == nil {
		cfg.Pace = cfg.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.New(rand.NewPCG(1, 2))
	}
	return cfg
}

// address is how a listener is reached from this machine.
func address(a net.Addr) string {
	if t, ok := a.(*net.TCPAddr); ok && t.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", t.Port)
	}
	return a.String()
}

// APIURL is the address of the Web API, with the slash at the end that clients need.
func (w *Workspace) APIURL() string { return w.base + "/api/" }

// Config is the configuration in force, defaults filled in.
func (w *Workspace) Config() Config { return w.cfg }

// Rotate has other tokens count from now on; connections that are open stay so, as Slack's do.
func (w *Workspace) Rotate(bot, app string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tokens.bot, w.tokens.app = bot, app
}

// SetRequestURL switches to HTTP mode, or with "" back to Socket Mode. Slack delivers one way only (Slack docs: Socket Mode).
func (w *Workspace) SetRequestURL(url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requestURL = url
}

// Close ends everything and waits for it. It may be called again.
func (w *Workspace) Close() {
	w.mu.Lock()
	if !w.closed {
		close(w.done)
	}
	w.closed = true
	open := append([]*socket(nil), w.sockets...)
	w.mu.Unlock()
	_ = w.server.Close()
	for _, s := range open {
		_ = s.conn.Close()
	}
	w.tasks.Wait()
	_ = w.server.Close() // again: one that was accepted while the first Close ran
	w.conns.Wait()
	w.client.CloseIdleConnections()
}

// watch counts connections, so that Close can wait for them; a hijacked one is its handler's.
func (w *Workspace) watch(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		w.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		w.conns.Done()
	default:
	}
}

// begin registers a task that Close waits for; false says that it is too late to start.
func (w *Workspace) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.tasks.Add(1)
	return true
}

// bump wakes whoever waits for a change; w.mu is held.
func (w *Workspace) bump() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// Wait evaluates done now and after every change, until it is true or ctx ends. done may call any method.
func (w *Workspace) Wait(ctx context.Context, done func() bool) error {
	for {
		w.mu.Lock()
		changed := w.changed
		w.mu.Unlock()
		if done() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("what was waited for did not happen before: %w", context.Cause(ctx))
		case <-w.done:
			return ErrClosed
		}
	}
}
