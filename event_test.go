package telgate_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
)

const golden = "testdata/events.golden.jsonl"

func moment(after time.Duration) time.Time {
	return time.Date(2026, 8, 1, 21, 30, 0, 123456789, time.FixedZone("JST", 9*3600)).Add(after)
}

func mobile() telgate.Number {
	return telgate.Number{E164: "+819012345678", Country: "81", Label: "mobile"}
}

// order is the call that the events are about.
func order() *telgate.Order {
	return &telgate.Order{
		Call: "c1", Page: "p1", Person: "alice", Step: 2, Round: 1, Number: mobile(), Trunk: "main", LastHope: true,
		Ring: 25 * time.Second, Language: "ja", Prompt: "alert", Confirm: telgate.ConfirmKey,
	}
}

// events are one of every kind, with everything that kind may carry.
func events() []telgate.Event {
	confirmed := []telgate.Target{
		{Nick: "alice", Name: "Alice", Slack: "U1", Result: telgate.Confirmed, By: mobile().String(), Via: telgate.ViaKey, At: moment(0)},
		{Nick: "bob", Name: "Bob", Slack: "U2", Result: telgate.NotReached},
	}
	extension := order()
	extension.Number = telgate.Number{Extension: "7100", Trunk: "pbx"}
	followed := order()
	followed.Forward, followed.Spent = "+819087654321", time.Second
	full := telgate.Call{
		Order: *order(), State: telgate.CallEnded, Outcome: telgate.OutcomeConfirmed, Detail: telgate.DetailNone,
		Times: telgate.CallTimes{
			Dialed: moment(0), Alerted: moment(time.Second), Answered: moment(4 * time.Second), Ended: moment(9500 * time.Millisecond),
		},
		Signal: telgate.Signal{
			Status: 200, Phrase: "OK", Q850: 16, Reasons: []string{"Q.850;cause=16;text=\"Normal <clearing>\"", "SIP;cause=200"},
			Warning: "399 pbx \"x\"", Server: "Asterisk", RetryAfter: time.Minute, RedirectTo: "+819087654321", DivertedTo: "+819012345678", ToTags: 2,
			Alerting: telgate.AlertingSignalled, SIPCallID: "id@192.0.2.1",
		},
		Audio: telgate.Audio{Codec: "PCMU", Media: telgate.MediaSRTP, Suite: "AEAD_AES_128_GCM", Early: telgate.EarlyUnknown, Prompt: 3210 * time.Millisecond, RTP: telgate.RTP{Sent: 300, Received: 290, Lost: 2}},
		Keys:  []telgate.Key{{Digit: "1", Via: "rfc4733", After: 900 * time.Millisecond, Early: true}, {Digit: "1", Via: "rfc4733", After: 5 * time.Second, Confirms: true}},
	}
	failed := telgate.Call{
		Order: *order(), State: telgate.CallEnded, Outcome: telgate.OutcomeTrunkFailed, Detail: telgate.DetailTransport, Scope: telgate.ScopeTrunk,
		Times:  telgate.CallTimes{Dialed: moment(0), Ended: moment(time.Second)},
		Signal: telgate.Signal{Alerting: telgate.AlertingNone, Err: "connect: refused"}, Audio: telgate.Audio{Early: telgate.EarlyNone},
	}
	all := []telgate.Event{
		{
			Kind: telgate.EventPageAccepted, Asker: &telgate.Asker{Actor: telgate.Actor{ID: "U9", Name: "Ann", Channel: "C1"}, Message: "db is <down>"},
			People: []telgate.Target{{Nick: "alice"}, {Nick: "bob"}},
		},
		{Kind: telgate.EventPageJoined, Asker: &telgate.Asker{Actor: telgate.Actor{ID: "U8"}, Message: "web too"}},
		{Kind: telgate.EventDialing, Order: order()},
		{Kind: telgate.EventWaitingForLine, Order: order()},
		{Kind: telgate.EventEarlyMedia, Order: order(), Status: 183},
		{Kind: telgate.EventForwarded, Order: order(), Status: 181},
		{Kind: telgate.EventRinging, Order: extension, Status: 180},
		{Kind: telgate.EventAnswered, Order: order()},
		{Kind: telgate.EventPrompt, Order: order(), Clip: "alert"},
		{Kind: telgate.EventKey, Order: order(), Key: &telgate.Key{Digit: "#", Via: "rfc4733", After: time.Second, Early: true}},
		{Kind: telgate.EventVoicemail, Order: order()},
		{Kind: telgate.EventCallEnded, Order: order(), Ended: &full},
		{Kind: telgate.EventCallEnded, Order: order(), Ended: &failed},
		{Kind: telgate.EventStepSkipped, Order: &telgate.Order{Page: "p1", Person: "bob", Step: 3, Round: 1, Number: mobile()}, Skip: telgate.SkipLimit},
		{Kind: telgate.EventWaiting, Until: moment(20 * time.Second)},
		{Kind: telgate.EventPageConfirmed, Result: telgate.Confirmed, Late: true, People: confirmed},
		{Kind: telgate.EventPageEnded, Result: telgate.Confirmed, People: confirmed},
		{Kind: telgate.EventForwarded, Order: followed, Status: 302},
		{Kind: telgate.EventCalledBack, Order: &telgate.Order{Page: "p1", Person: "alice", Number: mobile(), Trunk: "main"}, People: confirmed[:1], Late: true},
		{Kind: telgate.EventWaitingForLine, Order: &telgate.Order{Page: "p1", Person: "bob", Step: 4, Round: 1, Number: mobile(), Trunk: "main"}, Until: moment(10 * time.Second)},
		{Kind: telgate.EventPersonConfirmed, People: confirmed[:1]},
		{Kind: telgate.EventKey, Order: order(), Key: &telgate.Key{Digit: "1", Via: "info", After: 5 * time.Second, Confirms: true}},
	}
	for i := range all {
		all[i].Seq, all[i].Page, all[i].Time = i+1, "p1", moment(time.Duration(i)*time.Second)
	}
	all = append(all, telgate.Event{
		Kind: telgate.EventRefused, Time: moment(0), Refuse: &telgate.Refusal{
			Reason: telgate.RefusedUnknownName, Message: "Nobody is called \"…79\".", Suggestions: []string{"09012345678"}, Subject: "09012345679",
		},
	})
	return append(all, telgate.Event{
		Kind: telgate.EventRefused, Time: moment(0), Refuse: &telgate.Refusal{
			Reason: telgate.RefusedUnknownName, Message: "Nobody is called \"alcie\".", Suggestions: []string{"alice"}, Subject: "alcie",
		},
	})
}

// lines are all events, numbers masked, then whole.
func lines() []byte {
	var out bytes.Buffer
	for _, show := range []bool{false, true} {
		for _, ev := range events() {
			out.Write(ev.JSON(show))
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

// TestThePublicFormOfEventsDoesNotChange: names may be added under one version; TELGATE_UPDATE_GOLDEN writes the file, and
// a line of it that is gone or renamed needs EventVersion to grow.
func TestThePublicFormOfEventsDoesNotChange(t *testing.T) {
	if os.Getenv("TELGATE_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, lines(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(lines()), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheGoldenFileHasEveryKindOfEvent(t *testing.T) {
	var have []string
	for _, ev := range events() {
		have = append(have, string(ev.Kind))
	}
	declared := constants(t, "event.go", "EventKind")
	if len(declared) < 17 {
		t.Fatalf("found only %v", declared)
	}
	for _, kind := range declared {
		if !slices.Contains(have, kind) {
			t.Errorf("no event %q in the golden file", kind)
		}
	}
}

func TestEveryEventIsOneLineWithWhatAllHave(t *testing.T) {
	for _, ev := range events() {
		b := ev.JSON(false)
		var got struct {
			V     int    `json:"v"`
			Time  string `json:"time"`
			Event string `json:"event"`
		}
		if err := json.Unmarshal(b, &got); err != nil || bytes.ContainsAny(b, "\r\n") {
			t.Fatalf("%s: %v", b, err)
		}
		if at, err := time.Parse(time.RFC3339, got.Time); err != nil || !strings.HasSuffix(got.Time, "Z") || !at.Equal(ev.Time.Truncate(time.Millisecond)) {
			t.Errorf("%s: time %q for %v", ev.Kind, got.Time, ev.Time)
		}
		if got.V != telgate.EventVersion || got.Event != string(ev.Kind) {
			t.Errorf("%s: %+v", ev.Kind, got)
		}
	}
}

func TestWholeNumbersAreShownOnlyWhereAsked(t *testing.T) {
	shown := 0
	for _, ev := range events() {
		if b := ev.JSON(false); bytes.Contains(b, []byte("12345678")) || bytes.Contains(b, []byte("87654321")) {
			t.Errorf("shows a whole number: %s", b)
		}
		if bytes.Contains(ev.JSON(true), []byte("+819012345678")) {
			shown++
		}
	}
	if shown == 0 {
		t.Error("whole numbers are never shown")
	}
}

func TestWhatACallSaidIsWholeInItsLastEvent(t *testing.T) {
	i := slices.IndexFunc(events(), func(ev telgate.Event) bool { return ev.Ended != nil })
	b := events()[i].JSON(false)
	for _, name := range []string{`"retry_after_ms":60000`, `"to_tags":2`, `"redirected_to":`} {
		if !bytes.Contains(b, []byte(name)) {
			t.Errorf("no %s in %s", name, b)
		}
	}
}

// constants reads the string constants of one type from a source file of this package.
func constants(t *testing.T, file, typeName string) []string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, d := range tree.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range gen.Specs {
			spec, ok := s.(*ast.ValueSpec)
			if !ok {
				continue
			}
			if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != typeName {
				continue
			}
			for _, v := range spec.Values {
				lit, ok := v.(*ast.BasicLit)
				if !ok {
					continue
				}
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, text)
			}
		}
	}
	return values
}
