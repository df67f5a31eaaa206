// Package slack is telgate's room for Slack: commands come in, one card per page goes out and is edited as things happen.
//
// Commands and clicks arrive over Socket Mode or signed HTTP and meet in one intake, which acknowledges at once, drops
// repeated deliveries and hands the rest to the [Pages] port. The way back is level-triggered: [Slack.Run] reads the
// [Feed], draws the newest state of every page that was asked for in Slack, and sends it no more often than Slack allows.
// What a card says is a pure function of the page. Slack's own rules that shaped the code are cited next to it.
//
// The package decides nothing about calls, resolves no names itself and keeps nothing on disk.
package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"telgate"
)

// Modes of delivery from Slack. Slack uses one of them for an app, never both.
const (
	ModeSocket = "socket" // a websocket we open: no public URL
	ModeHTTP   = "http"   // Slack posts to [Slack.Handler]
)

// Config is what the operator chooses.
type Config struct {
	Mode          string         // ModeSocket or ModeHTTP
	BotToken      string         // xoxb-…; the tokens count until [Slack.Renew]
	AppToken      string         // xapp-… with connections:write; socket only
	SigningSecret string         // http only
	Command       string         // "/tel"
	Policy        telgate.Policy // until [Slack.Allow]
	APIURL        string         // "" = Slack's own; a missing trailing slash is added
	Language      string         // of cards and answers: BCP 47, English unless it begins with "ja"
	GatewayName   string         // shown by status
}

// Env is what the room takes from outside.
type Env struct {
	Now  func() time.Time
	Log  *slog.Logger
	HTTP *http.Client                                                         // nil = one with a 10 s limit
	Dial func(ctx context.Context, network, address string) (net.Conn, error) // for websockets; nil = the system's

	Switch Switch // the kill switch; nil = none
	Mutes  Mutes  // nil = nobody can be muted
}

// Pages takes requests. Errors that are a [*telgate.Refusal] carry a sentence for the asker.
type Pages interface {
	Submit(ctx context.Context, r telgate.Request) (telgate.Receipt, error)
	Stop(ctx context.Context, id telgate.PageID, by telgate.Actor) error
	Confirm(ctx context.Context, id telgate.PageID, by telgate.Actor) error
	Next(ctx context.Context, id telgate.PageID, by telgate.Actor) error
}

// Feed tells how pages stand. Changed names pages whose state is newer than what was told before, and is closed when ctx
// is done. Page is nil where there is none. Pages are the running and the recent ones; with an error they are those that are
// known here.
type Feed interface {
	Changed(ctx context.Context) <-chan telgate.PageID
	Page(ctx context.Context, id telgate.PageID) (*telgate.Page, error)
	// Recent are the pages that run, on whichever gateway, and the newest that have ended, at most so many of these; newest first.
	Recent(ctx context.Context, ended int) ([]telgate.Page, error)
}

// People answers who a word means, and lists everybody.
type People interface {
	Resolve(word string) (telgate.Match, error)
	People() []telgate.Person
	Groups() []telgate.Group
}

// Rotas knows who is on call, and how the sources of that stand.
type Rotas interface {
	OnCall() []telgate.OnCall
	Sources() []telgate.SourceState
}

// Covers knows and changes who stands in for whom. Errors that are a [*telgate.Refusal] carry a sentence for the asker.
type Covers interface {
	Covers() []telgate.Cover
	Cover(ctx context.Context, o telgate.CoverOrder) (telgate.Cover, error)
	Uncover(ctx context.Context, o telgate.CoverOrder) ([]telgate.Cover, error)
}

// Directory is everybody, and who of them is on call.
type Directory interface {
	People
	Rotas
	Covers
}

// Health is how the connection to Slack stands.
type Health struct {
	Sockets      int       // of ours that are connected and greeted
	Connections  int       // of the whole app, as Slack counts them; more than ours means another process shares the token
	LastHello    time.Time // when Slack last greeted a socket
	CardsWaiting int       // cards that show an older state than their page's
	Problem      string    // what keeps Slack from working, "" if nothing
}

// Slack connects one gateway to one workspace. Its methods are safe for concurrent use.
type Slack struct {
	cfg       Config
	env       Env
	words     words
	api       *client
	workspace *workspace
	pages     Pages
	feed      Feed
	people    Directory
	members   *members
	intake    *intake
	cards     *courier
	sockets   *sockets
	allowed   atomic.Pointer[telgate.Policy]
	tokens    atomic.Pointer[Tokens]
}

// New checks the configuration; the error joins one [telgate.Fault] per thing that is wrong. Nothing is started.
func New(cfg Config, pages Pages, feed Feed, people Directory, shelf Shelf, env Env) (*Slack, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if env.HTTP == nil {
		env.HTTP = &http.Client{Timeout: callTimeout}
	}
	s := &Slack{cfg: cfg, env: env, words: wordsFor(cfg.Language), pages: pages, feed: feed, people: people}
	tokens := cfg.tokens()
	s.tokens.Store(&tokens)
	s.api = newClient(cfg, env)
	s.workspace = newWorkspace()
	s.allowed.Store(&cfg.Policy)
	s.members = newMembers(s.policy, s.api, env.Now)
	s.intake = newIntake(env.Now, env.Log, s.handle)
	s.cards = newCourier(s.api, s.words, feed, shelf, s.workspace.ours, env)
	s.sockets = newSockets(cfg, env, s)
	return s, nil
}

// Run connects to Slack, serves commands and clicks, and keeps cards up to date until ctx is done. Then commands are
// answered "NOT accepted", every page's last state is shown within [closeTimeout], and connections close. A Slack that
// cannot be reached or refuses us is no reason to return: see [Slack.Health].
func (s *Slack) Run(ctx context.Context) error {
	serve, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var parts sync.WaitGroup
	parts.Go(func() { s.workspace.find(serve, s.api, s.env.Log) })
	parts.Go(func() { s.members.refresh(serve, s.env.Log) })
	parts.Go(func() { s.intake.run(serve) })
	if s.cfg.Mode == ModeSocket {
		parts.Go(func() { s.sockets.run(serve) })
	}
	s.cards.run(ctx) // returns when the last states are out
	s.Refuse()
	s.intake.drain(flushTimeout)
	pause(serve, flushTimeout)
	stop()
	parts.Wait()
	s.env.HTTP.CloseIdleConnections()
	return nil
}

// Refuse has every further command answered "NOT accepted": the gateway is about to stop. Clicks still work.
func (s *Slack) Refuse() { s.intake.close() }

// Health tells how things stand now.
func (s *Slack) Health() Health {
	var h Health
	if s.cfg.Mode == ModeSocket {
		h = s.sockets.health()
	}
	h.CardsWaiting = s.cards.waiting()
	if p := s.workspace.problem(); p != "" {
		h.Problem = p
	}
	return h
}

// check collects what is wrong with the configuration's shape.
func (c *Config) check() error {
	var faults []error
	fault := func(key, format string, args ...any) {
		faults = append(faults, telgate.Fault{Path: "slack." + key, Message: fmt.Sprintf(format, args...)})
	}
	switch c.Mode {
	case ModeSocket:
		if !hasPrefix(c.AppToken, "xapp-") {
			fault("app_token", "socket mode needs the app-level token, it begins with xapp-; create one with the scope connections:write")
		}
	case ModeHTTP:
		if c.SigningSecret == "" {
			fault("signing_secret", "http mode needs the app's signing secret (Basic Information, App Credentials)")
		}
	default:
		fault("mode", "%q is not a mode; use %q or %q", c.Mode, ModeSocket, ModeHTTP)
	}
	if !hasPrefix(c.BotToken, "xoxb-") {
		fault("bot_token", "the bot's token begins with xoxb-; install the app to the workspace to get it")
	}
	if !commandName(c.Command) {
		fault("command", "%q is not a slash command: a slash, then 1 to 31 of a-z, 0-9, - and _", c.Command)
	}
	url, err := apiURL(c.APIURL)
	if err != nil {
		fault("api_url", "%v", err)
	}
	c.APIURL = url
	return errors.Join(faults...)
}
