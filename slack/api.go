package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	slackgo "github.com/slack-go/slack"
)

const (
	slackURL    = slackgo.APIURL
	callTimeout = 10 * time.Second // of one request to Slack; slack-go's own client would wait for ever
)

// client is the handful of Web API methods that are used, with a deadline on each. It never retries: the courier does,
// with whatever is newest by then.
type client struct {
	http    *http.Client
	current atomic.Pointer[slackgo.Client]
}

func newClient(cfg Config, env Env) *client {
	c := &client{http: env.HTTP}
	c.use(webClient(cfg, env.HTTP))
	return c
}

// use has every further request made by this one, which has other tokens.
func (c *client) use(web *slackgo.Client) { c.current.Store(web) }

func (c *client) web() *slackgo.Client { return c.current.Load() }

type doer interface {
	Do(r *http.Request) (*http.Response, error)
}

func webClient(cfg Config, via doer) *slackgo.Client {
	return slackgo.New(cfg.BotToken,
		slackgo.OptionAppLevelToken(cfg.AppToken), slackgo.OptionHTTPClient(via), slackgo.OptionAPIURL(cfg.APIURL))
}

// place is where a message is: channel as Slack returned it (a DM's "D…", never a user id) and timestamp.
type place struct{ channel, ts string }

// errNoTimestamp is "ok" without the one thing that lets us edit the message.
var errNoTimestamp = errors.New("slack said ok but gave no timestamp")

// post sends a new message; thread is the timestamp to answer under, "" for none.
func (c *client) post(ctx context.Context, channel, thread string, m message) (place, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	options := m.options()
	if thread != "" {
		options = append(options, slackgo.MsgOptionTS(thread))
	}
	at, ts, err := c.web().PostMessageContext(ctx, channel, options...)
	if err == nil && (ts == "" || at == "") {
		err = errNoTimestamp
	}
	return place{at, ts}, err
}

// update replaces a message. Text and blocks always go together: text alone would remove the blocks.
func (c *client) update(ctx context.Context, at place, m message) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, _, _, err := c.web().UpdateMessageContext(ctx, at.channel, at.ts, m.options()...)
	return err
}

// history gives messages of a conversation, the newest first, with their metadata, and where it goes on, "" at the end.
func (c *client) history(ctx context.Context, channel string, oldest, latest time.Time, cursor string) (messages []slackgo.Message, next string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := c.web().GetConversationHistoryContext(ctx, &slackgo.GetConversationHistoryParameters{
		ChannelID: channel, Oldest: stamp(oldest), Latest: stamp(latest), Cursor: cursor, Limit: seekPage, Inclusive: true, IncludeAllMetadata: true,
	})
	if err != nil {
		return nil, "", err
	}
	return r.Messages, r.ResponseMetaData.NextCursor, nil
}

// stamp is a moment as a timestamp of Slack's.
func stamp(t time.Time) string { return fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000) }

// permalink is the address of a message, for people.
func (c *client) permalink(ctx context.Context, at place) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return c.web().GetPermalinkContext(ctx, &slackgo.PermalinkParameters{Channel: at.channel, Ts: at.ts})
}

// whisper posts a sentence that only one user sees.
func (c *client) whisper(ctx context.Context, channel, user, text string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := c.web().PostEphemeralContext(ctx, channel, user, slackgo.MsgOptionText(text, false))
	return err
}

// openDM gives the conversation between the bot and a user.
func (c *client) openDM(ctx context.Context, user string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ch, _, _, err := c.web().OpenConversationContext(ctx, &slackgo.OpenConversationParameters{Users: []string{user}})
	if err != nil {
		return "", err
	}
	if ch == nil || ch.ID == "" {
		return "", errors.New("slack opened a conversation without an id")
	}
	return ch.ID, nil
}

// respond answers at a response_url, visible to its user only. It works where the bot is no member; Slack takes at most
// five within thirty minutes.
func (c *client) respond(ctx context.Context, responseURL, text string) error {
	ctx, cancel := context.WithTimeout(ctx, respondTimeout)
	defer cancel()
	err := slackgo.PostWebhookCustomHTTPContext(ctx, responseURL, c.http,
		&slackgo.WebhookMessage{Text: text, ResponseType: slackgo.ResponseTypeEphemeral})
	if at, ok := errors.AsType[*url.Error](err); ok { // who has the address may post: it stays out of the log
		return fmt.Errorf("answer at the response_url: %w", at.Err)
	}
	return err
}

// identity is whom our bot token belongs to; its Header names the scopes.
func (c *client) identity(ctx context.Context) (*slackgo.AuthTestResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	p, err := c.web().AuthTestContext(ctx)
	if err == nil && p.TeamID == "" {
		err = errors.New("slack named no workspace")
	}
	return p, err
}

// guest tells whether a user is a guest, of another organisation, or gone (users.info).
func (c *client) guest(ctx context.Context, user string) (bool, error) {
	u, err := c.web().GetUserInfoContext(ctx, user)
	if err != nil {
		return false, err
	}
	return u.IsRestricted || u.IsUltraRestricted || u.IsStranger || u.IsBot || u.Deleted, nil
}

// groupMembers are the user ids in a user group.
func (c *client) groupMembers(ctx context.Context, group string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return c.web().GetUserGroupMembersContext(ctx, group)
}

// code is Slack's word for an error, "" if Slack did not say one.
func code(err error) string {
	if e, ok := errors.AsType[slackgo.SlackErrorResponse](err); ok {
		return e.Err
	}
	return ""
}

// limited tells whether Slack asked us to slow down, and for how long: 0 where it did not say.
func limited(err error) (wait time.Duration, yes bool) {
	if e, ok := errors.AsType[*slackgo.RateLimitedError](err); ok {
		return e.RetryAfter, true
	}
	if e, ok := errors.AsType[slackgo.StatusCodeError](err); ok && e.Code == http.StatusTooManyRequests {
		return 0, true
	}
	return 0, code(err) == "ratelimited" || code(err) == "rate_limited"
}

// describe adds to an error what Slack says about scopes.
func describe(err error) string {
	if e, ok := errors.AsType[slackgo.SlackErrorResponse](err); ok && e.Needed != "" {
		return fmt.Sprintf("%s (needs %s)", e.Err, e.Needed)
	}
	return err.Error()
}

// apiURL completes the address of the Web API; slack-go appends method names to it as it is.
func apiURL(s string) (string, error) {
	if s == "" {
		return slackURL, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is not an http or https address", s)
	}
	return strings.TrimSuffix(s, "/") + "/", nil
}

func hasPrefix(s, prefix string) bool { return strings.HasPrefix(s, prefix) && len(s) > len(prefix) }
