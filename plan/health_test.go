package plan

import (
	"testing"
	"time"

	"telgate"
)

func TestAfterItsRestATrunkIsTriedByOneCallWhileOthersGoElsewhere(t *testing.T) {
	d, faults := NewDialer(DialConfig{})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	trunks := []Trunk{{Name: "main", Kind: PBX}, {Name: "backup", Kind: PBX}}
	n := telgate.Number{Extension: "7101"}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	failed := &telgate.Call{Outcome: telgate.OutcomeTrunkFailed, Scope: telgate.ScopeTrunk}
	health := map[string]Health{"main": Health{}.After(failed, now)}
	goes := func(want string) {
		t.Helper()
		if c, ok, err := d.Route(n, trunks, health, nil, now); !ok || c.Trunk != want {
			t.Errorf("goes over %q, %v, %v; want %s", c.Trunk, ok, err, want)
		}
	}
	goes("backup")
	now = now.Add(restFirst + time.Second)
	goes("main")
	health["main"] = health["main"].Begun(now)
	goes("backup")
	health["backup"] = Health{}.After(failed, now)
	goes("main") // nothing is forbidden
	delete(health, "backup")

	again := health["main"].After(&telgate.Call{Outcome: telgate.OutcomeNoAnswer}, now)
	if again.Failures != 0 || !again.Trial.IsZero() {
		t.Errorf("after a call that rang: %+v", again)
	}
	refused := health["main"].After(&telgate.Call{Outcome: telgate.OutcomeTrunkFailed, Scope: telgate.ScopeCall}, now)
	if refused.Failures != 1 || !refused.Trial.IsZero() {
		t.Errorf("after a call that says nothing: %+v", refused)
	}
	now = now.Add(trialMost + time.Second)
	goes("main") // whoever tried never said what came of it
}
