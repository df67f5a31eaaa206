//go:build e2e

package testbed

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"telgate/prompts"
	"telgate/slack/slacktest"
)

// patience is how long a story may take: the longest one is busy three times, 20 s apart.
const patience = 3 * time.Minute

// office is a workspace and the real gateway that serves it.
type office struct {
	*slacktest.Workspace
	gateway *exec.Cmd

	mu    sync.Mutex
	calls map[string][]logged // by person
	log   strings.Builder
}

// logged is what the gateway's log says of a call.
type logged struct {
	Msg       string `json:"msg"`
	Person    string `json:"person"`
	Outcome   string `json:"outcome"`
	SIPCallID string `json:"sip_call_id"`
}

func open(t *testing.T) *office {
	t.Helper()
	w, err := slacktest.New(slacktest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	o := &office{Workspace: w, calls: map[string][]logged{}}
	common, err := os.ReadFile("/etc/telgate/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	as := w.Config()
	path := filepath.Join(t.TempDir(), "config.toml")
	text := string(common) + fmt.Sprintf("\n[slack]\nmode = \"socket\"\nbot_token = %q\napp_token = %q\napi_url = %q\nallow_users = [%s]\n[log]\nformat = \"json\"\n",
		as.BotToken, as.AppToken, w.APIURL(), o.people(t))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o.gateway = exec.Command("telgate", "--config", path, "serve")
	stderr, err := o.gateway.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := o.gateway.Start(); err != nil {
		t.Fatal(err)
	}
	go o.read(stderr)
	o.ready(t)
	return o
}

// people adds an asker and a channel for every story: limits and Slack's own pace are not what is told here.
func (o *office) people(t *testing.T) string {
	t.Helper()
	var ids []string
	for i, s := range stories() {
		o.AddUser(slacktest.User{ID: asker(i), Name: "asker-" + s.who})
		o.AddChannel(slacktest.Channel{ID: channel(i), Name: s.who, BotIn: true})
		ids = append(ids, fmt.Sprintf("%q", asker(i)))
	}
	return strings.Join(ids, ", ")
}

func asker(i int) string   { return fmt.Sprintf("U%03d", i) }
func channel(i int) string { return fmt.Sprintf("C%03d", i) }

func (o *office) read(log io.Reader) {
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var l logged
		_ = json.Unmarshal(lines.Bytes(), &l)
		o.mu.Lock()
		o.log.WriteString(lines.Text() + "\n")
		if l.Msg == "call ended" {
			o.calls[l.Person] = append(o.calls[l.Person], l)
		}
		o.mu.Unlock()
	}
}

// ready waits until /healthz says that pages are taken.
func (o *office) ready(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(20 * time.Second); ; <-tick.C {
		res, err := http.Get("http://127.0.0.1:8080/healthz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(limit) {
			t.Fatalf("the gateway is not ready: %v\n%s", err, o.said())
		}
	}
}

func (o *office) said() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.String()
}

// last is the newest call to a person in the log. The card may be read before the log is.
func (o *office) last(t *testing.T, person string) logged {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(5 * time.Second); ; <-tick.C {
		o.mu.Lock()
		all := o.calls[person]
		o.mu.Unlock()
		if len(all) > 0 {
			return all[len(all)-1]
		}
		if time.Now().After(limit) {
			t.Fatalf("the log has no call to %s:\n%s", person, o.said())
		}
	}
}

func TestSlackIsToldTheTruthAboutWhatAsteriskDoes(t *testing.T) {
	library, err := prompts.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	alert := library.PCM(prompts.NameAlert, "en")
	o := open(t)
	t.Run("stories", func(t *testing.T) {
		for i, s := range stories() {
			t.Run(s.who, func(t *testing.T) {
				t.Parallel()
				card := o.tell(t, i, s)
				call := o.last(t, s.who)
				if !strings.Contains(card, "*"+standing(s.exit)+"*") || !strings.Contains(card, s.card) {
					t.Errorf("the card says:\n%s\nwant %q and %q", card, standing(s.exit), s.card)
				}
				if call.Outcome != s.outcome {
					t.Errorf("outcome %q, want %q", call.Outcome, s.outcome)
				}
				if s.heard {
					heard(t, call.SIPCallID, alert)
				}
			})
		}
	})
	o.stops(t)
}

// tell types the command and returns the card when its page has ended.
func (o *office) tell(t *testing.T, i int, s story) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if answer, err := o.Type(ctx, asker(i), channel(i), "/tel "+s.who+" story"); err != nil || answer != "" {
		t.Fatalf("answer %q, %v", answer, err)
	}
	var card string
	if err := o.Wait(ctx, func() bool {
		for _, m := range o.Messages(channel(i)) {
			if m.ThreadTS == "" && strings.Contains(m.Plain(), "[Call again]") {
				card = m.Plain()
				return true
			}
		}
		return false
	}); err != nil {
		t.Fatalf("no end: %v; %v; the gateway said:\n%s", err, o.Seen(asker(i), channel(i)), o.said())
	}
	return card
}

// stops sees that SIGTERM ends an idle gateway at once, and well.
func (o *office) stops(t *testing.T) {
	t.Helper()
	if err := o.gateway.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := o.gateway.Wait(); err != nil {
		t.Errorf("serve ended: %v\n%s", err, o.said())
	}
	for _, r := range o.Refused() {
		t.Errorf("Slack refused %+v", r)
	}
}
