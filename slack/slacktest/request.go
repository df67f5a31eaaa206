package slacktest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Sign makes the two headers of a signed request, X-Slack-Request-Timestamp and X-Slack-Signature, version v0 (Slack docs:
// verifying requests).
func Sign(secret string, at time.Time, body []byte) (timestamp, signature string) {
	timestamp = strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(mac, "v0:%s:%s", timestamp, body) // a hash takes everything
	return timestamp, "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// newClient sends to the app: no redirects (assumed), and no connection stays open.
func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// request delivers in HTTP mode. Whatever is not status 200 failed (Slack docs: slash commands).
func (w *Workspace) request(ctx context.Context, target string, d *delivery) (json.RawMessage, error) {
	body := d.form.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(target, "/")+d.path, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDispatch, err)
	}
	timestamp, signature := Sign(w.cfg.SigningSecret, w.cfg.Now(), []byte(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	r.Header.Set("X-Slack-Request-Timestamp", timestamp)
	r.Header.Set("X-Slack-Signature", signature)
	resp, err := w.client.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: %w", ErrDispatch, err)
	}
	defer func() { _ = resp.Body.Close() }()
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDispatch, err)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: status %d", ErrDispatch, resp.StatusCode)
	}
	w.mu.Lock()
	w.acked[d.id] = true
	w.bump()
	w.mu.Unlock()
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") || len(said) == 0 {
		return said, nil
	}
	return json.Marshal(string(said)) // plain text is the answer itself
}
