package store

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
	"telgate/pager"
	"telgate/store/storetest"
)

// What is on disk is read by the binary before and by the one after: a name in testdata/rows.golden is added, and never
// changed or taken away.
func TestTheNamesOnDiskStayAsTheyAre(t *testing.T) {
	p := storetest.Full()
	at := time.UnixMicro(1e15).UTC()
	actor := telgate.Actor{ID: "U1", Name: "Ann", Team: "T1", Channel: "C1", Groups: []string{"S1"}, Guest: true, Unknown: true, Local: true}
	rows := map[string]any{
		"call.facts": factsOf(&p.Steps[0]),
		"message.body": messageOf(&pager.Message{
			Stop: &actor, Next: &actor, Join: &telgate.Asker{Actor: actor, Message: "m", At: at}, Late: p.Steps[0].Call,
			Confirm: &telgate.Target{
				Nick: "alice", Name: "Alice", Slack: "UA", Result: telgate.Confirmed, By: "UA", Via: telgate.ViaSlack, At: at, CalledBack: at,
			},
			Back: &pager.CalledBack{Nicks: []string{"alice"}, Number: p.Steps[0].Number, Trunk: "main"},
		}),
	}
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetIndent("", "  ")
	if err := enc.Encode(rows); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "rows.golden")
	if os.Getenv("TELGATE_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
