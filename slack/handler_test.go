package slack

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"telgate/slack/slacktest"
)

func listening(t *testing.T) (*Slack, func(path, body string, sign func(http.Header, string)) *httptest.ResponseRecorder) {
	t.Helper()
	s, err := New(Config{Mode: ModeHTTP, BotToken: "xoxb-1", SigningSecret: "secret", Command: "/tel"}, nil, nil, nil, nil,
		Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s, func(path, body string, sign func(http.Header, string)) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
		sign(r.Header, body)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w
	}
}

func signedAt(at time.Time, secret string) func(http.Header, string) {
	return func(h http.Header, body string) {
		stamp, signature := slacktest.Sign(secret, at, []byte(body))
		h.Set("X-Slack-Request-Timestamp", stamp)
		h.Set("X-Slack-Signature", signature)
	}
}

func TestOnlyWhatSlackSignedIsRead(t *testing.T) {
	const body = "team_id=T1&user_id=U1&channel_id=C1&command=%2Ftel&text=alice&trigger_id=1"
	for name, c := range map[string]struct {
		sign func(http.Header, string)
		want int
	}{
		"signed":            {signedAt(time.Now(), "secret"), http.StatusOK},
		"four minutes old":  {signedAt(time.Now().Add(-4*time.Minute), "secret"), http.StatusOK},
		"six minutes old":   {signedAt(time.Now().Add(-6*time.Minute), "secret"), http.StatusUnauthorized},
		"from the future":   {signedAt(time.Now().Add(6*time.Minute), "secret"), http.StatusUnauthorized},
		"another secret":    {signedAt(time.Now(), "other"), http.StatusUnauthorized},
		"of another body":   {func(h http.Header, _ string) { signedAt(time.Now(), "secret")(h, "text=mallory") }, http.StatusUnauthorized},
		"without signature": {func(http.Header, string) {}, http.StatusUnauthorized},
	} {
		s, post := listening(t)
		if w := post("/slack/command", body, c.sign); w.Code != c.want {
			t.Errorf("%s: %d", name, w.Code)
		}
		if taken := s.intake.outstanding; taken != 0 != (c.want == http.StatusOK) {
			t.Errorf("%s: %d deliveries taken", name, taken)
		}
	}
}

func TestOddRequestsDoNoHarm(t *testing.T) {
	s, post := listening(t)
	signed := signedAt(time.Now(), "secret")
	click := url.Values{"payload": {`{"type":"block_actions","team":{"id":"T1"},"user":{"id":"U1"},"actions":[{"action_id":"a","value":"v","action_ts":"1"}]}`}}.Encode()
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{"/slack/command", "ssl_check=1&token=x", http.StatusOK},
		{"/slack/command", "", http.StatusBadRequest},
		{"/slack/command", "command=%2Ftel", http.StatusBadRequest},
		{"/slack/command", "%zz", http.StatusBadRequest},
		{"/slack/command", strings.Repeat("x", bodyLimit+1), http.StatusRequestEntityTooLarge},
		{"/slack/interactive", "payload=%7B", http.StatusBadRequest},
		{"/slack/interactive", "", http.StatusBadRequest},
		{"/slack/interactive?payload=%7B%7D", "", http.StatusBadRequest},
		{"/slack/interactive", "payload=%7B%22type%22%3A%22view_closed%22%7D", http.StatusOK},
		{"/slack/interactive", click, http.StatusOK},
		{"/slack/other", "", http.StatusNotFound},
	} {
		if w := post(c.path, c.body, signed); w.Code != c.want {
			t.Errorf("%s %.40s: %d, want %d", c.path, c.body, w.Code, c.want)
		}
	}
	if s.intake.outstanding != 1 {
		t.Errorf("%d deliveries taken, want the click", s.intake.outstanding)
	}
	if w := post("/slack/command", "team_id=T1&user_id=U1&command=%2Ftel&trigger_id=1", signed); w.Body.Len() != 0 {
		t.Errorf("the acknowledgement says %s", w.Body)
	}
	s.Refuse()
	if w := post("/slack/command", "team_id=T1&user_id=U1&command=%2Ftel&trigger_id=2", signed); !strings.Contains(w.Body.String(), "NOT accepted") {
		t.Errorf("a stopping gateway says %s", w.Body)
	}
}

func FuzzPayloads(f *testing.F) {
	for _, seed := range []string{`{"team_id":"T","user_id":"U","command":"/tel"}`, `{"type":"block_actions","user":{"id":"U"},"actions":[{"action_id":"a","value":1}]}`, `[]`, `{"actions":null}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := commandFromJSON(raw); err == nil && (c.User == "" || c.Team == "" || c.Name == "") {
			t.Errorf("half a command: %+v", c)
		}
		if c, found, err := clickFromJSON(raw); found && (err != nil || c.User == "" || c.Action == "") {
			t.Errorf("half a click: %+v, %v", c, err)
		}
	})
}
