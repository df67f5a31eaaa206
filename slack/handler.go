package slack

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

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
	mux.HandleFunc("POST /slack/command", s.signed(func(body []byte) (string, error) {
		f, err := url.ParseQuery(string(body))
		if err != nil {
			return "", errors.Join(errPayload, err)
		}
		if f.Get("ssl_check") != "" { // Slack tries the certificate; there is no command in it
			return "", nil
		}
		c, err := commandFromForm(f)
		if err != nil {
			return "", err
		}
		return s.command(c), nil
	}))
	mux.HandleFunc("POST /slack/interactive", s.signed(func(body []byte) (string, error) {
		f, err := url.ParseQuery(string(body))
		if err != nil || f.Get("payload") == "" {
			return "", errors.Join(errPayload, err)
		}
		return "", s.interaction([]byte(f.Get("payload")))
	}))
	return mux
}

// signed reads a body, checks its signature and answers what take says.
func (s *Slack) signed(take func(body []byte) (string, error)) http.HandlerFunc {
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
		answer, err := take(body)
		switch {
		case err != nil:
			s.env.Log.Warn("slack request not understood", "path", r.URL.Path, "err", err)
			http.Error(w, "not understood", http.StatusBadRequest)
		case answer != "":
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(ackBody(answer)) // a Slack that hung up asks again
		}
	}
}

func (s *Slack) genuine(h http.Header, body []byte) bool {
	v, err := slackgo.NewSecretsVerifier(h, s.cfg.SigningSecret)
	if err != nil {
		return false
	}
	_, _ = v.Write(body) // a hash takes everything
	return v.Ensure() == nil
}

// receive takes what a socket brought; its answer goes into the acknowledgement.
func (s *Slack) receive(kind string, payload []byte) (answer string) {
	switch kind {
	case "slash_commands":
		c, err := commandFromJSON(payload)
		if err != nil {
			s.env.Log.Warn("slack command not understood", "err", err)
			return s.words.say("telgate could not read this command: NOT accepted. Call by hand, or try again.",
				"コマンドを読み取れません。受け付けませんでした。手動でかけるか、もう一度お試しください。")
		}
		return s.command(c)
	case "interactive":
		if err := s.interaction(payload); err != nil {
			s.env.Log.Warn("slack interaction not understood", "err", err)
		}
	}
	return "" // events and whatever comes later: acknowledged, nothing to do
}

// command takes a slash command, or tells why not.
func (s *Slack) command(c command) (answer string) {
	switch s.intake.accept(delivery{keys: c.keys(), command: &c}) {
	case busy:
		return s.words.say("NOT accepted: too many commands are waiting. Call by hand, or try again in a minute.",
			"受け付けませんでした。コマンドが混み合っています。手動でかけるか、1 分後にもう一度お試しください。")
	case stopping:
		return s.words.say("NOT accepted: this gateway is stopping. Call by hand, or try again in a minute.",
			"受け付けませんでした。ゲートウェイは停止中です。手動でかけるか、1 分後にもう一度お試しください。")
	case taken, repeated:
	}
	return ""
}

// interaction takes a click on a card; what cannot be taken is logged, since a click has no answer.
func (s *Slack) interaction(payload []byte) error {
	c, found, err := clickFromJSON(payload)
	if err != nil || !found {
		return err
	}
	if v := s.intake.accept(delivery{keys: c.keys(), click: &c}); v == busy || v == stopping {
		s.env.Log.Warn("slack click not taken", "action", c.Action, "verdict", int(v))
	}
	return nil
}
