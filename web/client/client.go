// Package client asks a gateway over its HTTP API: on this machine over the gateway's socket, elsewhere by URL and token.
//
// It follows no page further than one stream goes: who wants to see more asks again, from the last event that arrived.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"telgate/web"
)

// Limits of a client: a gateway that hangs is told from one that works.
const (
	dialTimeout   = 5 * time.Second
	answerTimeout = 5 * time.Minute // a backup takes its time
	answerBytes   = 64 << 20
)

// ErrNobody says that no gateway answers there.
var ErrNobody = errors.New("no gateway answers")

// Client asks one gateway. Its methods are safe for concurrent use.
type Client struct {
	http  *http.Client
	base  string
	token string
}

// Socket asks the gateway whose socket this is.
func Socket(path string) *Client {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &Client{base: "http://telgate", http: newHTTP(func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "unix", path)
	})}
}

// Server asks the gateway at a URL, as whoever has the token.
func Server(address, token string, dial func(ctx context.Context, network, address string) (net.Conn, error)) (*Client, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q is no address such as https://telgate.example.com", address)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the address of a gateway has a host and perhaps a path, and no more")
	case token == "":
		return nil, errors.New("a gateway elsewhere wants a token: set TELGATE_TOKEN")
	}
	return &Client{base: strings.TrimSuffix(u.String(), "/"), token: token, http: newHTTP(dial)}, nil
}

func newHTTP(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Transport: &http.Transport{DialContext: dial, TLSHandshakeTimeout: dialTimeout, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a token is for nobody else
		},
	}
}

// call makes one request whose answer is an object; into may be nil.
func (c *Client) call(ctx context.Context, method, path string, in, into any, headers ...string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	res, err := c.send(ctx, method, path, in, headers...)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, answerBytes))
	if err != nil {
		return fmt.Errorf("read the gateway's answer: %w", err)
	}
	if raw, ok := into.(*[]byte); ok {
		*raw = bytes.TrimSpace(b)
		return nil
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read the gateway's answer: %w", err)
	}
	return nil
}

// send makes one request; an answer that says no is a [*web.Error], a connection that cannot be had [ErrNobody].
func (c *Client) send(ctx context.Context, method, path string, in any, headers ...string) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("ask the gateway: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+web.Version+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask the gateway: %w", err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.http.Do(req)
	if err != nil {
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
			return nil, fmt.Errorf("%w: %w", ErrNobody, op)
		}
		return nil, fmt.Errorf("ask the gateway: %w", err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	return nil, refusal(res)
}

// refusal reads why an answer says no.
func refusal(res *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("read the gateway's answer: %w", err)
	}
	e := &web.Error{}
	if json.Unmarshal(b, e) != nil || e.Message == "" {
		return fmt.Errorf("what answers is no gateway: it says %s", res.Status)
	}
	return e
}
