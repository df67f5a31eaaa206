package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"telgate"
	"telgate/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gateway is what answers, and a client of it.
func gateway(t *testing.T, answer http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	c, err := Server(s.URL, "sesame", new(net.Dialer).DialContext)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhereNoSocketIsNobodyAnswers(t *testing.T) {
	_, err := Socket(filepath.Join(t.TempDir(), "none")).Status(t.Context())
	if !errors.Is(err, ErrNobody) {
		t.Errorf("%v", err)
	}
}

func TestARefusalArrivesAsItWasGiven(t *testing.T) {
	c := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(web.KeyHeader) != "k" || r.Header.Get("Authorization") != "Bearer sesame" || r.URL.Path != "/v1/pages" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"v":1,"reason":"unknown_name","message":"Who?","suggestions":["alice"]}`)
	})
	_, err := c.Submit(t.Context(), web.PageRequest{Who: []string{"alcie"}}, "k")
	e, ok := errors.AsType[*web.Error](err)
	if !ok || e.Refusal().Reason != telgate.RefusedUnknownName || e.Refusal().Suggestions[0] != "alice" {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNoGatewayIsToldApart(t *testing.T) {
	c := gateway(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) })
	if _, err := c.Status(t.Context()); err == nil || !strings.Contains(err.Error(), "what answers is no gateway: it says 502") {
		t.Errorf("%v", err)
	}
}

func TestATokenIsForNobodyElse(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the client was led away") }))
	defer elsewhere.Close()
	c := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	if _, err := c.Status(t.Context()); err == nil {
		t.Error("an answer from elsewhere was taken")
	}
}

func TestOnlyAnAddressWithATokenIsAServer(t *testing.T) {
	for _, address := range []string{"", "telgate", "ftp://x", "http://", "http://u:p@x", "http://x?y", "https://x#y"} {
		if _, err := Server(address, "t", nil); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
	if _, err := Server("https://telgate.example.com/", "", nil); err == nil || !strings.Contains(err.Error(), "TELGATE_TOKEN") {
		t.Errorf("%v", err)
	}
}

func TestEmptyLinesOfAStreamAreSignsOfLifeAndNoMore(t *testing.T) {
	c := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.String() != "/v1/pages/p1/events?after=7&numbers=true" {
			t.Error(r.URL)
		}
		_, _ = io.WriteString(w, "\n{\"a\":1}\n\n\n{\"b\":2}\n")
	})
	var got []string
	err := c.Events(t.Context(), "p1", 7, Form{Numbers: true}, func(b []byte) error { got = append(got, string(b)); return nil })
	if err != nil || strings.Join(got, " ") != `{"a":1} {"b":2}` {
		t.Errorf("%v %v", got, err)
	}
}

func TestAStreamThatBreaksInTheMiddleIsAnError(t *testing.T) {
	c := gateway(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "{\"a\":1}\n")
	})
	if err := c.Events(t.Context(), "p1", 0, Form{}, func([]byte) error { return nil }); err == nil {
		t.Error("it looks whole")
	}
}

func TestAReaderWhoLeavesIsNoFaultOfTheGateway(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	c := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "{}\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	err := c.Events(ctx, "p1", 0, Form{}, func([]byte) error { leave(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
