package slacktest

import (
	"fmt"
	"slices"
	"time"
)

// refreshGrace is how long an old connection stays after it was asked to go.
const refreshGrace = time.Second // assumed; clients close it themselves

// Sockets is how many connections are open now.
func (w *Workspace) Sockets() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.sockets)
}

// open are the connections of now.
func (w *Workspace) open() []*socket {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sockets)
}

// Refresh asks every connection to reconnect, as Slack does every few hours (Slack docs: Socket Mode, refresh_requested),
// and closes it after a second unless the client was faster.
func (w *Workspace) Refresh() {
	for _, s := range w.open() {
		w.mu.Lock()
		s.leaving = true
		w.mu.Unlock()
		_ = s.send(disconnect("refresh_requested"))
		if !w.begin() {
			return
		}
		go func() {
			defer w.tasks.Done()
			s.outlive(w.done)
		}()
	}
}

// outlive closes a connection after the grace.
func (s *socket) outlive(closing <-chan struct{}) {
	timer := time.NewTimer(refreshGrace)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.gone:
	case <-closing:
	}
	_ = s.conn.Close()
}

// Disconnect sends one disconnect message with this reason on every connection, and closes none. Slack's reasons are
// warning, refresh_requested, link_disabled and too_many_websockets (Slack docs: Socket Mode; reports: node-slack-sdk#1762).
func (w *Workspace) Disconnect(reason string) {
	for _, s := range w.open() {
		_ = s.send(disconnect(reason))
	}
}

// Drop cuts every connection without a word.
func (w *Workspace) Drop() {
	for _, s := range w.open() {
		reset(s.conn.NetConn())
	}
}

// Mute leaves every connection of now half open: nothing arrives on it any more, not even pings, and payloads picked for
// it are lost.
func (w *Workspace) Mute() {
	for _, s := range w.open() {
		s.mute.Store(true)
	}
}

// SendRaw writes a frame of text as it is on a connection picked at random.
func (w *Workspace) SendRaw(frame string) error {
	w.mu.Lock()
	s := w.pick()
	w.mu.Unlock()
	if s == nil {
		return ErrDispatch
	}
	return s.send([]byte(frame))
}

// pick chooses the connection of a payload: any of them, without a pattern (Slack docs: Socket Mode). w.mu is held.
func (w *Workspace) pick() *socket {
	fit := slices.DeleteFunc(slices.Clone(w.sockets), func(s *socket) bool { return s.leaving })
	if len(fit) == 0 {
		return nil
	}
	return fit[w.cfg.Rand.IntN(len(fit))]
}

// token makes up an identifier; w.mu is held.
func (w *Workspace) token(kind string) string {
	w.serial++
	return fmt.Sprintf("%s-%d-%016x", kind, w.serial, w.cfg.Rand.Uint64())
}
