package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
)

func at(seconds int) time.Time {
	return time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

func desk() telgate.Number { return telgate.Number{E164: "+12025550123", Country: "1", Label: "desk"} }

// ended is a call with this outcome, 20 s after it was dialled.
func ended(n int, o telgate.Outcome, d telgate.Detail) telgate.Step {
	c := &telgate.Call{
		Order: telgate.Order{Person: "alice", Step: n, Round: 1, Number: desk(), Trunk: "main"},
		State: telgate.CallEnded, Outcome: o, Detail: d,
	}
	c.Times = telgate.CallTimes{Dialed: at(30 * n), Alerted: at(30*n + 1), Ended: at(30*n + 20)}
	if o == telgate.OutcomeAnswered || o == telgate.OutcomeConfirmed {
		c.Times.Answered = at(30*n + 5)
	}
	return telgate.Step{N: n, Round: 1, Person: "alice", Number: desk(), Call: c, At: at(30 * n)}
}

func live(n int, s telgate.CallState) telgate.Step {
	step := ended(n, "", "")
	step.Call.State, step.Call.Times.Ended = s, time.Time{}
	return step
}

func page(state telgate.PageState, steps ...telgate.Step) telgate.Page {
	return telgate.Page{
		ID: "p1", Version: 3, Title: "alice", Message: "db is down", State: state, Rounds: 3, Accepted: at(0), Steps: steps,
		Askers:  []telgate.Asker{{Actor: telgate.Actor{ID: "U0GRACE", Name: "grace"}, Message: "db is down"}},
		Targets: []telgate.Target{{Nick: "alice", Name: "Alice", Slack: "U0ALICE"}},
	}
}

func over(r telgate.Result, steps ...telgate.Step) telgate.Page {
	p := page(telgate.PageEnded, steps...)
	p.Result, p.Ended = r, at(600)
	p.Targets[0].Result = r
	return p
}

func confirmedBy(via telgate.Via, steps ...telgate.Step) telgate.Page {
	p := over(telgate.Confirmed, steps...)
	p.Targets[0].Via, p.Targets[0].By, p.Targets[0].At = via, "+1…23", at(55)
	return p
}

// cards are the states a card can be in.
func cards() []struct {
	name string
	page telgate.Page
} {
	waits := page(telgate.PageWaiting, ended(1, telgate.OutcomeBusy, ""))
	waits.WaitsFor = at(80)
	stopped := over(telgate.Cancelled, ended(1, telgate.OutcomeCancelled, ""))
	stopped.Stopped = "U0GRACE"
	late := confirmedBy(telgate.ViaSlack, ended(1, telgate.OutcomeNoAnswer, telgate.DetailRingLimit))
	late.Late = true
	skipped := telgate.Step{N: 2, Round: 1, Person: "alice", Number: desk(), Skip: telgate.SkipNoLine, At: at(60)}
	picked := over(telgate.Answered, ended(1, telgate.OutcomeAnswered, telgate.DetailListened))
	picked.Targets[0].Via = telgate.ViaPick
	var many []telgate.Step
	for i := range 9 {
		many = append(many, ended(i+1, telgate.OutcomeNoAnswer, telgate.DetailRingLimit))
	}
	joined := page(telgate.PageCalling, live(1, telgate.CallRinging))
	joined.Askers = append(joined.Askers, telgate.Asker{Actor: telgate.Actor{ID: "U0EVE", Name: "eve"}, Message: "and the web is down"})
	hostile := page(telgate.PageCalling, live(1, telgate.CallRinging))
	hostile.Message = "<!channel> *bold* & <@U1> `code`"
	hostile.Targets[0].Name = "A*l_i~c`e <!here> & co"
	line := page(telgate.PageWaiting)
	line.WaitsFor, line.WaitsLine = at(10), "main"
	followed := live(1, telgate.CallRinging)
	followed.Call.Forward = "+12025550189"
	landed := ended(1, telgate.OutcomeConfirmed, "")
	landed.Call.Forward = "+12025550189"
	elsewhere := ended(1, telgate.OutcomeRedirected, telgate.DetailStatus)
	elsewhere.Call.Signal.RedirectTo = "+12025550189"
	vain := ended(1, telgate.OutcomeRedirected, telgate.DetailStatus)
	vain.Call.Forward = "+12025550189"
	refused := func(n, status int) telgate.Step {
		s := ended(n, telgate.OutcomeBlocked, telgate.DetailStatus)
		s.Call.Signal.Status = status
		return s
	}
	back := over(telgate.NotReached, ended(1, telgate.OutcomeNoAnswer, telgate.DetailRingLimit))
	back.Targets[0].CalledBack = at(180)
	backLive := page(telgate.PageCalling, live(1, telgate.CallRinging))
	backLive.Targets[0].CalledBack = at(20)
	carol := telgate.Number{Extension: "7103", Trunk: "pbx"}
	team := func(way telgate.Way) telgate.Page {
		p := page(telgate.PageCalling, live(1, telgate.CallRinging), live(2, telgate.CallAnswered), live(3, telgate.CallRinging))
		p.Title, p.Way = "ops", way
		p.Targets = append(p.Targets, telgate.Target{Nick: "bob", Name: "Bob"}, telgate.Target{Nick: "carol", Name: "Carol"})
		for i, n := range []telgate.Number{desk(), {E164: "+12025550124", Country: "1", Label: "mobile"}, carol} {
			p.Steps[i].Person, p.Steps[i].Number = p.Targets[i].Nick, n
			p.Steps[i].Call.Person, p.Steps[i].Call.Number = p.Targets[i].Nick, n
		}
		return p
	}
	rollCall := team(telgate.Way{All: true, RollCall: true})
	rollCall.Targets[1].Result, rollCall.Targets[1].Via, rollCall.Targets[1].At = telgate.Confirmed, telgate.ViaKey, at(65)
	rollCall.Steps[1].Call.State, rollCall.Steps[1].Call.Outcome, rollCall.Steps[1].Call.Times.Ended = telgate.CallEnded, telgate.OutcomeConfirmed, at(65)
	thanking := rollCall.Clone()
	thanking.Steps[1].Call = team(telgate.Way{}).Steps[1].Call
	thanking.Steps[1].Call.Keys = []telgate.Key{{Digit: "1", Confirms: true}}
	thankingOne := thanking.Clone()
	thankingOne.Way.All, thankingOne.Steps = false, thankingOne.Steps[1:2]
	thanked := live(1, telgate.CallAnswered)
	thanked.Call.Keys = thanking.Steps[1].Call.Keys
	confirmed := confirmedBy(telgate.ViaKey, thanked)
	confirmed.State, confirmed.Ended = telgate.PageCalling, time.Time{}
	partial := rollCall.Clone()
	partial.State, partial.Result = telgate.PageEnded, telgate.Partial
	for _, i := range []int{0, 2} {
		partial.Targets[i].Result, partial.Steps[i].Call.Outcome = telgate.NotReached, telgate.OutcomeNoAnswer
	}
	muted := telgate.Step{N: 1, Round: 1, Person: "alice", Number: desk(), Skip: telgate.SkipMuted, At: at(1)}
	mutedPage := page(telgate.PageWaiting, muted)
	mutedPage.WaitsFor = at(20)
	var skips []telgate.Step
	for i, why := range []telgate.SkipReason{
		telgate.SkipForbidden, telgate.SkipLimit, telgate.SkipResting, telgate.SkipPaused, telgate.SkipEnded,
	} {
		skips = append(skips, telgate.Step{N: i + 1, Round: 1, Person: "alice", Number: desk(), Skip: why, At: at(i)})
	}
	pausedPage := page(telgate.PageWaiting)
	pausedPage.Paused = true
	storm := page(telgate.PageCalling, live(1, telgate.CallRinging))
	for i := range 7 {
		storm.Askers = append(storm.Askers, telgate.Asker{Actor: telgate.Actor{ID: "U0GRACE", Name: "grace"}, Message: fmt.Sprintf("disk %d is full", i)})
	}
	forced := page(telgate.PageCalling, live(1, telgate.CallDialing))
	forced.Forced = "U0GRACE"
	return []struct {
		name string
		page telgate.Page
	}{
		{"side by side", team(telgate.Way{All: true})},
		{"a roll call", rollCall},
		{"a roll call that ended", partial},
		{"a roll call in which one is thanked, side by side", thanking},
		{"a roll call in which one is thanked", thankingOne},
		{"confirmed, and being thanked", confirmed},
		{"muted", mutedPage},
		{"not called", over(telgate.NotReached, skips...)},
		{"paused", pausedPage},
		{"stopped with its gateway", over(telgate.Cancelled)},
		{"a storm", storm},
		{"forced", forced},
		{"waiting for a line", line},
		{"forwarded and ringing", page(telgate.PageCalling, followed)},
		{"forwarded and confirmed", confirmedBy(telgate.ViaKey, landed)},
		{"redirected", over(telgate.NotReached, elsewhere)},
		{"forwarded in vain", over(telgate.NotReached, vain)},
		{"blocked", over(telgate.NotReached, refused(1, 433), refused(2, 438), refused(3, 608))},
		{"called back", back},
		{"called back while it rings", backLive},
		{"accepted", page(telgate.PageAccepted)},
		{"dialing", page(telgate.PageCalling, live(1, telgate.CallDialing))},
		{"ringing", page(telgate.PageCalling, live(1, telgate.CallRinging))},
		{"early media", page(telgate.PageCalling, live(1, telgate.CallEarly))},
		{"forwarded", page(telgate.PageCalling, live(1, telgate.CallForwarded))},
		{"answered", page(telgate.PageCalling, live(1, telgate.CallAnswered))},
		{"waiting", waits},
		{"waiting for a phone", page(telgate.PageWaiting)},
		{"second try", page(telgate.PageCalling, ended(1, telgate.OutcomeNoAnswer, telgate.DetailRingLimit), live(2, telgate.CallRinging))},
		{"confirmed by key", confirmedBy(telgate.ViaKey, ended(1, telgate.OutcomeConfirmed, ""))},
		{"confirmed in Slack", confirmedBy(telgate.ViaSlack, ended(1, telgate.OutcomeCancelled, ""))},
		{"confirmed late", late},
		{"answered by policy", picked},
		{"not reached", over(telgate.NotReached, ended(1, telgate.OutcomeAnswered, telgate.DetailNoKey), ended(2, telgate.OutcomeDeclined, ""))},
		{"not reached after many steps", over(telgate.NotReached, many...)},
		{"failed", over(telgate.Failed, ended(1, telgate.OutcomeTrunkFailed, telgate.DetailCredentials), skipped)},
		{"stopped", stopped},
		{"joined", joined},
		{"hostile words", hostile},
	}
}

// checked renders a card and sees that Slack would take it.
func checked(t *testing.T, w words, p telgate.Page) message {
	t.Helper()
	m := render(w, p)
	if err := checkMessage(m); err != nil {
		t.Errorf("Slack refuses it: %v", err)
	}
	if got := fmt.Sprint(m.text, m.digest()); strings.Contains(got, "2025550123") {
		t.Error("the card holds a number")
	}
	return m
}

// seen is a card as in a golden file: what notifications say, then every block.
func seen(t *testing.T, m message) string {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	for _, block := range m.blocks {
		if err := encoder.Encode(block); err != nil {
			t.Fatal(err)
		}
	}
	return m.text + "\n" + b.String()
}

func golden(t *testing.T, name, got string) {
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

func TestACardSaysHowThePageStands(t *testing.T) {
	for _, language := range []string{"en", "ja"} {
		var all strings.Builder
		for _, c := range cards() {
			fmt.Fprintf(&all, "== %s\n%s\n", c.name, seen(t, checked(t, wordsFor(language), c.page)))
		}
		golden(t, "cards."+language+".golden", all.String())
	}
}

// A second card may stand where a gateway died as it posted the first.
func TestASecondCardSaysThatItCountsAndAStrayPointsToIt(t *testing.T) {
	for _, language := range []string{"en", "ja"} {
		w, p := wordsFor(language), page(telgate.PageCalling, live(1, telgate.CallRinging))
		m := w.doubt(checked(t, w, p), p, true)
		if err := checkMessage(m); err != nil {
			t.Errorf("Slack refuses it: %v", err)
		}
		golden(t, "second."+language+".golden", seen(t, m)+"\n"+w.pointer("https://example.slack.com/archives/C1/p1").text+"\n"+w.pointer("").text+"\n")
	}
}

func TestARefusalSaysThatNobodyIsCalledAndWhatToDo(t *testing.T) {
	for _, language := range []string{"en", "ja"} {
		var all strings.Builder
		for _, r := range []telgate.Refusal{
			{Reason: telgate.RefusedUnknownName, Subject: "alcie", Message: "Nobody is called \"alcie\".", Suggestions: []string{"alice"}},
			{Reason: telgate.RefusedAmbiguous, Subject: "al", Message: "\"al\" is more than one.", Suggestions: []string{"alice", "albert"}},
			{Reason: telgate.RefusedForbiddenNumber, Message: "NOT accepted: no number may be dialled: outside limits.prefixes_allowed."},
			{Reason: telgate.RefusedLimit, Message: "NOT accepted: every number was called too often in the last hour."},
			{Reason: telgate.RefusedNotAllowed, Message: "You may not have people called. Ask an administrator of telgate."},
			{Reason: telgate.RefusedMuted, Subject: "alice", Message: "NOT accepted: muted are alice. They or an administrator can end that (unmute)."},
			{Reason: telgate.RefusedNobodyOnCall, Subject: "duty", Message: "Nobody is on call in duty now."},
			{Reason: telgate.RefusedNotReady, Message: "NOT accepted: this gateway is stopping. Call by hand, or ask again in a minute."},
			{Reason: telgate.RefusedTime, Message: "Say how long."},
		} {
			w := wordsFor(language)
			fmt.Fprintf(&all, "== %s\n%s\n", r.Reason, w.notAccepted(w.refusal(&r)))
		}
		golden(t, "refusals."+language+".golden", all.String())
	}
}

func TestEveryOutcomeHasItsWordsInBothLanguages(t *testing.T) {
	for _, o := range telgate.Outcomes() {
		en, ja := render(wordsFor("en"), over(telgate.NotReached, ended(1, o, ""))), render(wordsFor("ja-JP"), over(telgate.NotReached, ended(1, o, "")))
		if en.digest() == ja.digest() {
			t.Errorf("%s is the same in both", o)
		}
		if words := wordsFor("en").outcome(*ended(1, o, "").Call); words == string(o) && o != telgate.OutcomeBusy && o != telgate.OutcomeDeclined {
			t.Errorf("%s has no words", o)
		}
	}
}

func TestACardStaysWithinSlacksLimitsHoweverLongItsWordsAre(t *testing.T) {
	p := page(telgate.PageCalling, live(1, telgate.CallAnswered))
	p.Message = strings.Repeat("障害<&>", 1000)
	p.Title = strings.Repeat("名", 400)
	for i := range 60 {
		p.Targets = append(p.Targets, telgate.Target{Nick: fmt.Sprint(i), Name: strings.Repeat("<長い名前>", 30), Slack: "U1"})
		p.Askers = append(p.Askers, telgate.Asker{Actor: telgate.Actor{ID: "local:root" + strings.Repeat("&", i)}})
	}
	for i := range 50 {
		p.Steps = append([]telgate.Step{ended(i+1, telgate.OutcomeTrunkFailed, telgate.DetailCredentials)}, p.Steps...)
	}
	checked(t, wordsFor("ja"), p)
	checked(t, wordsFor("en"), p)
}

func TestOnlyWhatALookChangesIsSentAgain(t *testing.T) {
	p := page(telgate.PageCalling, live(1, telgate.CallRinging))
	q := p
	q.Version++
	if appearance(render(wordsFor("en"), p)) != appearance(render(wordsFor("en"), q)) {
		t.Error("a version that looks the same would be an edit")
	}
	q.Message = "other"
	if appearance(render(wordsFor("en"), p)) == appearance(render(wordsFor("en"), q)) {
		t.Error("a change of words would not be sent")
	}
}
