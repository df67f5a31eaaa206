package slacktest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"telgate/slack/slacktest"
)

// app serves HTTP mode.
func (o *office) app(h http.HandlerFunc) {
	s := httptest.NewServer(h)
	o.t.Cleanup(s.Close)
	o.SetRequestURL(s.URL)
}

func TestASignatureIsTheOneOfTheDocumentation(t *testing.T) {
	t.Parallel()
	body := "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
		"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com" +
		"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	ts, sig := slacktest.Sign("8f742231b10e8888abcd99yyyzzz85a5", time.Unix(1531420618, 0), []byte(body))
	if ts != "1531420618" || sig != "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503" {
		t.Errorf("%s %s", ts, sig)
	}
}

func TestHTTPModeDeliversSignedForms(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var paths []string
	var form url.Values
	o.app(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		ts, sig := slacktest.Sign("test-secret", o.clock.Now(), body)
		if r.Header.Get("X-Slack-Request-Timestamp") != ts || r.Header.Get("X-Slack-Signature") != sig {
			rw.WriteHeader(http.StatusUnauthorized)
		}
		form, _ = url.ParseQuery(string(body))
		paths = append(paths, r.URL.Path)
		if r.URL.Path == "/slack/command" {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(rw, `{"text":"on it"}`)
		}
	})
	answer, err := o.Type(t.Context(), "U0ADA", "C0OPS", "/tel bob")
	if err != nil || answer != "on it" || form.Get("command") != "/tel" || form.Get("text") != "bob" || form.Get("user_id") != "U0ADA" {
		t.Errorf("%q %v %v", answer, err, form)
	}
	if err := o.Redeliver(t.Context()); err != nil {
		t.Error(err)
	}
	ts := o.want(o.ask("chat.postMessage", "channel", "C0OPS", "text", "x", "blocks", stopBlocks), "").TS
	if err := o.Click(t.Context(), "U0ADA", "C0OPS", ts, "next", false); err != nil || form.Get("payload") == "" {
		t.Errorf("%v %v", err, form)
	}
	if len(paths) != 3 || paths[1] != "/slack/command" || paths[2] != "/slack/interactive" {
		t.Errorf("%v", paths)
	}
}

func TestHTTPModeFailsInSight(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.app(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusUnauthorized) })
	if _, err := o.Type(t.Context(), "U0ADA", "C0OPS", "/tel bob"); !errors.Is(err, slacktest.ErrDispatch) {
		t.Error(err)
	}
	o.app(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	if _, err := o.Type(t.Context(), "U0ADA", "C0OPS", "/tel bob"); !errors.Is(err, slacktest.ErrTimeout) {
		t.Error(err)
	}
	o.SetRequestURL("http://127.0.0.1:1")
	if _, err := o.Type(t.Context(), "U0ADA", "C0OPS", "/tel bob"); !errors.Is(err, slacktest.ErrDispatch) {
		t.Error(err)
	}
	if seen := o.Seen("U0ADA", "C0OPS"); len(seen) != 3 {
		t.Errorf("%+v", seen)
	}
}

func TestAPlainAnswerIsTheMessage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.app(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "on it") })
	if answer, err := o.Type(t.Context(), "U0ADA", "C0OPS", "/tel bob"); err != nil || answer != "on it" {
		t.Errorf("%q %v", answer, err)
	}
}

func TestWaitEndsWithItsContextOrTheWorkspace(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.Wait(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	o.app(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		go o.Close()
		<-r.Context().Done()
	})
	if _, err := o.Type(t.Context(), "U0ADA", "C0OPS", "/tel bob"); !errors.Is(err, slacktest.ErrClosed) {
		t.Error(err)
	}
	o.Close()
	if err := o.Wait(t.Context(), func() bool { return false }); !errors.Is(err, slacktest.ErrClosed) {
		t.Error(err)
	}
	if _, err := o.Type(t.Context(), "U0ADA", "C0OPS", "/tel bob"); err == nil {
		t.Error("typed after the end")
	}
}
