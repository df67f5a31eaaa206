package slack

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

type doing func(*http.Request) (*http.Response, error)

func (d doing) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestAStormOfOpeningsIsSlowedDownAndForgottenInQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := 0
		th := newThrottle(doing(func(*http.Request) (*http.Response, error) { opened++; return &http.Response{}, nil }), time.Now)
		open := func(ctx context.Context, method string) error {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://slack.test/api/"+method, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := th.Do(r)
			if err == nil && res.Body != nil {
				_ = res.Body.Close()
			}
			return err
		}
		began := time.Now()
		for range 10 {
			if err := open(t.Context(), "apps.connections.open"); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); opened != 10 || took != (1+2+4+8+16+32+60+60+60)*time.Second {
			t.Errorf("%d openings took %s", opened, took)
		}
		began = time.Now()
		if _ = open(t.Context(), "chat.postMessage"); time.Since(began) != 0 {
			t.Error("another method was slowed down")
		}
		pause(t.Context(), 2*time.Minute)
		began = time.Now()
		if _ = open(t.Context(), "apps.connections.open"); time.Since(began) != 0 {
			t.Error("quiet did not help")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := open(ctx, "apps.connections.open"); err == nil {
			t.Error("a request that was called off went out")
		}
	})
}
