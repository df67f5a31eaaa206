package slacktest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// ackTime is how long an app may take to acknowledge (Slack docs: slash commands, interactivity: 3000 ms).
const ackTime = 3 * time.Second

// delivery is a payload on its way to the app, the same however often it is sent.
type delivery struct {
	id      string // of the envelope
	kind    string // slash_commands or interactive
	payload json.RawMessage
	path    string // in HTTP mode
	form    url.Values
}

// attempt is one sending of an envelope on one connection. Only an acknowledgement on the same connection counts: whether
// Slack takes one from another connection is unknown, and a client must not rely on it.
type attempt struct {
	id     string
	socket *socket
	ack    chan json.RawMessage
}

// send delivers and waits for the acknowledgement; it returns what that carries.
func (w *Workspace) send(ctx context.Context, d *delivery) (json.RawMessage, error) {
	w.mu.Lock()
	w.newest = d
	target := w.requestURL
	w.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, ackTime, ErrTimeout)
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if !w.begin() {
		return nil, ErrClosed
	}
	go func() {
		defer w.tasks.Done()
		select {
		case <-w.done:
			stop(ErrClosed)
		case <-ctx.Done():
		}
	}()
	if target != "" {
		return w.request(ctx, target, d)
	}
	a, err := w.envelope(d.id, envelopeJSON(d.id, d.kind, string(d.payload)))
	if err != nil {
		return nil, err
	}
	defer w.forget(a)
	select {
	case body := <-a.ack:
		return body, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// envelope sends a frame on a connection picked at random, on another one if that turns out to be dead.
func (w *Workspace) envelope(id string, frame []byte) (*attempt, error) {
	for {
		w.mu.Lock()
		s := w.pick()
		if s == nil {
			w.mu.Unlock()
			return nil, ErrDispatch
		}
		a := &attempt{id: id, socket: s, ack: make(chan json.RawMessage, 1)}
		w.attempts = append(w.attempts, a)
		w.mu.Unlock()
		if s.send(frame) == nil {
			return a, nil
		}
		w.forget(a)
		w.leave(s)
	}
}

func (w *Workspace) forget(a *attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempts = slices.DeleteFunc(w.attempts, func(o *attempt) bool { return o == a })
}

// settle takes an acknowledgement that came on s.
func (w *Workspace) settle(s *socket, id string, body json.RawMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.attempts {
		if a.id != id || a.socket != s {
			continue
		}
		w.acked[id] = true
		select {
		case a.ack <- body:
		default: // acknowledged twice
		}
	}
	w.bump()
}

// Redeliver sends the newest command or click again in the same envelope, as happens when an acknowledgement was lost
// (reports: bolt-js#2487, #2188), and waits for its acknowledgement. An answer in it is not shown.
func (w *Workspace) Redeliver(ctx context.Context) error {
	w.mu.Lock()
	d := w.newest
	w.mu.Unlock()
	if d == nil {
		return fmt.Errorf("nothing was sent yet: %w", ErrUnknown)
	}
	_, err := w.send(ctx, d)
	return err
}

// SendEnvelope sends an envelope of any type on a connection picked at random. The payload is written as it is, valid JSON
// or not; "" leaves it out.
func (w *Workspace) SendEnvelope(typ, payload string) (envelopeID string, err error) {
	w.mu.Lock()
	id := w.token("envelope")
	w.mu.Unlock()
	_, err = w.envelope(id, envelopeJSON(id, typ, payload))
	return id, err
}

// Acked tells whether an envelope was acknowledged in time, on the connection it was sent on, with less than 20480 bytes.
// For those of SendEnvelope there is no deadline.
func (w *Workspace) Acked(envelopeID string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.acked[envelopeID]
}

// NewestEnvelope is the id of the newest command's or click's envelope, "" if there was none.
func (w *Workspace) NewestEnvelope() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.newest == nil {
		return ""
	}
	return w.newest.id
}

// envelopeJSON is the frame of an envelope (Slack docs: Socket Mode).
func envelopeJSON(id, typ, payload string) []byte {
	head, _ := json.Marshal(answer{
		"envelope_id": id, "type": typ, "accepts_response_payload": typ == "slash_commands" || typ == "interactive",
	})
	if payload == "" {
		return head
	}
	return []byte(string(head[:len(head)-1]) + `,"payload":` + payload + "}")
}
