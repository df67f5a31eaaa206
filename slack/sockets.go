package slack

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	socketCount = 2 // slack-go drops the old socket before it opens the new one: the other one bridges
	fatalPause  = time.Minute
)

// receiver takes what arrived, without waiting for anything, and tells how to acknowledge it.
type receiver interface {
	receive(kind string, payload []byte) reply
}

// sockets keeps Socket Mode connections up (Slack docs: Using Socket Mode).
type sockets struct {
	env  Env
	to   receiver
	dial *websocket.Dialer

	mu        sync.Mutex
	cfg       Config
	greeted   map[int]bool
	there     map[int]chan struct{}      // closed when it is greeted; those that somebody waits for
	replace   map[int]context.CancelFunc // ends a connection so that the next one takes its place
	apps      int                        // connections of the whole app, as the newest hello counted them
	lastHello time.Time
	trouble   string
}

func newSockets(cfg Config, env Env, to receiver) *sockets {
	return &sockets{
		cfg: cfg, env: env, to: to, greeted: map[int]bool{}, there: map[int]chan struct{}{}, replace: map[int]context.CancelFunc{},
		dial: &websocket.Dialer{NetDialContext: env.Dial, Proxy: http.ProxyFromEnvironment, HandshakeTimeout: callTimeout},
	}
}

// run keeps the connections up until ctx is done.
func (s *sockets) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for n := range socketCount {
		all.Go(func() { s.keep(ctx, n) })
	}
}

// keep runs one connection after another. slack-go reconnects by itself; it comes back here where that cannot help: a
// refused token, say. Whoever mends that in Slack need not restart us.
func (s *sockets) keep(ctx context.Context, n int) {
	slow := newThrottle(s.env.HTTP, s.env.Now)
	for ctx.Err() == nil {
		cfg, current, cancel := s.next(ctx, n)
		one := &socket{
			n: n, of: s, client: newSocketClient(webClient(cfg, slow), s.dial),
			log: s.env.Log.With(slog.Int("socket", n)),
		}
		err := one.run(current)
		s.lost(n)
		if current.Err() != nil { // other tokens count, or we stop
			cancel()
			continue
		}
		s.fault(describe(err))
		s.env.Log.Error("slack refuses the connection", "err", describe(err), "again_in", fatalPause)
		pause(current, fatalPause)
		cancel()
	}
}

func (s *sockets) hello(n, apps int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.greeted[n], s.apps, s.lastHello, s.trouble = true, apps, s.env.Now(), ""
	if there := s.there[n]; there != nil {
		close(there)
		delete(s.there, n)
	}
	if apps > socketCount+1 { // one more is a socket that is being replaced
		s.env.Log.Warn("more connections to slack than this gateway's: another process shares the app token and takes commands",
			"connections", apps)
	}
}

func (s *sockets) lost(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.greeted, n)
}

func (s *sockets) fault(problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = problem
}

func (s *sockets) health() Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := Health{Sockets: len(s.greeted), Connections: s.apps, LastHello: s.lastHello}
	if h.Sockets == 0 {
		h.Problem = s.trouble
		if h.Problem == "" {
			h.Problem = "not connected yet"
		}
	}
	return h
}
