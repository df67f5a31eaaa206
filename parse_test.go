package telgate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
)

func TestAnEventThatIsReadIsWrittenAgainAsItWas(t *testing.T) {
	for _, e := range events() {
		for _, numbers := range []bool{false, true} {
			want := string(e.JSON(numbers))
			got, err := telgate.ParseEvent([]byte(want))
			if err != nil {
				t.Fatalf("%s: %v", want, err)
			}
			if diff := cmp.Diff(want, string(got.JSON(numbers))); diff != "" {
				t.Errorf("%s (-written +written again):\n%s", e.Kind, diff)
			}
		}
	}
}

// longPage is a page with a step of every sort.
func longPage() telgate.Page {
	var call telgate.Call
	for _, e := range events() {
		if e.Ended != nil {
			call = *e.Ended
			break
		}
	}
	call.Trace = []telgate.SIPMessage{
		{At: moment(0), Sent: true, Transport: "udp", Local: "192.0.2.1:5060", Remote: "192.0.2.2:5060", Line: "INVITE sip:…78@192.0.2.2", SDP: "audio"},
		{At: moment(20 * time.Millisecond), Transport: "udp", Local: "192.0.2.1:5060", Remote: "192.0.2.2:5060", Line: "200 OK", Skipped: 3},
	}
	live := telgate.Call{Order: *order(), State: telgate.CallRinging, Times: telgate.CallTimes{Dialed: moment(0), Alerted: moment(time.Second)}}
	return telgate.Page{
		ID: "p1", Version: 9, Title: "alice, bob", Message: "db is down", State: telgate.PageCalling, Late: true, Result: telgate.Confirmed,
		Accepted: moment(0), Ended: moment(time.Minute), Wait: telgate.Wait{WaitsFor: moment(time.Hour), WaitsLine: "main"}, Rounds: 3, Stopped: "local:root",
		Askers:  []telgate.Asker{{Actor: telgate.Actor{ID: "U9", Name: "grace"}, Message: "db is down", At: moment(0)}},
		Targets: []telgate.Target{{Nick: "alice", Name: "Alice", Slack: "U1", Result: telgate.Confirmed, By: "+81…78", Via: telgate.ViaKey, At: moment(0), CalledBack: moment(1)}},
		Steps: []telgate.Step{
			{N: 1, Round: 1, Person: "bob", Number: telgate.Number{Extension: "7102", Trunk: "pbx"}, Skip: telgate.SkipLimit, At: moment(0)},
			{N: 2, Round: 1, Person: "alice", Number: mobile(), Call: &call, At: moment(0)},
			{N: 3, Round: 1, Person: "alice", Number: mobile(), Call: &live, At: moment(0)},
		},
	}
}

func TestAPageThatIsReadIsWrittenAgainAsItWas(t *testing.T) {
	for _, numbers := range []bool{false, true} {
		want := string(longPage().TracedJSON(numbers))
		got, err := telgate.ParsePage([]byte(want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got.TracedJSON(numbers))); diff != "" {
			t.Errorf("(-written +written again):\n%s", diff)
		}
	}
}

func TestAPageShowsWholeNumbersOnlyWhereAsked(t *testing.T) {
	p := longPage()
	if masked := string(p.TracedJSON(false)); strings.Contains(masked, "90123456") || !strings.Contains(masked, "+81…78") {
		t.Errorf("masked: %s", masked)
	}
	if whole := string(p.JSON(true)); !strings.Contains(whole, "+819012345678") || strings.Contains(whole, `"trace"`) {
		t.Errorf("whole: %s", whole)
	}
}

func TestWhatIsNoEventAndNoPageIsNotRead(t *testing.T) {
	for _, s := range []string{``, `{}`, `{"v":2,"event":"ringing"}`, `[]`, `{"v":1,"seq":"x"}`} {
		if e, err := telgate.ParseEvent([]byte(s)); err == nil {
			t.Errorf("%q is read as the event %+v", s, e)
		}
		if p, err := telgate.ParsePage([]byte(strings.Replace(s, "seq", "version", 1))); err == nil {
			t.Errorf("%q is read as the page %+v", s, p)
		}
	}
}
