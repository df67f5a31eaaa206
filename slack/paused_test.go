package slack_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"telgate"
	"telgate/slack"
	"telgate/slack/slacktest"
)

// lever is a kill switch.
type lever struct {
	mu    sync.Mutex
	pause *telgate.Pause
}

func (l *lever) Paused() *telgate.Pause {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pause
}

func (l *lever) Pause(_ context.Context, by telgate.Actor, why string, _ bool) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pause = &telgate.Pause{By: by.Name, At: time.Date(2026, 1, 31, 21, 0, 0, 0, time.UTC), Why: why}
	return 0, nil
}

func (l *lever) Resume(context.Context, telgate.Actor) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pause = nil
	return nil
}

func TestAnAdministratorPausesCallingAndResumesIt(t *testing.T) {
	t.Parallel()
	l := &lever{}
	o := open(t, change{kill: l, config: func(c *slack.Config) { c.Policy.Admins = []string{"U0ROOT"} }})
	o.AddUser(slacktest.User{ID: "U0ROOT", Name: "root"})
	for _, c := range []struct{ user, text, says string }{
		{"U0GRACE", "/tel pause", "Only an administrator"},
		{"U0ROOT", "/tel resume", "Calling is not paused."},
		{"U0ROOT", "/tel pause false alarms", "Calling is paused: nobody new is rung"},
		{"U0GRACE", "/tel status", "*Calling is paused* by root since"},
		{"U0GRACE", "/tel status", "false alarms"},
		{"U0GRACE", "/tel resume", "Only an administrator"},
		{"U0ROOT", "/tel resume", "Calling goes on."},
		{"U0GRACE", "/tel status", "nothing is being called"},
	} {
		o.types(c.user, "C0OPS", c.text)
		o.reads(c.user, "C0OPS", c.says)
	}
	if l.Paused() != nil {
		t.Error("still paused")
	}
}

func TestWhoIsAllowedAfterAReloadIsListenedTo(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0EVE", "C0HALL", "/tel list")
	o.reads("U0EVE", "C0HALL", "You may not")
	o.slack.Allow(telgate.Policy{AllowUsers: []string{"U0EVE"}})
	o.types("U0EVE", "C0HALL", "/tel list")
	o.reads("U0EVE", "C0HALL", "alice")
}
