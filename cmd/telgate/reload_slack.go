package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"telgate"
	"telgate/config"
	"telgate/web"
)

// isToken tells which keys of Slack are tried before they count.
func isToken(key string) bool { return slices.Contains(tokenKeys(), key) }

func tokenKeys() []string {
	return []string{"slack.app_token", "slack.bot_token", "slack.signing_secret"}
}

// otherTokens are the keys of tokens that differ, wherever they are kept.
func otherTokens(before, after config.Slack) (keys []string) {
	a, b := tokens(before), tokens(after)
	for i, same := range []bool{a.App == b.App, a.Bot == b.Bot, a.SigningSecret == b.SigningSecret} {
		if !same {
			keys = append(keys, tokenKeys()[i])
		}
	}
	return keys
}

// renewTokens has Slack's new tokens count, if Slack takes them; where it does not, the old ones stay in cfg and in service.
func (g *gateway) renewTokens(ctx context.Context, cfg *config.Config, old config.Config, done *web.Reloaded) {
	keys := otherTokens(old.Slack, cfg.Slack)
	if len(keys) == 0 {
		return
	}
	if g.slack != nil {
		if err := g.slack.Renew(ctx, tokens(cfg.Slack)); err != nil {
			cfg.Slack.BotToken, cfg.Slack.AppToken, cfg.Slack.SigningSecret = old.Slack.BotToken, old.Slack.AppToken, old.Slack.SigningSecret
			done.Kept = append(done.Kept, keptTokens(err))
			return
		}
	}
	done.Changed = append(done.Changed, keys...)
}

func keptTokens(err error) string {
	path, why := "slack", err.Error()
	if f, ok := errors.AsType[telgate.Fault](err); ok {
		path, why = f.Path, f.Message
	}
	return path + ": " + strings.ReplaceAll(why, "\n", "; ") + ": the old tokens stay"
}
