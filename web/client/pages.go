package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"telgate"
	"telgate/web"
)

// silence is how long a stream may say nothing: a gateway that lives says so four times as often.
const silence = time.Minute

// lineBytes is how long one line of an answer may be.
const lineBytes = 16 << 20

// Form says how pages and events are to be written.
type Form struct {
	Numbers bool // whole
	Trace   bool // with the SIP messages of calls
	Short   bool // in lists: see [telgate.Summary], which has neither
}

func (f Form) values() url.Values {
	v := url.Values{}
	if f.Numbers {
		v.Set("numbers", "true")
	}
	if f.Trace {
		v.Set("trace", "true")
	}
	if f.Short {
		v.Set("form", web.ShortForm)
	}
	return v
}

// Submit asks for a page; the same key gets the same answer.
func (c *Client) Submit(ctx context.Context, r web.PageRequest, key string) (web.PageReceipt, error) {
	var receipt web.PageReceipt
	err := c.call(ctx, http.MethodPost, "/pages", r, &receipt, web.KeyHeader, key)
	return receipt, err
}

// Page is a page as it is now, in its public form.
func (c *Client) Page(ctx context.Context, id telgate.PageID, f Form) ([]byte, error) {
	var raw []byte
	err := c.call(ctx, http.MethodGet, "/pages/"+url.PathEscape(string(id))+"?"+f.values().Encode(), nil, &raw)
	return raw, err
}

// Stop ends a page.
func (c *Client) Stop(ctx context.Context, id telgate.PageID) error {
	return c.call(ctx, http.MethodPost, "/pages/"+url.PathEscape(string(id))+"/stop", struct{}{}, nil)
}

// History gives pages to each, newest first, in their public form.
func (c *Client) History(ctx context.Context, q web.HistoryQuery, f Form, each func(page []byte) error) error {
	v := f.values()
	for name, t := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !t.IsZero() {
			v.Set(name, t.UTC().Format(time.RFC3339))
		}
	}
	if q.Person != "" {
		v.Set("person", q.Person)
	}
	if q.Result != "" {
		v.Set("result", string(q.Result))
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return c.lines(ctx, http.MethodGet, "/pages?"+v.Encode(), nil, each)
}

// Events gives the events of a page to each, from the one after "after" on, in their public form. It returns nil where the
// stream ended by itself: after page_ended, and where the gateway stops.
func (c *Client) Events(ctx context.Context, id telgate.PageID, after int, f Form, each func(event []byte) error) error {
	v := f.values()
	v.Set("after", strconv.Itoa(after))
	return c.lines(ctx, http.MethodGet, "/pages/"+url.PathEscape(string(id))+"/events?"+v.Encode(), nil, each)
}

// lines reads an answer line by line. One that says nothing for too long is cut off.
func (c *Client) lines(ctx context.Context, method, path string, ask any, each func([]byte) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := time.AfterFunc(silence, func() { cancel(fmt.Errorf("the gateway says nothing for %v", silence)) })
	defer quiet.Stop()
	res, err := c.send(ctx, method, path, ask)
	if err != nil {
		return cause(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	in := bufio.NewScanner(res.Body)
	in.Buffer(nil, lineBytes)
	for in.Scan() {
		quiet.Reset(silence)
		if len(in.Bytes()) == 0 { // a sign of life
			continue
		}
		if err := each(in.Bytes()); err != nil {
			return err
		}
	}
	if err := in.Err(); err != nil && !errors.Is(err, io.EOF) {
		return cause(ctx, fmt.Errorf("read from the gateway: %w", err))
	}
	return nil
}

// cause is why a request was cut off, where we did it ourselves.
func cause(ctx context.Context, err error) error {
	if why := context.Cause(ctx); why != nil {
		return why
	}
	return err
}
