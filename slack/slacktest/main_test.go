package slacktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"telgate/slack/slacktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// office is a workspace with people in it, and the plainest of clients.
type office struct {
	*slacktest.Workspace
	t     *testing.T
	clock *clock
}

func newOffice(t *testing.T, with ...func(*slacktest.Config)) *office {
	t.Helper()
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	cfg := slacktest.Config{Now: c.Now}
	for _, f := range with {
		f(&cfg)
	}
	w, err := slacktest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.AddUser(slacktest.User{ID: "U0ADA", Name: "ada"})
	w.AddUser(slacktest.User{ID: "U0BOB", Name: "bob"})
	w.AddUserGroup("S0DB", "db", "U0ADA", "U0BOB")
	w.AddChannel(slacktest.Channel{ID: "C0OPS", Name: "ops", BotIn: true})
	w.AddChannel(slacktest.Channel{ID: "C0HALL", Name: "hall"})
	w.AddChannel(slacktest.Channel{ID: "G0BOARD", Name: "board", Private: true})
	w.AddChannel(slacktest.Channel{ID: "D0PAIR", DM: true})
	return &office{w, t, c}
}

// reply is what came back.
type reply struct {
	Status   int
	Header   http.Header
	OK       bool   `json:"ok"`
	Error    string `json:"error"`
	Channel  any    `json:"channel"`
	TS       string `json:"ts"`
	URL      string `json:"url"`
	Needed   string `json:"needed"`
	Provided string `json:"provided"`
	Metadata struct {
		Messages []string `json:"messages"`
		Next     string   `json:"next_cursor"`
	} `json:"response_metadata"`
	Raw string
}

// ask calls a method with the bot's token and a form, as pairs of keys and values.
func (o *office) ask(method string, pairs ...string) reply {
	o.t.Helper()
	return o.askAs("xoxb-test-bot", method, pairs...)
}

func (o *office) askAs(token, method string, pairs ...string) reply {
	o.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodPost, o.APIURL()+method, strings.NewReader(form.Encode()))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return o.do(r)
}

func (o *office) do(r *http.Request) reply {
	o.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return reply{Error: "transport: " + err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	out := reply{Status: resp.StatusCode, Header: resp.Header, Raw: string(body)}
	_ = json.Unmarshal(body, &out)
	return out
}

// want fails the test unless the answer is this error, "" for none.
func (o *office) want(r reply, code string) reply {
	o.t.Helper()
	if r.Error != code || r.OK != (code == "") {
		o.t.Fatalf("want error %q, got status %d: %s%s", code, r.Status, r.Error, r.Raw)
	}
	return r
}

// post posts text into the channel and returns its timestamp.
func (o *office) post(channel, text string) string {
	o.t.Helper()
	return o.want(o.ask("chat.postMessage", "channel", channel, "text", text), "").TS
}

// only is the single message that ada sees in the channel.
func (o *office) only(channel string) slacktest.Message {
	o.t.Helper()
	seen := o.Seen("U0ADA", channel)
	if len(seen) != 1 {
		o.t.Fatalf("want one message in %s, got %+v", channel, seen)
	}
	return seen[0]
}

// wait waits until done, at most ten seconds.
func (o *office) wait(done func() bool) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), 10*time.Second)
	defer cancel()
	if err := o.Wait(ctx, done); err != nil {
		o.t.Fatal(err)
	}
}

// frame is what arrives on a socket.
type frame struct {
	Type    string          `json:"type"`
	Reason  string          `json:"reason"`
	Count   int             `json:"num_connections"`
	ID      string          `json:"envelope_id"`
	Payload json.RawMessage `json:"payload"`
}

// link is a Socket Mode connection that does nothing by itself.
type link struct {
	*websocket.Conn
	t *testing.T
}

// ticket is the address of a new connection.
func (o *office) ticket() string {
	o.t.Helper()
	return o.want(o.askAs("xapp-test-app", "apps.connections.open"), "").URL
}

// connect opens a connection and reads the greeting.
func (o *office) connect() (*link, frame) {
	o.t.Helper()
	conn, resp, err := websocket.DefaultDialer.DialContext(o.t.Context(), o.ticket(), nil)
	if err != nil {
		o.t.Fatal(err)
	}
	_ = resp.Body.Close()
	o.t.Cleanup(func() { _ = conn.Close() })
	l := &link{conn, o.t}
	return l, l.next()
}

// next reads a frame; the test fails if none comes.
func (l *link) next() frame {
	l.t.Helper()
	_ = l.SetReadDeadline(time.Now().Add(10 * time.Second))
	var f frame
	if err := l.ReadJSON(&f); err != nil {
		l.t.Fatalf("no frame: %v", err)
	}
	return f
}

func (l *link) write(text string) {
	l.t.Helper()
	if err := l.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		l.t.Fatal(err)
	}
}

// fence returns when everything written so far was read; nothing can be read from the connection afterwards.
func (l *link) fence() {
	l.t.Helper()
	ponged := make(chan struct{})
	l.SetPongHandler(func(string) error { close(ponged); return errors.New("ponged") })
	if err := l.WriteControl(websocket.PingMessage, nil, time.Now().Add(5*time.Second)); err != nil {
		l.t.Fatal(err)
	}
	_, _, _ = l.ReadMessage()
	<-ponged
}

// acknowledge answers an envelope; body "" is an empty acknowledgement.
func (l *link) acknowledge(id, body string) {
	l.t.Helper()
	if body != "" {
		body = `,"payload":` + body
	}
	l.write(`{"envelope_id":"` + id + `"` + body + `}`)
}

// typed is a command whose Type runs in the background.
type typed struct {
	answer string
	err    error
}

// types types in the background.
func (o *office) types(user, channel, text string) <-chan typed {
	out := make(chan typed, 1)
	go func() {
		a, err := o.Type(context.WithoutCancel(o.t.Context()), user, channel, text)
		out <- typed{a, err}
	}()
	return out
}
