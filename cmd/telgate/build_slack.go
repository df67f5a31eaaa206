package main

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"telgate"
	"telgate/config"
	"telgate/slack"
)

func policy(cfg config.Config) telgate.Policy {
	return telgate.Policy{
		AllowUsers: cfg.Slack.AllowUsers, AllowGroups: cfg.Slack.AllowGroups, AllowChannels: cfg.Slack.AllowChannels,
		Admins: cfg.Slack.Admins, SeeNumbers: cfg.Slack.SeeNumbers,
	}
}

func tokens(k config.Slack) slack.Tokens {
	return slack.Tokens{Bot: k.BotToken.Reveal(), App: k.AppToken.Reveal(), SigningSecret: k.SigningSecret.Reveal()}
}

// newSlack connects nothing yet.
func newSlack(cfg config.Config, pages slack.Pages, feed slack.Feed, people slack.Directory, kill slack.Switch, mutes slack.Mutes, shelf slack.Shelf, env *environment, log *slog.Logger) (*slack.Slack, config.Faults) {
	k := cfg.Slack
	s, err := slack.New(slack.Config{
		Mode: k.Mode, BotToken: k.BotToken.Reveal(), AppToken: k.AppToken.Reveal(), SigningSecret: k.SigningSecret.Reveal(),
		Command: k.Command, Policy: policy(cfg), APIURL: k.APIURL, Language: cfg.Gateway.Language,
		GatewayName: cmp.Or(cfg.Gateway.Announce, cfg.Gateway.Name),
	}, pages, feed, people, shelf, slack.Env{
		Now: env.now, Log: log, Dial: env.dial, Switch: kill, Mutes: mutes,
		HTTP: &http.Client{Timeout: slackTimeout, Transport: &http.Transport{
			DialContext: env.dial, Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: slackTimeout,
			IdleConnTimeout: time.Minute,
		}},
	})
	var faults config.Faults
	for _, e := range joined(err) {
		f, ok := errors.AsType[telgate.Fault](e)
		if !ok {
			f = telgate.Fault{Path: "slack", Message: e.Error()}
		}
		faults = append(faults, f)
	}
	if k.Mode == slack.ModeHTTP && cfg.Web.Listen == "" {
		faults = append(faults, telgate.Fault{Path: "web.listen", Message: "is off, but slack.mode = \"http\" needs it"})
	}
	return s, faults
}

// slackTimeout is of one request to Slack.
const slackTimeout = 10 * time.Second
