package slack_test

import (
	"strings"
	"testing"
	"time"

	"telgate/slack"
)

func TestCommandsGoOnAfterSocketsWereReplacedOrCut(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]func(*office){"refreshed": func(o *office) { o.Refresh() }, "cut": func(o *office) { o.Drop() }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t, change{})
			opened := o.Calls("apps.connections.open")
			how(o)
			o.until("reconnected", func() bool { return o.Calls("apps.connections.open") >= opened+2 && o.Sockets() == 2 })
			o.types("U0GRACE", "C0OPS", "/tel alice")
			o.card("C0OPS", "Accepted")
		})
	}
}

func TestEverythingIsAcknowledgedHoweverOdd(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	for _, c := range []struct{ kind, payload string }{
		{"events_api", `{"type":"event_callback","event":{"type":"app_home_opened","view":{"state":{"values":[]}}}}`},
		{"events_api", `{"event":{"type":"a_new_one"}}`},
		{"interactive", `{"type":"block_actions","team":{"id":"T0TEST"},"user":{"id":"U0GRACE"},"actions":[{"action_id":"x","value":5,"action_ts":"1"}]}`},
		{"interactive", `{"type":"view_submission","view":{"state":{"values":[]}}}`},
		{"slash_commands", `{"command":5}`},
		{"slash_commands", `[]`},
		{"something_new", `{}`},
	} {
		id, err := o.SendEnvelope(c.kind, c.payload)
		if err != nil {
			t.Fatal(err)
		}
		o.until(c.kind+" "+c.payload+" is acknowledged", func() bool { return o.Acked(id) })
	}
	o.types("U0GRACE", "C0OPS", "/tel alice")
	o.card("C0OPS", "Accepted")
}

func TestAnotherWorkspacesCommandIsRefused(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	payload := `{"team_id":"T0OTHER","user_id":"U0GRACE","channel_id":"C0OPS","command":"/tel","text":"alice","trigger_id":"t1"}`
	if _, err := o.SendEnvelope("slash_commands", payload); err != nil {
		t.Fatal(err)
	}
	o.reads("U0GRACE", "C0OPS", "belongs to another workspace")
	if len(o.pages.asked()) != 0 {
		t.Error("a page was asked for")
	}
}

func TestHealthNamesWhatIsWrongWithTheTokens(t *testing.T) {
	t.Parallel()
	for problem, wrong := range map[string]func(*slack.Config){
		"auth.test: invalid_auth": func(c *slack.Config) { c.BotToken = "xoxb-wrong" },
		"invalid_auth":            func(c *slack.Config) { c.AppToken = "xapp-wrong" },
	} {
		t.Run(problem, func(t *testing.T) {
			t.Parallel()
			o := open(t, change{config: wrong, alone: true})
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for limit := time.Now().Add(patience); o.slack.Health().Problem != problem; <-tick.C {
				if time.Now().After(limit) {
					t.Fatalf("problem %q", o.slack.Health().Problem)
				}
			}
		})
	}
}

func TestProbeNamesMissingScopes(t *testing.T) {
	t.Parallel()
	o := open(t, change{})
	if p, err := o.slack.Probe(t.Context()); err != nil || len(p.Broken)+len(p.Off) != 0 || p.User == "" {
		t.Errorf("with all scopes: %+v, %v", p, err)
	}
	o.SetScopes("commands")
	p, err := o.slack.Probe(t.Context())
	broken := strings.Join(p.Broken, "\n")
	for _, scope := range []string{"chat:write ", "users:read ", "usergroups:read "} {
		if err != nil || len(p.Broken) != 3 || !strings.Contains(broken, "scope "+scope) || len(p.Off) != 2 {
			t.Errorf("with one scope: %+v, %v", p, err)
		}
	}
}
