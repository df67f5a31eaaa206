package slack

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	slackgo "github.com/slack-go/slack"
)

// bodyLimit is far above anything Slack posts.
const bodyLimit = 1 << 20

// Handler serves HTTP mode: POST /slack/command and /slack/interactive, as the manifest names them. Every request must
// carry Slack's v0 signature (HMAC-SHA256 over version, time and raw body, five minutes); nothing is parsed before.
// A repeated request inside the five minutes is known by its keys. Serving is [Slack.Run]'s: before it runs, commands
// wait.
func (s *Slack) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /slack/command", s.signed(func(body []byte) (reply, error) {
		f, err := url.ParseQuery(string(body))
		if err != nil {
			return reply{}, errors.Join(errPayload, err)
		}
		if f.Get("ssl_check") != "" { // Slack tries the certificate; there is no command in it
			return reply{}, nil
		}
		c, err := commandFromForm(f)
		if err != nil {
			return reply{}, err
		}
		return s.command(c), nil
	}))
	mux.HandleFunc("POST /slack/interactive", s.signed(func(body []byte) (reply, error) {
		f, err := url.ParseQuery(string(body))
		if err != nil || f.Get("payload") == "" {
			return reply{}, errors.Join(errPayload, err)
		}
		return s.interaction([]byte(f.Get("payload")))
	}))
	return mux
}

// reply is what a delivery is acknowledged with: words at once, or nothing as soon as it was carried out.
type reply struct {
	answer string
	done   <-chan struct{} // nil = at once
}

// wait returns when the acknowledgement may leave.
func (r reply) wait(ctx context.Context) {
	if r.done == nil {
		return
	}
	limit := time.NewTimer(ackPatience)
	defer limit.Stop()
	select {
	case <-r.done:
	case <-limit.C:
	case <-ctx.Done():
	}
}

// signed reads a body, checks its signature and answers what take says.
func (s *Slack) signed(take func(body []byte) (reply, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
		if err != nil {
			http.Error(w, "the body cannot be read", http.StatusRequestEntityTooLarge)
			return
		}
		if !s.genuine(r.Header, body) {
			s.env.Log.Warn("request without a valid slack signature", "path", r.URL.Path)
			http.Error(w, "not signed by Slack", http.StatusUnauthorized)
			return
		}
		said, err := take(body)
		switch {
		case err != nil:
			s.env.Log.Warn("slack request not understood", "path", r.URL.Path, "err", err)
			http.Error(w, "not understood", http.StatusBadRequest)
		case said.answer != "":
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(ackBody(said.answer)) // a Slack that hung up asks again
		default:
			said.wait(r.Context())
		}
	}
}

func (s *Slack) genuine(h http.Header, body []byte) bool {
	v, err := slackgo.NewSecretsVerifier(h, s.tokens.Load().SigningSecret)
	if err != nil {
		return false
	}
	_, _ = v.Write(body) // a hash takes everything
	return v.Ensure() == nil
}

// receive takes what a socket brought.
func (s *Slack) receive(kind string, payload []byte) reply {
	switch kind {
	case "slash_commands":
		c, err := commandFromJSON(payload)
		if err != nil {
			s.env.Log.Warn("slack command not understood", "err", err)
			return reply{answer: s.words.say("telgate could not read this command: NOT accepted. Call by hand, or try again.",
				"コマンドを読み取れません。受け付けませんでした。手動でかけるか、もう一度お試しください。")}
		}
		return s.command(c)
	case "interactive":
		r, err := s.interaction(payload)
		if err != nil {
			s.env.Log.Warn("slack interaction not understood", "err", err)
		}
		return r
	}
	return reply{} // events and whatever comes later: acknowledged, nothing to do
}

// command takes a slash command, or tells why not.
func (s *Slack) command(c command) reply {
	v, done := s.intake.accept(delivery{keys: c.keys(), command: &c})
	switch v {
	case busy:
		return reply{answer: s.words.say("NOT accepted: too many commands are waiting. Call by hand, or try again in a minute.",
			"受け付けませんでした。コマンドが混み合っています。手動でかけるか、1 分後にもう一度お試しください。")}
	case stopping:
		return reply{answer: s.words.say("NOT accepted: this gateway is stopping. Call by hand, or try again in a minute.",
			"受け付けませんでした。ゲートウェイは停止中です。手動でかけるか、1 分後にもう一度お試しください。")}
	case taken, repeated:
	}
	return reply{done: done}
}

// interaction takes a click on a card; what cannot be taken is logged, since a click has no answer.
func (s *Slack) interaction(payload []byte) (reply, error) {
	c, found, err := clickFromJSON(payload)
	if err != nil || !found {
		return reply{}, err
	}
	v, done := s.intake.accept(delivery{keys: c.keys(), click: &c})
	if v == busy || v == stopping {
		s.env.Log.Warn("slack click not taken", "action", c.Action, "verdict", int(v))
	}
	return reply{done: done}, nil
}
