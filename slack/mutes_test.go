package slack_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"telgate"
	"telgate/slack/slacktest"
)

// quiet is who is muted. Only U0ALICE may mute, and only herself.
type quiet struct {
	mu  sync.Mutex
	all []telgate.Mute
}

func (q *quiet) Mutes() []telgate.Mute {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.all)
}

func (q *quiet) Mute(_ context.Context, o telgate.MuteOrder) (telgate.Mute, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case o.Asker.ID != "U0ALICE" || o.Who != "" && o.Who != "alice":
		return telgate.Mute{}, &telgate.Refusal{Reason: telgate.RefusedNotAllowed, Message: "Only they themselves or an administrator may do that."}
	case !o.End && o.When != "until 18:00":
		return telgate.Mute{}, &telgate.Refusal{Reason: telgate.RefusedTime, Message: "I cannot mute: say how long."}
	}
	m := telgate.Mute{Nick: "alice", Until: time.Date(2026, 1, 31, 18, 0, 0, 0, time.UTC), By: o.Asker.ID}
	if q.all = nil; !o.End {
		q.all = []telgate.Mute{m}
	}
	return m, nil
}

func TestSomebodyMutesTheirPhonesAndEverybodySeesIt(t *testing.T) {
	t.Parallel()
	o := open(t, change{mutes: &quiet{}})
	o.AddUser(slacktest.User{ID: "U0ALICE", Name: "alice"})
	for _, c := range []struct{ user, text, says string }{
		{"U0GRACE", "/tel mute alice until 18:00", "Only they themselves or an administrator"},
		{"U0ALICE", "/tel mute me soon", "I cannot mute"},
		{"U0ALICE", "/tel mute me until 18:00", "*alice* is not called until"},
		{"U0GRACE", "/tel who alice", "muted until"},
		{"U0GRACE", "/tel list", "muted until"},
		{"U0GRACE", "/tel status", "Muted: *alice* until"},
		{"U0ALICE", "/tel unmute", "*alice* is called again"},
	} {
		o.types(c.user, "C0OPS", c.text)
		o.reads(c.user, "C0OPS", c.says)
	}
}

func TestAGatewayWithoutMutesSaysSo(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	o.types("U0GRACE", "C0OPS", "/tel mute me until 18:00")
	o.reads("U0GRACE", "C0OPS", "This gateway mutes nobody.")
}
