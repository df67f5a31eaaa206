package slack

import (
	"context"
	"fmt"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"telgate"
)

// Tokens are what we and Slack know each other by.
type Tokens struct {
	Bot, App      string
	SigningSecret string // http only
}

func (c *Config) tokens() Tokens {
	return Tokens{Bot: c.BotToken, App: c.AppToken, SigningSecret: c.SigningSecret}
}

// with is the configuration with other tokens.
func (c Config) with(t Tokens) Config {
	c.BotToken, c.AppToken, c.SigningSecret = t.Bot, t.App, t.SigningSecret
	return c
}

// Renew has other tokens count from now on, once Slack has taken those that differ (auth.test, apps.connections.open): until
// then, and where it does not take one of them, the old ones do. Connections are replaced one after the other, so that one
// is open all the time. The error is a [telgate.Fault]; nothing has changed then. A signing secret cannot be tried: it counts
// at once.
func (s *Slack) Renew(ctx context.Context, t Tokens) error {
	old := *s.tokens.Load()
	cfg := s.cfg.with(t)
	web := webClient(cfg, s.env.HTTP)
	if t.Bot != old.Bot {
		if err := s.tryBot(ctx, &client{http: s.env.HTTP}, web); err != nil {
			return telgate.Fault{Path: "slack.bot_token", Message: err.Error()}
		}
	}
	if t.App != old.App && s.cfg.Mode == ModeSocket {
		if err := tryApp(ctx, web); err != nil {
			return telgate.Fault{Path: "slack.app_token", Message: err.Error()}
		}
	}
	s.tokens.Store(&t)
	s.api.use(web)
	if t.App != old.App && s.cfg.Mode == ModeSocket {
		s.sockets.renew(ctx, cfg)
	}
	return nil
}

// tryBot asks Slack whose token it is. That of another workspace, or of another bot, cannot edit the cards that there are.
func (s *Slack) tryBot(ctx context.Context, as *client, web *slackgo.Client) error {
	as.use(web)
	id, err := as.identity(ctx)
	if err != nil {
		return refusedToken(err)
	}
	switch team, user := s.workspace.pinned(); {
	case team != "" && id.TeamID != team:
		return fmt.Errorf("the new token is of another workspace, %s: that needs a restart", id.Team)
	case user != "" && id.UserID != user:
		return fmt.Errorf("the new token is of another bot, %s, which cannot edit the cards that there are: that needs a restart", id.User)
	}
	return nil
}

func tryApp(ctx context.Context, web *slackgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, _, err := web.StartSocketModeContext(ctx)
	if _, busy := limited(err); err != nil && !busy { // that Slack counts us means that the token is good
		return refusedToken(err)
	}
	return nil
}

// refusedToken tells a no of Slack's from a Slack that is not there.
func refusedToken(err error) error {
	if code(err) != "" {
		return fmt.Errorf("the new token was refused (%s)", describe(err))
	}
	return fmt.Errorf("Slack could not be asked about the new token (%s)", strings.ReplaceAll(describe(err), "\n", "; ")) //nolint:revive,staticcheck // a name
}

// renewWait is how long a new connection is waited for before the other one is replaced, too.
const renewWait = 10 * time.Second

// renew replaces each connection by one with other tokens.
func (s *sockets) renew(ctx context.Context, cfg Config) {
	s.mu.Lock()
	s.cfg = cfg
	s.mu.Unlock()
	for n := range socketCount {
		s.mu.Lock()
		replace, there := s.replace[n], make(chan struct{})
		delete(s.greeted, n)
		s.there[n] = there
		s.mu.Unlock()
		if replace == nil {
			return // nothing is connected before Run
		}
		replace()
		timer := time.NewTimer(renewWait)
		select {
		case <-there:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// next is what the next connection is made of; it is to be replaced when ctx is done.
func (s *sockets) next(ctx context.Context, n int) (Config, context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replace[n] = cancel
	return s.cfg, ctx, cancel
}
