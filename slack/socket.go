package slack

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

const (
	ackTimeout   = 2 * time.Second // slack-go's queue of acks blocks for ever where no socket drains it
	pingInterval = 30 * time.Second
)

// socket is one Socket Mode connection and its replacements.
type socket struct {
	n      int
	of     *sockets
	client *socketmode.Client
	log    *slog.Logger
	acks   sync.WaitGroup // at most as many as deliveries that are carried out
}

// newSocketClient never switches debugging on: slack-go then asks Slack for connections of six minutes.
func newSocketClient(api *slackgo.Client, dial *websocket.Dialer) *socketmode.Client {
	return socketmode.New(api, socketmode.OptionDialer(dial), socketmode.OptionPingInterval(pingInterval))
}

// run serves the connection until ctx is done or Slack refuses it for good; the error says why.
func (s *socket) run(ctx context.Context) error {
	defer s.acks.Wait()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan error, 1)
	go func() { ended <- s.client.RunContext(ctx) }()
	for {
		select {
		case ev := <-s.client.Events:
			if err := s.event(ctx, ev); err != nil {
				stop(err)
			}
		case err := <-ended:
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
	}
}

// event handles one event of slack-go's; an error means that trying again cannot help.
func (s *socket) event(ctx context.Context, ev socketmode.Event) error {
	switch ev.Type {
	case socketmode.EventTypeHello:
		s.log.Info("connected to slack", "connections", ev.Request.NumConnections)
		s.of.hello(s.n, ev.Request.NumConnections)
	case socketmode.EventTypeConnecting, socketmode.EventTypeDisconnect:
		s.of.lost(s.n)
	case socketmode.EventTypeConnectionError:
		if e, ok := ev.Data.(*slackgo.ConnectionErrorEvent); ok && ctx.Err() == nil { // a stop is no trouble
			s.of.fault(describe(e.ErrorObj))
			s.log.Warn("no connection to slack", "err", describe(e.ErrorObj), "again_in", e.Backoff)
			if fatal(e.ErrorObj) {
				return e.ErrorObj
			}
		}
	case socketmode.EventTypeErrorBadMessage: // slack-go cannot parse it; we may, and it must be acknowledged all the same
		if bad, ok := ev.Data.(*socketmode.ErrorBadMessage); ok {
			s.envelope(ctx, bad.Message)
		}
	case socketmode.EventTypeErrorWriteFailed:
		s.log.Warn("an acknowledgement did not reach slack, it will repeat the delivery")
	default:
		if ev.Request != nil && ev.Request.EnvelopeID != "" {
			s.deliver(ctx, ev.Request.EnvelopeID, ev.Request.Type, ev.Request.Payload)
		}
	}
	return nil
}

// fatal tells errors that no repetition mends; slack-go would go on asking for ever.
func fatal(err error) bool {
	return slices.Contains([]string{
		"invalid_auth", "account_inactive", "not_authed", "token_revoked", "token_expired", "missing_scope",
		"not_allowed_token_type", "user_removed_from_team", "team_disabled", "org_login_required", "ekm_access_denied",
	}, code(err))
}

// envelope reads a message that slack-go could not.
func (s *socket) envelope(ctx context.Context, raw json.RawMessage) {
	var e struct {
		ID      string          `json:"envelope_id"`
		Type    string          `json:"type"`
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(raw, &e); err != nil || e.ID == "" {
		s.log.Warn("slack sent what is no envelope", "bytes", len(raw))
		return
	}
	s.deliver(ctx, e.ID, e.Type, e.Payload)
}

// deliver takes a delivery, and acknowledges it when it was carried out: what Slack believes to be delivered is kept, even
// if this gateway dies the next moment. The connection is read on meanwhile.
func (s *socket) deliver(ctx context.Context, id, kind string, payload json.RawMessage) {
	r := s.of.to.receive(kind, payload)
	if r.done == nil {
		s.ack(ctx, id, r)
		return
	}
	s.acks.Go(func() {
		r.wait(ctx)
		s.ack(ctx, id, r)
	})
}

func (s *socket) ack(ctx context.Context, id string, r reply) {
	var body any
	if r.answer != "" {
		body = ackBody(r.answer)
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	if err := s.client.AckCtx(ctx, id, body); err != nil {
		s.log.Warn("slack delivery not acknowledged, it will come again", "err", err)
	}
}

// ackBody is an answer inside an acknowledgement: seen by the asker alone.
func ackBody(answer string) map[string]string {
	return map[string]string{"response_type": slackgo.ResponseTypeEphemeral, "text": answer}
}
