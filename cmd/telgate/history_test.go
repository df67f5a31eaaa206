package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
	"telgate/web"
)

// someHistory is one page of each sort.
func someHistory() []telgate.Page {
	at := func(d time.Duration) time.Time { return time.Date(2026, 1, 31, 21, 0, 0, 0, time.UTC).Add(d) }
	mobile := telgate.Number{E164: "+819012345678", Country: "81"}
	confirmed := &telgate.Call{
		Order: telgate.Order{Call: "c1", Person: "太郎", Number: mobile, Trunk: "main"}, State: telgate.CallEnded, Outcome: telgate.OutcomeConfirmed,
		Times: telgate.CallTimes{Dialed: at(0), Alerted: at(time.Second), Answered: at(9 * time.Second), Ended: at(20 * time.Second)},
		Trace: []telgate.SIPMessage{{At: at(0), Sent: true, Transport: "udp", Local: "192.0.2.1:5060", Remote: "192.0.2.2:5060", Line: "INVITE sip:…78@192.0.2.2"}},
	}
	busy := &telgate.Call{
		Order: telgate.Order{Call: "c2", Person: "bob", Number: telgate.Number{Extension: "7113", Trunk: "main"}, Trunk: "main"}, State: telgate.CallEnded,
		Outcome: telgate.OutcomeBusy, Signal: telgate.Signal{Status: 486, Phrase: "Busy Here"},
	}
	asker := func(name, message string) telgate.Asker {
		return telgate.Asker{Actor: telgate.Actor{ID: "U1", Name: name}, Message: message, At: at(0)}
	}
	return []telgate.Page{
		{
			ID: "p3", Title: "ops", State: telgate.PageCalling, Accepted: at(time.Hour), Askers: []telgate.Asker{asker("grace", "again")},
			Targets: []telgate.Target{{Nick: "太郎"}},
			Steps:   []telgate.Step{{N: 1, Round: 1, Person: "太郎", Number: mobile, At: at(time.Hour), Call: &telgate.Call{Order: confirmed.Order, State: telgate.CallRinging}}},
		},
		{
			ID: "p2", Title: "太郎, bob", Message: "=cmd|' /C calc'!A0", State: telgate.PageEnded, Result: telgate.Confirmed, Accepted: at(0), Ended: at(21 * time.Second),
			Askers: []telgate.Asker{asker("grace", "=cmd|' /C calc'!A0"), asker("\x1b[31mheidi", "too")},
			Targets: []telgate.Target{
				{Nick: "太郎", Name: "Taro", Result: telgate.Confirmed, By: "+81…78", Via: telgate.ViaKey, At: at(19 * time.Second), CalledBack: at(time.Hour)},
				{Nick: "bob", Result: telgate.NotReached},
			},
			Steps: []telgate.Step{
				{N: 1, Round: 1, Person: "bob", Number: busy.Number, At: at(0), Call: busy},
				{N: 2, Round: 1, Person: "bob", Number: busy.Number, At: at(0), Skip: telgate.SkipLimit},
				{N: 3, Round: 1, Person: "太郎", Number: mobile, At: at(0), Call: confirmed},
			},
		},
		{
			ID: "p1", Title: "bob", State: telgate.PageEnded, Result: telgate.Cancelled, Late: true, Accepted: at(-time.Hour), Ended: at(time.Minute - time.Hour), Stopped: "local:root",
			Askers: []telgate.Asker{asker("", "")}, Targets: []telgate.Target{{Nick: "bob", Result: telgate.Cancelled}},
		},
	}
}

// asReceived are pages as they come over the socket.
func asReceived(t *testing.T, pages []telgate.Page) []telgate.Page {
	t.Helper()
	for i := range pages {
		p, err := telgate.ParsePage(pages[i].TracedJSON(false))
		if err != nil {
			t.Fatal(err)
		}
		pages[i] = p
	}
	return pages
}

// inShort are the same pages as a list receives them.
func inShort(t *testing.T, pages []telgate.Page) (all []telgate.Summary) {
	t.Helper()
	for i := range pages {
		s, err := telgate.ParseSummary(pages[i].Summary().JSON())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// goldenText holds a text against a file of testdata.
func goldenText(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("TELGATE_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; TELGATE_UPDATE_GOLDEN=1 accepts):\n%s", path, diff)
	}
}

func TestHistoryReadsTheSameAsEver(t *testing.T) {
	pages := asReceived(t, someHistory())
	var b strings.Builder
	b.WriteString("# telgate history\n" + historyTable(inShort(t, pages), time.UTC) + "\n# telgate history --csv\n")
	if err := writeCSV(&b, inShort(t, pages)); err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		b.WriteString("\n# telgate history " + string(p.ID) + "\n" + pageText(p, false, time.UTC))
	}
	goldenText(t, "history.golden", b.String())
}

func TestStatusSaysWhatIsWrongFirst(t *testing.T) {
	now := time.Date(2026, 1, 31, 21, 0, 0, 0, time.UTC)
	s := web.Status{
		Gateway: "tokyo", Version: "0.1.0", PID: 7, Started: now.Add(-90 * time.Minute), Config: "/etc/telgate/config.toml", State: web.Paused,
		Paused: &telgate.Pause{By: "local:root", At: now.Add(-time.Minute), Why: "false\nalarms"}, Store: "memory", Slack: "connected",
		Trunks: []web.TrunkStatus{{Trunk: "main", State: "up", Calls: 2, Waiting: 1}, {Trunk: "backup", State: "down", Problem: "no answer"}},
		Pages:  []web.PageStatus{{Page: "p1", Title: "ops", State: telgate.PageCalling, Accepted: now.Add(-30 * time.Second), Asker: "U1"}},
		Mutes:  []web.MuteLine{{Who: "alice", Until: now.Add(2 * time.Hour), By: "U1", At: now}},
	}
	goldenText(t, "status.golden", statusText(s, now))
}

func TestATimeIsReadAsPeopleWriteIt(t *testing.T) {
	now := time.Date(2026, 1, 31, 21, 0, 0, 0, time.FixedZone("JST", 9*3600))
	for text, want := range map[string]string{
		"90m": "2026-01-31T19:30:00+09:00", "24h": "2026-01-30T21:00:00+09:00", "7d": "2026-01-24T21:00:00+09:00",
		"2026-01-02": "2026-01-02T00:00:00+09:00", "2026-01-02T03:04": "2026-01-02T03:04:00+09:00", "2026-01-02T03:04:05Z": "2026-01-02T03:04:05Z",
	} {
		if got, err := when(text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "-3h", "-7d", "2026-13-01", "d"} {
		if got, err := when(text, now); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestNoCellOfATableForSpreadsheetsIsAFormula(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", " =1": "' =1", "+81…78": "'+81…78", "-": "'-", "@x": "'@x", "\t=1": "' =1", "|x": "'|x", "＝1": "'＝1", "alice": "alice", "a=b": "a=b", "": "",
	} {
		if got := harmless(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestSoundThatCameAndWasNotListenedToIsNotCalledSilence(t *testing.T) {
	call := telgate.Call{Outcome: telgate.OutcomeAnswered, Detail: telgate.DetailNoAudio}
	call.Times.Answered = time.Unix(1e9, 0)
	call.Times.Ended = call.Times.Answered.Add(time.Minute)
	for why, want := range map[telgate.Rejection]string{
		"":                      "answered, but no sound came from the phone in 60 s",
		telgate.RejectedSource:  "answered, but none of the 3000 packets of sound that came in 60 s could be listened to: they are from another address than the SDP names, see media.latch",
		telgate.RejectedPayload: "answered, but none of the 3000 packets of sound that came in 60 s could be listened to: their payload type was not agreed on, see codecs of the trunk",
	} {
		if call.Audio.RTP.RejectedFor = why; why != "" {
			call.Audio.RTP.Rejected = 3000
		} else {
			call.Audio.RTP.Rejected = 0
		}
		if got := outcomeWords(call); got != want {
			t.Errorf("%s", got)
		}
	}
}

func TestWhatIsKnownOfAnotherGatewaysPageIsShownWithoutTheRest(t *testing.T) {
	v := &view{}
	for want, ev := range map[string]telgate.Event{
		"waiting for a line of trunk main, until 21:00:00 UTC": {
			Kind: telgate.EventWaitingForLine, Order: &telgate.Order{Trunk: "main"}, Until: time.Date(2026, 1, 31, 21, 0, 0, 0, time.UTC),
		},
		"alice: called back, which confirms nothing": {Kind: telgate.EventCalledBack, Order: &telgate.Order{Person: "alice"}},
	} {
		ev.Page, ev.Seq = "p1", 1
		heard, err := telgate.ParseEvent(ev.JSON(false))
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range []telgate.Event{ev, heard} {
			if got := v.line(ev); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}
