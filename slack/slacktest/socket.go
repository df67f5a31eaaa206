package slacktest

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxSockets   = 10               // Slack docs: Socket Mode; reports: node-slack-sdk#1654, #1762
	pingEvery    = 10 * time.Second // assumed; clients wait 30 s for one
	writeTimeout = 2 * time.Second
	ticketLife   = 30 * time.Second // assumed: addresses of connections work once and not for long
	maxAck       = 20480            // bytes; as long or longer is dropped in silence (slack-go's source)
)

// socket is one Socket Mode connection.
type socket struct {
	conn    *websocket.Conn
	gone    chan struct{} // closed when the connection has ended
	leaving bool          // told to go: gets no more payloads, assumed; guarded by the workspace
	mute    atomic.Bool   // half open: says nothing, not even pings

	mu sync.Mutex // one frame at a time
}

// connectionsOpen gives the address of one connection.
func (w *Workspace) connectionsOpen(c call) (answer, *failure) {
	ticket := w.token("link")
	w.tickets[ticket] = w.cfg.Now().Add(ticketLife)
	return answer{"url": "ws://" + c.host + "/link?ticket=" + ticket + "&app_id=" + w.cfg.App}, nil
}

// serveLink is a connection's whole life.
func (w *Workspace) serveLink(rw http.ResponseWriter, r *http.Request) {
	if !w.redeem(r.URL.Query().Get("ticket")) {
		http.Error(rw, "unknown, used or expired ticket", http.StatusForbidden)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(rw, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	conn.SetReadLimit(maxBody)
	s := &socket{conn: conn, gone: make(chan struct{})}
	defer close(s.gone)
	defer func() { _ = conn.Close() }()
	if !w.join(s) {
		return
	}
	defer w.leave(s)
	var pings sync.WaitGroup
	ended := make(chan struct{})
	pings.Go(func() { s.ping(ended) })
	w.read(s)
	close(ended)
	pings.Wait()
}

// redeem takes a ticket; it works once.
func (w *Workspace) redeem(ticket string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	until, found := w.tickets[ticket]
	delete(w.tickets, ticket)
	return found && w.cfg.Now().Before(until)
}

// join greets a connection, or turns it away where there are too many. The greeting is the first frame.
func (w *Workspace) join(s *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.mu.Lock()
	n := len(w.sockets) + 1
	full := n > maxSockets
	if w.closed {
		w.mu.Unlock()
		return false
	}
	if !full {
		w.sockets = append(w.sockets, s)
	}
	w.bump()
	w.mu.Unlock()
	if full {
		_ = s.frame(disconnect("too_many_websockets"))
		return false
	}
	hello, _ := json.Marshal(answer{ // Slack docs: Socket Mode, hello
		"type": "hello", "num_connections": n, "connection_info": answer{"app_id": w.cfg.App},
		"debug_info": answer{"host": "slacktest", "build_number": 1, "approximate_connection_time": 18060},
	})
	if s.frame(hello) != nil {
		w.leave(s)
		return false
	}
	return true
}

func (w *Workspace) leave(s *socket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sockets = slices.DeleteFunc(w.sockets, func(o *socket) bool { return o == s })
	w.bump()
}

// read takes acknowledgements until the connection ends.
func (w *Workspace) read(s *socket) {
	for {
		_, frame, err := s.conn.ReadMessage()
		if err != nil {
			return
		}
		var ack struct {
			ID      string          `json:"envelope_id"`
			Payload json.RawMessage `json:"payload"`
		}
		if len(frame) >= maxAck || json.Unmarshal(frame, &ack) != nil || ack.ID == "" {
			continue
		}
		w.settle(s, ack.ID, ack.Payload)
	}
}

func (s *socket) ping(ended <-chan struct{}) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		if !s.mute.Load() {
			_ = s.conn.WriteControl(websocket.PingMessage, []byte("Ping from slacktest"), time.Now().Add(writeTimeout))
		}
		select {
		case <-ticker.C:
		case <-ended:
			return
		}
	}
}

// send writes one frame; a muted connection swallows it.
func (s *socket) send(text []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mute.Load() {
		return nil
	}
	return s.frame(text)
}

// frame is send with s.mu held.
func (s *socket) frame(text []byte) error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	return s.conn.WriteMessage(websocket.TextMessage, text)
}

func disconnect(reason string) []byte {
	b, _ := json.Marshal(answer{"type": "disconnect", "reason": reason, "debug_info": answer{"host": "slacktest"}})
	return b
}
