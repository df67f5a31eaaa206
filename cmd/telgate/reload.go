package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"telgate"
	"telgate/config"
	"telgate/voice"
	"telgate/web"
)

// reload reads the configuration again. A file with a fault changes nothing, and the error says why; keys that need a
// restart stay as they are and are named. Calls go on by what counted when they began.
func (g *gateway) reload(ctx context.Context, by telgate.Actor, from telgate.AuditFrom) (web.Reloaded, error) {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	done, err := g.exchange(ctx)
	if err != nil {
		g.log.Error("configuration not reloaded, nothing changed", "by", by.ID, "err", err)
		return done, err
	}
	for _, why := range done.Kept {
		g.log.Warn("not reloaded", "by", by.ID, "why", why)
	}
	for _, w := range done.Warnings {
		g.log.Warn("reloaded, but", "by", by.ID, "warning", w)
	}
	g.log.Info("configuration reloaded", "by", by.ID, "changed", done.Changed, "needs_restart", done.Restart)
	g.note(ctx, telgate.AuditEntry{Actor: by.ID, From: from, Act: telgate.AuditReloaded, Detail: strings.Join(done.Changed, ", ")})
	return done, nil
}

func (g *gateway) exchange(ctx context.Context) (done web.Reloaded, err error) {
	if g.house == nil || g.house.load == nil {
		return done, errors.New("this gateway has no configuration file")
	}
	cfg, err := g.house.load()
	if err != nil {
		return done, err
	}
	old := g.live.now().cfg
	done = g.differing(old.File, cfg.File)
	o, faults := g.turnover(&g.live.now().settings, withFixed(cfg, old))
	if len(faults) == 0 && len(o.fresh) > 0 {
		if err := o.try(ctx); err != nil {
			return done, err
		}
	}
	var s settings
	if len(faults) == 0 {
		s, faults = g.house.settings(o.cfg)
	}
	if len(faults) > 0 {
		o.discard(o.fresh...)
		return done, mixed(faults, append(done.Restart, o.kept...))
	}
	s.trunks = o.trunks
	done.Kept, done.Warnings = o.kept, o.warnings
	g.renewTokens(ctx, &s.cfg, old, &done)
	s.recall(ctx, g.log)
	s.freshen(ctx)
	done.Changed = append(done.Changed, o.changed()...)
	slices.Sort(done.Changed)
	g.adopt(s)
	o.settle(ctx)
	return done, nil
}

// differing names the keys that count from now on, but for trunks and tokens, which are tried first, and those that need a
// restart.
func (g *gateway) differing(old, now config.File) web.Reloaded {
	done := web.Reloaded{Changed: []string{}}
	for _, key := range config.Changed(old, now) {
		if reloads(key) && !strings.HasPrefix(key, "trunks.") && !isToken(key) {
			done.Changed = append(done.Changed, key)
		}
	}
	for _, key := range config.Changed(g.cfg.File, now) { // since the start: an earlier reload changed none of these
		if !reloads(key) {
			done.Restart = append(done.Restart, key)
		}
	}
	return done
}

// adopt lets settings count in every room that goes by them.
func (g *gateway) adopt(s settings) {
	g.use(s)
	if g.slack != nil {
		g.slack.Allow(g.live.policy())
	}
	g.pager.Reconfigure(g.pagerConfig(&s, true))
}

// mixed says that a good file has faults beside what stays as it was.
func mixed(faults config.Faults, stays []string) error {
	return fmt.Errorf("the file is good, but not with what stays as it was (%s):\n%w", strings.Join(stays, ", "), faults)
}

// use lets settings count from now on.
func (g *gateway) use(s settings) {
	g.live.set(s, voice.New(voiceConfig(s.cfg, g.look), g.lines(&s), g.clock))
}

// reloads tells whether a key counts without a restart.
func reloads(key string) bool {
	for _, prefix := range []string{"people.", "groups.", "rotas.", "prompts.", "limits.", "calls.", "trunks.", "sip."} {
		if strings.HasPrefix(key+".", prefix) {
			return true
		}
	}
	switch key {
	case "gateway.announce_prompt", "gateway.drain", "slack.allow_users", "slack.allow_groups", "slack.allow_channels", "slack.admins",
		"slack.see_numbers":
		return true
	}
	return isToken(key)
}

// withFixed is a new configuration with what needs a restart as it was.
func withFixed(cfg, old config.Config) config.Config {
	drain, announce, may := cfg.Gateway.Drain, cfg.Gateway.AnnouncePrompt, cfg.Slack
	cfg.Gateway, cfg.Slack, cfg.Web, cfg.Media, cfg.Log, cfg.Store = old.Gateway, old.Slack, old.Web, old.Media, old.Log, old.Store
	cfg.Gateway.Drain, cfg.Gateway.AnnouncePrompt = drain, announce
	cfg.Slack.AllowUsers, cfg.Slack.AllowGroups, cfg.Slack.AllowChannels = may.AllowUsers, may.AllowGroups, may.AllowChannels
	cfg.Slack.Admins, cfg.Slack.SeeNumbers = may.Admins, may.SeeNumbers
	cfg.Slack.BotToken, cfg.Slack.AppToken, cfg.Slack.SigningSecret = may.BotToken, may.AppToken, may.SigningSecret
	return cfg
}

// loadWhole reads the configuration and has every room look at it: what would keep a gateway from starting is a fault.
func (a *app) loadWhole() (config.Config, error) {
	cfg, err := a.loadConfig()
	if err != nil {
		return cfg, err
	}
	_, err = build(cfg, a.env, slog.New(slog.DiscardHandler), serveRules())
	return cfg, err
}

// reloadLimit is how long a reload by signal may take.
const reloadLimit = time.Minute

// hangup is SIGHUP: the configuration is read again, and once more where another one comes meanwhile. Any other signal cuts
// short what is being tried, and is returned.
func (g *gateway) hangup(ctx context.Context, signals <-chan os.Signal) os.Signal {
	for {
		again, stop := g.reloadUntil(ctx, signals)
		if !again || stop != nil {
			return stop
		}
	}
}

func (g *gateway) reloadUntil(ctx context.Context, signals <-chan os.Signal) (again bool, stop os.Signal) {
	ctx, cancel := context.WithTimeout(ctx, reloadLimit)
	defer cancel()
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = g.reload(ctx, telgate.Actor{ID: "gateway", Local: true}, telgate.FromSignal) // it is in the log
	}()
	for {
		select {
		case s := <-signals:
			if s == syscall.SIGHUP {
				again = true
				continue
			}
			cancel()
			<-over
			return false, s
		case <-over:
			return again, nil
		}
	}
}
