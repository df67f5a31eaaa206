package web

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestHealthzSays503UntilTheGatewayIsReady(t *testing.T) {
	for _, ready := range []bool{false, true} {
		s := New("", func() Health { return Health{Ready: ready, Parts: map[string]string{"slack": "connected"}} }, nil, quiet(), nil)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		want := http.StatusOK
		if !ready {
			want = http.StatusServiceUnavailable
		}
		if w.Code != want {
			t.Errorf("ready %v: status %d, want %d", ready, w.Code, want)
		}
		var got Health
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Parts["slack"] != "connected" {
			t.Errorf("body %q: %v", w.Body, err)
		}
	}
}

func TestSlacksHandlerIsMountedOnlyWhereThereIsOne(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) })
	for _, c := range []struct {
		slack http.Handler
		code  int
	}{{nil, http.StatusNotFound}, {echo, http.StatusOK}} {
		s := New("", func() Health { return Health{} }, c.slack, quiet(), nil)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/slack/command", strings.NewReader("x")))
		if w.Code != c.code {
			t.Errorf("slack %v: status %d, want %d", c.slack != nil, w.Code, c.code)
		}
	}
}

func TestRunServesUntilTheContextEnds(t *testing.T) {
	bound := make(chan string, 1)
	listen := func(ctx context.Context, network, address string) (net.Listener, error) {
		l, err := new(net.ListenConfig).Listen(ctx, network, address)
		if err == nil {
			bound <- l.Addr().String()
		}
		return l, err
	}
	s := New("127.0.0.1:0", func() Health { return Health{Ready: true} }, nil, quiet(), listen)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + <-bound + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRunSaysWhichAddressCannotBeHad(t *testing.T) {
	listen := func(ctx context.Context, network, address string) (net.Listener, error) {
		return new(net.ListenConfig).Listen(ctx, network, address)
	}
	err := New("192.0.2.1:1", func() Health { return Health{} }, nil, quiet(), listen).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "192.0.2.1:1") {
		t.Errorf("error %v does not name the address", err)
	}
}
