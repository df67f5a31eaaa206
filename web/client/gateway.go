package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"telgate/web"
)

// Status is how the gateway stands.
func (c *Client) Status(ctx context.Context) (web.Status, error) {
	var s web.Status
	err := c.call(ctx, http.MethodGet, "/status", nil, &s)
	return s, err
}

// Reload has the configuration read again.
func (c *Client) Reload(ctx context.Context) (web.Reloaded, error) {
	var r web.Reloaded
	err := c.call(ctx, http.MethodPost, "/reload", struct{}{}, &r)
	return r, err
}

// Pause throws the kill switch.
func (c *Client) Pause(ctx context.Context, r web.PauseRequest) (web.Done, error) {
	return c.do(ctx, "/pause", r)
}

// Resume takes the kill switch back.
func (c *Client) Resume(ctx context.Context) error {
	_, err := c.do(ctx, "/resume", struct{}{})
	return err
}

// Backup writes what is stored to a file of the gateway's machine.
func (c *Client) Backup(ctx context.Context, file string) error {
	_, err := c.do(ctx, "/backup", web.BackupRequest{File: file})
	return err
}

// Forget erases the numbers of a person.
func (c *Client) Forget(ctx context.Context, nick string) (web.Done, error) {
	return c.do(ctx, "/forget", web.ForgetRequest{Person: nick})
}

// Covers gives covers in force and to come to each.
func (c *Client) Covers(ctx context.Context, each func(cover []byte) error) error {
	return c.lines(ctx, http.MethodGet, "/covers", nil, each)
}

// Cover has somebody stand in for somebody else.
func (c *Client) Cover(ctx context.Context, r web.CoverRequest) (cover web.CoverLine, err error) {
	err = c.call(ctx, http.MethodPost, "/cover", r, &cover)
	return cover, err
}

// Uncover ends covers, and gives them to each.
func (c *Client) Uncover(ctx context.Context, r web.CoverRequest, each func(cover []byte) error) error {
	return c.lines(ctx, http.MethodPost, "/uncover", r, each)
}

// Mutes gives who is not called now to each.
func (c *Client) Mutes(ctx context.Context, each func(mute []byte) error) error {
	return c.lines(ctx, http.MethodGet, "/mutes", nil, each)
}

// Mute keeps somebody's phones quiet for a while.
func (c *Client) Mute(ctx context.Context, r web.MuteRequest) (mute web.MuteLine, err error) {
	err = c.call(ctx, http.MethodPost, "/mute", r, &mute)
	return mute, err
}

// Unmute has somebody called again.
func (c *Client) Unmute(ctx context.Context, who string) (mute web.MuteLine, err error) {
	err = c.call(ctx, http.MethodPost, "/unmute", web.MuteRequest{Who: who}, &mute)
	return mute, err
}

// Audit gives entries to each, newest first.
func (c *Client) Audit(ctx context.Context, since, until time.Time, limit int, each func(entry []byte) error) error {
	v := url.Values{"limit": {strconv.Itoa(limit)}}
	for name, t := range map[string]time.Time{"since": since, "until": until} {
		if !t.IsZero() {
			v.Set(name, t.UTC().Format(time.RFC3339))
		}
	}
	return c.lines(ctx, http.MethodGet, "/audit?"+v.Encode(), nil, each)
}

func (c *Client) do(ctx context.Context, path string, in any) (web.Done, error) {
	var d web.Done
	err := c.call(ctx, http.MethodPost, path, in, &d)
	return d, err
}
